"""What records of a file ask to have corrected: one request for each matter, and records that only stand together in one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from api.workbook.world import Unit, World
from flows.entries import canonical, event_json
from flows.errors import Problem
from flows.events import CHANGES_MAX, Amendment, CorrectionRequested, Event, Mending
from flows.ids import derived
from flows.matters import matters
from flows.rehearsal import Trial

REASON_MOST: Final = 500
"""Characters that a reason holds."""
FILE_SHOWN: Final = 200
"""Of a file's name within it."""


@dataclass
class Judged:
    """Records that are stated together, one in most cases, and how that was judged."""

    units: tuple[Unit, ...]
    trial: Trial

    @classmethod
    def of(cls, unit: Unit) -> "Judged":
        """A record by itself."""
        return cls((unit,), Trial(unit.facts))

    def unit_about(self, problem: Problem) -> Unit:
        """The record that a refusal is about; the first, where it is about all of them."""
        fact = self.trial.facts[problem.place("facts") or 0]
        number = problem.place("changes") or 0
        for unit in self.units:
            if fact in unit.facts:
                return unit
            if isinstance(fact, CorrectionRequested) and fact.changes[number] in unit.asks:
                return unit
        return self.units[0]


@dataclass
class Together:
    """The records of a file that are judged, in the order of cause; what is refused one by one is put together."""

    world: World
    judged: list[Judged] = field(default_factory=list[Judged])

    def join(self, refused: Sequence[Trial]) -> list[Trial]:
        """Put what speaks of the same in one: no order of requests would do where each needs the other."""
        left = {id(trial) for trial in refused}
        mending = [each for each in self.judged if id(each.trial) in left and each.trial.mends]
        forms = [[form for unit in each.units for change in unit.asks for form in change.forms] for each in mending]
        for members in matters(forms, self.world.book):
            together = [mending[number] for number in members]
            if len(members) > 1 and sum(len(unit.asks) for each in together for unit in each.units) <= CHANGES_MAX:
                self._merge(together)
        return [each.trial for each in self.judged if each.trial.place is None]

    def _merge(self, together: Sequence[Judged]) -> None:
        units = tuple(unit for each in together for unit in each.units)
        fresh = [fact for unit in units for fact in unit.facts if not isinstance(fact, Mending)]
        place = self.judged.index(together[0])
        self.judged = [each for each in self.judged if each not in together]
        self.judged.insert(place, Judged(units, Trial([*requests_of(units, self.world), *fresh])))


def requests_of(units: Sequence[Unit], world: World) -> list[Event]:
    """What records ask for, the facts of one matter in one request."""
    asked = [(change, unit) for unit in units for change in unit.asks]
    found: list[Event] = []
    for members in matters([change.forms for change, _ in asked], world.book):
        found += [_request(part, world) for part in _parted([asked[number] for number in members])]
    return found


def _parted(asked: Sequence[tuple[Amendment, Unit]]) -> Iterator[Sequence[tuple[Amendment, Unit]]]:
    return (asked[first : first + CHANGES_MAX] for first in range(0, len(asked), CHANGES_MAX))


def _request(asked: Sequence[tuple[Amendment, Unit]], world: World) -> CorrectionRequested:
    """The same file on the same state of its facts asks by the same name."""
    assert world.mends is not None
    day, file = world.mends
    changes = tuple(change for change, _ in asked)
    told = [part for change in changes for part in _names(change, world)]
    units = [*{id(unit): unit for _, unit in asked}.values()]
    return CorrectionRequested(
        event_id=derived("correction", *told), enterprise=world.enterprise, event_time=day, changes=changes,
        reason=_reason(units, file),
    )  # fmt: skip


def _names(change: Amendment, world: World) -> Iterator[str]:
    """A fact, how often its correction was settled before, what it reads and what it is to read."""
    position = world.book.find_fact(change.stated_by, change.corrects)
    assert position is not None, change.corrects
    yield from (change.stated_by, change.corrects)
    yield str(sum(not each.open for each in world.requests_of(position)))
    yield from (
        canonical(event_json(each)).decode() if each is not None else "" for each in (change.was, change.becomes)
    )


def _reason(units: Sequence[Unit], file: str) -> str:
    """What the rows say of why, each once; of those that say nothing file and row."""
    silent = [unit for unit in units if not unit.why]
    told = [*dict.fromkeys(unit.why for unit in units if unit.why), *([_places(silent, file)] if silent else [])]
    whole = "；".join(told)
    return whole if len(whole) <= REASON_MOST else f"{whole[: REASON_MOST - 1]}…"


def _places(units: Sequence[Unit], file: str) -> str:
    withdrawn = all(unit.changed is not None and unit.changed.kind == "withdrawn" for unit in units)
    named = f"{file[-FILE_SHOWN:]}，" if file else ""
    rows = "、".join(f"{unit.sheet.zh} 第 {unit.first.number} 行" for unit in units)
    return f"文件{'撤销' if withdrawn else '更正'}：{named}{rows}"
