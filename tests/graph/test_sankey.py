"""The flow diagram: widths balance, loops are drawn, nothing is lost, and the same input gives the same drawing."""

import re
import time
from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from graph.layers import HAIR_PX, returning
from graph.sankey import Layout, Link, Stub, lay_out

CHAIN = [Link("a", "b", 60), Link("a", "c", 40), Link("b", "d", 50), Link("c", "d", 40)]
SIDE_PX = 0.6
"""Each number is rounded to a tenth of a pixel."""

names = st.sampled_from("abcdefgh")
links = st.lists(st.builds(Link, names, names, st.integers(1, 10_000)), max_size=24)
stubs = st.lists(st.builds(Stub, names, st.just("loss"), st.integers(1, 10_000), st.booleans()), max_size=8)


def _told(drawn: list[Link], ends: list[Stub]) -> list[str]:
    return sorted({end for link in drawn for end in (link.source, link.target)} | {stub.node for stub in ends} | {"a"})


def _pixels(layout: Layout) -> float:
    return 1 / layout.grams_per_px


def test_widths_are_masses_on_one_scale() -> None:
    layout = lay_out("abcd", CHAIN)

    for ribbon in layout.ribbons:
        assert abs(ribbon.width - ribbon.link.mass_g * _pixels(layout)) < 0.1
    assert {box.key: box.mass_g for box in layout.boxes} == {"a": 100, "b": 60, "c": 40, "d": 90}


def test_stubs_make_both_sides_of_a_box_as_wide_as_the_box() -> None:
    layout = lay_out("abcd", CHAIN, [Stub("b", "loss", 10), Stub("a", "generated", 100, inward=True)])
    into, out = defaultdict(float), defaultdict(float)
    for ribbon in layout.ribbons:
        out[ribbon.link.source] += ribbon.width
        into[ribbon.link.target] += ribbon.width
    for cap in layout.caps:
        (into if cap.stub.inward else out)[cap.stub.node] += cap.height
    for box in layout.boxes:
        for side in (into, out):
            if box.key in side:
                assert abs(side[box.key] - box.height) < SIDE_PX


def test_a_loop_is_drawn_as_a_return_arc_under_everything_else() -> None:
    layout = lay_out("abc", [Link("a", "b", 90), Link("b", "c", 80), Link("c", "a", 20)])
    (arc,) = [ribbon for ribbon in layout.ribbons if ribbon.returning]

    assert (arc.link.source, arc.link.target) == ("c", "a")
    assert arc.y > max(box.y + box.height for box in layout.boxes)
    assert arc.y + arc.width / 2 < layout.height


def test_what_goes_back_into_the_same_box_is_a_loop_too() -> None:
    layout = lay_out("a", [Link("a", "a", 5)])

    assert [ribbon.returning for ribbon in layout.ribbons] == [True]


def test_the_light_link_of_a_loop_is_the_one_that_returns() -> None:
    assert returning("ab", [Link("b", "a", 1), Link("a", "b", 100)]) == {0}


def test_a_small_flow_is_drawn_as_a_hair_and_says_so() -> None:
    layout = lay_out("abc", [Link("a", "b", 10**12), Link("a", "c", 1)], [Stub("b", "loss", 1)])
    small = next(ribbon for ribbon in layout.ribbons if ribbon.link.mass_g == 1)

    assert (small.width, small.thin) == (HAIR_PX, True)
    assert [cap.thin for cap in layout.caps] == [True]


def test_a_ribbon_that_passes_a_layer_keeps_clear_of_its_boxes() -> None:
    layout = lay_out("abcx", [Link("a", "b", 50), Link("b", "c", 50), Link("a", "c", 50), Link("a", "x", 5)])
    long = next(ribbon for ribbon in layout.ribbons if (ribbon.link.source, ribbon.link.target) == ("a", "c"))
    passed = next(box for box in layout.boxes if box.key == "b")
    upper = re.findall(r"([\d.]+) ([\d.]+)L", long.path)
    at_b = next(float(y) for x, y in upper if float(x) == passed.x)

    assert at_b >= passed.y + passed.height or at_b + long.width <= passed.y


def test_no_link_at_all_is_a_drawing_too() -> None:
    assert [box.key for box in lay_out("ab", []).boxes] == ["a", "b"]


@given(links, stubs)
def test_nothing_is_ever_dropped_and_nothing_overlaps(drawn: list[Link], ends: list[Stub]) -> None:
    told = _told(drawn, ends)
    layout = lay_out(told, drawn, ends)

    assert sorted(map(id, drawn)) == sorted(id(ribbon.link) for ribbon in layout.ribbons)
    assert sorted(map(id, ends)) == sorted(id(cap.stub) for cap in layout.caps)
    columns = defaultdict(list)
    for box in layout.boxes:
        columns[box.x].append((box.y, box.y + box.height))
        assert box.y >= 0
        assert box.y + box.height <= layout.height
        assert box.x + box.width <= layout.width
    for column in columns.values():
        column.sort()
        assert all(upper[1] <= lower[0] for upper, lower in pairwise(column))


@given(links)
def test_without_what_returns_no_loop_is_left(drawn: list[Link]) -> None:
    told = _told(drawn, [])
    backward = returning(told, drawn)
    left = [link for i, link in enumerate(drawn) if i not in backward]
    while left:
        entered = {link.target for link in left}
        fewer = [link for link in left if link.source in entered]
        assert len(fewer) < len(left)
        left = fewer


@given(links, stubs)
def test_the_same_input_gives_the_same_drawing(drawn: list[Link], ends: list[Stub]) -> None:
    told = _told(drawn, ends)

    assert lay_out(told, drawn, ends) == lay_out(told, drawn, ends)


def test_two_hundred_boxes_are_laid_out_within_a_blink() -> None:
    told = [f"n{i}" for i in range(200)]
    drawn = [Link(f"n{i // 2}", f"n{i}", 1_000 + i) for i in range(1, 200)] + [Link("n199", "n3", 7)]
    began = time.perf_counter()
    layout = lay_out(told, drawn, [Stub(key, "stock", 10) for key in told])

    assert len(layout.boxes) == 200
    assert time.perf_counter() - began < 1.0
