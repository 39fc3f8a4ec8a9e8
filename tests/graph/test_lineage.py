"""The lineage index: what the book knows, in arrays; a prefix stays as it was, and a horizon is an index of less."""

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.enterprises import Site, StorageArea
from flows.errors import Unknown
from flows.events import Generated, Packed, Packing, Product, SiteRegistered, StorageRegistered, Stored, TakenOut
from flows.materials import catalogue
from graph.fate import fates
from graph.lineage import ORIGINS, STATUSES, Horizon, Lineage
from graph.prefix import Prefix
from tests.graph.exact import Exact
from tests.graph.histories import ENTERPRISES, SITES, World, histories
from tests.graph.telling import Teller


def lineage_of(world: World, until: int | None = None) -> Lineage:
    lineage = Lineage(catalogue())
    world.follow(lineage, until)
    return lineage


@given(histories())
def test_the_index_says_of_every_batch_what_the_book_says(world: World) -> None:
    lineage = lineage_of(world)
    prefix = Prefix(lineage)
    left_g = prefix.left_g(prefix.ranks)

    assert len(lineage.batch_ids) == sum(len(m.makes) for change in world.changes for m in change.movements)
    for rank, batch_id in enumerate(lineage.batch_ids):
        batch = world.book.batch(batch_id)
        assert lineage.rank(batch_id) == rank
        assert prefix.mass_g[rank] == batch.mass_g
        assert left_g[rank] == batch.left_g
        assert prefix.made_us[rank] == batch.made_us
        assert lineage.batches.position[rank] == batch.position
        assert lineage.holders.names[prefix.holder[rank]] == batch.holder
        assert lineage.materials.names[prefix.material[rank]] == batch.material
        assert ORIGINS[prefix.origin[rank]] == batch.origin
        assert lineage.codes[rank] == batch.code


@given(histories())
def test_an_open_batchs_site_and_status_are_the_last_that_were_told(world: World) -> None:
    lineage = lineage_of(world)
    prefix = Prefix(lineage)

    for batch_id, batch in world.book.batches.items():
        rank = lineage.rank(batch_id)
        assert lineage.sites.names[prefix.site[rank]] == batch.site_id
        dated = {c.effective_us for c in world.changes if getattr(c.event, "batch_id", "") == batch_id}
        if len(dated) <= 1:  # of words that were told out of their order, the later by effective time holds
            assert STATUSES[prefix.status[rank]] == batch.status


@given(histories())
def test_a_movement_stands_above_all_that_it_draws_on(world: World) -> None:
    prefix = Prefix(lineage_of(world))

    maker = prefix.made_by[prefix.draw_batch]
    assert (prefix.level[maker] < prefix.level[prefix.draw_movement]).all()
    assert (prefix.effective_us[maker] <= prefix.effective_us[prefix.draw_movement]).all()
    assert (maker < prefix.draw_movement).all()


@given(histories(), st.data())
def test_as_of_a_position_the_index_is_the_one_built_from_that_prefix(world: World, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(world.entries)))
    whole, part = Lineage(catalogue()), lineage_of(world, position)
    world.follow(whole)
    cut, prefix = Prefix(whole, Horizon(as_of=position)), Prefix(part)

    assert cut.lengths.batches == prefix.lengths.batches
    assert cut.left_g(cut.ranks).tolist() == prefix.left_g(prefix.ranks).tolist()
    assert [STATUSES[s] for s in cut.status] == [STATUSES[s] for s in prefix.status]
    for basis in ("weighed", "dry"):
        np.testing.assert_array_equal(fates(whole, Horizon(as_of=position), basis), fates(part, basis=basis))


@given(histories(), st.data())
def test_at_an_instant_only_what_had_happened_counts(world: World, data: st.DataObject) -> None:
    at_us = data.draw(st.sampled_from([change.effective_us for change in world.changes]))
    lineage, exact = lineage_of(world), Exact(world.changes, at_us=at_us)
    prefix = Prefix(lineage, Horizon(at_us=at_us))

    assert {lineage.batch_ids[rank] for rank in prefix.ranks} == set(exact.makes)
    left_g = prefix.left_g(prefix.ranks)
    assert left_g.tolist() == [exact.left_g(lineage.batch_ids[rank]) for rank in prefix.ranks]


