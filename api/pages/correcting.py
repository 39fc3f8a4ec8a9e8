"""The form that tells entries anew: one, or several that only change together, each beside the others in one request."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, Path
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.amending import NAME_LENGTH, Outlook, Wanted, check, may_ask, request_of, requester_for, state
from api.corrections import EntryHistory, Known
from api.pages.drawing import page
from api.pages.fact_form import MARK, Filled, Row, read_form, rows_of
from api.pages.fact_words import FactWords
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import NOT_KEPT, OK, SEE_OTHER, language_of, status_of
from api.rest.asking import COUNT_MOST
from flows.entries import canonical, event_json
from flows.errors import Forbidden, Language, Malformed, Problem, Unknown
from flows.events import CHANGES_MAX, Arrived, CorrectionRequested, Decided, Mending, Stated
from flows.mending import Breaks
from flows.touches import touched

REASON_MOST: Final = 500
NEAR_MOST: Final = 20
"""Related entries that are offered: a batch of many uses is found by its history, and its entries by their own pages."""
WITH: Final = "with"
"""Under which name a form says which entries it holds besides the first."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Position: TypeAlias = Annotated[int, Path(ge=1, le=COUNT_MOST)]


async def typed_of(request: Request) -> dict[str, str]:
    """All that a form sends, boxes that were ticked under one name put together."""
    typed: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if not isinstance(value, UploadFile):
            typed[name] = f"{typed[name]} {value}" if name in typed else value
    return typed


Typed: TypeAlias = Annotated[dict[str, str], Depends(typed_of)]


@dataclass(frozen=True)
class Part:
    """One entry of the form: how it reads now, and what somebody is making of it."""

    history: EntryHistory
    stated: Stated
    boxes: dict[str, str] | None = None
    """What was typed, by the names of the boxes; None: nothing yet."""
    withdraws: bool = False
    filled: Filled = field(default_factory=Filled)

    @property
    def position(self) -> int:
        """Where the entry stands in the ledger."""
        return self.history.entry.position

    @property
    def mark(self) -> str:
        """How the names of its boxes begin on the page."""
        return f"e{self.position}."

    @property
    def changes(self) -> bool:
        """Is it to be read otherwise?"""
        return self.withdraws or self.filled.fact != self.history.now

    def wanted(self) -> Wanted:
        """The same as part of a request."""
        return Wanted(self.history, self.filled.fact)

    def rows(self, language: Language) -> list[Row]:
        """Its boxes."""
        return rows_of(self.stated, language, self.boxes, self.filled)

    def read(self, typed: dict[str, str], language: Language) -> "Part":
        """What a form says of it; what was not typed yet stays as it is read."""
        own = {name.removeprefix(self.mark): text for name, text in typed.items() if name.startswith(self.mark)}
        if own.get("how") == "withdraw":
            return replace(self, withdraws=True)
        boxes = {name: text for name, text in own.items() if name.startswith(MARK)}
        if not boxes:
            return replace(self, filled=Filled(self.stated))
        return replace(self, boxes=boxes, filled=read_form(self.stated, boxes, language))


@dataclass(frozen=True)
class Draft:
    """A correction as somebody is writing it."""

    parts: tuple[Part, ...]
    reason: str = ""
    checked: str = ""
    """The digest of what was checked: only that is sent."""
    outlook: Outlook | None = None
    problem: Problem | None = None
    reason_missing: bool = False

    @property
    def wrong(self) -> int:
        """How many faults there are in the boxes."""
        return sum(len(each.filled.faults) + len(each.filled.rest) for each in self.parts)

    @property
    def changed(self) -> list[Part]:
        """The entries that are to be read otherwise; of a form that nobody touched the first."""
        return [each for each in self.parts if each.changes] or [*self.parts[:1]]

    @property
    def later(self) -> Breaks | None:
        """The refusal that names later facts."""
        return self.problem if isinstance(self.problem, Breaks) else None

    @property
    def at(self) -> Part | None:
        """The entry that a refusal is about."""
        place = self.problem.place("changes") if self.problem else None
        return self.changed[place] if place is not None else None

    def asked(self, reader: Reader, name: str | None = None) -> CorrectionRequested:
        """The request that it stands for."""
        wanted = [each.wanted() for each in self.changed]
        requester = requester_for([each.history.entry.event for each in wanted], reader.sight, reader.service)
        return request_of(wanted, requester, self.reason, reader.service, event_id=name)


@router.get("/entries/{position}/correct")
def correct_page(request: Request, position: Position, reader: TheReader) -> Response:
    """The form that tells an entry anew, with those that change with it."""
    parts = _parts(position, _places(" ".join(request.query_params.getlist(WITH))), reader)
    return _form(request, reader, position, Draft(parts))


@router.post("/entries/{position}/correct")
def correct_entry(request: Request, position: Position, reader: TheReader, typed: Typed) -> Response:
    """Judge what was typed, and keep it once it was seen what it does; or take one more entry in, or out."""
    do, _, named = typed.get("do", "").partition(" ")
    with_them = _places(typed.get(WITH, ""))
    if do == "add":
        with_them += _places(named)
    elif do == "drop":
        with_them = [each for each in with_them if each not in _places(named)]
    read = (part.read(typed, language_of(request)) for part in _parts(position, with_them, reader, alone=True))
    draft = Draft(tuple(read), typed.get("reason", "").strip()[:REASON_MOST])
    if do in {"add", "drop"}:
        return _form(request, reader, position, draft)
    if draft.wrong or not draft.reason:
        return _form(request, reader, position, replace(draft, reason_missing=not draft.reason), bad=True)
    return _judged(request, reader, position, draft, typed if do == "send" else {})


