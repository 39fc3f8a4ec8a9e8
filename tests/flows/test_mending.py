"""更正. What may be corrected, by whom, and in which words it is refused."""

from typing import Any

import pytest

from flows.audit import audit, findings
from flows.events import (
    Amendment,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Event,
    Mending,
    Stated,
)
from flows.mass import grams
from flows.mending import Breaks
from tests.flows.stories import (
    CARRIER,
    NOON,
    RECOVERER,
    SMELTER,
    STRANGER,
    House,
    arrived,
    decided,
    generated,
    loaded,
    own,
    portion,
    product,
    say,
    settled,
    shipped,
    submitted,
    transformed,
)


@pytest.fixture
def house() -> House:
    return settled()


def amended(house: House, fact: Event, *, withdrawn: bool = False, **values: Any) -> Amendment:
    """A fact, as it is read now, that is to be read otherwise."""
    position = house.book.find_fact(fact.enterprise, fact.event_id)
    was = house.book.fact(position).event if position is not None else fact
    assert not isinstance(was, Mending)
    becomes: Stated | None = None if withdrawn or was is None else was.model_copy(update=values)
    return Amendment(stated_by=fact.enterprise, corrects=fact.event_id, was=was, becomes=becomes)


def asking(by: str, *changes: Amendment, name: str = "GZ") -> CorrectionRequested:
    """A request to read several facts otherwise, together."""
    return say(CorrectionRequested, by, NOON, event_id=name, changes=changes, reason="少录一位")


def request(
    house: House, fact: Event, by: str | None = None, *, name: str = "GZ", withdrawn: bool = False, **values: Any
) -> CorrectionRequested:
    """A request to read one fact otherwise."""
    return asking(by or fact.enterprise, amended(house, fact, withdrawn=withdrawn, **values), name=name)


def told_as(asked: CorrectionRequested, **values: Any) -> CorrectionRequested:
    """The same request, its one change told otherwise."""
    (change,) = asked.changes
    return asked.model_copy(update={"changes": (change.model_copy(update=values),)})


def heavier(fact: Any, mass: str) -> dict[str, Any]:
    return {"product": fact.product.model_copy(update={"mass_g": grams(mass)})}


# ones own ----------------------------------------------------------------------------------------------------------


def test_a_fact_of_ones_own_is_read_as_corrected_at_once(house: House) -> None:
    fact = generated(mass="10 t")
    house.tell(fact)
    before = house.book.position
    house.tell(request(house, fact, **heavier(fact, "12 t")))

    assert house.left_t("B1") == 12
    assert house.book.as_of(before).batch(own(SMELTER, "B1")).left_g == grams("10 t")
    assert house.entries[before - 1].event == fact
    assert audit(house.ledger) == []


def test_a_withdrawn_fact_is_as_never_stated_and_may_be_stated_again(house: House) -> None:
    fact = generated(mass="10 t")
    house.tell(fact)
    house.tell(request(house, fact, withdrawn=True))
    assert house.book.find_batch(own(SMELTER, "B1")) is None

    house.tell(told_as(request(house, fact, name="GZ-2", withdrawn=True), becomes=fact))
    assert house.left_t("B1") == 10


def test_a_correction_that_would_overdraw_a_later_fact_names_it_and_passes_once_that_is_corrected(house: House) -> None:
    made, used = generated(mass="10 t"), transformed([portion("B1", "8 t")], [product(SMELTER, "B2", "8 t")])
    house.tell(made)
    house.tell(used)
    lighter = request(house, made, **heavier(made, "7 t"))
    problem = house.refusal(lighter)

    assert isinstance(problem, Breaks)
    place = house.book.find_fact(SMELTER, used.event_id)
    assert [(position, event, each.key) for position, event, each in problem.later] == [(place, used, "overdrawn")]
    assert problem.text("zh") == (
        "更正后有 1 项在后的登记将不能成立，不予更正；请先更正这些登记，或在同一申请中一并更正：\n"
        f"第 {place} 条 {used.event_id}：批次 {own(SMELTER, 'B1')}：要用 8 t，只剩 7 t；请减少用量，或选“全部剩余”"
    )

    parts: dict[str, Any] = {
        "inputs": (portion("B1", "6 t"),), "outputs": (product(SMELTER, "B2", "6 t"),),
    }  # fmt: skip
    house.tell(request(house, used, name="GZ-1", **parts))
    house.tell(lighter)
    assert (house.left_t("B1"), house.left_t("B2")) == (1, 6)


