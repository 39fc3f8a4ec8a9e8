"""Is this what the ledger holds already? Two statements of one record compared, whatever names its facts go by."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, cast

from api.workbook.names import Names
from api.workbook.values import PPM_PER_PERCENT
from flows.events import Event
from flows.mass import tonnes
from flows.times import shown

_NEW_NAMES: Final = {
    "stock_declared": {"product"}, "generated": {"product"}, "collected": {"product"}, "tapped": {"product"},
    "transformed": {"outputs"}, "loaded": {"lines"}, "decided": {"accepted", "rejected"},
}  # fmt: skip
_MADE_ID: Final = {"product": "batch_id", "outputs": "batch_id", "lines": "load_id", "accepted": "batch_id",
                   "rejected": "batch_id"}  # fmt: skip
ELSEWHERE_FINER: Final = {"note", "legs", "plate", "shipper", "scale_id", "driver", "code", "assay_no", "packing"}
"""What a form or an interface may have told otherwise than a row can: it is not held against the row."""
_COLUMN_OF: Final = {
    "mass_g": "mass", "event_time": "time", "material": "trade", "batch_id": "batch", "counted_g": "mass",
    "facility_id": "facility", "storage_id": "storage", "site_id": "site", "gap_reason": "reason",
    "official_no": "manifest", "consignee": "consignee", "consignee_site": "consignee_site", "scrap": "type",
    "supplier_division": "division", "receiver_division": "division", "ppm": "grade", "moisture_ppm": "moisture",
    "approval_no": "approval", "scale_id": "scale", "export_notice_no": "export_notice", "plate": "plate",
    "legs": "carrier", "reason": "reason", "packing": "container", "losses": "loss",
}  # fmt: skip
_SETS: Final = {"inputs", "outputs", "portions", "additions", "losses", "grades", "lines"}


def difference(told: Sequence[Event], held: Sequence[Event], names: Names) -> tuple[str, str, str] | None:
    """The first column in which what is told differs from what is held, with both as text; None when all is the same."""
    kinds, held_kinds = [event.kind for event in told], [event.kind for event in held]
    if kinds != held_kinds:
        return "type", "+".join(kinds), "+".join(held_kinds)
    for ours, theirs in zip(told, held, strict=True):
        foreign = ours.event_id != theirs.event_id
        left, right = (_plain(each.model_dump(), each.kind, names, foreign=foreign) for each in (ours, theirs))
        found = _first_difference(left, right, "")
        if found is not None:
            return found
    return None


def _plain(value: Mapping[str, object], kind: str, names: Names, *, foreign: bool) -> dict[str, object]:
    assert names is not None
    dropped = {
        "event_id",
        *(ELSEWHERE_FINER if foreign else ()),
        *(("manifest_id",) if kind in ("submitted", "loaded") else ()),
        *(("mass_g",) if kind == "submitted" else ()),  # a plan; what was loaded is compared
    }
    return {
        key: _inner(each, key, kind, dropped) for key, each in value.items() if key not in dropped and each is not None
    }


def _inner(value: object, key: str, kind: str, dropped: set[str]) -> object:
    if isinstance(value, dict):
        hidden = {_MADE_ID[key]} if key in _NEW_NAMES.get(kind, ()) else set[str]()
        items = sorted(cast("dict[str, object]", value).items())
        return {
            at: _inner(each, at, kind, dropped) for at, each in items if at not in dropped | hidden and each is not None
        }
    if isinstance(value, tuple):
        parts = [_inner(each, key, kind, dropped) for each in cast("tuple[object, ...]", value)]
        return tuple(sorted(parts, key=repr) if key in _SETS else parts)
    return value


def _first_difference(ours: object, theirs: object, key: str) -> tuple[str, str, str] | None:
    if ours == theirs:
        return None
    pairs: list[tuple[str, object, object]] = []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        left, right = cast("dict[str, object]", ours), cast("dict[str, object]", theirs)
        pairs = [(at, left.get(at), right.get(at)) for at in (*left, *(each for each in right if each not in left))]
    elif isinstance(ours, tuple) and isinstance(theirs, tuple):
        left_parts, right_parts = cast("tuple[object, ...]", ours), cast("tuple[object, ...]", theirs)
        if len(left_parts) == len(right_parts):
            pairs = [(key, left, right) for left, right in zip(left_parts, right_parts, strict=True)]
    for at, left_part, right_part in pairs:
        found = _first_difference(left_part, right_part, at)
        if found is not None:
            return found
    return _COLUMN_OF.get(key, key), _shown(cast("object", ours), key), _shown(cast("object", theirs), key)


def _shown(value: object, key: str) -> str:
    if isinstance(value, int) and key.endswith("_g"):
        return tonnes(value)
    if isinstance(value, int) and key.endswith("ppm"):
        return f"{Decimal(value) / PPM_PER_PERCENT:f} %"
    if isinstance(value, date):
        return shown(value)
    if isinstance(value, tuple | dict):
        return str(len(cast("tuple[object, ...]", value)))
    return "—" if value is None else str(value)