def test_a_prefix_stays_as_it_was_while_entries_come_in() -> None:
    teller = Teller(lineage := Lineage(catalogue()))
    source = teller.generated("A", 5000)
    before = Prefix(lineage)
    for n in range(2000):  # more than the columns have room for at first
        teller.made({f"B{n}": 1}, {source: 1})

    assert before.ranks.tolist() == [0]
    assert before.left_g(before.ranks).tolist() == [5000]
    assert Prefix(lineage).left_g(np.array([0])).tolist() == [3000]
    assert len(lineage.batch_ids) == 2001


def test_many_readers_see_whole_entries_while_one_writes() -> None:
    teller = Teller()
    source = teller.generated("A", 3000)
    for n in range(600):
        teller.made({f"B{n}": 1, f"C{n}": 1}, {source: 2})
        teller.disposed({teller.id(f"B{n}"): 1})
    lineage = Lineage(catalogue())
    faults: list[str] = []

    def read() -> None:
        while lineage.position < len(teller.world.entries):
            rows = fates(lineage).sum(axis=1)
            if not np.allclose(rows, 1):
                faults.append(f"rows sum to {rows}")

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    teller.world.follow(lineage)
    for reader in readers:
        reader.join()

    assert faults == []


def test_an_entry_is_read_once() -> None:
    teller = Teller(lineage := Lineage(catalogue()))
    teller.generated("A", 1)

    with pytest.raises(AssertionError, match="comes twice"):
        lineage.read(teller.world.entries[-1], teller.world.changes[-1])


def test_a_batch_that_was_never_made_is_unknown() -> None:
    lineage = Lineage(catalogue())

    assert lineage.find_rank("nobody.A") is None
    with pytest.raises(Unknown):
        lineage.rank("nobody.A")


def test_a_batch_is_found_by_every_code_that_it_was_given() -> None:
    teller = Teller(lineage := Lineage(catalogue()))

    product = Product(batch_id=teller.id("A"), material="red-mud", mass_g=5, code="C-1", packing=Packing(code="P-1"))
    world = teller.world
    world.tell(Generated(**teller.on(0), site_id=SITES[0], product=product))
    world.tell(Stored(**teller.on(0), batch_id=product.batch_id, storage_id=f"{ENTERPRISES[0]}.YARD", code="R-1"))
    world.tell(TakenOut(**teller.on(0), batch_id=product.batch_id, code="R-2"))
    world.tell(Packed(**teller.on(0), batch_id=product.batch_id, packing=Packing(code="P-2")))

    assert [lineage.find(code) for code in ("C-1", "P-1", "R-1", "R-2", "P-2", "X")] == [[0], [0], [0], [0], [0], []]
    assert lineage.find("C-1", site=SITES[0], holders={ENTERPRISES[0]}) == [0]
    assert lineage.find("C-1", site=SITES[1]) == lineage.find("C-1", holders={ENTERPRISES[1]}) == []


def test_the_newest_batches_of_some_holders_come_page_by_page() -> None:
    teller = Teller(lineage := Lineage(catalogue()))
    for n in range(6):
        teller.generated(f"A{n}", 1, owner=n % 2)

    assert lineage.newest() == [5, 4, 3, 2, 1, 0]
    assert lineage.newest({ENTERPRISES[0]}, limit=2) == [4, 2]
    assert lineage.newest({ENTERPRISES[0]}, limit=2, before=2) == [0]
    assert lineage.newest({"nobody"}) == []
    assert lineage.newest(limit=2, before=2) == [1, 0]


def test_storage_at_another_site_moves_the_batch_there() -> None:
    teller = Teller(lineage := Lineage(catalogue()))

    other = teller.id("OTHER")
    site = Site(site_id=other, code="O", name="other", division="510300")
    yard = StorageArea(storage_id=teller.id("FAR"), site_id=other, code="F", name="far", type="yard")
    teller.world.tell(SiteRegistered(**teller.on(0), site=site))
    teller.world.tell(StorageRegistered(**teller.on(0), storage=yard))
    batch_id = teller.generated("A", 5)
    before = lineage.position
    teller.world.tell(Stored(**teller.on(0), batch_id=batch_id, storage_id=yard.storage_id))

    assert lineage.sites.names[Prefix(lineage).site[0]] == other
    assert lineage.sites.names[Prefix(lineage, Horizon(as_of=before)).site[0]] == SITES[0]
    assert lineage.divisions[other] == "510300"
