"""Which layer and which height each box of a flow diagram gets: the longest way, the mean place of its neighbours."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

HAIR_PX: Final = 1.0
"""The thinnest line that every screen and printer still shows."""
NODE_SLOT_PX: Final = 40.0
"""Two lines of a label."""
STUB_SLOT_PX: Final = 20.0
"""One line of a label."""
GAP_PX: Final = 10.0
MARGIN_PX: Final = 16.0
SWEEPS: Final = 12
"""Orders settle after six to ten sweeps on drawings that people can read."""


@dataclass(frozen=True, slots=True)
class Link:
    """Mass that goes from one box to another, or back to the same."""

    source: str
    target: str
    mass_g: int


@dataclass(frozen=True, slots=True)
class Stub:
    """Mass that enters a box (`inward`) or leaves it without another box."""

    node: str
    name: str
    mass_g: int
    inward: bool = False


@dataclass(slots=True, eq=False)
class Slot:
    """Room in a layer: of a box, of a stub's end, or of a ribbon that only passes."""

    layer: int
    key: str | None = None
    stub: Stub | None = None
    in_g: int = 0
    out_g: int = 0
    band: float = 0.0
    room: float = 0.0
    y: float = 0.0

    @property
    def mass_g(self) -> int:
        return max(self.in_g, self.out_g)

    @property
    def middle(self) -> float:
        return self.y + self.room / 2

    @property
    def top(self) -> float:
        """Where its band begins."""
        return self.middle - self.band / 2


@dataclass(slots=True, eq=False)
class Strip:
    """One step of a link or stub from a layer to the next."""

    left: Slot
    right: Slot
    mass_g: int
    width: float = 0.0
    left_y: float = 0.0
    right_y: float = 0.0


@dataclass(slots=True)
class Graph:
    """Slots by layer and the strips between them."""

    layers: list[list[Slot]]
    strips: list[Strip] = field(default_factory=list[Strip])
    of_link: dict[int, list[Strip]] = field(default_factory=dict[int, list[Strip]])
    of_stub: dict[int, Strip] = field(default_factory=dict[int, Strip])


def returning(nodes: Sequence[str], links: Sequence[Link]) -> frozenset[int]:
    """The links, by number, that close loops: met again on the way down a depth-first walk that takes heavy links first."""
    onward: defaultdict[str, list[int]] = defaultdict(list)
    net_g: defaultdict[str, int] = defaultdict(int)
    entered: set[str] = set()
    found: set[int] = set()
    for i, link in sorted(enumerate(links), key=lambda pair: (-pair[1].mass_g, pair[0])):
        if link.source == link.target:
            found.add(i)
            continue
        onward[link.source].append(i)
        net_g[link.source] += link.mass_g
        net_g[link.target] -= link.mass_g
        entered.add(link.target)
    done: set[str] = set()
    for start in sorted(nodes, key=lambda key: (key in entered, -net_g[key])):
        if start in done:
            continue
        path = {start: iter(onward[start])}
        while path:
            here, ways = next(reversed(path.items()))
            way = next(ways, None)
            if way is None:
                done.add(here)
                del path[here]
            elif (target := links[way].target) in path:
                found.add(way)
            elif target not in done:
                path[target] = iter(onward[target])
    return frozenset(found)