def test_what_is_found_follows_the_correction(house: House) -> None:
    shipped(house, "10 t")
    told = arrived(["9 t"])
    assert [found.key for found in house.found(told)] == ["arrival-differs"]
    house.tell(request(house, told, lines=arrived(["10 t"]).lines))
    house.tell(say(CorrectionAgreed, SMELTER, NOON, requested_by=RECOVERER, request="GZ"))

    assert list(findings(house.entries)) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "correction-changes-nothing"),
        ({"event_id": "another"}, "correction-renames"),
        ({"enterprise": RECOVERER}, "correction-renames"),
        ({"event_time": NOON.replace(hour=23)}, "time-in-future"),
        ({"product": product(SMELTER, "B1", "1 t", "nothing")}, "material-unknown"),
    ],
)
def test_what_cannot_stand_in_its_place_is_refused(house: House, changes: dict[str, Any], key: str) -> None:
    fact = generated(mass="10 t")
    house.tell(fact)

    assert house.refusal(request(house, fact, **changes)).key == key


def test_what_is_unknown_a_correction_itself_or_read_otherwise_by_now_is_refused(house: House) -> None:
    fact = generated(mass="10 t")
    assert house.refusal(request(house, fact, **heavier(fact, "1 t"))).key == "correction-entry-unknown"
    house.tell(fact)
    stale = request(house, fact, name="GZ-2", **heavier(fact, "11 t"))
    first = request(house, fact, **heavier(fact, "12 t"))
    house.tell(first)

    problem = house.refusal(stale)
    assert (problem.key, problem.figures["fields"]) == ("correction-outdated", "product")
    again = Amendment(stated_by=SMELTER, corrects=first.event_id, was=fact)
    assert house.refusal(asking(SMELTER, again, name="GZ-9")).key == "correction-of-correction"
    house.tell(request(house, fact, name="GZ-3", withdrawn=True))
    assert house.refusal(stale).key == "correction-of-withdrawn"
    missing = told_as(stale, was=None)
    house.tell(told_as(request(house, fact, name="GZ-4", withdrawn=True), becomes=fact))
    assert house.refusal(missing).key == "correction-was-missing"


# both sides' -------------------------------------------------------------------------------------------------------


def test_until_it_is_loaded_a_manifest_is_its_consignors(house: House) -> None:
    told = submitted({"B1": "4 t"})
    house.tell(generated(mass="10 t"), told)
    lines = submitted({"B1": "5 t"}).lines
    house.tell(request(house, told, lines=lines))

    assert house.book.manifest(own(SMELTER, "M1")).submitted.lines == lines


def test_from_the_loading_on_the_other_side_has_to_agree(house: House) -> None:
    shipped(house, "8 t")
    told = loaded({"B1": "8 t"})
    lighter = loaded({"B1": "7 t"}).lines
    house.tell(request(house, told, lines=lighter))
    assert house.left_t("B1") == 0
    assert [each.other for each in house.book.requests.values()] == [RECOVERER]

    agree = say(CorrectionAgreed, RECOVERER, NOON, requested_by=SMELTER, request="GZ")
    assert house.refusal(agree.model_copy(update={"enterprise": SMELTER})).key == "correction-own-agreement"
    assert house.refusal(agree.model_copy(update={"enterprise": STRANGER})).key == "correction-request-unknown"
    second = request(house, told, name="GZ-2", lines=loaded({"B1": "6 t"}).lines)
    assert house.refusal(second).key == "correction-one-open"
    house.tell(agree)
    assert (house.left_t("B1"), house.left_t("M1-L1")) == (1, 7)
    assert house.refusal(agree.model_copy(update={"event_id": "TY-2"})).key == "correction-settled"
    house.tell(told_as(second, was=house.book.fact(_place(house, told)).event))


