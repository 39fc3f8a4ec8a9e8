"""A day or an instant with its zone; nothing else is a time."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from flows.errors import Malformed
from flows.times import (
    DAY_US,
    SHANGHAI,
    EventTime,
    day_of,
    earliest_us,
    instant_us,
    latest_us,
    moment_of,
    parse_time,
    shown,
    write_time,
)

NAIVE = datetime(2026, 3, 9)  # noqa: DTZ001 - that is the point
READ: TypeAdapter[date | datetime] = TypeAdapter(EventTime)
zones = st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-11))])
instants = st.builds(lambda us, zone: moment_of(us).astimezone(zone), st.integers(-(2 * 10**15), 7 * 10**15), zones)
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))


def test_a_day_is_a_day_and_an_instant_an_instant() -> None:
    assert parse_time(" 2026-03-09 ") == date(2026, 3, 9)
    assert parse_time("2026-03-09T10:00:00+08:00") == datetime(2026, 3, 9, 10, tzinfo=SHANGHAI)
    assert parse_time("2026-03-09T02:00:00Z") == datetime(2026, 3, 9, 10, tzinfo=SHANGHAI)


@pytest.mark.parametrize("text", ["2026-03-09T00:00:00+08:00", "2026-03-09"])
def test_midnight_is_not_the_day(text: str) -> None:
    moment = READ.validate_python(text)

    assert isinstance(moment, datetime) is ("T" in text)
    assert READ.validate_json(READ.dump_json(moment)) == moment
    assert type(READ.validate_json(READ.dump_json(moment))) is type(moment)


@pytest.mark.parametrize("text", ["", "gestern", "2026-13-01", "2026-02-30", "09.03.2026", "12:00", "2026-3-9"])
def test_what_cannot_be_read_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_time(text)

    assert caught.value.text("zh") == f"时间“{text}”无法识别；请写 2026-03-09，或带时区的 2026-03-09T10:00:00+08:00"
    assert caught.value.text("en") == (
        f"time “{text}” cannot be read; write 2026-03-09, or 2026-03-09T10:00:00+08:00 with its zone"
    )


def test_an_instant_has_a_zone() -> None:
    with pytest.raises(Malformed) as caught:
        parse_time("2026-03-09T10:00:00")

    assert caught.value.text("zh") == "时间“2026-03-09T10:00:00”没有时区；请在末尾加上 +08:00"
    assert caught.value.text("en") == "time “2026-03-09T10:00:00” has no zone; add +08:00 at its end"


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01", "1899-12-31", "2201-01-01", "0206-03-09"])
def test_a_year_that_nobody_means_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_time(text)

    assert caught.value.key == "time-year-impossible"
    assert caught.value.text("en").endswith("is not within 1900 to 2200; check the year")


@pytest.mark.parametrize("value", [NAIVE, datetime(9999, 12, 31, tzinfo=UTC), 1.5, 20260309, None, "later", []])
def test_on_the_wire_it_is_a_validation_error(value: object) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(value)


@given(instants)
def test_microseconds_are_exact(moment: datetime) -> None:
    us = instant_us(moment)

    assert moment_of(us) == moment
    assert moment_of(us).tzinfo is SHANGHAI
    assert earliest_us(moment) == latest_us(moment) == us
    assert day_of(us) == moment.astimezone(SHANGHAI).date()


@given(days)
def test_a_day_is_shanghais(day: date) -> None:
    first, last = earliest_us(day), latest_us(day)

    assert last - first == DAY_US - 1
    assert day_of(first) == day_of(last) == day
    assert moment_of(first).hour == 0


@given(st.one_of(days, instants))
def test_what_is_written_is_read_again(moment: date) -> None:
    assert parse_time(write_time(moment)) == moment


def test_times_are_shown_in_shanghai() -> None:
    assert shown(date(2026, 3, 9)) == "2026-03-09"
    assert shown(datetime(2026, 3, 8, 16, 5, tzinfo=UTC)) == "2026-03-09 00:05"
