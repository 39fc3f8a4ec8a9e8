"""Who may have a fact corrected, and when: what is asked must still stand so, and nobody later may lose the ground."""

from typing import Final

from flows.book import Book, Revision
from flows.custody import OutOfTurn
from flows.errors import Conflict, Malformed, Problem, Refusal, Unknown
from flows.events import Amendment, CorrectionAgreed, CorrectionDeclined, CorrectionRequested, Event, Mending, Stated
from flows.ids import EnterpriseId, ManifestId
from flows.matters import are_one
from flows.reading import Broken, Judge, Misfit, manifest_of, replacements, revise, shared_manifests, sides

SHOWN_MOST: Final = 20
"""Later facts that a refusal names; it counts the others."""


class NotASide(Refusal):
    """Who sees a fact and did not state it, and is not who has to agree on it."""


class Breaks(Refusal):
    """Later facts could not stand any more: `later` names those that the requester knows of."""

    def __init__(self, later: list[tuple[int, Event, Problem]], others: int = 0) -> None:
        if others:
            super().__init__("correction-breaks-others", count=len(later) + others, others=others)
        else:
            super().__init__("correction-breaks", count=len(later))
        self.later = later

    def text(self, language: str = "zh") -> str:
        """What is wrong, and each later fact with its own reason on a line."""
        zh = language == "zh"
        told = [super().text("zh" if zh else "en")]
        for position, event, problem in self.later[:SHOWN_MOST]:
            reason = problem.text("zh" if zh else "en")
            told.append(
                f"第 {position} 条 {event.event_id}：{reason}" if zh else f"{position} {event.event_id}: {reason}"
            )
        return "\n".join(told)


def check_requested(event: CorrectionRequested, book: Book, judge: Judge) -> dict[ManifestId, set[EnterpriseId]]:
    """May these facts be read so? Who would have to agree, by manifest; none: it would be in force at once.

    Raises:
        Problem: the first refusal, of a change by itself or of all of them together; where it is one's, it says which.
    """
    corrects = _corrected(event, book)
    revision = _revised(event, corrects, book, judge)
    if not are_one(event.changes, revision, book):
        raise Malformed("correction-unrelated")
    shared = shared_manifests(event, revision, book)
    for manifest_id in shared:
        if book.disputed.get(manifest_id) is not None:
            raise OutOfTurn("correction-one-open", manifest=manifest_id)
    return shared


def check_answered(event: CorrectionAgreed | CorrectionDeclined, book: Book, judge: Judge) -> None:
    """May this enterprise answer this request now? Raises the first `Problem`."""
    request = book.requests.get((event.requested_by, event.request))
    if request is None or event.enterprise not in {*request.others, *request.agreed, event.requested_by}:
        raise Unknown("correction-request-unknown", enterprise=event.requested_by, request=event.request)
    if not request.open:
        raise OutOfTurn("correction-settled", request=event.request)
    if isinstance(event, CorrectionDeclined):
        return
    if event.enterprise not in request.others:
        raise NotASide("correction-own-agreement", request=event.request)
    for change, position in zip(request.event.changes, request.corrects, strict=True):
        _check_still(change, position, book)
    _ = _revised(request.event, request.corrects, book, judge)


def _corrected(event: CorrectionRequested, book: Book) -> tuple[int, ...]:
    """The positions of the facts that are to be read otherwise, each once; a refusal names the change."""
    corrects: list[int] = []
    for number, change in enumerate(event.changes):
        try:
            position = _check_change(event.enterprise, change, book)
            if position in corrects:
                raise Malformed("correction-twice", event=change.corrects)
        except Problem as problem:
            raise problem.at(f"changes[{number}]") from None
        corrects.append(position)
    return tuple(corrects)


def _check_change(requester: EnterpriseId, change: Amendment, book: Book) -> int:
    """One change by itself: there is such a fact, it is the requester's to correct, reads as told, and would differ."""
    position = book.find_fact(change.stated_by, change.corrects)
    stated = book.told(position).event if position is not None else None
    if position is None or stated is None or not _is_known_to(requester, stated, book):
        raise Unknown("correction-entry-unknown", enterprise=change.stated_by, event=change.corrects)
    if isinstance(stated, Mending):
        raise Refusal("correction-of-correction", event=change.corrects)
    _check_side(requester, stated, book)
    _check_still(change, position, book)
    if change.becomes == change.was:
        raise Malformed("correction-changes-nothing", event=change.corrects)
    if change.becomes is not None:
        _check_same_fact(change.becomes, stated)
    return position


def _is_known_to(enterprise: EnterpriseId, stated: Event, book: Book) -> bool:
    """Does an enterprise know of a fact: its own, or one of a manifest that it is a party to?"""
    if stated.enterprise == enterprise:
        return True
    manifest_id = None if isinstance(stated, Mending) else manifest_of(stated)
    manifest = book.find_manifest(manifest_id) if manifest_id is not None else None
    return manifest is not None and enterprise in manifest.parties


def _check_side(requester: EnterpriseId, stated: Stated, book: Book) -> None:
    """Its stater, or a side of the manifest that it is about."""
    if requester == stated.enterprise:
        return
    manifest_id = manifest_of(stated)
    manifest = book.find_manifest(manifest_id) if manifest_id is not None else None
    if manifest is None or requester not in sides(manifest):
        raise NotASide("correction-not-a-side", event=stated.event_id)


def _check_still(change: Amendment, position: int, book: Book) -> None:
    """What the requester saw is what is read now."""
    now = book.fact(position).event
    if now == change.was:
        return
    if now is None:
        raise Conflict("correction-of-withdrawn", event=change.corrects)
    if change.was is None:
        raise Conflict("correction-was-missing", event=change.corrects)
    fields = ", ".join(name for name in type(now).model_fields if getattr(now, name) != getattr(change.was, name, None))
    raise Conflict("correction-outdated", event=change.corrects, fields=fields)


def _check_same_fact(becomes: Stated, stated: Stated) -> None:
    """A fact keeps its name, its stater and its kind."""
    for name in ("kind", "enterprise", "event_id"):
        told, expected = str(getattr(becomes, name)), str(getattr(stated, name))
        if told != expected:
            raise Malformed("correction-renames", where=f"becomes.{name}", field=name, told=told, expected=expected)


def _revised(event: CorrectionRequested, corrects: tuple[int, ...], book: Book, judge: Judge) -> Revision:
    """What the correction changes, once each replacement is admitted in its place, and so is whatever came after it."""
    try:
        return revise(book.overlay(), replacements(event, corrects), book.position + 1, judge)
    except Broken as broken:
        later: list[tuple[int, Event, Problem]] = []
        for position, problem in broken.because.items():
            fact = book.fact(position).event
            if fact is not None and _is_known_to(event.enterprise, fact, book):
                later.append((position, fact, problem))
        raise Breaks(later, len(broken.because) - len(later)) from None
    except Misfit as misfit:
        raise misfit.problem.at("becomes").at(f"changes[{corrects.index(misfit.position)}]") from None
