"""The way in: all of a statement or none of it, a retry, one name for two facts, and rehearsals that keep nothing."""

import pytest

from flows.errors import Conflict, Problem
from flows.recording import Statement
from tests.flows.stories import (
    SMELTER,
    STRANGER,
    House,
    at,
    generated,
    own,
    portion,
    product,
    settled,
    submitted,
    transformed,
)


@pytest.fixture
def house() -> House:
    return settled()


def test_a_statement_is_kept_whole(house: House) -> None:
    first = house.ledger.head().position
    statement = house.tell(
        generated(mass="10 t"),
        transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")]),
        submitted({"B2": "4 t"}, when=at(10)),
    )

    assert [entry.position for entry in statement.entries] == [first + 1, first + 2, first + 3]
    assert house.left_t("B1") == 6


def test_a_statement_is_refused_whole_and_says_which_fact(house: House) -> None:
    before = house.ledger.head()
    problem = house.refusal(
        generated(mass="10 t"),
        transformed([portion("B1", "8 t")], [product(SMELTER, "B2", "8 t")]),
        transformed([portion("B1", "8 t")], [product(SMELTER, "B3", "8 t")]),
    )

    assert (problem.key, problem.where, problem.figures["left"]) == ("overdrawn", "facts[2]", "2 t")
    assert house.ledger.head() == before
    assert house.book.find_batch(own(SMELTER, "B1")) is None


def test_a_retry_gets_the_first_entry_again(house: House) -> None:
    first = house.tell(generated())
    house.tell(transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "10 t")]))
    again = house.tell(generated())

    assert again.entries == first.entries
    assert again.findings == []
    assert sum(entry.event_id == first.entries[0].event_id for entry in house.entries) == 1


def test_a_retry_may_bring_something_new_along(house: House) -> None:
    (known,) = house.tell(generated()).entries
    statement = house.tell(generated(), generated("B2"))

    assert statement.entries[0] == known
    assert statement.entries[1].position == known.position + 1


def test_a_fact_told_twice_in_one_statement_is_one_fact(house: House) -> None:
    first, second = house.tell(generated(), generated()).entries

    assert first == second


def test_a_retry_of_a_fact_that_would_be_refused_now_is_still_a_retry(house: House) -> None:
    fact = transformed([portion("B1", "8 t")], [product(SMELTER, "B2", "8 t")])
    house.tell(generated(), fact)

    assert house.tell(fact).entries[0].event == fact


@pytest.mark.parametrize("together", [True, False])
def test_one_name_for_two_facts_is_a_conflict(house: House, *, together: bool) -> None:
    first = generated("B1").model_copy(update={"event_id": "HWCS-1"})
    second = generated("B2").model_copy(update={"event_id": "HWCS-1"})
    if not together:
        house.tell(first)

    problem = house.refusal(*([first, second] if together else [second]))

    assert isinstance(problem, Conflict)
    assert problem.where == ("facts[1]" if together else "facts[0]")
    assert problem.text("zh") == "事实编号 HWCS-1 已登记过另一内容；重试请原样提交，新事实请用新编号"
    assert problem.text("en") == (
        "event id HWCS-1 was recorded with other content; retry unchanged, or give a new fact a new id"
    )
    house.tell(second.model_copy(update={"event_id": "HWCS-2"}))


def test_a_name_is_the_stating_enterprises_own(house: House) -> None:
    house.tell(generated("B1").model_copy(update={"event_id": "same"}))

    house.tell(generated("B1", by=STRANGER).model_copy(update={"event_id": "same"}))


def test_an_entry_says_who_brought_it(house: House) -> None:
    statement = house.recording.record([generated()], "delegate")

    assert [entry.recorded_by for entry in statement.entries] == ["delegate"]
    assert house.entries[-1].recorded_by == "delegate"


def test_what_is_refused_leaves_no_entries_and_no_findings(house: House) -> None:
    statement = Statement([generated("B1", when=at(12, 20)), generated("B1", "9 t")], "x")
    house.recording.check([statement])

    assert isinstance(statement.answer, Problem)
    assert (statement.entries, statement.findings) == ([], [])


def test_a_rehearsal_judges_statements_one_after_the_other_and_keeps_nothing(house: House) -> None:
    before, position = house.ledger.head(), house.book.position
    statements = [
        Statement([generated(mass="10 t")], "x"),
        Statement([transformed([portion("B1", "8 t")], [product(SMELTER, "B2", "8 t")])], "x"),
        Statement([transformed([portion("B1", "8 t")], [product(SMELTER, "B3", "8 t")])], "x"),
        Statement([generated(mass="10 t")], "x"),
        Statement([generated("B4").model_copy(update={"event_id": generated().event_id})], "x"),
        Statement([transformed([portion("B1", "2 t")], [product(SMELTER, "B5", "2 t")])], "x"),
    ]
    house.recording.check(statements)

    keys = [each.answer.key if isinstance(each.answer, Problem) else None for each in statements]
    assert keys == [None, None, "overdrawn", None, "event-id-used", None]
    assert statements[3].entries == statements[0].entries
    assert (house.ledger.head(), house.book.position) == (before, position)
    assert house.book.find_batch(own(SMELTER, "B1")) is None
    for statement in (statements[0], statements[1], statements[5]):
        house.tell(*statement.facts)


def test_a_rehearsal_reads_what_others_wrote_first(house: House) -> None:
    other = House(house.ledger)
    house.tell(generated())
    statement = Statement([transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")])], "x")
    other.recording.check([statement])

    assert statement.answer is None


def test_an_empty_statement_is_admitted_and_says_nothing(house: House) -> None:
    before = house.ledger.head()

    assert house.recording.record([], "x").entries == []
    assert house.ledger.head() == before
