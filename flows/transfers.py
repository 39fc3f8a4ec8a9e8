"""The steps of a manifest: who takes which, in what order, and what each must say of every line."""

from collections.abc import Sequence
from itertools import chain

from flows.book import Book
from flows.codes import manifest_number, plate
from flows.custody import OutOfTurn, check_portions, check_unused
from flows.errors import Conflict, Malformed, Refusal, Unknown
from flows.events import Arrived, Cancelled, Decided, Loaded, Portion, Submitted
from flows.ids import EnterpriseId, Id
from flows.manifests import STATES_ZH, Manifest, State
from flows.mass import tonnes
from flows.references import check_enterprise, check_method, check_site


class Unbalanced(Refusal):
    """A gap beyond the tolerance of the process without a reason, or a decision that is not what arrived."""


_NOT_THE = {
    "consignor": "manifest-not-consignor",
    "loader": "manifest-not-loader",
    "consignee": "manifest-not-consignee",
}


def _manifest(manifest_id: Id, enterprise: EnterpriseId, book: Book, *, role: str) -> Manifest:
    """The manifest, for a party that may take this step; to a stranger it does not exist."""
    manifest = book.find_manifest(manifest_id)
    if manifest is None or enterprise not in manifest.parties:
        raise Unknown("manifest-unknown", manifest=manifest_id)
    submitted = manifest.submitted
    may = {
        "consignor": {submitted.enterprise},
        "loader": {submitted.enterprise, *(leg.carrier for leg in submitted.legs if leg.carrier)},
        "consignee": {submitted.consignee},
    }[role]
    if enterprise not in may:
        raise OutOfTurn(_NOT_THE[role], manifest=manifest_id)
    return manifest


def _check_state(manifest: Manifest, states: set[State]) -> None:
    if manifest.state not in states:
        now = manifest.state
        needed = sorted(states)
        raise OutOfTurn(
            "manifest-state",
            manifest=manifest.manifest_id,
            state=STATES_ZH[now],
            state_en=now.value,
            needed="、".join(STATES_ZH[each] for each in needed),
            needed_en=", ".join(each.value for each in needed),
        )


def _check_lines(lines: Sequence[int], manifest: Manifest) -> None:
    """A step speaks of each line of the manifest, once."""
    expected = sorted(line.line for line in manifest.submitted.lines)
    if sorted(lines) != expected:
        told = ", ".join(map(str, sorted(lines)))
        raise Malformed("manifest-lines", told=told, expected=", ".join(map(str, expected)))


def check_cancelled(event: Cancelled, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignor")
    _check_state(manifest, {State.SUBMITTED})


def check_submitted(event: Submitted, book: Book) -> None:
    if book.find_manifest(event.manifest_id) is not None:
        raise Conflict("manifest-id-used", manifest=event.manifest_id)
    check_site(event.consignor_site, event.enterprise, book)
    check_enterprise(event.consignee, book)
    check_site(event.consignee_site, event.consignee, book)
    if event.consignee == event.enterprise:
        raise Malformed("manifest-to-self")
    for leg in event.legs:
        if leg.carrier is not None:
            check_enterprise(leg.carrier, book)
        if leg.plate is not None:
            _ = plate(leg.plate)
    if event.official_no is not None:
        site = book.sites.get(event.consignor_site)
        _ = manifest_number(event.official_no, site.division if site is not None else None)
    check_method(event.method, None, book)
    numbers = [line.line for line in event.lines]
    if len(set(numbers)) != len(numbers):
        raise Malformed("manifest-line-twice", told=", ".join(map(str, numbers)))
    portions = [Portion(batch_id=line.batch_id, mass_g=line.mass_g) for line in event.lines]
    check_portions(portions, event.enterprise, book, gate=True)


def check_loaded(event: Loaded, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="loader")
    _check_state(manifest, {State.SUBMITTED})
    _check_lines([line.line for line in event.lines], manifest)
    if event.plate is not None:
        _ = plate(event.plate)
    for line in event.lines:
        planned = manifest.planned_line(line.line)
        if planned is None or planned.batch_id != line.portion.batch_id:
            raise Malformed("manifest-other-batch", line=line.line, batch=line.portion.batch_id)
    check_portions(
        [line.portion for line in event.lines], manifest.submitted.enterprise, book, gate=True, told=event.enterprise
    )
    check_unused((line.load_id for line in event.lines), book)


def check_arrived(event: Arrived, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignee")
    _check_state(manifest, {State.LOADED})
    _check_lines([line.line for line in event.lines], manifest)


def check_decided(event: Decided, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignee")
    _check_state(manifest, {State.ARRIVED})
    _check_lines([line.line for line in event.lines], manifest)
    for line in event.lines:
        loaded = manifest.loaded_line(line.line)
        if loaded is None or loaded.load_id != line.load_id:
            raise Malformed("manifest-other-load", line=line.line, batch=line.load_id)
        arrived_g = manifest.arrived_g(line.line) or 0
        parts_g = sum(part.mass_g for part in (line.accepted, line.rejected) if part is not None)
        if parts_g != arrived_g:
            raise Unbalanced("decided-not-arrived", line=line.line, parts=tonnes(parts_g), arrived=tonnes(arrived_g))
        if line.rejected is not None and not line.reason:
            raise Malformed("rejected-without-reason", line=line.line)
        if line.method is not None:
            check_method(line.method, None, book)
    parts = chain.from_iterable((line.accepted, line.rejected) for line in event.lines)
    check_unused((part.batch_id for part in parts if part is not None), book)