def layers_of(
    nodes: Sequence[str], links: Sequence[Link], backward: frozenset[int], stubs: Sequence[Stub]
) -> dict[str, int]:
    """The longest way from a beginning; a beginning stands right before the first box that it feeds."""
    forward = [link for i, link in enumerate(links) if i not in backward]
    onward: defaultdict[str, list[str]] = defaultdict(list)
    waits: defaultdict[str, int] = defaultdict(int)
    for link in forward:
        onward[link.source].append(link.target)
        waits[link.target] += 1
    first = [key for key in nodes if not waits[key]]
    layer = dict.fromkeys(nodes, 0)
    ready = deque(first)
    while ready:
        here = ready.popleft()
        for target in onward[here]:
            layer[target] = max(layer[target], layer[here] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for key in first:
        if onward[key]:
            layer[key] = min(layer[target] for target in onward[key]) - 1
    lowest = min([layer[stub.node] - 1 for stub in stubs if stub.inward] + [0])
    return {key: each - lowest for key, each in layer.items()}


def graph_of(
    nodes: Sequence[str],
    links: Sequence[Link],
    stubs: Sequence[Stub],
    backward: frozenset[int],
    layer_of: dict[str, int],
) -> tuple[Graph, dict[str, Slot]]:
    ends = [layer_of[stub.node] + 1 for stub in stubs if not stub.inward]
    graph = Graph([[] for _ in range(max([0, *layer_of.values(), *ends]) + 1)])
    slots = {key: Slot(layer_of[key], key=key) for key in nodes}
    for key in nodes:
        graph.layers[layer_of[key]].append(slots[key])
    for i, link in enumerate(links):
        source, target = slots[link.source], slots[link.target]
        source.out_g += link.mass_g
        target.in_g += link.mass_g
        if i in backward:
            continue
        stops = [source]
        for layer in range(source.layer + 1, target.layer):
            stop = Slot(layer, in_g=link.mass_g, out_g=link.mass_g)
            graph.layers[layer].append(stop)
            stops.append(stop)
        stops.append(target)
        strips = [Strip(a, b, link.mass_g) for a, b in pairwise(stops)]
        graph.strips += strips
        graph.of_link[i] = strips
    for i, stub in enumerate(stubs):
        slot = slots[stub.node]
        end = Slot(slot.layer + (-1 if stub.inward else 1), stub=stub, in_g=stub.mass_g, out_g=stub.mass_g)
        graph.layers[end.layer].append(end)
        if stub.inward:
            slot.in_g += stub.mass_g
        else:
            slot.out_g += stub.mass_g
        strip = Strip(end, slot, stub.mass_g) if stub.inward else Strip(slot, end, stub.mass_g)
        graph.strips.append(strip)
        graph.of_stub[i] = strip
    return graph, slots


def order(graph: Graph) -> None:
    """Sort each layer by the mean place of its neighbours, there and back again; what is equal keeps its order."""
    before: defaultdict[Slot, list[tuple[Slot, int]]] = defaultdict(list)
    after: defaultdict[Slot, list[tuple[Slot, int]]] = defaultdict(list)
    for strip in graph.strips:
        before[strip.right].append((strip.left, strip.mass_g))
        after[strip.left].append((strip.right, strip.mass_g))
    place: dict[Slot, float] = {}
    for layer in graph.layers:
        _number(layer, place)
    for sweep in range(SWEEPS):
        near, sweep_over = (before, graph.layers) if sweep % 2 == 0 else (after, graph.layers[::-1])
        for layer in sweep_over:
            layer.sort(key=lambda slot: _mean([(place[each], mass_g) for each, mass_g in near[slot]], place[slot]))
            _number(layer, place)


def _number(layer: Sequence[Slot], place: dict[Slot, float]) -> None:
    for i, slot in enumerate(layer):
        place[slot] = (i + 0.5) / len(layer)


def _mean(places: Sequence[tuple[float, int]], alone: float) -> float:
    weight = sum(mass_g for _, mass_g in places)
    return sum(place * mass_g for place, mass_g in places) / weight if weight else alone


def wide(mass_g: int, px: float) -> float:
    return max(mass_g * px, HAIR_PX)


def measure(graph: Graph, px: float) -> None:
    """How high each slot is: its masses to scale, with room for its label."""
    for strip in graph.strips:
        strip.width = wide(strip.mass_g, px)
    into: defaultdict[Slot, float] = defaultdict(float)
    out: defaultdict[Slot, float] = defaultdict(float)
    for strip in graph.strips:
        into[strip.right] += strip.width
        out[strip.left] += strip.width
    for layer in graph.layers:
        for slot in layer:
            slot.band = max(wide(slot.mass_g, px), into[slot], out[slot])
            label = NODE_SLOT_PX if slot.key is not None else STUB_SLOT_PX if slot.stub is not None else 0.0
            slot.room = max(slot.band, label)


def place_slots(graph: Graph) -> float:
    """Give every slot its height on the page, near the middle of its neighbours; returns where the lowest ends."""
    tallest = max(_stack(layer) for layer in graph.layers)
    for layer in graph.layers:
        y = MARGIN_PX + (tallest - _stack(layer)) / 2
        for slot in layer:
            slot.y = y
            y += slot.room + GAP_PX
    before: defaultdict[Slot, list[Slot]] = defaultdict(list)
    after: defaultdict[Slot, list[Slot]] = defaultdict(list)
    for strip in graph.strips:
        before[strip.right].append(strip.left)
        after[strip.left].append(strip.right)
    for sweep in range(SWEEPS):
        near, sweep_over = (before, graph.layers) if sweep % 2 == 0 else (after, graph.layers[::-1])
        for layer in sweep_over:
            for slot in layer:
                wanted = _mean([(each.middle, each.mass_g) for each in near[slot]], slot.middle)
                slot.y = wanted - slot.room / 2
            _part(layer, MARGIN_PX, MARGIN_PX + tallest)
    return max(slot.y + slot.room for layer in graph.layers for slot in layer) if graph.strips else MARGIN_PX + tallest


def _stack(layer: Sequence[Slot]) -> float:
    return sum(slot.room + GAP_PX for slot in layer) - GAP_PX


def _part(layer: Sequence[Slot], top: float, bottom: float) -> None:
    """Push slots apart in their order: down from the top, then up from the bottom."""
    for slot in layer:
        slot.y = max(slot.y, top)
        top = slot.y + slot.room + GAP_PX
    for slot in reversed(layer):
        slot.y = min(slot.y, bottom - slot.room)
        bottom = slot.y - GAP_PX
