"""The server deployment: the same facts judged and kept in a Neo4j that holds nothing else meanwhile."""

from collections.abc import Iterator
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
"""Imported first and not measured: a server that was just started compiles its queries while it answers."""


def on_neo4j(batches: int, folder: Path, uri: str) -> Iterator[Row]:
    """Single facts of one client and of many, and an import of facts; the peer of the import is the file.

    Raises:
        StoreProblem: the database is out of reach, or something stands in it already.
    """
    settings = Settings.read(data=folder / "neo4j", ledger=uri, public_url=None, secret=None, tables=None)
    with trial(neo4j_address(settings)):
        _import(settings, story_file(WARM_BATCHES, folder))
    with trial(neo4j_address(settings)):
        service = Service.open(settings, clock)
        try:
            yield from turns_of(service, Name.NEO4J, "Neo4j：")
        finally:
            service.close()
    file = story_file(batches, folder)
    with trial(neo4j_address(settings)):
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


def _import(settings: Settings, file: Path) -> tuple[int, float]:
    """The last position, and the seconds it took."""
    service = Service.open(settings, clock)
    try:
        seconds = imported_in(service, file)
        return service.book.position, seconds
    finally:
        service.close()
