"""The demo region served by several processes from Neo4j, and from its file: the same pages, readings and figures."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import OK, SEE_OTHER
from itertools import islice
from pathlib import Path
from typing import Final

import httpx2
import pytest

from api.region import Region, region
from api.service import Service
from api.settings import Settings
from flows.audit import audit
from flows.book import Book
from flows.materials import catalogue
from flows.ports import Ledger
from flows.recording import Recording
from graph.memory_ledger import MemoryLedger
from tests.api.processes import served
from tests.graph.stores import unread
from tests.servers.neo4j_server import Address

pytestmark = [pytest.mark.neo4j, pytest.mark.server, pytest.mark.long, pytest.mark.timeout(900)]
WORKERS: Final = 2
PROVINCE: Final = "51"
NOW: Final = datetime(2026, 11, 3, 1, tzinfo=UTC)
YEAR: Final = "from=2025-01-01&to=2025-12-31"
AT_ONCE: Final = 2_000
EACH: Final = 12
"""Batches and manifests whose own pages are compared, spread over the region."""
PAGES: Final = (
    "/", "/batches", "/manifests", "/enterprises", "/audit", "/corrections", "/differences",
    f"/api/v1/indicators?{YEAR}", "/api/v1/entries?limit=1000", "/api/v1/audit",
)  # fmt: skip
OF_A_BATCH: Final = (
    "/batches/{}",
    "/batches/{}/trace",
    "/batches/{}/history",
    "/api/v1/batches/{}/trace?direction=both",
    "/api/v1/batches/{}/fate",
)
OF_A_MANIFEST: Final = ("/manifests/{}", "/manifests/{}/history", "/api/v1/manifests/{}")


@dataclass
class Told:
    """The region and its ledger."""

    region: Region
    ledger: Ledger

    def seats(self) -> dict[str, tuple[str, str]]:
        """The province's regulator, and the plant that most is brought to, with the division that each watches over."""
        (province,) = (uscc for uscc, each in self.region.organisations.items() if each.division == PROVINCE)
        return {"province": (province, PROVINCE), "plant": (self.region.workbook_enterprise, "")}


@pytest.fixture(scope="module")
def told() -> Told:
    made = Told(region(1), MemoryLedger())
    recording = Recording(made.ledger, Book(catalogue()), lambda: NOW)
    for author, facts in made.region.statements():
        recording.record(facts, author)
    return made


def moved(told: Told, settings: Settings) -> tuple[dict[str, str], list[str]]:
    """The same entries there; the keys of each seat, and the pages that are compared."""
    service = Service.open(settings)
    entries = told.ledger.entries()
    while turn_of := list(islice(entries, AT_ONCE)):
        with service.ledger.turn() as turn:
            turn.append(unread(turn_of))
    service.recording.catch_up()
    keys = {
        seat: service.keys.create(uscc, "regulator" if division else "member", division=division)[0]
        for seat, (uscc, division) in told.seats().items()
    }
    pages = list(PAGES)
    for names, paths in ((service.book.batches.keys(), OF_A_BATCH), (service.book.manifests.keys(), OF_A_MANIFEST)):
        pages += [path.format(name) for name in sorted(names)[:: len(names) // EACH] for path in paths]
    assert audit(service.ledger) == []
    service.close()
    return keys, pages


def answers(address: str, key: str, pages: list[str]) -> Iterator[tuple[str, int, str | None, str]]:
    """What is told to somebody who signed in, without the address."""
    with httpx2.Client(
        trust_env=False, timeout=120, headers={"Authorization": f"Bearer {key}", "Origin": address}
    ) as client:
        assert client.post(f"{address}/login", data={"key": key}).status_code == SEE_OTHER
        for page in pages:
            answer = client.get(address + page)
            yield page, answer.status_code, answer.headers.get("Huanliu-Position"), answer.text.replace(address, "")


def test_the_same_pages_and_figures(told: Told, neo4j: Address, tmp_path: Path) -> None:
    file = Settings(data=tmp_path / "file")
    there = Settings(data=tmp_path / "there", ledger=neo4j.uri, neo4j_user=neo4j.user, neo4j_password=neo4j.password)  # pyright: ignore[reportArgumentType]
    (ours, pages), (theirs, _) = moved(told, file), moved(told, there)
    seen = Counter[str]()
    with served(file, WORKERS) as (_, here), served(there, WORKERS) as (_, beyond):
        for seat in ours:
            for one, other in zip(answers(here, ours[seat], pages), answers(beyond, theirs[seat], pages), strict=True):
                assert one == other, seat
                seen[seat] += one[1] == OK
    assert seen["province"] > len(pages) / 2, "most of it is there to be seen"
    assert seen["plant"] > len(PAGES)
