"""Rows into facts, ordered by cause: what a row rests on comes first, wherever it stands in the file."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from pydantic import ValidationError

from api.workbook.arising import arisen, assayed, gained, otherwise, registered
from api.workbook.general import SENT, STORED, USED
from api.workbook.making import leaving, run, used_here
from api.workbook.mending import settle, withdraw
from api.workbook.moving import lines_of, received, received_code, sent
from api.workbook.names import Identity
from api.workbook.numbering import load_code
from api.workbook.rows import Row, RowProblem
from api.workbook.storing import lying, shelved
from api.workbook.world import Awaits, Unit, World
from flows.enterprises import slim
from flows.errors import Malformed, Problem
from flows.events import Event
from flows.materials import Catalogue
from flows.times import day_of, earliest_us

BUILDERS: Final[Mapping[str, Callable[[Unit, World], list[Event]]]] = {
    "unit": registered, "stock": arisen, "b1": arisen, "g4": arisen, "arising": gained, "receipt": received, "other": otherwise,
    "assay": assayed, "b2": lying, "b3": lying, "g5": shelved, "run": run, "b4": used_here, "g6": used_here,
    "g7": used_here, "leaving": leaving, "b5": sent, "g3": sent,
}  # fmt: skip
RANKS: Final = {key: rank for rank, key in enumerate(BUILDERS)}
"""The order within a day, where no cause tells."""
REGISTERED_RANKS: Final = {"enterprise": 0, "site": 1}
_ROW_IS_RECORD: Final = {"stock", "b1", "b2", "b3", "g4", "g5", "arising"}
_DAY_ONE: Final = date(1900, 1, 1)


def units(rows: Iterable[Row], world: World) -> list[Unit]:
    """The records of a file: rows that share what makes them one."""
    found: dict[Identity, Unit] = {}
    rows = list(rows)
    _register_places(rows, world)
    for row in rows:
        try:
            site = _site(row, world)
            key = _identity(row, site, world)
        except RowProblem as fault:
            lone = Unit(row.sheet, (row.sheet.key, f"#{row.number}"), [row], problems=[fault.told])
            for each in world.sites:  # what speaks of its batches is not to blame
                _link(lone, row, each, world)
            found[row.sheet.key, f"#{row.number}"] = lone
            continue
        unit = found.setdefault(key, Unit(row.sheet, key, [], site))
        if row.cancelled:
            unit.struck = (*unit.struck, row)
            unit.skipped = unit.skipped or row.faulty
            _link(unit, row, site, world)
            continue
        if unit.rows and (row.sheet.key in _ROW_IS_RECORD or (key[0] == "unit" and key[1] != "plan")):
            if row.values != unit.first.values:
                problem = Malformed("workbook-rows-differ", record=row.said("code"), row=unit.first.number)
                unit.problems.append(row.wrong(problem, "code").told)
            continue
        unit.rows.append(row)
        unit.skipped = unit.skipped or row.faulty
        _link(unit, row, site, world)
    for unit in found.values():
        if unit.sheet.key in SENT and not unit.fails:
            unit.gives |= _loads(unit)
    return list(found.values())


def _loads(unit: Unit) -> set[tuple[str, str, str]]:
    try:
        return {(unit.site, load_code(unit.identity[-1], line), "") for line in lines_of(unit)}
    except RowProblem as fault:
        unit.problems.append(fault.told)
        return set()


def _register_places(rows: Iterable[Row], world: World) -> None:
    """The places that the file registers have names before any row is read."""
    of_type = defaultdict[str, list[Row]](list)
    for row in rows:
        if row.sheet.key == "unit":
            of_type[row.said("type")].append(row)
    for row in of_type["site"]:
        code = row.said("code")
        world.sites.setdefault(code, world.new_id("site", code))
    for kind, known in (("facility", world.facilities), ("storage", world.storages), ("scale", world.scales)):
        for row in of_type[kind]:
            site, code = row.text("site") or next(iter(world.sites), ""), row.said("code")
            known.setdefault((site, code), world.new_id(kind, site, code))


def _site(row: Row, world: World) -> str:
    if row.sheet.key == "unit":
        return row.said("site")
    if row.sheet.key == "receipt" and not row.text("site"):
        return next(iter(world.sites)) if len(world.sites) == 1 else ""
    return world.site_code(row)


def _identity(row: Row, site: str, world: World) -> Identity:
    key = row.sheet.key
    match key:
        case "unit":
            return (key, row.said("type"), site, row.said("code"))
        case "receipt":
            return (key, world.enterprise, row.said("manifest"), row.said("consignor"))
        case "b5" | "g3":
            return (key, site, row.text("manifest") or row.said("code"))
        case _ if key in _ROW_IS_RECORD:
            return (key, site, row.said("code"), row.said("container"))
        case _:
            return (key, site, row.said("record"))


def _link(unit: Unit, row: Row, site: str, world: World) -> None:
    """What the row speaks of, and what it brings."""
    key, container = row.sheet.key, row.said("container")
    brings = row.text("code") if key in _ROW_IS_RECORD else None
    speaks = row.text("batch") if row.sheet.has("batch") else None
    if key == "run" and row.text("kind") == "output":
        brings, speaks = speaks, None
    if key == "receipt" and row.text("manifest"):
        for each in [site] if site else world.sites:
            unit.gives |= {(each, received_code(row), "")}
    if brings is not None and brings != speaks:
        unit.gives |= {(site, brings, container)}
    if key == "g5" and row.text("out_code"):
        unit.gives |= {(site, row.needed("out_code"), container)}
    if speaks is not None:
        unit.needs |= {(site, speaks, container)}


# order --------------------------------------------------------------------------------------------------------------


def link_causes(found: Sequence[Unit], catalogue: Catalogue) -> None:
    """What each unit must come after: who brings the batches it speaks of; a rest comes after the other takings."""
    givers = defaultdict[tuple[str, str], list[tuple[str, int]]](list)
    takers = defaultdict[tuple[str, str], list[int]](list)
    for number, unit in enumerate(found):
        for site, code, container in unit.gives:
            givers[site, code].append((container, number))
        for site, code, _ in unit.needs:
            takers[site, code].append(number)
    for number, unit in enumerate(found):
        for site, code, container in unit.needs:
            of = givers.get((site, code), [])
            fitting = [giver for held, giver in of if held == container] or [giver for _, giver in of]
            unit.causes |= {giver for giver in fitting if giver != number}
    families = _families(found)
    shadows = {number for number, unit in enumerate(found) if _shadow(unit, families, catalogue)}
    for number in shadows:
        runs = {run for name in _names(found[number]) for run in families[name]}
        found[number].causes |= runs - {number}
    for number, unit in enumerate(found):
        for name, last in _closes(unit):
            for taker in takers[name]:
                if taker not in shadows and _starts(found[taker]) <= last:
                    _link_before(taker, number, found)
        for name, first in _asks_more(unit):
            for taker in takers[name]:
                if taker not in shadows and _starts(found[taker]) >= first:
                    _link_before(number, taker, found)


def _closes(unit: Unit) -> Iterator[tuple[tuple[str, str], int]]:
    """The batches of which a unit takes all the rest, with the day."""
    for row in unit.rows if unit.sheet.has("rest") else ():
        if row.yes("rest"):
            yield (unit.site, row.said("batch")), _starts(unit)


def _asks_more(unit: Unit) -> Iterator[tuple[tuple[str, str], int]]:
    """The batches of which a manifest asked for more than was loaded: so much must have been there."""
    for row in unit.rows if unit.sheet.key in SENT else ():
        if (row.number_of("planned") or 0) > (row.number_of("mass") or 0):
            submitted = row.moment("submitted") or row.moment()
            yield (unit.site, row.said("batch")), day_of(earliest_us(submitted or _DAY_ONE)).toordinal()


def _link_before(first: int, then: int, found: Sequence[Unit]) -> None:
    """One before the other, unless it rests on the other already."""
    seen, waiting = {first}, [first]
    while waiting:
        more = found[waiting.pop()].causes - seen
        seen |= more
        waiting += more
    if then not in seen:
        found[then].causes |= {first}


def _names(unit: Unit) -> list[tuple[str, str]]:
    return [(site, code) for site, code, _ in unit.needs]


def _families(found: Sequence[Unit]) -> Mapping[tuple[str, str], list[int]]:
    """The runs that take in a batch, under any name that storage gave it."""
    same = defaultdict[tuple[str, str], set[tuple[str, str]]](set)
    runs = defaultdict[tuple[str, str], list[int]](list)
    for number, unit in enumerate(found):
        if unit.sheet.key in STORED:
            for site, code, _ in unit.gives:
                for name in _names(unit):
                    same[site, code].add(name)
                    same[name].add((site, code))
        if unit.sheet.key == "run" and not unit.cancelled:
            for name in _names(unit):
                runs[name].append(number)
    gathered = defaultdict[tuple[str, str], list[int]](list)
    for name in {*same, *runs}:
        seen, waiting = {name}, [name]
        while waiting:
            more = same[waiting.pop()] - seen
            seen |= more
            waiting += more
        gathered[name] = sorted({number for each in seen for number in runs[each]})
    return gathered


def _shadow(unit: Unit, families: Mapping[tuple[str, str], list[int]], catalogue: Catalogue) -> bool:
    """A row of own use beside a run that takes the same batch in: it is compared, and draws nothing."""
    if unit.sheet.key not in USED or not any(families.get(name) for name in _names(unit)):
        return False
    methods = [catalogue.methods.get(row.said("method")) for row in unit.rows]
    return all(method is not None and method.side == "utilization" for method in methods)


def _day(row: Row) -> int:
    told = row.moment() if row.sheet.has("time") else None
    return day_of(earliest_us(told or _DAY_ONE)).toordinal()


def _starts(unit: Unit) -> int:
    return max(_day(row) for row in unit.every)


def _priority(unit: Unit) -> tuple[int, ...]:
    """Registrations first; then by day; within a day a rest after the others, the way of things, the time."""
    if unit.sheet.key == "unit":
        return (0, REGISTERED_RANKS.get(unit.first.said("type"), len(REGISTERED_RANKS)), unit.first.number)
    rest = 1 if any(_closes(unit)) else -1 if any(_asks_more(unit)) else 0
    told = unit.first.moment()
    return (1, _starts(unit), rest, RANKS[unit.sheet.key], earliest_us(told or _DAY_ONE), unit.first.number)


def in_order(found: Sequence[Unit]) -> list[Unit]:
    """The units, each after its causes, by time where no cause tells. A circle is an error that names its rows."""
    waits_for = {number: set(unit.causes) for number, unit in enumerate(found)}
    follow = defaultdict[int, list[int]](list)
    for number, causes in waits_for.items():
        for cause in causes:
            follow[cause].append(number)
    ready = [(_priority(found[number]), number) for number, causes in waits_for.items() if not causes]
    heapq.heapify(ready)
    ordered: list[Unit] = []
    while ready:
        _, number = heapq.heappop(ready)
        ordered.append(found[number])
        for after in follow[number]:
            waits_for[after].discard(number)
            if not waits_for[after]:
                heapq.heappush(ready, (_priority(found[after]), after))
        del waits_for[number]
    _tell_circles(found, waits_for)
    return ordered


def _tell_circles(found: Sequence[Unit], left: dict[int, set[int]]) -> None:
    """What is left over lies on a circle, or behind one: only the circle is told."""
    for unit in (found[number] for number in left):
        unit.skipped = True
    core = set(left)
    while True:
        needed = {cause for number in core for cause in left[number]}
        if (kept := core & needed) == core:
            break
        core = kept
    if not core:
        return
    rows = [row for number in sorted(core) for row in found[number].rows]
    named = "、".join(f"{row.sheet.zh} {row.number}" for row in rows)
    for number in sorted(core):
        unit = found[number]
        key = "batch" if unit.sheet.has("batch") else "code"
        unit.problems.append(unit.first.wrong(Malformed("workbook-circle", rows=named), key).told)


# facts --------------------------------------------------------------------------------------------------------------


def build(found: Sequence[Unit], ordered: Iterable[Unit], world: World) -> None:
    """Turn each unit into facts, in order; what rests on an error or on a waiting row shares its lot."""
    for unit in ordered:
        causes = [found[cause] for cause in unit.causes]
        if any(cause.fails for cause in causes):
            unit.skipped = True
        if unit.fails:
            continue
        if unit.cancelled:
            _withdraw(unit, world)
            continue
        waiting = next((cause.awaits for cause in causes if cause.awaits is not None), None)
        if waiting is not None:
            unit.awaits = waiting
            continue
        try:
            unit.facts = BUILDERS[unit.sheet.key](unit, world)
            settle(unit, world)
            for fact in unit.facts:
                slim(fact)  # all facts of a file stand in memory until the last is judged
        except Awaits as awaited:
            unit.awaits = awaited
        except RowProblem as fault:
            unit.problems.append(fault.told)
        except ValidationError as fault:
            told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in fault.errors())
            unit.problems.append(unit.first.wrong(Malformed("workbook-row-unfit", told=told)).told)
        except Problem as problem:
            unit.problems.append(unit.first.wrong(problem).told)


def _withdraw(unit: Unit, world: World) -> None:
    try:
        withdraw(unit, world)
    except RowProblem as fault:
        unit.problems.append(fault.told)
