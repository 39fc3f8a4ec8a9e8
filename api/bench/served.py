"""The server deployment: the same facts judged and kept in a Neo4j that holds nothing else meanwhile."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.bench.rows import Name, Row, row
from api.bench.story import clock
from api.bench.writing import TURN, imported_in, opened, story_file, turns_of
from api.service import Service
from api.settings import Settings
from api.stores import neo4j_address
from graph.neo4j_trial import trial

WARM_BATCHES: Final = 1_000
"""Imported first, then single facts, and neither measured: a server that was just started compiles its code while it answers."""


def on_neo4j(batches: int, folder: Path, uri: str) -> Iterator[Row]:
    """Single facts of one client and of many, and an import of facts; the peer of the import is the file.

    Raises:
        StoreProblem: the database is out of reach, or something stands in it already.
    """
    with _emptied(uri, folder / "warm") as settings:
        _import(settings, story_file(WARM_BATCHES, folder))
    with _emptied(uri, folder / "warm-turns") as settings:
        _turns(settings)
    with _emptied(uri, folder / "turns") as settings:
        yield from _turns(settings)
    file = story_file(batches, folder)
    with _emptied(uri, folder / "import") as settings:
        position, seconds = _import(settings, file)
    beside = opened(folder / "beside")
    try:
        file_seconds = imported_in(beside, file)
    finally:
        beside.close()
    what, note = (
        "Neo4j：导入事实 · import with all rules and the chain",
        f"{position:,} 条事实 facts, 每批 turns of {TURN}",
    )
    yield row(Name.NEO4J, what, "/s", position / seconds, ("ours, one SQLite file", position / file_seconds), note)


@contextmanager
def _emptied(uri: str, folder: Path) -> Generator[Settings]:
    """An installation whose ledger holds nothing, with a folder of its own: no cache of what was measured before."""
    settings = Settings.read(data=folder, ledger=uri, public_url=None, secret=None, tables=None)
    with trial(neo4j_address(settings)):
        yield settings


def _turns(settings: Settings) -> list[Row]:
    service = Service.open(settings, clock)
    try:
        return list(turns_of(service, Name.NEO4J, "Neo4j："))
    finally:
        service.close()


def _import(settings: Settings, file: Path) -> tuple[int, float]:
    """The last position, and the seconds it took."""
    service = Service.open(settings, clock)
    try:
        seconds = imported_in(service, file)
        return service.book.position, seconds
    finally:
        service.close()
