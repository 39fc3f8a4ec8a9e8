"""Readings: fate, provenance and indicators, each with what it counts and the position it was read at."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api.problems import OK
from api.readings import Seen
from api.rest import shapes
from api.rest.answers import answer
from api.rest.asking import Asked, Day, KnownPosition, KnownService, KnownSight, TheHorizon, check_filters
from api.rest.batches import find_scanned
from api.rest.shapes import refusals
from api.service import Service
from flows.access import Sight
from flows.errors import messages
from flows.indicators import (
    PART_WORDS,
    Boundary,
    Definition,
    Level,
    Period,
    Question,
    Value,
    definition,
    definitions,
)
from flows.times import SHANGHAI, earliest_us, latest_us, moment_of
from graph.fate import arising, fate, provenance
from graph.figures import By, figures, parts
from graph.lineage import Horizon
from graph.mixing import Basis

router = APIRouter(tags=["readings"])
TheBasis: TypeAlias = Annotated[Basis, Query(description="weighed 按称重；dry 按干重")]


@router.get(
    "/batches/{code}/fate",
    summary="最终去向（按比例混合），逐克 · Where a batch's mass is now",
    responses=refusals(shapes.Fate, "unknown"),
)
def batch_fate(  # one parameter for each thing that FastAPI hands in
    code: str,
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    basis: TheBasis = "weighed",
) -> Response:
    """Where a batch's mass is: grams by final class, summing to its mass."""
    batch = find_scanned(code, sight, service)
    sight.check_follows(batch)
    found = fate(service.lineage, service.lineage.rank(batch.batch_id), horizon, basis)
    return answer({"batch_id": batch.batch_id} | Seen(sight, service).fate(found), position=position)


@router.get(
    "/batches/{code}/provenance",
    summary="来源构成（按比例混合） · Where a batch's mass came from",
    responses=refusals(shapes.Provenance, "unknown"),
)
def batch_provenance(  # one parameter for each thing that FastAPI hands in
    code: str,
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    basis: TheBasis = "weighed",
) -> Response:
    """Where a batch's mass came from: shares that sum to one."""
    batch = find_scanned(code, sight, service)
    sight.check_follows(batch)
    found = provenance(service.lineage, service.lineage.rank(batch.batch_id), horizon, basis)
    return answer({"batch_id": batch.batch_id} | Seen(sight, service).provenance(found), position=position)


class Cohort(Asked):
    """Which batches that arose are meant together."""

    holder: Annotated[str | None, Field(description="产生单位信用代码")] = None
    waste_code: Annotated[str | None, Field(description="废物代码")] = None
    material: Annotated[str | None, Field(description="物料编号")] = None
    first: Annotated[Day | None, Field(description="产生日期自")] = None
    last: Annotated[Day | None, Field(description="产生日期至")] = None


@router.get(
    "/fates",
    summary="一类产生批次的最终去向：按单位、代码、期间 · Where all of a waste is now",
    responses=refusals(shapes.CohortFate, "unknown"),
)
def cohort_fate(  # one parameter for each thing that FastAPI hands in
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    cohort: Annotated[Cohort, Query()],
    basis: TheBasis = "weighed",
) -> Response:
    """Where all that a generator generated of a code in a period is now; regulators ask for all in their charge."""
    holder = cohort.holder
    if holder is None and not sight.region:
        holder = sight.caller.organisation
    if holder is not None:
        sight.check_figures("enterprise", holder)
    check_filters(service.catalogue, [cohort.material], [cohort.waste_code])
    ranks = arising(
        service.lineage,
        horizon,
        holder=holder,
        waste_code=cohort.waste_code,
        material=cohort.material,
        from_us=earliest_us(cohort.first) if cohort.first else None,
        to_us=latest_us(cohort.last) + 1 if cohort.last else None,
    )
    seen = Seen(sight, service)
    own = [rank for rank in ranks.tolist() if seen.oversees(rank)]
    told = {"batches": len(own)} | seen.fate(fate(service.lineage, own, horizon, basis))
    return answer(told, position=position)


class Wanted(Asked):
    """Which figures are asked for: by whose boundary, over which days, in which groups."""

    first: Annotated[Day | None, Field(description="起始日，默认本年 1 月 1 日")] = None
    last: Annotated[Day | None, Field(description="结束日，默认今日")] = None
    level: Annotated[Level | None, Field(description="范围：enterprise prefecture province region")] = None
    key: Annotated[str, Field(description="范围编号：信用代码，或行政区划前缀")] = ""
    code: Annotated[str | None, Field(description="废物代码或类别")] = None
    material: Annotated[str | None, Field(description="物料编号")] = None
    metal: Annotated[str | None, Field(description="金属")] = None


