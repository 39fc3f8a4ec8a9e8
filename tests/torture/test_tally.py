"""What a run would say had something been lost: a check that sees nothing proves nothing."""

from pathlib import Path
from random import Random

from api.service import Service
from api.settings import Settings
from flows.events import Generated
from tests.flows.stories import SLAG, SMELTER, generated, loaded, submitted
from tests.torture.clients import KINDS, Statement, corrected, stated_by
from tests.torture.killing import Installation, Tally


def prepared(folder: Path, *statements: Statement) -> tuple[Installation, Tally, list[list[tuple[int, str]]]]:
    """An installation with statements in it, and what was answered to each."""
    tally = Tally()
    installation = Installation(folder, Random(1), tally)
    installation.prepare()
    service = Service.open(Settings(data=folder))
    answers = [
        [(entry.position, entry.digest) for entry in service.recording.record(statement, SMELTER).entries]
        for statement in statements
    ]
    service.close()
    return installation, tally, answers


def arising(name: str) -> list[Generated]:
    return [generated(name, "1 t", material=SLAG)]


def test_what_was_acknowledged_and_stands_there_is_found(tmp_path: Path) -> None:
    installation, tally, (answer,) = prepared(tmp_path, arising("A"))
    installation.clients[0].acknowledged.append((arising("A"), answer))
    installation.hold()
    installation.finish()

    assert (tally.acknowledged, tally.found, tally.lost, tally.doubled) == (1, 1, 0, 0)
    assert tally.whole


def test_what_was_acknowledged_and_is_not_there_is_lost(tmp_path: Path) -> None:
    installation, tally, (answer,) = prepared(tmp_path, arising("A"))
    installation.clients[0].acknowledged.append((arising("B"), answer))
    installation.hold()

    assert (tally.found, tally.lost, tally.whole) == (0, 1, False)


def test_what_stands_elsewhere_than_was_answered_is_seen(tmp_path: Path) -> None:
    installation, tally, (first, second) = prepared(tmp_path, arising("A"), arising("B"))
    installation.clients[0].acknowledged += [(arising("A"), second), (arising("B"), first)]
    installation.hold()

    assert (tally.doubled, tally.whole) == (2, False)


def test_a_statement_of_which_a_part_was_kept_is_torn(tmp_path: Path) -> None:
    installation, tally, _ = prepared(tmp_path, arising("A"))
    installation.clients[0].pending = [*arising("A"), *arising("B")]
    installation.hold()

    assert (tally.unanswered, tally.torn, tally.whole) == (1, 1, False)


def test_an_answer_that_nobody_expected_is_a_fault(tmp_path: Path) -> None:
    installation, tally, _ = prepared(tmp_path)
    installation.clients[0].astray.append("500")
    installation.hold()

    assert (tally.faults, tally.whole) == (["500"], False)


def test_a_correction_that_came_into_force_is_counted_once(tmp_path: Path) -> None:
    """Asked for twice on one fact, the later word stands."""
    (first,), (second,) = arising("A"), [generated("A", "2 t", material=SLAG)]
    second = second.model_copy(update={"event_id": first.event_id})
    there, back = [corrected(first, second)], [corrected(second, first)]
    installation, tally, (_, *answers) = prepared(tmp_path, [first], there, back)
    installation.clients[0].acknowledged += zip((there, back), answers, strict=True)
    installation.hold()
    installation.finish()

    assert (tally.corrections, tally.in_force, tally.faults, tally.whole) == (2, 2, [], True)


def test_a_correction_that_nobody_agreed_to_is_not_in_force(tmp_path: Path) -> None:
    load = loaded({"A": "1 t"}, "M1")
    request = [corrected(load, load.model_copy(update={"note": "another plate"}))]
    installation, tally, answers = prepared(tmp_path, arising("A"), [submitted({"A": "1 t"}, "M1"), load], request)
    installation.clients[0].acknowledged.append((request, answers[-1]))
    installation.hold()
    installation.finish()

    assert (tally.corrections, tally.in_force, tally.whole) == (1, 0, False)


def test_a_fact_that_reads_otherwise_than_its_correction_says_is_a_fault(tmp_path: Path) -> None:
    """Held against a book that has not heard of the correction."""
    (slip,) = arising("A")
    installation, tally, _ = prepared(tmp_path, [slip], [corrected(slip, None)])
    service = Service.open(Settings(data=tmp_path))
    entries = list(service.ledger.entries())
    installation.hold_corrections(entries, service.book)
    before = tally.faults.copy()
    installation.hold_corrections(entries, service.book.known_at(len(entries) - 1))
    service.close()

    assert (before, tally.faults) == ([], [f"read otherwise than corrected: {slip.event_id}"])


def test_clients_state_what_can_be_admitted(tmp_path: Path) -> None:
    """All kinds of clients, some rounds each, on one ledger."""
    statements = [
        statement
        for number in range(len(KINDS))
        for _, statement in zip(range(8), stated_by(number, "C"), strict=False)
    ]
    _, _, answers = prepared(tmp_path, *statements)

    assert [len(answer) for answer in answers] == [len(statement) for statement in statements]
