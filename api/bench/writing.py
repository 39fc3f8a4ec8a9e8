"""Writing and starting: facts judged and chained into a file that is synced, and that file read by a new service."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Barrier, Thread
from typing import Final

import numpy as np
import orjson
from rich.console import Console

from api.bench.rows import MS, Name, Row, medians_ms, row, timed
from api.bench.story import DAY, MATERIAL, PLANT, SITE, clock, facts
from api.facts_in import TURN, import_facts
from api.manners import settle_memory, unsettle_memory
from api.service import Service
from api.settings import Settings
from flows.entries import event_json
from flows.events import Event, Generated, Product

CLIENTS: Final = 64
TURNS_EACH: Final = 16
TURNS_ALONE: Final = 128
STORY_BEGINS: Final = 2
"""Facts before the first batch: the plant and its site."""
START_SECONDS: Final = 4.0
BARE: Final = "SQLite FULL, bare rows"
TABLE: Final = """
    create table entry (
        position integer primary key, record_time_us integer, enterprise text, event_id text, body blob, digest text,
        unique (enterprise, event_id)
    ) strict
"""
ROWS: Final = "select position, record_time_us, enterprise, event_id, body, digest from entry order by position"


def opened(folder: Path) -> Service:
    """A service over a file of its own, whatever the environment says; the clock stands still."""
    folder.mkdir(parents=True, exist_ok=True)
    return Service.open(settings_of(folder), clock)


def settings_of(folder: Path) -> Settings:
    """The settings of a service over a file of its own."""
    return Settings(data=folder, ledger="sqlite", public_url=None, secret=None, tables=None)


def import_story(batches: int, folder: Path) -> Row:
    """A story in JSON lines: parsed, judged by every rule, chained, kept in turns. The peer keeps the rows only."""
    file = story_file(batches, folder)
    service = opened(folder / "data")
    try:
        seconds = imported_in(service, file)
        rows = _rows(service.settings.file)
        bare, _ = timed(lambda: _keep_bare(folder / "bare.sqlite", rows))
        assert _rows(folder / "bare.sqlite") == rows, "SQLite keeps other rows"
    finally:
        service.close()
    note = f"{len(rows):,} 条事实 facts, 每批 turns of {TURN}"
    what = "导入事实：全部规则与摘要链 · import with all rules and the chain"
    return row(Name.IMPORT, what, "/s", len(rows) / seconds, (BARE, len(rows) / bare), note)


def story_file(batches: int, folder: Path) -> Path:
    """A story in JSON lines."""
    file = folder / "facts.jsonl"
    with file.open("wb") as lines:
        for event in facts(batches):
            lines.write(orjson.dumps(event_json(event), option=orjson.OPT_APPEND_NEWLINE))
    return file


def imported_in(service: Service, file: Path) -> float:
    """The seconds that an import takes."""
    seconds, good = timed(lambda: import_facts(service, file, check=False, out=Console(quiet=True), print_json=None))
    assert good, "a story is refused"
    return seconds


def _rows(file: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(ROWS).fetchall()
    finally:
        connection.close()


def _keep_bare(file: Path, rows: Sequence[tuple[object, ...]]) -> None:
    connection = sqlite3.connect(file)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute(TABLE)
        for first in range(0, len(rows), TURN):
            with connection:
                connection.executemany("insert into entry values (?, ?, ?, ?, ?, ?)", rows[first : first + TURN])
    finally:
        connection.close()


def start(folder: Path) -> Iterator[Row]:
    """Opening a service on an imported story, everything imported already: with every entry read, and with a current
    cache. The peer reads and parses the same rows; of the cache the peer is reading every entry.
    """
    file = folder / "data" / "huanliu.db"
    position = len(_parsed(file))

    def read_all() -> None:
        service = Service.open_unread(settings_of(folder / "data"), clock)
        assert service.recording.catch_up() == position, "not all was read"
        service.close()

    def begin() -> None:
        service = opened(folder / "data")
        assert service.book.position == position, "not all was read"
        service.close()

    anew, theirs = medians_ms(read_all, lambda: _parsed(file), seconds=START_SECONDS)
    what = "冷启动：读出台账 · cold start without a cache, imports aside"
    yield row(Name.START, what, "ms", anew, ("sqlite3 and JSON alone", theirs), f"{position:,} 条 entries")
    note = f"{position:,} 条 entries, {_keep_cache(folder / 'data')}"
    (cached,) = medians_ms(begin, seconds=START_SECONDS)
    what = "冷启动：有缓存 · cold start with a current cache, imports aside"
    yield row(Name.START, what, "ms", cached, ("every entry read", anew), note)


def _keep_cache(folder: Path) -> str:
    """Write the cache; returns its size and how long it took, in words."""
    service = Service.open_unread(settings_of(folder), clock)
    service.recording.catch_up()
    assert service.caching is not None, "an opened installation has a cache"
    told = service.caching.write(service.recording)
    service.close()
    assert told.key == "cache-written", told
    return f"缓存 cache {told.figures['megabytes']} MB, {told.figures['seconds']} s"


def _parsed(file: Path) -> list[object]:
    return [orjson.loads(each[4]) for each in _rows(file) if isinstance(each[4], bytes)]


def turns(folder: Path) -> Iterator[Row]:
    """Single facts, each answered when it is durable, by one client and by many; the peer is all of them in one turn."""
    service = opened(folder / "turns")
    try:
        yield from turns_of(service, Name.TURNS)
    finally:
        service.close()


def turns_of(service: Service, name: Name, where: str = "") -> Iterator[Row]:
    """The same of any service that holds nothing yet, in a process that is settled as one that serves."""
    settle_memory()
    try:
        yield from _turns_of(service, name, where)
    finally:
        unsettle_memory()


def _turns_of(service: Service, name: Name, where: str) -> Iterator[Row]:
    service.recording.record(list(islice(facts(1), STORY_BEGINS)), PLANT)
    whole = _arising("T", CLIENTS * TURNS_EACH)
    seconds, kept = timed(lambda: service.recording.record(whole, PLANT))
    together = len(kept.entries) / seconds
    for clients, each in ((1, TURNS_ALONE), (CLIENTS, TURNS_EACH)):
        before = service.book.position
        stated = [_arising(f"C{clients}-{number}", each) for number in range(clients)]
        seconds, taken_ms = timed(lambda stated=stated: _by(stated, service))
        assert service.book.position == before + clients * each, "a fact was not kept"
        p50, p99 = np.percentile(taken_ms, (50, 99)).tolist()
        what = (
            f"{where}逐条落盘，{clients} 个客户端 · durable turns, {clients} {'client' if clients == 1 else 'clients'}"
        )
        note = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        yield row(name, what, "/s", clients * each / seconds, ("the same in one turn", together), note)


def _arising(name: str, count: int) -> list[Event]:
    return [
        Generated(
            event_id=f"{name}.{number}", enterprise=PLANT, event_time=DAY, site_id=SITE,
            product=Product(batch_id=f"{PLANT}.{name}-{number}", material=MATERIAL, mass_g=1_000),
        )
        for number in range(count)
    ]  # fmt: skip


def _by(stated: Sequence[Sequence[Event]], service: Service) -> list[float]:
    """Clients that state one fact after the other, all at once; the milliseconds that each fact waited."""
    begun = Barrier(len(stated))
    taken_ms: list[float] = []

    def client(own: Sequence[Event]) -> None:
        begun.wait()
        for event in own:
            seconds, _ = timed(lambda event=event: service.recording.record([event], PLANT))
            taken_ms.append(MS * seconds)

    threads = [Thread(target=client, args=(own,)) for own in stated]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken_ms
