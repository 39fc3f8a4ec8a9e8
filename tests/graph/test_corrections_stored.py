"""Corrections through every store: who opens the ledger anew, or reads what another wrote, reads the same."""

from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.audit import audit
from flows.book import Book
from flows.errors import Problem
from flows.events import Generated
from flows.materials import catalogue
from flows.reading import read
from flows.recording import LedgerFacts, Recording
from graph.editions import Editions
from tests.flows.stories import SMELTER, House, generated, own, portion, product, settled, transformed
from tests.flows.test_mending import heavier, request
from tests.graph.histories import World, histories
from tests.graph.mending import NOW_US, Mended, corrections
from tests.graph.stores import NAMES, STORES


def opened(house: House) -> tuple[Recording, Editions]:
    """Another process's view of the same ledger."""
    editions = Editions(catalogue())
    book = Book(catalogue(), LedgerFacts(house.ledger))
    recording = Recording(house.ledger, book, house.clock, (editions,))
    recording.catch_up()
    return recording, editions


@pytest.mark.parametrize("name", NAMES)
def test_whoever_reads_the_ledger_reads_its_corrections(name: str, tmp_path: Path) -> None:
    house = settled(STORES[name].ledger(tmp_path))
    running, editions = opened(house)
    made = generated(mass="10 t")
    house.tell(made)
    house.tell(transformed([portion("B1", "6 t")], [product(SMELTER, "B2", "6 t")]))
    before = house.book.position
    house.tell(request(house, made, **heavier(made, "12 t")))
    running.catch_up()
    fresh, _ = opened(house)

    for book in (house.book, running.book, fresh.book):
        assert book.batch(own(SMELTER, "B1")).left_g == 6_000_000
        assert book.as_of(before).batch(own(SMELTER, "B1")).left_g == 4_000_000
    assert editions.now.batches.mass_g.view(1).tolist() == [12_000_000]
    assert editions.as_of(before).batches.mass_g.view(1).tolist() == [10_000_000]
    assert audit(house.ledger) == []
    house.ledger.close()


@pytest.mark.parametrize("name", NAMES)
def test_of_many_who_correct_one_fact_at_once_one_is_in_time(name: str, tmp_path: Path) -> None:
    house = settled(STORES[name].ledger(tmp_path))
    made = generated(mass="10 t")
    house.tell(made)
    wanted = [request(house, made, name=f"GZ-{n}", **heavier(made, f"{n} t")) for n in range(11, 19)]
    refused: list[str] = []

    def ask(number: int) -> None:
        try:
            house.tell(wanted[number])
        except Problem as problem:
            refused.append(problem.key)

    threads = [Thread(target=ask, args=(number,)) for number in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == ["correction-outdated"] * 7
    fact = house.book.fact(house.book.find_fact(SMELTER, made.event_id) or 0).event
    assert isinstance(fact, Generated)
    assert house.book.batch(own(SMELTER, "B1")).mass_g == fact.product.mass_g
    assert audit(house.ledger) == []
    house.ledger.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(histories(), st.data())
def test_a_book_that_was_folded_entry_by_entry_is_the_book_read_at_once(world: World, data: st.DataObject) -> None:
    """Corrections judged and read through drafts leave what reading the entries from the first leaves."""
    mended = Mended(world)
    for _ in range(data.draw(st.integers(1, 3), "corrections")):
        mended.request(corrections(data, mended.book))
    plain, drafted = Book(catalogue()), Book(catalogue())
    for entry in world.entries:
        read(plain, entry.event, entry.position, NOW_US)
        turn = drafted.overlay()
        own_draft = turn.overlay()
        read(own_draft, entry.event, entry.position, NOW_US)
        own_draft.fold()
        turn.fold()

    for book in (plain, drafted):
        assert [layer for _, layer in book.registers()] == [layer for _, layer in mended.book.registers()]
