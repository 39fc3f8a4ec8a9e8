"""The book: drafts on top of it, what it lets go, and what it knows of permits and places."""

import pytest

from flows.errors import Unknown
from flows.events import Cancelled, MandateEnded, Packed, Packing, PermitRevoked, StatusChanged, TakenOut
from flows.layers import Layer, Written
from flows.reading import read
from tests.flows.stories import (
    BUREAU,
    DAY,
    PERMIT,
    RECOVERER,
    SMELTER,
    STRANGER,
    House,
    arrived,
    at,
    decided,
    generated,
    mandated,
    own,
    portion,
    product,
    say,
    settled,
    shipped,
    site,
    stored,
    submitted,
    transformed,
    yard,
)


@pytest.fixture
def house() -> House:
    return settled()


# layers ----------------------------------------------------------------------------------------------------------


def test_a_layer_hides_what_is_below_and_changes_nothing_there() -> None:
    below = Layer[str, int]()
    below.set("a", 1, 1)
    below.set("b", 2, 2)
    above = below.over()
    above.set("a", 10, 3)
    above.drop("b", 4)
    above.drop("never", 5)

    assert (above.get("a"), above.get("b"), above.get("c")) == (10, None, None)
    assert list(above.items()) == [("a", 10)]
    assert list(above.values()) == [10]
    assert dict(below.items()) == {"a": 1, "b": 2}


def test_a_layer_that_is_folded_is_written_below_and_empty() -> None:
    ground = Layer[str, int]()
    ground.set("a", 1, 1)
    middle = ground.over()
    top = middle.over()
    top.drop("a", 2)
    top.set("b", 2, 3)
    top.fold()

    assert list(top.own()) == []
    assert dict(middle.items()) == {"b": 2}
    assert dict(ground.items()) == {"a": 1}
    middle.fold()
    assert dict(ground.items()) == {"b": 2}
    assert list(ground.before(2).items()) == [("a", 1)]
    with pytest.raises(AssertionError):
        ground.fold()


def test_what_was_dropped_above_can_be_set_again() -> None:
    ground = Layer[str, int]()
    ground.set("a", 1, 1)
    above = ground.over()
    above.drop("a", 2)
    above.set("a", 2, 3)

    assert above.get("a") == 2


def test_layers_are_equal_when_they_show_the_same() -> None:
    one, other = Layer[str, int](), Layer[str, int]().over()
    one.set("a", 1, 1)
    other.set("a", 1, 7)

    assert one == other
    other.set("b", 1, 8)
    assert one != other
    assert one != {"a": 1}


def test_what_is_closed_is_found_and_not_listed() -> None:
    ground = Layer[str, int](listed=lambda value: value > 0)
    ground.set("a", 1, 1)
    ground.set("b", 1, 2)
    draft = ground.over()
    draft.set("a", 0, 3)

    assert (dict(draft.items()), draft.get("a"), sorted(draft.every())) == ({"b": 1}, 0, [0, 1])
    draft.fold()
    assert (dict(ground.items()), ground.get("a"), sorted(ground.every())) == ({"b": 1}, 0, [0, 1])


def test_a_view_shows_what_the_entries_before_a_position_had_left() -> None:
    ground = Layer[str, int]()
    for position in (2, 4, 6):
        ground.set("a", position, position)
    draft = ground.over()
    draft.set("a", 8, 8)

    assert [draft.before(position).get("a") for position in (2, 3, 6, 8, 9)] == [None, 2, 4, 6, 8]
    assert [draft.before(8).before(position).get("a") for position in (4, 9)] == [2, 6]


def test_a_past_written_anew_leaves_what_was_known_before() -> None:
    ground = Layer[str, int]()
    for position in (2, 4, 6):
        ground.set("a", position, position)
    draft = ground.over()
    draft.rewrite("a", 4, Written(40), until=9)
    draft.rewrite("a", 3, Written(30), until=9)
    draft.rewrite("a", 6, None, until=9)
    assert ground.get("a") == 6
    draft.fold()

    assert [ground.before(position).get("a") for position in (3, 4, 5, 9)] == [2, 30, 40, 40]
    assert [ground.as_of(position).get("a") for position in (1, 3, 5, 8, 9)] == [None, 2, 4, 6, 40]
    assert [ground.as_of(8).before(position).get("a") for position in (4, 6, 7)] == [2, 4, 6]


# what is closed --------------------------------------------------------------------------------------------------


