"""Laws of mass and of the ledger, for any history: not a gram is lost, and the same facts give the same house."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.audit import audit
from flows.balance import Boundary, postings, total_g
from flows.book import Book, Change
from flows.entries import Entry, Head, event_json, head_of, next_entry
from flows.errors import Problem
from flows.events import EVENT, Event, Portion, Transformed
from flows.materials import catalogue
from flows.reading import read
from flows.rules import admit
from flows.times import instant_us
from graph.memory_ledger import MemoryLedger
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.flows.proposals import crowds
from tests.flows.stories import NOON, House, settled
from tests.graph.histories import NOW, World, histories

laws = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
any_facts = crowds()
NOW_US = instant_us(NOW)
INTO = {Boundary.OPENING, Boundary.GENERATION, Boundary.COLLECTION, Boundary.TAPPING, Boundary.ADDITION}
"""Where mass only comes from; the other boundaries are where it ends, or, with a minus, was found."""


def _check_balanced(changes: Sequence[Change], book: Book) -> None:
    """Each fact balances to zero, and so does the whole: what came is held, or it ended somewhere."""
    accounts: Counter[str] = Counter()
    for change in changes:
        lines = postings(change.movements)
        assert total_g(lines) == 0
        for movement in change.movements:
            made_g = sum(made.mass_g for made in movement.makes) + sum(end.mass_g for end in movement.ends)
            assert movement.throughput_g == made_g
        for line in lines:
            accounts[line.account] += line.mass_g
    came_g = -sum(accounts.get(boundary, 0) for boundary in INTO)
    ended_g = sum(accounts.get(boundary, 0) for boundary in Boundary if boundary not in INTO)
    held = list(book.batches.every())
    assert came_g == sum(batch.left_g for batch in held) + ended_g
    for batch in held:
        assert 0 <= batch.left_g <= batch.mass_g
        assert accounts[batch.batch_id] == batch.left_g


@laws
@given(histories())
def test_what_arose_is_held_or_ended_to_the_gram(world: World) -> None:
    _check_balanced(world.changes, world.book)


@laws
@given(histories())
def test_replay_gives_the_same_book_and_the_same_digests(world: World) -> None:
    book, head = Book(catalogue()), Head()
    for entry in world.entries:
        event = EVENT.validate_python(event_json(entry.event))
        again = next_entry(head, event, entry.record_time_us, entry.recorded_by)
        assert (again.digest, again.body) == (entry.digest, entry.body)
        read(book, event, entry.position, entry.record_time_us)
        head = head_of(again)

    assert book == world.book


@laws
@given(histories(), st.data())
def test_a_draft_that_is_thrown_away_leaves_the_book_as_it_was(world: World, drawn: st.DataObject) -> None:
    """A draft over a prefix is read to the end and dropped; then another is folded, and the book is as if read live."""
    cut = drawn.draw(st.integers(0, len(world.entries)))
    book, same = Book(catalogue()), Book(catalogue())
    for entry in world.entries[:cut]:
        read(book, entry.event, entry.position, entry.record_time_us)
        read(same, entry.event, entry.position, entry.record_time_us)
    dropped, kept = book.overlay(), book.overlay()
    for entry in world.entries[cut:]:
        read(dropped, entry.event, entry.position, entry.record_time_us)
    assert book == same

    for entry in world.entries[cut:]:
        own = kept.overlay()
        read(own, entry.event, entry.position, entry.record_time_us)
        own.fold()
    assert book == same
    kept.fold()
    assert book == world.book


@laws
@given(histories(), st.data())
def test_two_portions_of_one_batch_are_one_demand(world: World, drawn: st.DataObject) -> None:
    """A demand in one piece and in two is admitted or refused alike, with the same figures."""
    batches = [batch for batch in world.book.batches.values() if batch.place in {"site", "storage"}]
    if not batches:
        return
    batch = drawn.draw(st.sampled_from(batches))
    asked_g = drawn.draw(st.integers(2, batch.left_g + 2))
    first_g = drawn.draw(st.integers(1, asked_g - 1))

    def heard(*masses: int) -> object:
        inputs = tuple(Portion(batch_id=batch.batch_id, mass_g=mass_g) for mass_g in masses)
        fact = Transformed(
            event_id="x", enterprise=batch.holder, event_time=NOW, site_id=f"{batch.holder}.SITE", process="remelt",
            inputs=inputs, gap_reason="x",
        )  # fmt: skip
        draft = world.book.overlay()
        try:
            admit(fact, draft, NOW_US)
        except Problem as problem:
            return problem.key, problem.figures
        read(draft, fact, draft.position + 1, 0)
        return draft.batch(batch.batch_id).left_g

    assert heard(first_g, asked_g - first_g) == heard(asked_g)


@laws
@given(any_facts)
def test_any_proposal_is_admitted_or_a_problem_and_no_batch_is_overdrawn(facts: list[Event]) -> None:
    house = settled()
    changes: list[Change] = []
    for fact in facts:
        try:
            admit(fact, house.book, house.clock.us)
        except Problem as problem:
            assert problem.text("zh")
            assert problem.text("en")
            continue
        changes.append(read(house.book, fact, house.book.position + 1, 0))

    _check_balanced(changes, house.book)


@laws
@given(any_facts)
def test_memory_and_sqlite_answer_alike(facts: list[Event]) -> None:
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "huanliu.sqlite")
        houses = [settled(MemoryLedger()), settled(SqliteLedger(store))]
        for fact in facts:
            one, other = (_heard(house, fact) for house in houses)
            assert one == other
        one, other = houses
        assert one.entries == other.entries
        assert one.ledger.head() == other.ledger.head()
        assert one.book == other.book
        assert House(other.ledger).book == one.book
        assert audit(one.ledger) == audit(other.ledger) == []
        store.close()


def _heard(house: House, fact: Event) -> object:
    """What a caller hears: entries and findings, or the problem with its figures."""
    try:
        statement = house.tell(fact)
    except Problem as problem:
        return type(problem), problem.key, problem.figures, problem.where
    return statement.entries, statement.findings


@laws
@given(any_facts)
def test_a_retry_of_everything_changes_nothing(facts: list[Event]) -> None:
    house = settled()
    admitted: list[tuple[Event, list[Entry]]] = []
    for fact in facts:
        try:
            admitted.append((fact, house.tell(fact).entries))
        except Problem:
            continue
    before = house.entries

    for fact, entries in admitted:
        assert house.tell(fact).entries == entries
    assert house.entries == before


@laws
@given(any_facts)
def test_an_entrys_body_reads_back_as_its_fact(facts: list[Event]) -> None:
    entry = None
    for fact in facts:
        entry = next_entry(head_of(entry), fact, instant_us(NOON), "x")
        assert replace(entry).event == fact


@laws
@given(histories())
def test_history_is_every_entry_that_names_a_batch_or_a_manifest(world: World) -> None:
    book = world.book
    loads = {made.batch_id for c in world.changes for m in c.movements for made in m.makes if made.origin == "load"}

    for batch in book.batches.every():
        told = [c.position for c in world.changes if f"'{batch.batch_id}'" in repr((c.event, c.movements))]
        found = book.history(batch.batch_id)
        if batch.batch_id in loads:  # an arrival names a load by its line only
            found = [p for p in found if world.entries[p - 1].event.kind != "arrived"]
        assert found == told
    for manifest in book.all_manifests():
        assert list(manifest.positions) == book.history(manifest.manifest_id)