def today_of(service: Service) -> date:
    """Today in Shanghai, or the day of the last entry where the service is pinned: what is asked again later is asked
    of the same year.
    """
    now = service.clock() if service.as_of is None else moment_of(service.head.record_time_us)
    return now.astimezone(SHANGHAI).date()


def question_of(sight: Sight, service: Service, wanted: Wanted, horizon: Horizon) -> Question:
    """The question that a caller asks, with its own boundary and this year where nothing else is said.

    Raises:
        Forbidden: the region's figures, or another's.
        Malformed: a period that runs backwards.
        Unknown: a filter that names nothing.
    """
    today = today_of(service)
    last = wanted.last or today
    period = Period(wanted.first or date(last.year, 1, 1), last)
    level, key = sight.home() if wanted.level is None else (wanted.level, wanted.key)
    sight.check_figures(level, key)
    check_filters(service.catalogue, [wanted.material], [wanted.code], wanted.metal)
    boundary = Boundary(level, key, wanted.code, wanted.material, wanted.metal)
    return Question(period, boundary, horizon.as_of, horizon.at_us)


@router.get(
    "/definitions", summary="指标定义 · The indicators' definitions", responses={OK: {"model": shapes.Definitions}}
)
def list_definitions() -> Response:
    """Every definition: formula, what counts and when, source."""
    return answer({"rows": [each.model_dump() for each in definitions().values()]})


@router.get(
    "/indicators",
    summary="指标值，附分子、分母、期间、范围、定义与完整性 · Indicators with their parts",
    responses=refusals(shapes.Values, "unknown"),
)
def list_indicators(  # one parameter for each thing that FastAPI hands in
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    wanted: Annotated[Wanted, Query()],
    only: Annotated[list[str] | None, Query(description="指标编号，可多个")] = None,
    by: Annotated[list[By] | None, Query(description="分组，可多个")] = None,
) -> Response:
    """Figures with their parts; null carries a reason."""
    question = question_of(sight, service, wanted, horizon)
    values = figures(only or list(definitions()), question, service.columns, by or ())
    return answer({"rows": [value_json(each) for each in values]}, position=position)


@router.get(
    "/indicators/{indicator}/parts",
    summary="指标各分量背后的台账条目与克数 · The entries behind an indicator",
    responses=refusals(shapes.ValueParts, "unknown"),
)
def indicator_parts(  # one parameter for each thing that FastAPI hands in
    indicator: str,
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """The facts behind numerator and denominator: those of a part sum exactly to it.

    An entry that the caller may not read keeps its mass, which is the caller's own, and not its position.
    """
    question = question_of(sight, service, wanted, horizon)
    value = figures([definition(indicator).id], question, service.columns)[0]
    seen = Seen(sight, service)
    rows = [
        {"part": each.part, "position": each.position if seen.reads(each.position) else None, "mass_g": each.mass_g}
        for each in parts(value, service.columns)
    ]
    return answer({"value": value_json(value), "rows": rows}, position=position)


def value_json(value: Value) -> dict[str, object]:
    """A figure with everything it rests on."""
    each, boundary, completeness = value.definition, value.boundary, value.completeness
    return {
        "definition": f"{each.id}@{each.version}",
        "name_zh": each.name_zh,
        "name_en": each.name_en,
        "unit": each.unit,
        "view": each.view,
        "basis": each.basis,
        "period": {"first": value.period.first.isoformat(), "last": value.period.last.isoformat()},
        "boundary": {"level": boundary.level, "key": boundary.key, "code": boundary.code,
                     "material": boundary.material, "metal": boundary.metal},
        "as_of": value.as_of,
        "numerator_g": value.numerator_g,
        "denominator_g": value.denominator_g,
        "value": value.ratio,
        "exact": value.ratio_text,
        "shown": value.shown(),
        "verdict": value.verdict,
        "reason": value.reason,
        "reason_text": _words(value.reason),
        "note": value.note,
        "note_text": _words(value.note),
        "parts": _parts(each, value),
        "completeness": None if completeness is None else {
            "batches": completeness.batches, "assayed": completeness.assayed,
            "open_manifests": completeness.open_manifests, "late_manifests": completeness.late_manifests,
            "months": completeness.months, "months_with_data": completeness.months_with_data,
        },
    }  # fmt: skip


def _parts(each: Definition, value: Value) -> Sequence[dict[str, object]]:
    sides = dict.fromkeys(each.numerator, "numerator") | dict.fromkeys(each.denominator, "denominator")
    return [
        {
            "part": part,
            "side": sides.get(part),
            "name_zh": PART_WORDS[part][0],
            "name_en": PART_WORDS[part][1],
            "mass_g": mass_g,
        }
        for part, mass_g in value.parts.items()
    ]


def _words(key: str | None) -> dict[str, str] | None:
    return dict(messages()[key]) if key is not None and key in messages() else None
