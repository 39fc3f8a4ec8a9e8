"""Waiting records of imports that overlap: whoever fails takes back its own, in whatever order they fail."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from api.waiting import Kept, KeptRow, keep, take_back, waiting_of
from tests.api.workbook_fixtures import PLANT, House, now

NAME = ("receipt", "", "M1")
OTHER = ("receipt", "", "M2")


def _row(brought: str, identity: tuple[str, ...] = NAME) -> Kept:
    row = KeptRow(number=2, told={"mass": brought})
    return Kept(identity=identity, rows=(row,), recorded_by=PLANT, brought=brought)


def _left(house: House) -> dict[tuple[str, ...], str]:
    return {each.identity: each.rows[0].told["mass"] for each in waiting_of(house.desk, PLANT, now)}


def _laid(house: House, imports: Sequence[str]) -> dict[str, tuple[Kept, ...]]:
    return {each: keep(house.desk, PLANT, [_row(each)], now) for each in imports}


@pytest.mark.parametrize("waited", [True, False])
@pytest.mark.parametrize("order", list(permutations("abc")))
def test_when_all_fail_what_waited_before_them_waits_again(order: Sequence[str], *, waited: bool) -> None:
    house = House()
    first = {NAME: "0", OTHER: "0"} if waited else {}
    keep(house.desk, PLANT, [_row("0", identity) for identity in first], now)
    before = _laid(house, "abc")
    for each in order:
        take_back(house.desk, PLANT, [_row(each)], before[each], now)

    assert _left(house) == first


@pytest.mark.parametrize(
    ("failing", "left"),
    [("a", "c"), ("b", "c"), ("c", "b"), ("ac", "b"), ("ca", "b"), ("bc", "a"), ("cb", "a"), ("ab", "c"), ("ba", "c")],
)
def test_when_some_fail_the_last_of_the_others_waits(failing: str, left: str) -> None:
    house = House()
    before = _laid(house, "abc")
    for each in failing:
        take_back(house.desk, PLANT, [_row(each)], before[each], now)

    assert _left(house) == {NAME: left}


def test_an_import_that_comes_after_a_failure_does_not_bring_it_back() -> None:
    house = House()
    before = _laid(house, "ab")
    take_back(house.desk, PLANT, [_row("a")], before["a"], now)
    before |= _laid(house, "c")
    for each in "bc":
        take_back(house.desk, PLANT, [_row(each)], before[each], now)

    assert _left(house) == {}
