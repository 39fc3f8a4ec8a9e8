"""图. What entries mean as nodes and relationships: whole to the gram, and after corrections as if written so."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.book import Book, Change
from flows.enterprises import Permit, PermitLine
from flows.entries import Entry
from flows.events import Generated, PermitAmended, PermitGranted, PermitRevoked, Product, Stored
from flows.materials import catalogue
from graph.picture import KIND_OF, PROPERTIES, Key, Node, Picture
from graph.projection import project
from graph.standing_permits import catalogue_nodes
from tests.graph.histories import ENTERPRISES, FIRST_DAY, SITES, STORAGES, World, histories, settled
from tests.graph.mending import Mended, Straight, corrections

laws = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


@dataclass
class Drawing:
    """A follower that draws the graph, some entries at a time."""

    book: Book
    portion: int = 1
    picture: Picture = field(default_factory=Picture)
    waiting: list[Change] = field(default_factory=list[Change])

    def read(self, entry: Entry, change: Change) -> None:
        self.waiting.append(change)
        if len(self.waiting) >= self.portion:
            self.flush()

    def flush(self) -> None:
        self.picture.apply(project(self.waiting, self.book))
        self.waiting.clear()


def _drawn(world: World) -> Picture:
    drawing = Drawing(world.book, portion=len(world.entries) or 1)
    world.follow(drawing)
    return drawing.picture


def _shown(picture: Picture) -> dict[Key, Any]:
    """The graph without what only says that something was corrected."""
    shown: dict[Key, Any] = {}
    for key, node in picture.nodes.items():
        mends = str(node.props.get("kind")).startswith("correction_")
        if mends or node.props.get("withdrawn"):
            continue
        props = {name: value for name, value in node.props.items() if name != "corrected_by" and value is not None}
        shown[key] = props, Counter((e.type, e.start, e.end, tuple(sorted(e.props.items()))) for e in node.edges)
    return shown


@laws
@given(histories(), st.integers(1, 9), st.data())
def test_a_corrected_history_is_drawn_as_one_written_right_from_the_start(
    world: World, portion: int, data: st.DataObject
) -> None:
    mended = Mended(world)
    drawing = Drawing(world.book, portion)
    world.followers = (*world.followers, drawing)
    drawing.picture.apply(project(world.changes, world.book))
    for _ in range(data.draw(st.integers(1, 4), "corrections")):
        mended.request(corrections(data, mended.book))
    drawing.flush()

    straight, fresh = Straight(), Picture()
    for entry, event in mended.effective():
        fresh.apply(project([straight.tell(entry, event)], straight.book))

    assert _shown(drawing.picture) == _shown(fresh)


@laws
@given(histories(), st.integers(1, 9))
def test_the_portions_in_which_it_is_drawn_make_no_difference(world: World, portion: int) -> None:
    again = World()
    one, many = Drawing(again.book), Drawing(again.book, portion)
    again.followers = (one, many)
    for event in world.events:
        again.tell(event)
    many.flush()

    assert one.picture == many.picture


@laws
@given(histories())
def test_every_entry_is_whole_to_the_gram(world: World) -> None:
    for node in _drawn(world).nodes.values():
        sums = Counter[str]()
        for edge in node.edges:
            sums[edge.type] += int(edge.props.get("mass_g") or 0)  # pyright: ignore[reportArgumentType] - a mass
        if node.key.label == "Entry":
            assert sums["INPUT"] + sums["SOURCE"] == sums["OUTPUT"] + sums["END"], node


@laws
@given(histories())
def test_every_relationship_is_of_a_known_kind_and_ends_at_nodes_that_are_there(world: World) -> None:
    picture = _drawn(world)
    there = {*picture.nodes, *(node.key for node in catalogue_nodes(catalogue()))}
    for node in picture.nodes.values():
        assert set(node.props) == set(PROPERTIES[node.key.label]), node
        for edge in node.edges:
            kind = KIND_OF[edge.type]
            assert kind.owner == node.key.label
            assert set(edge.props) == set(kind.says), edge
            assert {Key(kind.start, edge.start), Key(kind.end, edge.end)} <= there, edge


def generated(world: World, mass_g: int = 6) -> str:
    own: dict[str, Any] = {"enterprise": ENTERPRISES[0], "event_time": FIRST_DAY, "event_id": world.name()}
    product = Product(batch_id=f"{ENTERPRISES[0]}.B1", material="primary-dross", mass_g=mass_g)
    world.tell(Generated(**own, site_id=SITES[0], product=product))
    return product.batch_id


def test_a_withdrawn_entry_keeps_its_name_and_by_which_it_was_withdrawn() -> None:
    mended = Mended(settled())
    batch_id = generated(mended.world)
    position = mended.book.position
    mended.request({position: None})
    picture = _drawn(mended.world)
    entry = picture.nodes[Key("Entry", position)]

    assert entry.props["withdrawn"] is True
    assert entry.props["corrected_by"] == position + 1
    assert entry.edges == ()
    assert Key("Batch", batch_id) not in picture.nodes
    (corrects,) = picture.nodes[Key("Entry", position + 1)].edges
    assert (corrects.type, corrects.end, corrects.props["withdraws"]) == ("CORRECTS", position, True)


def test_a_batch_lies_where_it_was_put_last() -> None:
    world = settled()
    batch_id = generated(world)
    drawing = Drawing(world.book)
    world.follow(drawing, until=None)
    world.followers = (drawing,)
    own: dict[str, Any] = {"enterprise": ENTERPRISES[0], "event_time": FIRST_DAY, "event_id": world.name()}
    world.tell(Stored(**own, batch_id=batch_id, storage_id=STORAGES[0]))
    batch = drawing.picture.nodes[Key("Batch", batch_id)]

    assert [edge.end for edge in batch.edges if edge.type == "IN"] == [STORAGES[0]]
    assert batch.props["place"] == "storage"


def _permit(lines: tuple[PermitLine, ...]) -> Permit:
    return Permit(
        permit_no="CH-1", holder=ENTERPRISES[1], lines=lines, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31)
    )


def _permit_node(world: World) -> Node:
    return _drawn(world).nodes[Key("Permit", "CH-1")]


def test_a_permits_lines_stand_from_the_entry_that_set_them_to_the_one_that_changed_them() -> None:
    world = settled()
    line = PermitLine(waste="HW48", mode="utilize", annual_g=5)
    other = PermitLine(waste="321-024-48", mode="utilize", annual_g=7)
    own: dict[str, Any] = {"enterprise": ENTERPRISES[0], "event_time": FIRST_DAY}
    granted = world.tell(PermitGranted(**own, event_id="p1", permit=_permit((line,)))).position
    amended = world.tell(PermitAmended(**own, event_id="p2", permit=_permit((line, other)))).position
    revoked = world.tell(PermitRevoked(**own, event_id="p3", permit_no="CH-1", reason="moved")).position
    node = _permit_node(world)
    told = [(e.end, e.props["since"], e.props["until"]) for e in node.edges if e.type == "ALLOWS"]

    assert told == [("HW48", granted, amended), ("HW48", amended, revoked), ("321-024-48", amended, revoked)]
    assert node.props["ended_by"] == revoked