def test_the_other_side_may_ask_and_either_may_end_it(house: House) -> None:
    shipped(house, "8 t")
    told = loaded({"B1": "8 t"})
    decline = say(
        CorrectionDeclined, SMELTER, NOON, event_id="BTY", requested_by=RECOVERER, request="GZ", reason="以磅单为准"
    )  # fmt: skip
    house.tell(request(house, told, RECOVERER, lines=loaded({"B1": "7 t"}).lines))
    assert [each.other for each in house.book.requests.values()] == [SMELTER]
    house.tell(decline)
    assert (house.left_t("M1-L1"), list(house.book.requests.values())) == (8, [])

    house.tell(request(house, told, RECOVERER, name="GZ-2", lines=loaded({"B1": "7 t"}).lines))
    back = decline.model_copy(update={"event_id": "CH", "enterprise": RECOVERER, "request": "GZ-2"})
    house.tell(back)
    assert list(house.book.requests.values()) == []


def test_who_sees_a_manifest_and_is_no_side_of_it_hears_why_and_a_stranger_hears_nothing(house: House) -> None:
    shipped(house, "8 t")
    told = submitted({"B1": "8 t"})
    asked = request(house, told, CARRIER, internal_no="2")
    assert house.refusal(asked).key in {"correction-not-a-side", "correction-entry-unknown"}
    nobody = request(house, told, STRANGER, internal_no="2")
    none = request(house, told.model_copy(update={"event_id": "none"}), STRANGER, internal_no="2")
    keys = {house.refusal(each).key for each in (nobody, none)}
    assert keys == {"correction-entry-unknown"}


def test_later_facts_of_others_are_counted_and_not_named(house: House) -> None:
    shipped(house, "8 t")
    told = loaded({"B1": "8 t"})
    house.tell(arrived(["8 t"]), decided([("8 t", None)]))
    house.tell(
        transformed([portion("M1-A1", "8 t", RECOVERER)], [product(RECOVERER, "OWN", "8 t")], by=RECOVERER, when=NOON)
    )
    late = request(house, told, lines=loaded({"B1": "8 t"}, "M9").lines)
    problem = house.refusal(late)

    assert isinstance(problem, Breaks)
    assert {event.kind for _, event, _ in problem.later} <= {"arrived", "decided"}
    assert own(RECOVERER, "OWN") not in problem.text("zh")


def _place(house: House, fact: Event) -> int:
    position = house.book.find_fact(fact.enterprise, fact.event_id)
    assert position is not None
    return position


def test_who_corrects_what_a_load_was_made_of_asks_whoever_received_it(house: House) -> None:
    made = generated(mass="8 t")
    shipped(house, "8 t")
    house.tell(arrived(["8 t"]), decided([("8 t", None)]))
    other = product(SMELTER, "B1", "8 t", "copper-smelting-slag")
    house.tell(request(house, made, product=other))
    assert [(each.others, each.manifest_ids) for each in house.book.requests.values()] == [
        ((RECOVERER,), (own(SMELTER, "M1"),))
    ]
    assert house.book.batch(own(RECOVERER, "M1-A1")).material != "copper-smelting-slag"

    house.tell(say(CorrectionAgreed, RECOVERER, NOON, requested_by=SMELTER, request="GZ"))
    assert house.book.batch(own(RECOVERER, "M1-A1")).material == "copper-smelting-slag"


def test_what_leaves_the_load_as_it_is_asks_nobody(house: House) -> None:
    made = generated(mass="10 t")
    house.tell(made)
    house.tell(submitted({"B1": "8 t"}), loaded({"B1": "8 t"}))
    house.tell(request(house, made, **heavier(made, "12 t")))

    assert (house.left_t("B1"), list(house.book.requests.values())) == (4, [])
