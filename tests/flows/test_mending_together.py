"""更正. Facts that only stand together are corrected together: one request, judged as one, in force or refused as one."""

from typing import Any

import pytest

from flows.audit import audit
from flows.events import Arrived, CorrectionAgreed, CorrectionDeclined, Decided, Event
from flows.mass import grams
from flows.mending import Breaks
from flows.reading import read
from tests.flows.stories import (
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
from tests.flows.test_mending import amended, asking, heavier


@pytest.fixture
def house() -> House:
    return settled()


def received(house: House) -> tuple[Arrived, Decided]:
    """A load of eight tonnes, weighed as eight and accepted."""
    shipped(house, "8 t")
    weighed, accepted = arrived(["8 t"]), decided([("8 t", None)])
    house.tell(weighed, accepted)
    return weighed, accepted


def lines(fact: Any) -> dict[str, Any]:
    return {"lines": fact.lines}


def run(mass: str, *, rest: bool = False) -> Any:
    return transformed([portion("B1", mass, rest=rest)], [product(SMELTER, "B2", mass)])


# what needs the other ----------------------------------------------------------------------------------------------


def test_the_weight_of_a_receipt_stands_in_two_facts_and_is_corrected_in_both_at_once(house: House) -> None:
    weighed, accepted = received(house)
    scale = amended(house, weighed, **lines(arrived(["7.8 t"])))
    taken = amended(house, accepted, **lines(decided([("7.8 t", None)])))
    alone = house.refusal(asking(RECOVERER, scale))
    assert isinstance(alone, Breaks)
    assert [event.kind for _, event, _ in alone.later] == ["decided"]
    assert house.refusal(asking(RECOVERER, taken)).where == "facts[0].changes[0].becomes"

    house.tell(asking(RECOVERER, scale, taken))
    [request] = house.book.requests.values()
    assert (request.others, request.manifest_ids) == ((SMELTER,), (own(SMELTER, "M1"),))
    assert house.left_t("M1-A1", RECOVERER) == 8
    before = house.book.position
    house.tell(say(CorrectionAgreed, SMELTER, NOON, requested_by=RECOVERER, request="GZ"))

    assert house.left_t("M1-A1", RECOVERER) == 7.8
    assert house.book.as_of(before).batch(own(RECOVERER, "M1-A1")).left_g == grams("8 t")
    assert audit(house.ledger) == []


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("mass", ["12 t", "7 t"])
def test_a_batch_and_the_run_that_took_all_of_it_change_together(house: House, mass: str, rest: bool) -> None:
    made, used = generated(mass="10 t"), run("10 t", rest=rest)
    house.tell(made, used)
    changes = [amended(house, made, **heavier(made, mass)), amended(house, used, **_parts(run(mass, rest=rest)))]
    if rest:
        assert {house.refusal(asking(SMELTER, each)).key for each in changes} == {
            "correction-breaks", "rest-gap-unexplained",
        }  # fmt: skip

    house.tell(asking(SMELTER, *reversed(changes)))

    assert house.left_t("B1") == 0
    assert house.left_t("B2") == grams(mass) / 1_000_000
    assert audit(house.ledger) == []


def _parts(fact: Any) -> dict[str, Any]:
    return {"inputs": fact.inputs, "outputs": fact.outputs}


def test_a_whole_chain_is_withdrawn_at_once_and_stated_anew_at_once(house: House) -> None:
    chain: list[Event] = [generated(mass="10 t"), run("10 t")]
    house.tell(*chain)
    house.tell(asking(SMELTER, *(amended(house, each, withdrawn=True) for each in chain)))
    assert (house.book.find_batch(own(SMELTER, "B1")), house.book.find_batch(own(SMELTER, "B2"))) == (None, None)

    again = [amended(house, each).model_copy(update={"becomes": each}) for each in chain]
    assert house.refusal(asking(SMELTER, again[1], name="GZ-2")).key == "batch-unknown"
    house.tell(asking(SMELTER, *again, name="GZ-3"))
    assert house.left_t("B2") == 10


def test_a_later_fact_is_named_unless_it_is_corrected_so_that_it_stands(house: House) -> None:
    made, used = generated(mass="10 t"), run("8 t")
    more = transformed([portion("B1", "2 t")], [product(SMELTER, "B3", "2 t")])
    house.tell(made, used, more)
    lighter = amended(house, made, **heavier(made, "7 t"))
    less = amended(house, used, **_parts(run("6 t")))

    problem = house.refusal(asking(SMELTER, lighter, less))

    assert isinstance(problem, Breaks)
    assert [(event, each.key) for _, event, each in problem.later] == [(more, "overdrawn")]
    enough = amended(house, used, **_parts(run("5 t")))
    house.tell(asking(SMELTER, lighter, enough))
    assert (house.left_t("B1"), house.left_t("B2")) == (0, 5)


# what cannot be ----------------------------------------------------------------------------------------------------


def test_a_refusal_names_the_change_that_it_is_about(house: House) -> None:
    made, used = generated(mass="10 t"), run("10 t")
    house.tell(made, used)
    lighter = amended(house, made, **heavier(made, "7 t"))
    same = amended(house, used)
    for second, key, where in (
        (amended(house, used, **_parts(run("8 t"))), "overdrawn", "facts[0].changes[1].becomes"),
        (same, "correction-changes-nothing", "facts[0].changes[1]"),
        (lighter, "correction-twice", "facts[0].changes[1]"),
        (same.model_copy(update={"corrects": "NONE"}), "correction-entry-unknown", "facts[0].changes[1]"),
        (amended(house, used, event_id="X"), "correction-renames", "facts[0].changes[1].becomes.event_id"),
    ):
        problem = house.refusal(asking(SMELTER, lighter, second))
        assert (problem.key, problem.where) == (key, where)


def test_a_fact_that_is_not_the_askers_to_correct_spoils_the_request(house: House) -> None:
    weighed, accepted = received(house)
    used = transformed([portion("M1-A1", "8 t", RECOVERER)], [product(RECOVERER, "R2", "8 t")], by=RECOVERER, when=NOON)
    house.tell(used)
    scale = amended(house, weighed, **lines(arrived(["7.8 t"])))
    taken = amended(house, accepted, **lines(decided([("7.8 t", None)])))

    problem = house.refusal(asking(SMELTER, scale, taken, amended(house, used, withdrawn=True)))

    assert (problem.key, problem.where) == ("correction-entry-unknown", "facts[0].changes[2]")
    assert house.refusal(asking(STRANGER, scale, taken)).key == "correction-entry-unknown"
    hidden = house.refusal(asking(SMELTER, scale, taken))
    assert isinstance(hidden, Breaks)
    assert (hidden.later, hidden.figures["others"]) == ([], 1)


def test_facts_that_have_nothing_to_do_with_each_other_are_no_one_request(house: House) -> None:
    one, other = generated(mass="10 t"), generated("B9", mass="10 t")
    house.tell(one, other)
    changes = [amended(house, each, **heavier(each, "12 t")) for each in (one, other)]
    problem = house.refusal(asking(SMELTER, *changes))
    assert (problem.key, problem.where) == ("correction-unrelated", "facts[0]")

    joined = transformed([portion("B1", "1 t"), portion("B9", "1 t")], [product(SMELTER, "B2", "2 t")])
    house.tell(joined)
    more = transformed([portion("B1", "1 t"), portion("B9", "1.5 t")], [product(SMELTER, "B2", "2.5 t")])
    house.tell(asking(SMELTER, *changes, amended(house, joined, **_parts(more))))
    assert (house.left_t("B1"), house.left_t("B9")) == (11, 10.5)


def test_facts_are_one_matter_too_when_another_does_something_else_because_of_both(house: House) -> None:
    """The run between them is not corrected: it is later, because the batch is, and so is what is made of it."""
    early, late = NOON.replace(hour=8), NOON.replace(hour=9)
    made = generated(when=early)
    between = transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")], when=late.date())
    last = transformed([portion("B2", "1 t")], [product(SMELTER, "B3", "1 t")], when=late)
    house.tell(made, between, last)
    hour = NOON.replace(hour=11)
    changes = amended(house, made, event_time=hour), amended(house, last, event_time=hour)
    assert isinstance(house.refusal(asking(SMELTER, changes[0])), Breaks)

    house.tell(asking(SMELTER, *changes))

    assert audit(house.ledger) == []


# the other side ----------------------------------------------------------------------------------------------------


def test_the_other_side_answers_for_all_of_it_or_none(house: House) -> None:
    made = generated(mass="8 t")
    house.tell(made)
    house.tell(submitted({"B1": "8 t"}), loaded({"B1": "8 t"}))
    lighter = amended(house, made, **heavier(made, "7 t"))
    booked = amended(house, submitted({"B1": "8 t"}), **lines(submitted({"B1": "7 t"})))
    load = amended(house, loaded({"B1": "8 t"}), **lines(loaded({"B1": "7 t"})))
    house.tell(asking(SMELTER, lighter, booked, load))
    assert house.left_t("M1-L1") == 8
    house.tell(say(CorrectionDeclined, RECOVERER, NOON, requested_by=SMELTER, request="GZ", reason="以磅单为准"))
    assert (house.left_t("M1-L1"), house.book.batch(own(SMELTER, "B1")).mass_g) == (8, grams("8 t"))

    house.tell(asking(SMELTER, lighter, booked, load, name="GZ-2"))
    house.tell(say(CorrectionAgreed, RECOVERER, NOON, requested_by=SMELTER, request="GZ-2"))
    assert (house.left_t("M1-L1"), house.book.batch(own(SMELTER, "B1")).mass_g) == (7, grams("7 t"))
    assert house.book.manifest(own(SMELTER, "M1")).submitted.lines[0].mass_g == grams("7 t")


def test_what_was_agreed_to_is_judged_once_more(house: House) -> None:
    weighed, accepted = received(house)
    scale = amended(house, weighed, **lines(arrived(["7.8 t"])))
    taken = amended(house, accepted, **lines(decided([("7.8 t", None)])))
    house.tell(asking(RECOVERER, scale, taken))
    used = transformed([portion("M1-A1", "8 t", RECOVERER)], [product(RECOVERER, "R2", "8 t")], by=RECOVERER, when=NOON)
    house.tell(used)

    problem = house.refusal(say(CorrectionAgreed, SMELTER, NOON, requested_by=RECOVERER, request="GZ"))

    assert isinstance(problem, Breaks)
    assert problem.figures["count"] == 1


def test_a_draft_finds_its_facts_by_name_its_own_and_those_below(house: House) -> None:
    made = generated()
    draft = house.book.overlay()
    read(draft, made, draft.position + 1, house.clock.us)

    assert draft.overlay().find_fact(SMELTER, made.event_id) == draft.position
    assert house.book.find_fact(SMELTER, made.event_id) is None
    draft.fold()
    assert house.book.find_fact(RECOVERER, made.event_id) is None
