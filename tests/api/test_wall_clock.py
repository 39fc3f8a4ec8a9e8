"""A clock that is set back, or runs behind the ledger, is told; record times never run backwards."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.service import Service
from api.settings import Settings
from api.wall_clock import WallClock, behind, words
from flows.entries import Head
from flows.times import instant_us
from tests.flows.stories import NOON, SMELTER, generated, registered


class Machine:
    """Its wall clock and its steady one."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 13, tzinfo=UTC)
        self.steady = 100.0

    def passes(self, seconds: float, *, set_by: timedelta = timedelta()) -> None:
        self.steady += seconds
        self.now += timedelta(seconds=seconds) + set_by


@pytest.mark.parametrize(("back", "told"), [(timedelta(minutes=4), 0), (timedelta(minutes=61), 1)])
def test_a_leap_back_goes_into_the_log_once(back: timedelta, told: int, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = WallClock(lambda: machine.now, lambda: machine.steady)
    with caplog.at_level(logging.WARNING):
        machine.passes(60)
        clock()
        machine.passes(60, set_by=-back)
        assert clock() == machine.now
        machine.passes(60)
        clock()

    assert len(caplog.records) == told
    if told:
        assert "被拨回 61 分钟" in caplog.text
        assert "set back by 61 minutes" in caplog.text


def test_a_leap_ahead_and_a_night_of_sleep_are_nothing(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    clock = WallClock(lambda: machine.now, lambda: machine.steady)
    with caplog.at_level(logging.WARNING):
        machine.passes(1, set_by=timedelta(hours=9))
        clock()

    assert caplog.records == []


@pytest.mark.parametrize(("minutes", "found"), [(-60, False), (0, False), (5, False), (6, True), (90, True)])
def test_a_clock_behind_the_last_entry_is_told(minutes: int, found: bool) -> None:
    head = Head(7, "d", instant_us(NOON + timedelta(minutes=minutes)))
    told = behind(head, NOON)

    assert (told is not None) == found
    if told is not None:
        assert f"慢 {minutes} 分钟" in words(told, "zh")
        assert f"{minutes} minutes behind" in words(told, "en")


def test_record_times_stand_still_until_the_clock_has_caught_up(tmp_path: Path) -> None:
    """Also over a restart: the ledger's last record time is the floor."""
    times = [NOON, NOON - timedelta(hours=3), NOON + timedelta(hours=1)]
    for number, now in enumerate(times):
        service = Service.open(Settings(data=tmp_path), lambda now=now: now)
        service.recording.record([*registered(SMELTER), generated(f"B{number}", "1 t")], SMELTER)
        recorded = [entry.record_time for entry in service.ledger.entries()]
        service.close()

    assert recorded[-3:] == [NOON, NOON, NOON + timedelta(hours=1)]
