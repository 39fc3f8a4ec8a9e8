"""Where the boxes and ribbons of a flow diagram go, loops and all: plain masses in, plain numbers out.

A link that would run backwards closes a loop; it is drawn as a return arc under everything else. What enters or
ends without another box (generation, losses, stock, what lies beyond the view) is a stub, so that on each side of a
box the widths add up to its height. Width is mass everywhere; what would be thinner than a hair is drawn as one
and says so. The same input gives the same numbers.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graph.layers import (
    GAP_PX,
    HAIR_PX,
    MARGIN_PX,
    Graph,
    Link,
    Slot,
    Strip,
    Stub,
    graph_of,
    layers_of,
    measure,
    order,
    place_slots,
    returning,
    wide,
)

__all__ = ["Box", "Cap", "Layout", "Link", "Ribbon", "Stub", "lay_out"]

BAND_PX: Final = 300.0
"""Height of the heaviest layer's masses: two drawings fit a page."""
BOX_PX: Final = 12.0
CAP_PX: Final = 4.0
COLUMN_PX: Final = 168.0
"""From box to box at least: a Chinese name of ten characters, and what is longer is cut."""
LABEL_PX: Final = 190.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box: `mass_g` is the larger of what goes in and what comes out."""

    key: str
    layer: int
    x: float
    y: float
    width: float
    height: float
    mass_g: int


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A link as drawn. A forward ribbon is an area; a `returning` one is a line of `width` along `path`.

    `thin` ribbons carry less mass than their hair's width would say.
    """

    link: Link
    path: str
    width: float
    thin: bool
    returning: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Cap:
    """A stub as drawn: an area `path` and the small box at its end."""

    stub: Stub
    path: str
    x: float
    y: float
    width: float
    height: float
    thin: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole drawing in pixels; `grams_per_px` is its scale, `column_px` the way from box to box."""

    width: float
    height: float
    grams_per_px: float
    column_px: float
    boxes: tuple[Box, ...]
    ribbons: tuple[Ribbon, ...]
    caps: tuple[Cap, ...]


def lay_out(nodes: Sequence[str], links: Sequence[Link], stubs: Sequence[Stub] = (), *, width: float = 960.0) -> Layout:
    """Lay out a diagram at least `width` wide. Links and stubs name nodes; nodes come in the order of their telling."""
    backward = returning(nodes, links)
    layer_of = layers_of(nodes, links, backward, stubs)
    graph, slots = graph_of(nodes, links, stubs, backward, layer_of)
    order(graph)
    px = BAND_PX / max([sum(slot.mass_g for slot in layer) for layer in graph.layers] + [1])
    measure(graph, px)
    height = place_slots(graph)
    loops = [(i, links[i]) for i in sorted(backward)]
    sizes = {i: wide(link.mass_g, px) for i, link in loops}
    bottoms = _attach(graph, slots, loops, sizes)
    left = MARGIN_PX + (max([_bend(sizes[i]) for i, _ in loops]) + GAP_PX if loops else 0.0)
    columns = max(1, len(graph.layers) - 1)
    step = max(COLUMN_PX, (width - left - BOX_PX - LABEL_PX - MARGIN_PX) / columns)
    xs = [left + step * i for i in range(len(graph.layers))]
    ribbons = [_forward(links[i], strips, xs, px) for i, strips in sorted(graph.of_link.items())]
    below = height + 2 * MARGIN_PX
    for i, link in loops:
        ends = xs[slots[link.source].layer] + BOX_PX, xs[slots[link.target].layer]
        ribbons.append(_return(link, ends, bottoms[i], sizes[i], below))
        below += sizes[i] + GAP_PX
    return Layout(
        width=round(max(width, xs[-1] + BOX_PX + LABEL_PX + MARGIN_PX), 1),
        height=round(below + MARGIN_PX if loops else height + 2 * MARGIN_PX, 1),
        grams_per_px=1 / px,
        column_px=round(step, 1),
        boxes=tuple(_box(key, slots[key], xs) for key in nodes),
        ribbons=tuple(ribbons),
        caps=tuple(_cap(stubs[i], strip, xs, px) for i, strip in sorted(graph.of_stub.items())),
    )


def _attach(
    graph: Graph, slots: dict[str, Slot], loops: Sequence[tuple[int, Link]], sizes: dict[int, float]
) -> dict[int, tuple[float, float]]:
    """Where strips meet their boxes, from the top in the order of their other ends; return arcs come last."""
    right: defaultdict[Slot, list[Strip]] = defaultdict(list)
    left: defaultdict[Slot, list[Strip]] = defaultdict(list)
    for strip in graph.strips:
        right[strip.left].append(strip)
        left[strip.right].append(strip)
    out_y: dict[Slot, float] = {}
    in_y: dict[Slot, float] = {}
    for layer in graph.layers:
        for slot in layer:
            y = slot.top
            for strip in sorted(right[slot], key=lambda strip: strip.right.middle):
                strip.left_y, y = y, y + strip.width
            out_y[slot], y = y, slot.top
            for strip in sorted(left[slot], key=lambda strip: strip.left.middle):
                strip.right_y, y = y, y + strip.width
            in_y[slot] = y
    ends: dict[int, tuple[float, float]] = {}
    for i, link in loops:
        source, target, size = slots[link.source], slots[link.target], sizes[i]
        ends[i] = out_y[source] + size / 2, in_y[target] + size / 2
        out_y[source] += size
        in_y[target] += size
    return ends


def _box(key: str, slot: Slot, xs: Sequence[float]) -> Box:
    return Box(key, slot.layer, _n(xs[slot.layer]), _n(slot.top), BOX_PX, _n(slot.band), slot.mass_g)


def _forward(link: Link, strips: Sequence[Strip], xs: Sequence[float], px: float) -> Ribbon:
    """One area from box to box, through every layer that it passes."""
    middle = strips[len(strips) // 2]
    return Ribbon(
        link=link,
        path=_area(strips, xs),
        width=_n(middle.width),
        thin=link.mass_g * px < HAIR_PX,
        returning=False,
        x=_n((xs[middle.left.layer] + BOX_PX + xs[middle.right.layer]) / 2),
        y=_n((middle.left_y + middle.right_y + middle.width) / 2),
    )


def _area(strips: Sequence[Strip], xs: Sequence[float]) -> str:
    """Along the upper edge to the right, and back along the lower one."""
    upper: list[str] = []
    lower: list[str] = []
    for strip in strips:
        a, b = xs[strip.left.layer] + BOX_PX, xs[strip.right.layer]
        bend, y, to_y, width = (a + b) / 2, strip.left_y, strip.right_y, strip.width
        upper.append(f"{_n(a)} {_n(y)}C{_n(bend)} {_n(y)} {_n(bend)} {_n(to_y)} {_n(b)} {_n(to_y)}")
        y, to_y = y + width, to_y + width
        lower.append(f"{_n(b)} {_n(to_y)}C{_n(bend)} {_n(to_y)} {_n(bend)} {_n(y)} {_n(a)} {_n(y)}")
    return f"M{'L'.join(upper)}L{'L'.join(reversed(lower))}Z"


def _bend(size: float) -> float:
    """How far a return arc of this width reaches out beside a box."""
    return size / 2 + 8 + GAP_PX


def _return(link: Link, ends: tuple[float, float], ys: tuple[float, float], size: float, below: float) -> Ribbon:
    """A line out of the right side, down, back under everything, and up into the left side."""
    (x, to_x), (y, to_y) = ends, ys
    reach, radius, lane = _bend(size), size / 2 + 8, below + size / 2
    out, back = x + reach, to_x - reach
    path = (
        f"M{_n(x)} {_n(y)}H{_n(out - radius)}{_arc(radius, out, y + radius)}V{_n(lane - radius)}"
        f"{_arc(radius, out - radius, lane)}H{_n(back + radius)}{_arc(radius, back, lane - radius)}"
        f"V{_n(to_y + radius)}{_arc(radius, back + radius, to_y)}H{_n(to_x)}"
    )
    return Ribbon(link, path, _n(size), thin=size <= HAIR_PX, returning=True, x=_n((out + back) / 2), y=_n(lane))


def _arc(radius: float, x: float, y: float) -> str:
    return f"A{_n(radius)} {_n(radius)} 0 0 1 {_n(x)} {_n(y)}"


def _cap(stub: Stub, strip: Strip, xs: Sequence[float], px: float) -> Cap:
    end, y = (strip.left, strip.left_y) if stub.inward else (strip.right, strip.right_y)
    x = xs[end.layer] + (BOX_PX - CAP_PX if stub.inward else 0)
    area = _area([strip], xs)
    return Cap(stub, area, _n(x), _n(y), CAP_PX, _n(strip.width), thin=stub.mass_g * px < HAIR_PX)


def _n(number: float) -> float:
    """To a tenth of a pixel, as finer is only longer."""
    return round(number, 1)
