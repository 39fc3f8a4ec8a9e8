"""The page of two dates: what changed between them, value by value, and which entry did it."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.corrections import Altered
from api.differences import Changed, Comparison, Figured
from api.pages.drawing import page
from api.pages.fact_words import FactWords, Said, field_name
from api.pages.reading import PageRoute, Reader, TheReader
from api.pages.words import Words
from api.problems import language_of, status_of
from api.rest.asking import READ_MOST
from api.rest.differences import Between, Found, found
from flows.batches import Batch
from flows.errors import Language, Problem
from flows.manifests import Manifest
from flows.times import moment_of, shown

ROWS: Final = 50
"""Differences of one page: each is a few lines on a phone."""
FIELDS_MOST: Final = 12
"""Values of one row; a batch has fewer, and a manifest that is corrected seldom more."""
_WORDED: Final = {"legal_status": "status", "place": "place", "origin": "origin", "state": "state"}
"""Fields whose values are words of ours, and the table that has them."""
_TIMES: Final = frozenset({"made", "used", "placed", "effective"})
_SAID_BY_OTHERS: Final = frozenset({"name_zh", "name_en", "position", "item_pending", "waste_edition", "division"})
"""What only follows from another field of the row."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Row:
    """A batch or a manifest that differs, in words."""

    changed: Changed
    url: str
    name: str
    about: str
    said: list[Said]
    more: int


@router.get("/differences")
def differences_page(  # one parameter for each thing that the address holds
    request: Request,
    reader: TheReader,
    since: Annotated[str, Query(alias="from", max_length=READ_MOST)] = "",
    until: Annotated[str, Query(alias="to", max_length=READ_MOST)] = "",
    by: Annotated[Literal["known", "happened"], Query()] = "known",
    after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    language, service = language_of(request), reader.service.known()
    asked = {"since": since, "until": until, "by": by}
    if not since.strip():
        return page(request, "differences.html", asked=asked, found=None, problem=None)
    names = ("from", "to") if by == "known" else ("from_at", "to_at")
    between = Between.model_validate({names[0]: since, names[1]: until, "after": after, "limit": ROWS})
    try:
        told = found(
            Comparison.of(service, reader.caller, *between.sides(service)), between, service.sight(reader.caller)
        )
    except Problem as problem:
        text = problem.text(language)
        return page(request, "differences.html", status=int(status_of(problem)), asked=asked, found=None, problem=text)
    on = {"from": since, "to": until or str(told.compared.later.position), "by": by, "after": str(after + ROWS)}
    return page(
        request,
        "differences.html",
        asked=asked,
        problem=None,
        found=told,
        sides=[_side(told, number) for number in (0, 1)],
        batches=[_batch_row(each, told, reader, language) for each in told.batches[after : after + ROWS]],
        manifests=[_manifest_row(each, told, reader, language) for each in told.manifests[after : after + ROWS]],
        figures=[_figure(each) for each in told.figures],
        kind=Words(language).known,
        more=f"/differences?{urlencode(on)}" if told.more else None,
    )


def _side(told: Found, number: int) -> tuple[int, str, str]:
    """Position, record time and instant of a state."""
    side = (told.compared.earlier, told.compared.later)[number]
    head, at_us = side.service.head, side.horizon.at_us
    return head.position, shown(moment_of(head.record_time_us)), "" if at_us is None else shown(moment_of(at_us))


def _batch_row(each: Changed, told: Found, reader: Reader, language: Language) -> Row:
    compared = told.compared
    sides = (compared.later, compared.earlier)
    batch = next(known for side in sides if isinstance(known := side.service.book.find_batch(each.name), Batch))
    material = reader.service.catalogue.material(batch.material).name(language)
    name = batch.code or batch.batch_id.partition(".")[2]
    return _row(each, f"/batches/{batch.batch_id}", (name, material), told, FactWords(reader, language))


def _manifest_row(each: Changed, told: Found, reader: Reader, language: Language) -> Row:
    compared = told.compared
    sides = (compared.later, compared.earlier)
    manifest = next(
        known for side in sides if isinstance(known := side.service.book.find_manifest(each.name), Manifest)
    )
    submitted = manifest.submitted
    parties = " → ".join(reader.name_of(party, language) for party in (submitted.enterprise, submitted.consignee))
    name = submitted.number
    return _row(each, f"/manifests/{manifest.manifest_id}", (name, parties), told, FactWords(reader, language))


def _row(each: Changed, url: str, name: tuple[str, str], told: Found, words: FactWords) -> Row:
    """A thing that is withdrawn is looked at as it was known before."""
    fields = [pair for pair in each.fields.items() if pair[0] not in _SAID_BY_OTHERS] if each.how == "changed" else []
    said = [_said(field, was, now, words) for field, (was, now) in fields[:FIELDS_MOST]]
    where = f"{url}?as_of={told.compared.earlier.position}" if each.how == "withdrawn" else url
    return Row(each, where, name[0], name[1], said, len(fields) - len(said))


def _said(field: str, was: object, now: object, words: FactWords) -> Said:
    """One value: a batch's by its own words, a manifest's by those of its step."""
    t = Words(words.language)
    own = t.known(f"differs.{field}")
    if own is not None:
        return Said(own, _value(field, was, words), _value(field, now, words))
    step, _, path = field.partition(".")
    told = words.said(Altered(path or step, was, now))
    return Said(
        f"{t.known(f'kind.{step}') or step} · {field_name(path or step, words.language)}", told.was, told.becomes
    )


def _value(field: str, value: object, words: FactWords) -> str | None:
    if value is None:
        return None
    if field in _WORDED:
        return Words(words.language).known(f"{_WORDED[field]}.{value}") or str(value)
    if field in _TIMES:
        return words.value("event_time", value)
    if isinstance(value, dict):
        return ", ".join(words.value(key, each) for key, each in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a packing's JSON
    return words.value(field, value)


def _figure(each: Figured) -> tuple[Figured, int | None, int | None]:
    was, now = each.was, each.now
    pairs = ((now.numerator_g, was.numerator_g), (now.denominator_g, was.denominator_g))
    first, second = (None if new is None or old is None else new - old for new, old in pairs)
    return each, first, second
