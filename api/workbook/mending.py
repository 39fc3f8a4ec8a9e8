"""A record that the ledger holds otherwise: what of it is corrected, withdrawn or stated anew, and in which orders that may be told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Final, Literal

from api.workbook.adopting import adopted
from api.workbook.general import USED
from api.workbook.known import difference
from api.workbook.moving import inbound_of
from api.workbook.names import Identity
from api.workbook.report import Change
from api.workbook.rows import RowProblem
from api.workbook.world import Awaits, Changed, Unit, World
from flows.entries import canonical, event_json
from flows.errors import Malformed
from flows.events import CorrectionRequested, Event, Mending, Stated, Stored, TakenOut, Transformed
from flows.ids import ManifestId, derived
from flows.reading import manifest_of

ORDERS_MOST: Final = 3
"""Facts of one record that are tried in every order: a row corrects no more at once; six orders are soon tried."""
FILE_SHOWN: Final = 200
"""Characters of a file's name within a reason, which holds 500."""
_STEPS: Final = ("", "split", "part", "out", "submitted", "loaded", "arrived", "decided")
"""How the facts of a row are told apart by their names."""


@dataclass
class _Plan:
    """What a record asks for: requests for its facts in the ledger, facts that are new, what others have to agree on."""

    unit: Unit
    world: World
    kind: Change
    requests: list[Event] = field(default_factory=list[Event])
    fresh: list[Event] = field(default_factory=list[Event])
    columns: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    asked: bool = False
    later: int = 0
    touched: bool = False
    """The ledger holds something otherwise, whether or not it is asked for already."""

    def ask(self, stated: Stated, was: Stated | None, becomes: Stated | None) -> None:
        """Ask for one fact to be read otherwise, unless that is asked already."""
        self.touched = True
        request, position = _request(self.unit, self.world, stated, was, becomes, self.kind)
        if any(each.open and each.event.becomes == becomes for each in self.world.requests_of(position)):
            self.asked = True
            return
        disputed = _loaded_manifest(stated, self.world)
        if disputed is None:
            self.requests.append(request)  # who has to agree on what its batch was loaded for shows when it is judged
            return
        self.asked = True
        key = self.world.book.disputed.get(disputed)
        before = self.world.book.requests.get(key) if key is not None else None
        if before is not None and before.event.enterprise == self.world.enterprise and before.corrects != position:
            self.later += 1
        else:
            self.requests.append(request)  # with another open about the same it is refused, and says so

    def settle(self) -> None:
        """Put it on the record."""
        if not self.touched:
            self.unit.facts = self.fresh
            return
        if self.asked:  # one request at a time is open for a manifest
            ways = [[each] for each in self.requests]
            self.later += max(len(self.requests) - 1, 0) + len(self.fresh)
        else:
            ways = [[*order, *self.fresh] for order in _orders(self.requests)]
        self.unit.facts = ways[0] if ways else []
        self.unit.changed = Changed(self.kind, self.columns, ways, self.asked, self.later)


def _orders(requests: Sequence[Event]) -> Iterator[tuple[Event, ...]]:
    return permutations(requests) if len(requests) <= ORDERS_MOST else iter([tuple(requests)])


def _loaded_manifest(stated: Stated, world: World) -> ManifestId | None:
    """The loaded manifest that a fact is a step of: from the loading on it is both sides' matter."""
    manifest_id = manifest_of(stated)
    manifest = world.book.find_manifest(manifest_id) if manifest_id is not None else None
    return manifest_id if manifest is not None and manifest.loaded is not None else None


# rows that stand ----------------------------------------------------------------------------------------------------


def settle(unit: Unit, world: World) -> None:
    """A record that the ledger holds already is no new fact; with other content it is corrected, where that may be.

    Raises:
        RowProblem: it would become another kind of record, or nothing is corrected here.
    """
    held = _held(unit, world)
    told = [_stated(fact) for fact in unit.facts]
    gone = [fact for fact in told if fact.event_id in world.names.withdrawn]
    if world.mends is None and held:
        _check_same(unit, told, held, world)
    if not held and not gone:
        _define(unit, world, {})
        unit.unchanged = not unit.facts and unit.sheet.key not in USED
        return
    ids = {  # a batch that the ledger has is itself, whatever a row calls it
        handle.batch_id: world.names.batches.get(name, handle.batch_id)
        for name, handle in unit.makes
        if world.book.find_batch(handle.batch_id) is None
    }
    plan = _compare(unit, world, told, held, ids)
    plan.settle()
    if plan.touched:
        _retake(told, held, world, plan)
    if not plan.asked and (plan.touched or plan.fresh):
        _define(unit, world, ids)
    unit.unchanged = not plan.touched and not plan.fresh
    if unit.unchanged:
        unit.makes = []  # the ledger has them; there may be many


