"""A process that serves stops for no long collection of garbage, and a long computation beside others for none at all."""

import gc
from collections.abc import Iterator

import pytest

from api.manners import LASTING, giving_way, settle_memory, unsettle_memory
from api.workbook.template import write_book
from flows.materials import catalogue

CIRCLES_MOST = 500
"""Objects: what modules leave that are read for the first time. A workbook has thousands."""


@pytest.fixture
def settled() -> Iterator[None]:
    settle_memory()
    yield
    unsettle_memory()


@pytest.mark.usefixtures("settled")
def test_what_lasts_is_looked_at_once() -> None:
    before = gc.get_freeze_count()
    lasting = [[number] for number in range(LASTING + 1)]
    gc.collect()

    assert gc.get_freeze_count() - before >= len(lasting)
    assert gc.get_count()[0] < len(lasting)
    assert not any(each is lasting for each in gc.get_objects())


@pytest.mark.usefixtures("settled")
def test_circles_that_die_soon_are_found() -> None:
    circle: list[object] = []
    circle.append(circle)
    del circle

    assert gc.collect() >= 1


@pytest.mark.usefixtures("settled")
def test_circles_of_requests_in_flight_are_found_later_when_nothing_else_lasts() -> None:
    circle: list[object] = []
    circle.append(circle)
    gc.collect()
    del circle

    assert gc.collect() >= 1


@pytest.mark.usefixtures("settled")
def test_what_a_request_wrote_is_gone_without_a_collection() -> None:
    """A written workbook lies in no circle, for a settled process might lay it aside with the ledger."""
    gc.collect()
    gc.disable()
    try:
        assert write_book({}, catalogue())
        assert gc.collect() < CIRCLES_MOST
    finally:
        gc.enable()


@pytest.mark.usefixtures("settled")
def test_settling_twice_is_settling_once() -> None:
    settle_memory()
    unsettle_memory()
    lasting = [[number] for number in range(LASTING + 1)]
    gc.collect()

    assert gc.get_freeze_count() == 0
    assert any(each is lasting for each in gc.get_objects())


@pytest.mark.usefixtures("settled")
def test_a_settled_process_goes_on_with_short_collections_beside_a_long_computation() -> None:
    with giving_way():
        assert gc.isenabled()


def test_another_process_collects_when_the_last_long_computation_is_over() -> None:
    with giving_way():
        with giving_way():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
