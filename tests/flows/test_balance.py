"""What each kind of fact moves, to the gram."""

from typing import Any

import pytest

from flows.balance import Boundary, Draw, Flow, movements, postings, process_gap_g, total_g
from flows.events import (
    KINDS,
    Addition,
    Collected,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    Loss,
    StockDeclared,
    Tapped,
)
from tests.flows.stories import (
    RECOVERER,
    SMELTER,
    House,
    arrived,
    at,
    decided,
    generated,
    loaded,
    own,
    portion,
    product,
    say,
    settled,
    shipped,
    site,
    submitted,
    transformed,
)

T = 1_000_000


@pytest.fixture
def house() -> House:
    house = settled()
    house.tell(generated(mass="10 t"), generated("B2", "5 t"))
    return house


def lines(house: House, fact: Event) -> dict[str, int]:
    """The postings of a fact by account, which sum to zero; and the fact is admitted."""
    found = postings(movements(fact, house.book))
    assert total_g(found) == 0
    house.tell(fact)
    told: dict[str, int] = {}
    for line in found:
        name = f"{line.account}:{line.detail}" if line.detail else str(line.account)
        told[name.removeprefix(f"{SMELTER}.")] = told.get(name.removeprefix(f"{SMELTER}."), 0) + line.mass_g
    return told


@pytest.mark.parametrize(
    ("kind", "boundary", "more"),
    [
        (StockDeclared, "opening", {"material": "primary-zinc-ingot"}),
        (Generated, "generation", {"material": "zinc-leach-residue"}),
        (Collected, "collection:old", {"material": "zinc-scrap", "scrap": "old"}),
        (Tapped, "tapping", {"material": "primary-zinc-ingot"}),
    ],
)
def test_what_arises_comes_over_its_boundary(house: House, kind: Any, boundary: str, more: dict[str, Any]) -> None:
    made = product(SMELTER, "N", "3 t", more.pop("material"))

    assert lines(house, say(kind, SMELTER, site_id=site(SMELTER), product=made, **more)) == {
        boundary: -3 * T,
        "N": 3 * T,
    }


def test_what_is_made_comes_of_inputs_and_additions_and_its_gap_shows(house: House) -> None:
    fact = transformed(
        [portion("B1", "4 t"), portion("B2", "5 t")],
        [product(SMELTER, "N", "6 t")],
        additions=(Addition(material="lime", mass_g=T),),
        losses=(Loss(kind="dust", mass_g=2 * T), Loss(kind="moisture", mass_g=T)),
        gap_reason="x",
    )

    assert process_gap_g(fact) == T
    assert lines(house, fact) == {
        "B1": -4 * T, "B2": -5 * T, "addition:lime": -T, "N": 6 * T, "loss:dust": 2 * T, "loss:moisture": T,
        "unaccounted": T,
    }  # fmt: skip


def test_more_out_than_in_is_a_source_of_that_name(house: House) -> None:
    fact = transformed([portion("B1", "4 t")], [product(SMELTER, "N", "4.5 t")], gap_reason="x")

    assert process_gap_g(fact) == -T // 2
    assert lines(house, fact) == {"B1": -4 * T, "N": 4_500_000, "unaccounted": -500_000}


def test_a_rests_difference_to_the_book_stays_with_its_batch(house: House) -> None:
    fact = transformed(
        [portion("B1", "9 t", rest=True), portion("B2", "6 t", rest=True)],
        [product(SMELTER, "N", "15 t")],
        gap_reason="雨后过磅",
    )
    (movement,) = movements(fact, house.book)

    assert movement.draws == (Draw(own(SMELTER, "B1"), 10 * T, 9 * T), Draw(own(SMELTER, "B2"), 5 * T, 6 * T))
    assert movement.throughput_g == 15 * T
    assert [line.mass_g for line in postings([movement]) if line.account == Boundary.UNACCOUNTED] == [T, -T]
    assert lines(house, fact)["N"] == 15 * T


@pytest.mark.parametrize(
    ("kind", "end", "more"),
    [
        (Disposed, "disposal:D1", {"method": "D1"}),
        (Delivered, "delivery:building_material", {"use": "building_material"}),
        (Left, "left", {"receiver": "x"}),
        (Left, "left:abroad", {"receiver": "x", "abroad": True}),
    ],
)
def test_what_ends_goes_over_its_boundary(house: House, kind: Any, end: str, more: dict[str, Any]) -> None:
    both = (portion("B1", "2 t"), portion("B2", "5 t", rest=True))

    fact = say(kind, SMELTER, at(10), site_id=site(SMELTER), portions=both, **more)
    assert lines(house, fact) == {"B1": -2 * T, "B2": -5 * T, end: 7 * T}


def test_a_load_is_a_batch_of_its_own_and_lines_do_not_mix(house: House) -> None:
    house.tell(submitted({"B1": "4 t", "B2": "5 t"}))
    fact = loaded({"B1": "4 t", "B2": "5 t"})

    assert len(movements(fact, house.book)) == 2
    assert lines(house, fact) == {"B1": -4 * T, "M1-L1": 4 * T, "B2": -5 * T, "M1-L2": 5 * T}
    load = house.book.batch(own(SMELTER, "M1-L1"))
    assert (load.holder, load.manifest_id, load.origin) == (SMELTER, own(SMELTER, "M1"), "load")


@pytest.mark.parametrize(("weighed", "difference_g"), [("9 t", T), ("10 t", None), ("11 t", -T)])
def test_between_two_scales_there_is_a_difference(weighed: str, difference_g: int | None) -> None:
    house = shipped(settled())
    house.tell(arrived([weighed]))
    told = lines(house, decided([(weighed, None)]))

    assert told.pop("scale_difference", None) == difference_g
    assert told == {"M1-L1": -10 * T, own(RECOVERER, "M1-A1"): int(weighed.removesuffix(" t")) * T}


def test_what_moves_no_mass_has_no_movements(house: House) -> None:
    moving = {
        "stock_declared", "generated", "collected", "tapped", "transformed", "loaded", "decided", "disposed", "delivered", "left",
    }  # fmt: skip
    house.tell(submitted({"B1": "1 t"}))
    told = {entry.event.kind for entry in house.entries if movements(entry.event, house.book)}

    assert told <= moving <= set(KINDS)
    assert Flow(Boundary.LOSS, 1, "dust") == Flow(Boundary.LOSS, 1, "dust")
