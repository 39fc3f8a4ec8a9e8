"""What can go wrong with a Neo4j, on a real one: no entry, nobody there, a wire that breaks, other schemas, other people's nodes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from threading import Event as Flag
from threading import Thread
from typing import Any, TypeAlias

import pytest
from neo4j import Record

from flows.audit import audit
from flows.entries import Head, chain_faults
from flows.errors import Problem
from flows.ports import Ledger
from graph.neo4j_desk import Neo4jDesk
from graph.neo4j_ledger import Neo4jLedger
from graph.neo4j_schema import CONSTRAINTS, INDEXES, LABELS, Step
from graph.neo4j_store import Neo4jAddress, Neo4jStore, Patience
from graph.store_problems import StoreAway, StoreProblem
from tests.flows.stories import SMELTER, House, generated, own, registered
from tests.graph.stores import database
from tests.graph.test_ledger import write
from tests.servers.neo4j_server import Address, empty, free_port
from tests.servers.wire import Wire

pytestmark = pytest.mark.neo4j
HASTE = Patience(again=0.2, answer=0.5)
PATIENCE = Patience(again=5.0, answer=5.0)
Over: TypeAlias = Callable[[Patience], Neo4jStore]


@pytest.fixture
def store(neo4j: Address) -> Iterator[Neo4jStore]:
    assert neo4j == Address.of_environment()
    opened = database()
    yield opened
    opened.close()


@pytest.fixture
def wire(neo4j: Address) -> Iterator[Wire]:
    made = Wire(to=int(neo4j.uri.rsplit(":", 1)[1]))
    yield made
    made.close()


def at(address: Address, **other: Any) -> Neo4jAddress:
    return replace(Neo4jAddress(address.uri, address.user, address.password), **other)


@pytest.fixture
def over(wire: Wire, neo4j: Address) -> Iterator[Over]:
    """Opens stores whose every word goes over the wire."""
    with ExitStack() as opened:
        address = at(neo4j, uri=f"bolt://127.0.0.1:{wire.port}")
        yield lambda patience: opened.enter_context(closing(Neo4jStore(address, patience=patience)))


def asked(neo4j: Address, query: str, **values: Any) -> list[Record]:
    """What somebody else asks or does in the same database."""
    with neo4j.driver() as driver:
        return driver.execute_query(query, values).records  # pyright: ignore[reportArgumentType]


def told(problem: Problem) -> tuple[str, str]:
    return problem.text("zh"), problem.text("en")


def refused(address: Neo4jAddress, patience: Patience = HASTE, steps: tuple[Step, ...] = ()) -> StoreProblem:
    with pytest.raises(StoreProblem) as caught:
        Neo4jStore(address, steps, patience)
    assert all(told(caught.value))
    return caught.value


def whole(ledger: Ledger) -> list[str]:
    """The names that stand in a ledger without a fault."""
    entries = list(ledger.entries())
    assert list(chain_faults(entries)) == []
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert audit(ledger) == []
    return [entry.event_id for entry in entries]


# at the door -------------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_told(neo4j: Address) -> None:
    problem = refused(at(neo4j, user="nobody", password="wrong"))

    assert problem.key == "neo4j-password-wrong"
    assert "nobody" in problem.text("zh")
    assert "HUANLIU_NEO4J_PASSWORD" in problem.text("en")
    assert "wrong" not in repr(at(neo4j, password="wrong"))


def test_an_expired_password_is_told_with_what_changes_it(neo4j: Address) -> None:
    with neo4j.driver() as driver:
        words = "create user clerk if not exists set plaintext password 'first-one' change required"
        driver.execute_query(words, database_="system")
        try:
            problem = refused(at(neo4j, user="clerk", password="first-one"))
        finally:
            driver.execute_query("drop user clerk", database_="system")

    assert problem.key == "neo4j-password-expired"
    assert "ALTER CURRENT USER SET PASSWORD" in problem.text("en")


def test_a_database_that_is_not_there_is_told(neo4j: Address) -> None:
    assert refused(at(neo4j, database="elsewhere")).key == "neo4j-database-missing"


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_nobody_at_the_address_is_told_and_may_pass(neo4j: Address, scheme: str) -> None:
    problem = refused(at(neo4j, uri=f"{scheme}://127.0.0.1:{free_port()}"))

    assert isinstance(problem, StoreAway)
    assert problem.key == "neo4j-away"


def test_an_address_that_makes_no_sense_is_told(neo4j: Address) -> None:
    assert {refused(at(neo4j, uri=uri)).key for uri in ("bolt://127.0.0.1:many", "ftp://127.0.0.1:7687")} == {
        "neo4j-address-wrong"
    }


def test_the_routing_address_serves_as_the_direct_one_does(neo4j: Address) -> None:
    routed = Neo4jStore(at(neo4j, uri=neo4j.uri.replace("bolt://", "neo4j://")))
    house = House(Neo4jLedger(routed))
    house.tell(*registered(SMELTER), generated("B1"))

    assert len(whole(house.ledger)) == house.book.position
    routed.close()


# the wire breaks ---------------------------------------------------------------------------------------------------


def test_a_turn_that_lost_its_server_keeps_nothing_and_the_next_one_goes_on(wire: Wire, over: Over) -> None:
    store = over(HASTE)
    ledger = Neo4jLedger(store)
    house = House(ledger)
    house.tell(*registered(SMELTER))
    before = whole(ledger)

    def lose() -> None:
        with ledger.turn() as turn:
            assert turn.head.position == len(before)
            wire.cut_now()
            turn.find_all([(SMELTER, "e1")])

    with pytest.raises(StoreAway) as caught:
        lose()
    assert caught.value.key == "neo4j-away"
    assert whole(ledger) == before
    house.tell(generated("B1"))
    assert len(whole(ledger)) == len(before) + 1


def test_a_commit_that_never_arrived_keeps_nothing_and_is_told_so(wire: Wire, over: Over) -> None:
    store = over(PATIENCE)
    house = House(Neo4jLedger(store))
    house.tell(*registered(SMELTER))
    before = whole(house.ledger)
    wire.cut = "before the commit"

    problem = house.refusal(generated("B1"))
    assert (wire.was_cut.is_set(), problem.key) == (True, "neo4j-away")
    assert whole(house.ledger) == before
    assert house.book.find_batch(own(SMELTER, "B1")) is None
    house.tell(generated("B1"))
    assert len(whole(house.ledger)) == len(before) + 1


def test_a_commit_whose_answer_was_lost_is_found_to_stand(wire: Wire, over: Over) -> None:
    store = over(PATIENCE)
    house = House(Neo4jLedger(store))
    house.tell(*registered(SMELTER))
    wire.cut = "after the commit"

    statement = house.tell(generated("B1"), generated("B2"))
    assert wire.was_cut.is_set()
    assert whole(house.ledger)[-2:] == [entry.event_id for entry in statement.entries]
    assert house.tell(*(entry.event for entry in statement.entries)).entries == statement.entries
    assert len(whole(house.ledger)) == house.book.position


def test_where_nobody_can_tell_a_retry_gets_the_first_answer(wire: Wire, over: Over) -> None:
    """The server is gone for longer than anybody waits: the fact stands, its stater hears that it may."""
    store = over(HASTE)
    house = House(Neo4jLedger(store))
    house.tell(*registered(SMELTER))
    fact, wire.cut = generated("B1"), "after the commit"
    cutter = Thread(target=lambda: (wire.was_cut.wait(60), wire.cut_now(down=True)))
    cutter.start()

    with pytest.raises(StoreAway) as caught:
        house.tell(fact)
    cutter.join()
    assert caught.value.key == "neo4j-answer-lost"
    wire.down = False
    again = house.tell(fact)
    assert whole(house.ledger).count(fact.event_id) == 1
    assert again.entries[0].position == house.book.position


def test_what_the_desk_put_is_found_to_stand_when_the_answer_was_lost(wire: Wire, over: Over) -> None:
    desk = Neo4jDesk(over(PATIENCE))
    wire.cut = "after the commit"
    assert desk.put("kind", "k", b"a", version=0, now_us=1)
    assert wire.was_cut.is_set()
    wire.cut = "before the commit"
    with pytest.raises(StoreAway):
        desk.put("kind", "k", b"b", version=1, now_us=1)
    found = desk.get("kind", "k", now_us=1)
    assert found is not None
    assert (found.version, found.body) == (1, b"a")
    wire.cut = "after the commit"
    desk.drop("kind", "k")
    assert desk.get("kind", "k", now_us=1) is None


def test_who_was_cut_off_catches_up_by_itself(wire: Wire, over: Over, store: Neo4jStore) -> None:
    cut_off, others = House(Neo4jLedger(over(HASTE))), House(Neo4jLedger(store))
    others.tell(*registered(SMELTER))
    cut_off.recording.catch_up()
    wire.cut_now(down=True)
    others.tell(generated("B1"))

    with pytest.raises(StoreAway):
        cut_off.recording.catch_up()
    with pytest.raises(StoreAway):
        cut_off.tell(generated("B2"))
    wire.down = False
    assert cut_off.recording.catch_up() == others.book.position
    assert cut_off.book == others.book
    cut_off.tell(generated("B2"))
    assert len(whole(others.ledger)) == cut_off.book.position


def test_who_waits_for_a_turn_too_long_is_told_that_another_holds_it(neo4j: Address, store: Neo4jStore) -> None:
    hasty = Neo4jLedger(Neo4jStore(at(neo4j), patience=Patience(again=0.2, turn=1.0)))
    with Neo4jLedger(store).turn() as turn, pytest.raises(StoreAway) as caught, hasty.turn():
        pass
    assert caught.value.key == "neo4j-busy"
    assert turn.head == Head()
    with hasty.turn() as turn:
        assert turn.head == Head()
    hasty.close()


def test_what_is_put_within_a_turn_is_kept_or_gone_with_it(store: Neo4jStore) -> None:
    ledger, desk = Neo4jLedger(store), Neo4jDesk(store)
    with ledger.turn():
        assert desk.put("kind", "kept", b"a", version=0, now_us=1)
        assert desk.get("kind", "kept", now_us=1) is not None

    def fail() -> None:
        with ledger.turn():
            assert desk.put("kind", "gone", b"b", version=0, now_us=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [document.key for document in desk.all("kind", now_us=1)] == ["kept"]


def test_of_many_who_put_the_next_version_one_succeeds_each_time(store: Neo4jStore) -> None:
    desks = [Neo4jDesk(store), Neo4jDesk(database())]
    start, won = Flag(), list[int]()

    def count(number: int) -> None:
        start.wait()
        for version in range(10):
            if desks[number % 2].put("kind", "k", str(number).encode(), version=version, now_us=1):
                won.append(version)

    threads = [Thread(target=count, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    found = desks[0].get("kind", "k", now_us=1)

    assert found is not None
    assert sorted(won) == list(range(found.version))
    desks[1].close()


# schemas -----------------------------------------------------------------------------------------------------------

MARKS = "match (e:Entry) set e.marked = coalesce(e.marked, 0) + 1"


def schema(neo4j: Address) -> int:
    return int(asked(neo4j, "match (l:Ledger {name: 'huanliu'}) return l.schema as schema")[0]["schema"])


def test_an_older_schema_is_brought_forward_once_whoever_starts(neo4j: Address) -> None:
    old = database()
    write(Neo4jLedger(old), 3)
    steps = (Step(2, (MARKS,)), Step(3, (MARKS,)))
    opened: list[Neo4jStore] = []
    threads = [Thread(target=lambda: opened.append(Neo4jStore(at(neo4j), steps))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert schema(neo4j) == 3
    assert [record["marked"] for record in asked(neo4j, "match (e:Entry) return e.marked as marked")] == [2, 2, 2]
    assert len(whole(Neo4jLedger(opened[0]))) == 3
    for store in (old, *opened):
        store.close()


def test_a_step_that_breaks_off_leaves_what_was(neo4j: Address) -> None:
    old = database()
    write(Neo4jLedger(old), 2)
    with pytest.raises(Exception, match="by zero"):
        Neo4jStore(at(neo4j), (Step(2, (MARKS, "match (l:Ledger) set l.x = 1 / (l.turns - l.turns)")),))

    assert schema(neo4j) == 1
    assert asked(neo4j, "match (e:Entry) where e.marked is not null return e") == []
    old.close()


def test_a_newer_schema_is_refused_and_left_alone(neo4j: Address, store: Neo4jStore) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 2)
    newer = Neo4jStore(at(neo4j), (Step(2, ()),))
    before = asked(neo4j, "match (n) with n order by elementId(n) return properties(n) as held")

    problem = refused(at(neo4j))
    assert (problem.key, problem.figures["found"], problem.figures["known"]) == ("neo4j-newer", 2, 1)
    with pytest.raises(StoreProblem) as caught, ledger.turn():
        pass
    assert caught.value.key == "neo4j-newer"
    assert asked(neo4j, "match (n) with n order by elementId(n) return properties(n) as held") == before
    newer.close()


# other people's nodes ----------------------------------------------------------------------------------------------


def everything(neo4j: Address) -> list[tuple[list[str], dict[str, Any]]]:
    query = "match (n) return labels(n) as labels, properties(n) as held order by elementId(n)"
    return [(record["labels"], record["held"]) for record in asked(neo4j, query)]


@pytest.mark.parametrize("label", [*LABELS])
def test_a_database_in_which_others_use_our_labels_is_refused_and_left_alone(neo4j: Address, label: str) -> None:
    empty(neo4j, schema=True)
    asked(neo4j, f"create (:{label} {{name: 'accounts', position: 1}}), (:Person {{name: 'somebody'}})")
    before = everything(neo4j)

    problem = refused(at(neo4j))
    assert (problem.key, problem.figures["labels"]) == ("neo4j-foreign", label)
    assert everything(neo4j) == before
    assert asked(neo4j, "show constraints") == []


def test_an_index_of_others_in_the_place_of_a_guard_is_told(neo4j: Address) -> None:
    empty(neo4j, schema=True)
    asked(neo4j, "create index theirs for (e:Entry) on (e.position)")

    problem = refused(at(neo4j))
    assert (problem.key, problem.figures["names"]) == ("neo4j-guards-taken", "huanliu_entry_position")
    empty(neo4j, schema=True)


def test_beside_other_people_s_nodes_nothing_of_theirs_is_touched(neo4j: Address) -> None:
    asked(
        neo4j, "create (:Person {name: 'huanliu', position: 1, kind: 'kind', key: 'k', expires_us: 0})-[:OWNS]->(:Car)"
    )
    before = everything(neo4j)
    store = database()
    house, desk = House(Neo4jLedger(store)), Neo4jDesk(store)
    house.tell(*registered(SMELTER), generated("B1"))
    assert desk.put("kind", "k", b"a", version=0, now_us=1)
    desk.drop("kind", "k")

    assert [each for each in everything(neo4j) if each[0] in (["Person"], ["Car"])] == before
    assert len(asked(neo4j, "match (:Person)-[owns:OWNS]->(:Car) return owns")) == 1
    ours = asked(neo4j, "match (n) where not n:Person and not n:Car unwind labels(n) as label return distinct label")
    assert {record["label"] for record in ours} <= set(LABELS)
    store.close()


def test_two_who_start_at_once_on_an_empty_database_make_one_ledger(neo4j: Address) -> None:
    empty(neo4j, schema=True)
    opened: list[Neo4jStore] = []
    threads = [Thread(target=lambda: opened.append(database())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 4
    assert [record["n"] for record in asked(neo4j, "match (l:Ledger) return count(l) as n")] == [1]
    assert [list(each.faults()) for each in opened] == [[]] * 4
    for each in opened:
        each.close()


# other tools -------------------------------------------------------------------------------------------------------


def test_an_end_that_was_taken_off_is_not_written_behind(neo4j: Address, store: Neo4jStore) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 3)
    asked(neo4j, "match (e:Entry {position: 3}) delete e")

    with pytest.raises(StoreProblem) as caught, ledger.turn():
        pass
    assert caught.value.key == "neo4j-end-differs"
    assert "audit-head-differs" in {each.key for each in audit(ledger)}


def test_an_entry_added_behind_the_end_is_not_written_behind(neo4j: Address, store: Neo4jStore) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 1)
    asked(neo4j, "create (:Entry {position: 2, enterprise: 'x', event_id: 'y'})")

    with pytest.raises(StoreProblem) as caught, ledger.turn():
        pass
    assert caught.value.key == "neo4j-end-differs"


@pytest.mark.parametrize("change", ["e.body = 'text'", "e.digest = 7", "e.record_time_us = null", "e.event_id = 1.5"])
def test_properties_that_make_no_sense_are_told(neo4j: Address, store: Neo4jStore, change: str) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 3)
    asked(neo4j, f"match (e:Entry {{position: 2}}) set {change}")

    with pytest.raises(StoreProblem) as caught:
        list(ledger.entries())
    assert caught.value.key == "neo4j-damaged"
    assert audit(ledger) != []


def test_nodes_that_pass_for_entries_are_told(neo4j: Address, store: Neo4jStore) -> None:
    ledger = Neo4jLedger(store)
    written = write(ledger, 2)
    asked(neo4j, "create (:Entry {name: 'x'}), (:Entry {position: 'first'}), (:Entry {position: 0})")

    assert [(each.key, each.figures) for each in ledger.faults()] == [("audit-neo4j-strays", {"nodes": 3})]
    assert list(ledger.entries()) == written


def test_a_ledger_node_that_is_gone_is_told(neo4j: Address, store: Neo4jStore) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 1)
    asked(neo4j, "match (l:Ledger) delete l")

    for ask in (ledger.head, lambda: ledger.turn().__enter__()):
        with pytest.raises(StoreProblem) as caught:
            ask()
        assert caught.value.key == "neo4j-damaged"
    assert refused(at(neo4j)).key == "neo4j-foreign"


@pytest.mark.parametrize("name", [*CONSTRAINTS, *INDEXES])
def test_a_guard_that_somebody_dropped_is_named_and_made_anew(neo4j: Address, store: Neo4jStore, name: str) -> None:
    ledger = Neo4jLedger(store)
    write(ledger, 2)
    drop = f"drop {'constraint' if name in CONSTRAINTS else 'index'} {name}"
    asked(neo4j, drop)

    assert [(each.key, each.figures) for each in ledger.faults()] == [("audit-neo4j-guard-missing", {"name": name})]
    assert [each.figures for each in ledger.mend()] == [{"name": name}]
    assert list(ledger.faults()) == []
    asked(neo4j, drop)
    again = database()
    assert [(each.key, each.figures) for each in again.faults()] == [("audit-neo4j-guard-made", {"name": name})]
    again.close()
