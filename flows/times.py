"""When things happened: a Shanghai day or an instant, compared at the coarser of the two."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from flows.errors import Malformed

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China keeps one clock the year round since 1991."""

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
CLOCKS_APART_US: Final = 30 * 60 * SECOND_US
"""How far two weighbridges' clocks may disagree before a time is refused."""
STOPPABLE_US: Final = DAY_US
"""A submission or loading told within a day of its happening could still be stopped."""

YEARS: Final = (1900, 2200)
"""A year outside is a slip of the pen; within, no zone carries an instant over the calendar's end."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def parse_time(text: str) -> date | datetime:
    """A day ``2026-03-09`` or an instant with its zone ``2026-03-09T10:00:00+08:00``.

    Raises:
        Malformed: neither, an instant without a zone, or a year that nobody means.
    """
    plain = text.strip()
    try:
        if len(plain) == len("2026-03-09"):
            return _sensible(date.fromisoformat(plain))
        return _sensible(datetime.fromisoformat(plain))
    except ValueError:
        raise Malformed("time-unreadable", read=text) from None


def _sensible(moment: date | datetime) -> date | datetime:
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise Malformed("time-without-zone", read=moment.isoformat())
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise Malformed("time-year-impossible", read=moment.isoformat(), first=YEARS[0], last=YEARS[1])
    return moment


def _read(value: object) -> object:
    try:
        if isinstance(value, str):
            return parse_time(value)
        if not isinstance(value, date):
            raise Malformed("time-unreadable", read=str(value))  # a bare number would be taken for seconds since 1970
        return _sensible(value)
    except Malformed as problem:
        raise ValueError(problem.text("en")) from problem


def write_time(moment: date | datetime) -> str:
    """The text that `parse_time` reads."""
    return moment.isoformat()


EventTime: TypeAlias = Annotated[
    date | datetime,
    BeforeValidator(_read),
    PlainSerializer(write_time, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


def instant_us(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def earliest_us(moment: date | datetime) -> int:
    """The instant itself, or the beginning of the day in Shanghai."""
    if isinstance(moment, datetime):
        return instant_us(moment)
    return instant_us(datetime.combine(moment, time(), SHANGHAI))


def latest_us(moment: date | datetime) -> int:
    """The instant itself, or the last microsecond of the day in Shanghai."""
    return earliest_us(moment) if isinstance(moment, datetime) else earliest_us(moment) + DAY_US - 1


def moment_of(us: int) -> datetime:
    """The instant in Shanghai's zone."""
    return (_EPOCH + us * _MICROSECOND).astimezone(SHANGHAI)


def day_of(us: int) -> date:
    """The Shanghai day that holds the instant."""
    return moment_of(us).date()


def shown(moment: date | datetime) -> str:
    """For messages and pages: ``2026-03-09`` or ``2026-03-09 10:00``."""
    if isinstance(moment, datetime):
        return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return moment.isoformat()