def test_the_book_lists_what_is_open(house: House) -> None:
    shipped(house)
    house.tell(arrived(["10 t"]), decided([("10 t", None)]))

    assert {batch.batch_id for batch in house.book.batches.values()} == {own(RECOVERER, "M1-A1")}
    assert list(house.book.manifests.values()) == []
    assert [manifest.manifest_id for manifest in house.book.all_manifests()] == [own(SMELTER, "M1")]
    assert house.book.batch(own(SMELTER, "B1")).left_g == 0
    assert house.book.manifest(own(SMELTER, "M1")).closed


def test_a_draft_keeps_what_it_closed_until_the_fold(house: House) -> None:
    house.tell(generated(mass="10 t"), submitted({"B1": "1 t"}))
    draft = house.book.overlay()
    read(draft, transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "10 t")]), 100, 0)
    read(draft, say(Cancelled, SMELTER, at(9, 10), manifest_id=own(SMELTER, "M1"), reason="x"), 101, 0)

    assert draft.batch(own(SMELTER, "B1")).left_g == 0
    assert house.left_t("B1") == 10
    draft.fold()
    assert house.left_t("B1") == 0
    assert list(house.book.manifests.values()) == []
    assert house.book.position == 101


def test_only_a_draft_folds(house: House) -> None:
    with pytest.raises(AssertionError):
        house.book.fold()


def test_what_is_not_there_is_unknown(house: House) -> None:
    assert house.book.find_batch(own(SMELTER, "NONE")) is None
    assert house.book.find_manifest(own(SMELTER, "NONE")) is None
    with pytest.raises(Unknown, match="batch"):
        house.book.batch(own(SMELTER, "NONE"))
    with pytest.raises(Unknown, match="manifest"):
        house.book.manifest(own(SMELTER, "NONE"))


def test_an_overdraft_that_no_rule_stopped_is_a_broken_invariant(house: House) -> None:
    house.tell(generated(mass="10 t"))

    with pytest.raises(AssertionError, match="overdrawn"):
        read(house.book.overlay(), transformed([portion("B1", "11 t")], []), 100, 0)


# what it knows ---------------------------------------------------------------------------------------------------


def test_a_batch_lies_where_it_was_put(house: House) -> None:
    house.tell(generated())
    assert (_batch(house).place, _batch(house).storage_id) == ("site", None)
    house.tell(stored("B1"))
    assert (_batch(house).place, _batch(house).storage_id) == ("storage", yard(SMELTER))
    house.tell(say(TakenOut, SMELTER, at(10), batch_id=own(SMELTER, "B1")))
    assert (_batch(house).place, _batch(house).storage_id) == ("site", None)


def _batch(house: House, name: str = "B1") -> object:
    return house.book.batch(own(SMELTER, name))


def test_packing_and_status_are_the_last_that_were_told(house: House) -> None:
    house.tell(generated())
    assert house.book.batch(own(SMELTER, "B1")).status == "hazardous_waste"
    house.tell(say(Packed, SMELTER, batch_id=own(SMELTER, "B1"), packing=Packing(code="DB1")))
    house.tell(say(Packed, SMELTER, batch_id=own(SMELTER, "B1"), packing=Packing(code="DB2")))
    house.tell(say(StatusChanged, SMELTER, batch_id=own(SMELTER, "B1"), status="product", basis="x"))

    batch = house.book.batch(own(SMELTER, "B1"))
    assert batch.packing is not None
    assert (batch.packing.code, batch.status) == ("DB2", "product")


def test_permits_and_mandates_stand_until_they_end(house: House) -> None:
    house.tell(mandated(SMELTER, STRANGER, DAY, DAY))
    assert [permit.permit_no for permit in house.book.permits_of(RECOVERER)] == [PERMIT]
    house.tell(say(PermitRevoked, BUREAU, permit_no=PERMIT, reason="x"))
    house.tell(say(MandateEnded, SMELTER, mandate_id=own(SMELTER, "MANDATE")))

    assert house.book.permits_of(RECOVERER) == []
    assert list(house.book.mandates.values()) == []


def test_a_received_batch_lies_at_its_consignees_site(house: House) -> None:
    shipped(house)
    house.tell(arrived(["10 t"]), decided([("10 t", None)]))
    batch = house.book.batch(own(RECOVERER, "M1-A1"))

    assert (batch.holder, batch.site_id, batch.place, batch.origin) == (RECOVERER, site(RECOVERER), "site", "received")
    assert batch.manifest_id == own(SMELTER, "M1")