def _judged(request: Request, reader: Reader, position: int, draft: Draft, sent: dict[str, str]) -> Response:
    """Send what was checked; else check it."""
    try:
        first = draft.changed[0].position
        event = draft.asked(reader, _name_checked(sent, first))
        if sent and sent.get("checked") == _digest(event):
            _ = state(reader.caller, event, reader.service)
            return RedirectResponse(f"/entries/{position}", SEE_OTHER)
        event = draft.asked(reader)
        draft = replace(draft, checked=_digest(event), outlook=check(reader.caller, event, reader.service))
    except Problem as problem:
        return _form(request, reader, position, replace(draft, problem=problem), bad=True)
    return _form(request, reader, position, draft)


def _name_checked(typed: dict[str, str], position: int) -> str | None:
    """The name that the check gave the request: a form that is sent twice asks once."""
    name = typed.get("event_id", "")
    return name if re.fullmatch(rf"GZ-{position}-[0-9a-f]{{{NAME_LENGTH}}}", name) else None


def _digest(event: CorrectionRequested) -> str:
    """What a check was made of: the same words, so that nobody sends what they have not seen."""
    told = event_json(event)
    return hashlib.sha256(canonical([told["changes"], told["reason"]])).hexdigest()


# which entries ------------------------------------------------------------------------------------------------------


def _places(text: str) -> list[int]:
    return [int(each) for each in text.split() if each.isascii() and each.isdecimal() and 0 < int(each) <= COUNT_MOST]


def _parts(position: int, more: Sequence[int], reader: Reader, *, alone: bool = False) -> tuple[Part, ...]:
    """The entries of a form, as they are read now, in the ledger's order; `alone`: without what goes with them.

    Raises:
        Unknown: one of them is not there, or not the reader's to see.
        Forbidden: one of them is not the reader's to correct.
        Malformed: more than one request holds.
    """
    known = Known(reader.sight, reader.service)
    first = _part(position, known, reader)
    together = [] if alone else [each for each in _companions(first.stated, reader) if _askable(each, known, reader)]
    wanted = sorted({position, *more, *together})
    if len(wanted) > CHANGES_MAX:
        raise Malformed("correction-too-many", most=CHANGES_MAX)
    return tuple(first if each == position else _part(each, known, reader) for each in wanted)


def _part(position: int, known: Known, reader: Reader) -> Part:
    history = known.history(position)
    stated = history.last
    if stated is None or not may_ask(history, reader.sight, reader.service):
        raise Forbidden("correction-not-yours", position=position)
    return Part(history, stated)


def _askable(position: int, known: Known, reader: Reader) -> bool:
    try:
        return may_ask(known.history(position), reader.sight, reader.service)
    except Unknown:
        return False


def _companions(stated: Stated, reader: Reader) -> Iterator[int]:
    """What is told in one go and stands in two facts: the weight of a receipt."""
    if not isinstance(stated, (Arrived, Decided)):
        return
    manifest = reader.service.book.find_manifest(stated.manifest_id)
    if manifest is not None:
        for step, position in zip(manifest.history, manifest.positions, strict=True):
            if isinstance(step, (Arrived, Decided)) and step.kind != stated.kind:
                yield position


def _near(parts: Sequence[Part], reader: Reader) -> list[EntryHistory]:
    """Other entries of the reader's about the same batches and manifests: the nearest in the ledger, in its order."""
    book, known = reader.service.book, Known(reader.sight, reader.service)
    names = {
        touch.name
        for part in parts
        for touch in touched(part.stated, book)
        if touch.register in {"batches", "manifests"}
    }
    there = {part.position for part in parts}
    found = {position for name in names for position in book.history(str(name))} - there
    nearest = sorted(found, key=lambda each: (min(abs(each - own) for own in there), each))
    askable = [each for each in nearest[: 2 * NEAR_MOST] if _stands(each, reader) and _askable(each, known, reader)]
    return [known.history(each) for each in sorted(askable[:NEAR_MOST])]


def _stands(position: int, reader: Reader) -> bool:
    """Is it a fact that is read at all?"""
    event = reader.service.book.fact(position).event
    return event is not None and not isinstance(event, Mending)


def _addable(draft: Draft, reader: Reader) -> list[int]:
    """Of the later facts that could not stand those that the reader may correct with it."""
    if draft.later is None:
        return []
    known, there = Known(reader.sight, reader.service), {part.position for part in draft.parts}
    later = [position for position, _, _ in draft.later.later[: CHANGES_MAX - len(there)]]
    return [each for each in later if each not in there and _askable(each, known, reader)]


# drawn --------------------------------------------------------------------------------------------------------------


def _form(request: Request, reader: Reader, position: int, draft: Draft, *, bad: bool = False) -> Response:
    language = language_of(request)
    rows = {part.position: part.rows(language) for part in draft.parts}
    catalogue = reader.service.catalogue
    lists = {
        "material": {key: each.name(language) for key, each in catalogue.materials.items()},
        "process": {key: each.name(language) for key, each in catalogue.processes.items()},
        "method": {key: each.name(language) for key, each in catalogue.methods.items()},
    }
    asked = {box.listed for each in rows.values() for row in each for box in row.boxes if box.listed}
    return page(
        request,
        "correct.html",
        status=(int(status_of(draft.problem)) if draft.problem else NOT_KEPT) if bad else OK,
        first=position,
        rows=rows,
        draft=draft,
        addable=_addable(draft, reader),
        near=_near(draft.parts, reader),
        lists={name: told for name, told in lists.items() if name in asked},
        words=FactWords(reader, language),
        reason_most=REASON_MOST,
    )
