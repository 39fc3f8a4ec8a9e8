"""The first page: figures with their definitions, what waits for the reader, and what came in last."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.corrections import to_answer
from api.pages.drawing import page
from api.pages.fact_words import FactWords
from api.pages.manifests import waits_for
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import language_of
from api.rest.batches import open_batches
from api.rest.readings import Wanted, question_of, today_of
from flows.ids import EnterpriseId
from flows.indicators import PART_WORDS, Value
from flows.times import moment_of
from graph.figures import figures
from graph.prefix import Prefix

NEWEST: Final = 12
REGION_FIGURES: Final = (
    "supply-share", "direct-alloying", "utilization-general", "use-and-disposal-hazardous",
    "fate-utilization-hazardous", "stock-hazardous", "generation-intensity",
)  # fmt: skip
OWN_FIGURES: Final = (
    "use-and-disposal-hazardous", "utilization-general", "fate-utilization-hazardous", "stock-hazardous",
    "stock-general", "generation-intensity",
)  # fmt: skip
FIRST_YEAR: Final = 2000

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def start_page(
    request: Request, reader: TheReader, year: Annotated[int | None, Query(ge=FIRST_YEAR, le=2100)] = None
) -> Response:
    manifests = reader.service.book.open_manifests()
    waiting = [each for each in manifests if waits_for(each, reader)]
    open_ones = [each for each in manifests if reader.sight.sees_manifest(each)]
    newest = list(islice(open_batches(reader.sight, reader.service), NEWEST))
    known = years(reader)
    chosen = year or whole_year(reader, known)
    told: Sequence[Value] = figures_of(reader, chosen) if reader.sight.region or reader.sight.own else ()
    return page(
        request,
        "start.html",
        waiting=waiting,
        to_answer=to_answer(reader),
        words=FactWords(reader, language_of(request)),
        open=open_ones[:NEWEST],
        open_count=len(open_ones),
        newest=newest,
        figures=told,
        year=chosen,
        years=known,
        part_words=PART_WORDS,
    )


def years(reader: Reader) -> list[int]:
    """The years that the ledger has batches of, the latest first; this year where there are none."""
    made_us, today = Prefix(reader.service.lineage, reader.horizon).made_us, today_of(reader.service)
    if not len(made_us):
        return [today.year]
    first, last = moment_of(int(made_us.min())).year, moment_of(int(made_us.max())).year
    return list(range(min(last, today.year), min(first, today.year) - 1, -1))


def whole_year(reader: Reader, known: Sequence[int]) -> int:
    """The latest year that is over, as targets are of whole years; else the one that runs."""
    today = today_of(reader.service)
    return next((each for each in known if each < today.year), known[0])


def figures_of(reader: Reader, year: int, enterprise: EnterpriseId | None = None) -> Sequence[Value]:
    """The headline figures of a year, of the reader's own boundary or of an enterprise in it."""
    today = today_of(reader.service)
    last = min(date(year, 12, 31), max(today, date(year, 1, 1)))
    wanted = Wanted(first=date(year, 1, 1), last=last)
    if enterprise is not None:
        wanted = wanted.model_copy(update={"level": "enterprise", "key": enterprise})
    question = question_of(reader.sight, reader.service, wanted, reader.horizon)
    ids = OWN_FIGURES if question.boundary.level == "enterprise" else REGION_FIGURES
    return list(_once(figures(ids, question, reader.service.columns)))


def _once(values: Sequence[Value]) -> Iterator[Value]:
    """A companion that comes with two figures is told once."""
    told: set[tuple[str, str | None]] = set()
    for value in values:
        key = value.definition.id, value.boundary.metal
        if key not in told:
            told.add(key)
            yield value