def _compare(unit: Unit, world: World, told: Sequence[Stated], held: Sequence[Stated], ids: Mapping[str, str]) -> _Plan:
    names = world.names
    pairs, left = _paired(told, held)
    plan = _Plan(unit, world, "corrected" if held else "restored")
    becoming: list[Stated] = []
    for fact, theirs in pairs:
        if theirs is not None:
            becomes = adopted(fact, theirs, ids)
            differs = difference([becomes], [theirs], names)
            if differs is not None and becomes != theirs:
                becoming.append(becomes)
                plan.columns.append(differs)
                plan.ask(theirs, theirs, becomes)
        elif fact.event_id in names.withdrawn:
            stated = world.book.told(names.withdrawn[fact.event_id]).event
            if stated is None or stated.kind != fact.kind:
                raise _other_kind(unit, told, [_stated(stated)] if stated is not None else held)
            plan.ask(fact, None, fact)
        elif fact.event_id in names.events:
            raise _other_kind(unit, told, held)
        else:
            plan.fresh.append(fact)
    if _rest_on_new(becoming, plan.fresh) or (left and plan.fresh):
        raise _other_kind(unit, told, held)
    for theirs in reversed(left):
        plan.ask(theirs, theirs, None)
    return plan


def _paired(told: Sequence[Stated], held: Sequence[Stated]) -> tuple[list[tuple[Stated, Stated | None]], list[Stated]]:
    """Each fact with the one that the ledger has of it, by its name, else by its kind; and what is told no more."""
    by_name = {fact.event_id: fact for fact in held}
    named = {fact.event_id for fact in told}
    left = [fact for fact in held if fact.event_id not in named]
    pairs: list[tuple[Stated, Stated | None]] = []
    for fact in told:
        theirs = by_name.get(fact.event_id)
        if theirs is None:
            theirs = next((each for each in left if each.kind == fact.kind), None)
            left = [each for each in left if each is not theirs]
        elif theirs.kind != fact.kind:
            theirs, left = None, [*left, theirs]
        pairs.append((fact, theirs))
    return pairs, left


def _rest_on_new(becoming: Sequence[Stated], fresh: Sequence[Event]) -> bool:
    """A correction is read where the fact stands: it cannot speak of a part that is only split off now."""
    new = {made.batch_id for fact in fresh if isinstance(fact, Transformed) for made in fact.outputs}
    return any(isinstance(fact, (Stored, TakenOut)) and fact.batch_id in new for fact in becoming)


def _held(unit: Unit, world: World) -> tuple[Stated, ...]:
    names = world.names
    found = names.records.get(unit.identity) or names.by_event(unit.facts)
    if found is None and world.mends is not None:
        found = tuple(names.events[fact.event_id] for fact in unit.facts if fact.event_id in names.events)
    return found or ()


def _check_same(unit: Unit, told: Sequence[Stated], held: Sequence[Stated], world: World) -> None:
    differs = difference(told, held, world.names)
    if differs is None:
        return
    key, read, ledger = differs
    figures = {"record": unit.identity[-1] or unit.identity[2], "read": read, "held": ledger}
    column = key if unit.sheet.has(key) else "note"
    raise unit.first.wrong(Malformed("workbook-recorded-otherwise", **figures), column)


def _other_kind(unit: Unit, told: Sequence[Stated], held: Sequence[Stated]) -> RowProblem:
    read, ledger = ("、".join(_word(fact) for fact in facts) for facts in (told, held))
    figures = {"record": unit.identity[-1] or unit.identity[2], "read": read, "held": ledger}
    return unit.first.wrong(Malformed("file-changes-kind", **figures), "type" if unit.sheet.has("type") else "mass")


