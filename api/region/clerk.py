"""Who writes it down: names of facts, batches and manifests in one enterprise's namespace, and the journal of all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, TypedDict

from api.region.dice import Dice
from api.region.plants import SITE_CODE
from flows.events import Event
from flows.ids import BatchId, EnterpriseId, ManifestId, own_id
from flows.times import SHANGHAI

OPENS: Final = time(7, 30)
"""The first thing of a day is written down at half past seven."""


class Clock:
    """The region's time: days, and within a day minutes that only go forward, up to the last before midnight."""

    def __init__(self, dice: Dice, day: date) -> None:
        self._dice = dice
        self.begin(day)

    def begin(self, day: date) -> None:
        self.day = day
        self._now = datetime.combine(day, OPENS, SHANGHAI)

    def tick(self) -> datetime:
        """The instant at which the next thing happens: a minute or three later, and on the same day."""
        return self.wait(0.7, 3.2)

    def wait(self, least: float, most: float) -> datetime:
        """Let some minutes go by."""
        last = datetime.combine(self.day, time(23, 58), SHANGHAI)
        self._now = min(last, self._now + timedelta(seconds=int(self._dice.between(least * 60, most * 60))))
        return self._now

    def reach(self, hour: int) -> None:
        """Let it become this hour, or some minutes past it, if it is not later already."""
        begun = datetime.combine(self.day, time(hour), SHANGHAI)
        self._now = max(self._now, begun + timedelta(seconds=int(self._dice.between(0, 1500))))


@dataclass(frozen=True, slots=True)
class Row:
    """One fact, who recorded it, and the day it was told on (long after it happened, for a late paper manifest)."""

    event: Event
    recorded_by: EnterpriseId
    told_on: date


@dataclass
class Journal:
    """All facts of the region, as they happened."""

    rows: list[Row] = field(default_factory=list[Row])


class Stamp(TypedDict):
    """What all facts begin with."""

    event_id: str
    enterprise: EnterpriseId
    event_time: date | datetime
    note: str | None


class Clerk:
    """Writes for one enterprise: numbers its facts, and names what it brings into the world."""

    def __init__(self, uscc: EnterpriseId, clock: Clock, journal: Journal, *, days_only: bool = False) -> None:
        self.uscc = uscc
        self.told_on: date | None = None
        """Set while what is written down happened earlier."""
        self.remark: str | None = None
        """Set while all facts carry a note."""
        self._clock = clock
        self._journal = journal
        self._days_only = days_only
        self._facts = 0
        self._codes = Counter[tuple[str, date]]()

    def stamp(self, on: date | None = None) -> Stamp:
        """The next fact's name and time; `on` is a day that the fact names instead."""
        self._facts += 1
        moment = self._clock.tick()
        told = on or (moment.date() if self._days_only else moment)
        return Stamp(event_id=f"F{self._facts:06d}", enterprise=self.uscc, event_time=told, note=self.remark)

    def state(self, event: Event) -> None:
        """Put a fact into the journal."""
        self._journal.rows.append(Row(event, self.uscc, self.told_on or self._clock.day))

    def code(self, prefix: str) -> str:
        """The next code of the day, in the form of HJ 1259: prefix, day, three digits."""
        key = prefix, self._clock.day
        self._codes[key] += 1
        return f"{prefix}{self._clock.day:%Y%m%d}{self._codes[key]:03d}"

    def batch_id(self, code: str, container: str = "") -> BatchId:
        """The batch that this enterprise calls by this code, as the workbook derives it too."""
        return own_id(self.uscc, "batch", SITE_CODE, code, container)

    def manifest_id(self, number: str) -> ManifestId:
        return own_id(self.uscc, "manifest", SITE_CODE, number)

    def load_id(self, number: str, line: int) -> BatchId:
        return own_id(self.uscc, "load", SITE_CODE, number, str(line))

    def refused_id(self, manifest_id: ManifestId, line: int) -> BatchId:
        return own_id(self.uscc, "refused", manifest_id, str(line))


class OfficialNumbers:
    """The running numbers of the state's system, as enterprises copy them: year, prefecture, six digits."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._last = Counter[tuple[int, str]]()

    def next(self, day: date, division: str) -> str:
        """The number that the prefecture's system gave out that day; others got numbers in between."""
        key = day.year, division[:4]
        yearly = day.timetuple().tm_yday * 40
        self._last[key] = max(self._last[key] + int(self._dice.between(1, 9)), yearly)
        return f"{day.year}{division[:4]}{self._last[key]:06d}"


PREFIXES: Final[Mapping[str, str]] = {
    "hazardous_waste": "HWCS", "general_waste": "YBGF", "recycled_raw_material": "ZSYL", "product": "CP",
}  # fmt: skip
"""What a batch's code begins with, by what it is in law; HWCS is the standard's, the others are the plants'."""
