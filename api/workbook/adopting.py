"""A row beside a fact that was told otherwise than by a row: what the row cannot say stays as the fact has it."""

from collections.abc import Mapping
from typing import Final, cast

from api.workbook.known import ELSEWHERE_FINER
from flows.events import EVENT, Mending, Stated, Submitted

_MADE: Final = {"product", "accepted", "rejected"}
"""What a fact brings under a name of its own."""
_SAME_BY: Final = ("line", "element", "kind", "material")
"""By what one of several parts of a fact is known again."""


def adopted(told: Stated, held: Stated, ids: Mapping[str, str]) -> Stated:
    """The fact that a row tells, under the name of the one that the ledger holds; `ids` are our names by theirs.

    What was asked for on a manifest is a plan that a row need not tell: it stays, as long as its line does.
    """
    foreign = (told.enterprise, told.event_id) != (held.enterprise, held.event_id)
    if not foreign and not isinstance(told, Submitted):
        return told
    ours, theirs = told.model_dump(), held.model_dump()
    if foreign:
        ours = cast("dict[str, object]", _merged(ours, theirs, "", ids))
        ours |= {key: theirs[key] for key in ("enterprise", "event_id", "manifest_id") if key in theirs}
    if isinstance(held, Submitted):
        planned = {(line.line, line.batch_id): line.mass_g for line in held.lines}
        lines = cast("tuple[dict[str, object], ...]", ours["lines"])
        ours["lines"] = tuple(
            each | {"mass_g": planned.get(cast("tuple[int, str]", (each["line"], each["batch_id"])), each["mass_g"])}
            for each in lines
        )
    event = EVENT.validate_python(ours)
    assert not isinstance(event, Mending), event
    return event


def _merged(ours: object, theirs: object, key: str, ids: Mapping[str, str]) -> object:
    match ours, theirs:
        case dict(), dict():
            mine, other = cast("dict[str, object]", ours), cast("dict[str, object]", theirs)
            kept = {at: other[at] for at in mine if at in ELSEWHERE_FINER and at in other}
            if key in _MADE and "batch_id" in other:
                kept["batch_id"] = other["batch_id"]
            return {at: kept[at] if at in kept else _merged(mine[at], other.get(at), at, ids) for at in mine}
        case dict(), _:
            return {at: _merged(value, None, at, ids) for at, value in cast("dict[str, object]", ours).items()}
        case tuple(), _:
            left = list(cast("tuple[object, ...]", theirs)) if isinstance(theirs, tuple) else []
            parts: list[object] = []
            for part in cast("tuple[object, ...]", ours):
                same = next((each for each in left if _same(part, each, ids)), None)
                left = [each for each in left if each is not same]
                parts.append(_merged(part, same, key, ids))
            return tuple(parts)
        case str(), _:
            return ids.get(ours, ours)
        case _:
            return ours


def _same(ours: object, theirs: object, ids: Mapping[str, str]) -> bool:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return ours == theirs
    mine, other = cast("dict[str, object]", ours), cast("dict[str, object]", theirs)
    batch = mine.get("batch_id")
    return all(mine.get(key) == other.get(key) for key in _SAME_BY) and (
        batch is None or "line" in mine or ids.get(str(batch), batch) == other.get("batch_id")
    )