def _word(fact: Stated) -> str:
    """The law's word for a fact: its docstring begins with it."""
    return (type(fact).__doc__ or fact.kind).partition(".")[0]


def _stated(fact: Event) -> Stated:
    assert not isinstance(fact, Mending), fact
    return fact


def _define(unit: Unit, world: World, ids: Mapping[str, str]) -> None:
    for name, handle in unit.makes:
        world.define(name, replace(handle, batch_id=ids.get(handle.batch_id, handle.batch_id)))


def _retake(told: Sequence[Stated], held: Sequence[Stated], world: World, plan: _Plan) -> None:
    """What runs take in is counted as the file has it now."""
    if not plan.asked and plan.kind == "corrected":
        _untake(held, world)
        for fact in told:
            if isinstance(fact, Transformed) and world.book.catalogue.process(fact.process).changes_substance:
                for portion in fact.inputs:
                    world.take(portion)


def _untake(held: Sequence[Stated], world: World) -> None:
    for fact in held:
        if isinstance(fact, Transformed) and world.book.catalogue.process(fact.process).changes_substance:
            for portion in fact.inputs:
                world.untake(portion)


# rows that are cancelled --------------------------------------------------------------------------------------------


def withdraw(unit: Unit, world: World) -> None:
    """Ask for what a cancelled record stated to be read as never stated, the last of it first; nothing, where nothing is left."""
    held = _recorded(unit, world)
    plan = _Plan(unit, world, "withdrawn")
    for theirs in reversed(held):
        plan.ask(theirs, theirs, None)
    plan.settle()
    _untake(held, world)
    unit.unchanged = not plan.touched


def _recorded(unit: Unit, world: World) -> tuple[Stated, ...]:
    """What the ledger holds of a record, found by what names it: its other cells need not be right."""
    names = world.names
    if unit.sheet.key == "unit":
        return names.registrations.get(_thing(unit, world), ())
    if unit.sheet.key == "receipt":
        try:
            unit.identity = ("receipt", inbound_of(unit, world).submitted.manifest_id)
        except Awaits:
            return ()
    found = names.records.get(unit.identity)
    if found is not None:
        return found
    named = (names.events.get(unit.event_id(step)) for step in _STEPS)
    return tuple(fact for fact in named if fact is not None)


def _thing(unit: Unit, world: World) -> Identity:
    row = unit.first
    kind, code = row.said("type"), row.said("code")
    site = row.text("site") or next(iter(world.sites), "")
    of: Mapping[str, Mapping[tuple[str, str], str]] = {
        "facility": world.facilities, "storage": world.storages, "scale": world.scales,
    }  # fmt: skip
    match kind:
        case "site":
            return (kind, world.sites.get(code, ""))
        case "plan":
            return (kind, world.sites.get(site, ""), code)
        case _ if kind in of:
            return (kind, of[kind].get((site, code), ""))
        case _:
            return (kind, code)


# requests -----------------------------------------------------------------------------------------------------------


def _request(
    unit: Unit, world: World, stated: Stated, was: Stated | None, becomes: Stated | None, kind: Change
) -> tuple[CorrectionRequested, int]:
    """The request, and the position of what it corrects. The same file on the same state of a fact asks by the same name."""
    assert world.mends is not None
    day, file = world.mends
    position = world.book.find_fact(stated.enterprise, stated.event_id)
    assert position is not None, stated.event_id
    settled = sum(not each.open for each in world.requests_of(position))
    content = [canonical(event_json(each)).decode() if each is not None else "" for each in (was, becomes)]
    name = derived("correction", stated.enterprise, stated.event_id, str(settled), *content)
    reason = unit.why or _reason(unit, file, kind)
    return CorrectionRequested(
        event_id=name, enterprise=world.enterprise, event_time=day, stated_by=stated.enterprise,
        corrects=stated.event_id, was=was, becomes=becomes, reason=reason,
    ), position  # fmt: skip


def _reason(unit: Unit, file: str, kind: Change | Literal[""]) -> str:
    said = "文件撤销" if kind == "withdrawn" else "文件更正"
    named = f"{file[-FILE_SHOWN:]}，" if file else ""
    return f"{said}：{named}{unit.sheet.zh} 第 {unit.first.number} 行"
