"""The ten questions of `docs/graph.md` on the demonstration region: what they answer is what the service's readings say."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.region import Region, region
from flows.book import Book
from flows.errors import Problem
from flows.events import Amendment, CorrectionRequested, Generated, Stored
from flows.materials import WEIGHING, catalogue
from flows.recording import Recording
from graph.editions import Editions
from graph.following import follow
from graph.graph_audit import graph_faults
from graph.memory_ledger import MemoryLedger
from graph.neo4j_graph import Neo4jGraph
from graph.neo4j_store import Neo4jAddress
from tests.graph.graph_questions import Readings
from tests.servers.neo4j_server import Address, empty

pytestmark = [pytest.mark.neo4j(shared=True), pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[2] / "docs" / "graph.md"
QUESTION = re.compile(r"^### (?P<number>\d+)\. .*?^```cypher\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
QUESTIONS = {int(match["number"]): match["text"] for match in QUESTION.finditer(PAGE.read_text("utf-8"))}
NOW = datetime(2026, 11, 3, 1, tzinfo=UTC)
TODAY = date(2026, 11, 3)
CORRECTED = 4


class Asked:
    """The region, recorded and in part corrected: its readings, and its graph."""

    def __init__(self, graph: Neo4jGraph) -> None:
        self.graph = graph
        self.region: Region = region(1)
        self.ledger = MemoryLedger()
        self.editions = Editions(catalogue())
        self.recording = Recording(self.ledger, Book(catalogue()), lambda: NOW, [self.editions])
        for author, facts in self.region.statements():
            self.recording.record(facts, author)
        self._correct(Generated, {"mass_g": 12_345_000})
        self._correct(Stored, None)
        self.portions: list[int] = []
        follow(graph, self.ledger, catalogue(), lambda done, _: self.portions.append(done))

    def _correct(self, kind: type[Any], product: dict[str, Any] | None) -> None:
        """Correct the last facts of a kind for which nothing later loses its ground; without a product, withdraw them."""
        done, book = 0, self.recording.book
        for position in range(book.position, 0, -1):
            event = book.fact(position).event
            if not isinstance(event, kind) or done == CORRECTED:
                continue
            becomes: Any = None
            if product is not None:
                becomes = event.model_copy(update={"product": event.product.model_copy(update=product)})
            change = Amendment(stated_by=event.enterprise, corrects=event.event_id, was=event, becomes=becomes)
            request = CorrectionRequested(
                event_id=f"mend-{position}", enterprise=event.enterprise, event_time=NOW, changes=(change,),
                reason="称量有误",
            )  # fmt: skip
            try:
                self.recording.record([request], event.enterprise)
            except Problem:
                continue
            done += 1
        assert done == CORRECTED, kind

    @property
    def readings(self) -> Readings:
        return Readings(self.recording.book, self.editions.now)

    def ask(self, number: int, **values: Any) -> list[dict[str, Any]]:
        return [record.data() for record in self.graph.ask(QUESTIONS[number], **values)]  # pyright: ignore[reportArgumentType] - the page's own words

    def uscc(self, part: str) -> str:
        return next(uscc for uscc, each in self.region.organisations.items() if part in each.name)


@pytest.fixture(scope="module")
def asked(neo4j_server: Address) -> Iterator[Asked]:
    empty(neo4j_server)
    address = Neo4jAddress(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    graph = Neo4jGraph(address, catalogue(), beside=True)
    try:
        yield Asked(graph)
    finally:
        graph.close()
        empty(neo4j_server)


def test_there_are_ten_questions() -> None:
    assert sorted(QUESTIONS) == list(range(1, 11))


def test_the_graph_is_what_the_entries_say(asked: Asked) -> None:
    assert asked.portions[-1] == asked.ledger.head().position
    assert graph_faults(asked.graph, asked.ledger, catalogue()) == []


def test_who_received_what_no_permit_line_covers(asked: Asked) -> None:
    codes = [code for code, waste in catalogue().wastes.items() if waste.hazardous and not waste.is_class]
    begin, end = "2024-11-01", "2026-10-31"
    found = {row["position"] for code in codes for row in asked.ask(1, code=code, **{"from": begin, "to": end})}

    assert found == asked.readings.not_permitted(begin, end)
    assert found


def test_which_loads_touched_the_landfill(asked: Asked) -> None:
    landfill = asked.uscc("磐安")
    (site,) = [site.site_id for site in asked.recording.book.sites.values() if site.site_id.startswith(landfill)]
    found = [
        (row["manifest"], row["line"], row["loaded_g"], row["arrived_g"], row["accepted_g"], sorted(row["carriers"]))
        for row in asked.ask(2, site=site)
    ]

    assert found == asked.readings.loads_to(site)
    assert len(found) > 50


def test_what_is_still_lying_of_the_smelters_dross(asked: Asked) -> None:
    smelter = asked.uscc("云栈")
    rows = asked.ask(3, enterprise=smelter, material="primary-dross")
    sites = {site.site_id: site.name for site in asked.recording.book.sites.values()}
    expected = asked.readings.lying(smelter, "primary-dross")

    assert sorted((row["batch"], row["site"], row["place"], row["left_g"]) for row in rows) == [
        (batch, sites[site], place, left_g) for batch, site, place, left_g in expected
    ]
    assert len(rows) > 5


def test_what_goes_in_circles_between_two(asked: Asked) -> None:
    rows = asked.ask(4)
    found = [(row["code"], row["one"], row["other"], min(row["there_g"], row["back_g"])) for row in rows]

    assert sorted(found) == sorted(asked.readings.loops())
    assert found


@pytest.mark.parametrize("days", [0, 3])
def test_which_loads_are_underway_for_long(asked: Asked, days: int) -> None:
    rows = asked.ask(5, today=TODAY.isoformat(), days=days)

    assert sorted((row["manifest"], row["line"]) for row in rows) == asked.readings.underway(TODAY, days)


def test_which_carriers_loads_weigh_otherwise(asked: Asked) -> None:
    rows = asked.ask(6, tolerance_ppm=catalogue().tolerance_ppm(WEIGHING, TODAY))

    assert {row["carrier"]: row["lines"] for row in rows} == asked.readings.differences()
    assert rows


@pytest.mark.parametrize("days", [30, 365])
def test_which_hazardous_waste_lies_for_long(asked: Asked, days: int) -> None:
    rows = asked.ask(7, today=TODAY.isoformat(), days=days)

    assert sorted((row["batch"], row["left_g"]) for row in rows) == asked.readings.stored_longer(TODAY, days)


def test_how_much_nobody_can_account_for(asked: Asked) -> None:
    rows = asked.ask(8, **{"from": "2025-01-01", "to": "2025-12-31"})
    found = {(row["enterprise"], row["boundary"]): row["mass_g"] for row in rows}

    assert found == asked.readings.unaccounted(date(2025, 1, 1), date(2025, 12, 31))
    assert len(found) > 5


def test_what_a_batch_was_made_of(asked: Asked) -> None:
    lineage = asked.editions.now
    for batch in (lineage.batch_ids[-1], asked.region.stories["label"], asked.region.stories["load"]):
        rows = asked.ask(9, batch=batch)
        found = {(row["enterprise"], row["material"], row["origin"]): row["batches"] for row in rows}

        assert found == asked.readings.made_of(batch)
        assert found


def test_what_was_corrected_later(asked: Asked) -> None:
    found = [(row["since"], row["position"], row["reason"], row["withdraws"]) for row in asked.ask(10)]

    assert found == asked.readings.corrected()
    assert len(found) == 2 * CORRECTED
