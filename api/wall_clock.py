"""The one clock: the machine's, in UTC, and what is said when it was set back or runs behind the ledger."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

from flows.entries import Head
from flows.errors import Language, messages
from flows.law import Finding
from flows.times import instant_us, moment_of

SET_BACK: Final = timedelta(minutes=5)
"""Time servers mend seconds; who is set back by more was wrong before, or is wrong now."""

_LOG: Final = logging.getLogger(__name__)
_MINUTE_US: Final = 60_000_000


class WallClock:
    """The machine's clock. A leap back goes into the log, once each: record times stand still until it is made up."""

    def __init__(
        self, wall: Callable[[], datetime] = lambda: datetime.now(UTC), steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._seen = (wall(), steady())
        self._lock = Lock()

    def __call__(self) -> datetime:
        """The time now, as the machine has it."""
        with self._lock:
            before, then = self._seen
            self._seen = now, since = self._wall(), self._steady()
        back = before + timedelta(seconds=since - then) - now
        if back > SET_BACK:
            found = Finding.of("clock-set-back", minutes=int(back / timedelta(minutes=1)), now=_told(now))
            _LOG.warning("%s · %s", words(found, "zh"), words(found, "en"))
        return now


def behind(head: Head, now: datetime) -> Finding | None:
    """That the clock runs behind the ledger's last entry by more than time servers mend."""
    late_us = head.record_time_us - instant_us(now)
    if late_us <= SET_BACK // timedelta(microseconds=1):
        return None
    recorded = _told(moment_of(head.record_time_us))
    return Finding.of("clock-behind-ledger", minutes=late_us // _MINUTE_US, now=_told(now), recorded=recorded)


def words(found: Finding, language: Language) -> str:
    """A finding in words."""
    return messages()[found.key][language].format(**found.figures)


def _told(moment: datetime) -> str:
    return f"{moment_of(instant_us(moment)):%Y-%m-%d %H:%M:%S}"
