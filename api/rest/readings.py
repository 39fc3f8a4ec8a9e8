"""Readings: fate, provenance and indicators, each with what it counts and the position it was read at."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api.readings import Seen
from api.rest.answers import answer
from api.rest.asking import TheHorizon, TheService, TheSight
from api.rest.batches import Asked, find_scanned
from api.service import Service
from flows.access import Sight
from flows.errors import Forbidden, messages
from flows.indicators import PART_WORDS, Boundary, Definition, Period, Question, Value, definition, definitions
from flows.times import SHANGHAI
from graph.fate import arising, fate, provenance
from graph.figures import By, figures, parts
from graph.lineage import Horizon
from graph.mixing import Basis

Level: TypeAlias = Literal["enterprise", "prefecture", "province", "region"]

router = APIRouter(tags=["readings"])
TheBasis: TypeAlias = Annotated[Basis, Query(description="weighed 按称重；dry 按干重")]


@router.get("/batches/{code}/fate", summary="最终去向（按比例混合），逐克")
def batch_fate(
    code: str, sight: TheSight, service: TheService, horizon: TheHorizon, basis: TheBasis = "weighed"
) -> Response:
    """Where a batch's mass is: grams by final class, summing to its mass."""
    batch = find_scanned(code, sight, service)
    found = fate(service.lineage, service.lineage.rank(batch.batch_id), horizon, basis)
    told = {"batch_id": batch.batch_id} | Seen(sight, service).fate(found)
    return answer(told, position=service.book.position)


@router.get("/batches/{code}/provenance", summary="来源构成（按比例混合）")
def batch_provenance(
    code: str, sight: TheSight, service: TheService, horizon: TheHorizon, basis: TheBasis = "weighed"
) -> Response:
    """Where a batch's mass came from: shares that sum to one."""
    batch = find_scanned(code, sight, service)
    found = provenance(service.lineage, service.lineage.rank(batch.batch_id), horizon, basis)
    told = {"batch_id": batch.batch_id} | Seen(sight, service).provenance(found)
    return answer(told, position=service.book.position)


class Cohort(Asked):
    """Which batches that arose are meant together."""

    holder: Annotated[str | None, Field(description="产生单位信用代码")] = None
    waste_code: Annotated[str | None, Field(description="废物代码")] = None
    material: Annotated[str | None, Field(description="物料编号")] = None
    first: Annotated[date | None, Field(description="产生日期自")] = None
    last: Annotated[date | None, Field(description="产生日期至")] = None


@router.get("/fates", summary="一类产生批次的最终去向：按单位、代码、期间")
def cohort_fate(
    sight: TheSight,
    service: TheService,
    horizon: TheHorizon,
    cohort: Annotated[Cohort, Query()],
    basis: TheBasis = "weighed",
) -> Response:
    """Where all that a generator generated of a code in a period is now."""
    if cohort.holder is None and not sight.region:
        cohort = cohort.model_copy(update={"holder": sight.caller.organisation})
    if cohort.holder is not None and not sight.holds(cohort.holder):
        raise Forbidden("figures-own-only")
    period = (
        Period(cohort.first or date.min, cohort.last or date(9998, 12, 31)) if cohort.first or cohort.last else None
    )
    ranks = arising(
        service.lineage,
        horizon,
        holder=cohort.holder,
        waste_code=cohort.waste_code,
        material=cohort.material,
        from_us=period.begin_us if period and cohort.first else None,
        to_us=period.end_us if period and cohort.last else None,
    )
    seen = [rank for rank in ranks.tolist() if sight.caller.role != "regulator" or Seen(sight, service).oversees(rank)]
    told = {"batches": len(seen)} | Seen(sight, service).fate(fate(service.lineage, seen, horizon, basis))
    return answer(told, position=service.book.position)


class Wanted(Asked):
    """Which figures are asked for: by whose boundary, over which days, in which groups."""

    first: Annotated[date | None, Field(description="起始日，默认本年 1 月 1 日")] = None
    last: Annotated[date | None, Field(description="结束日，默认今日")] = None
    level: Annotated[Level | None, Field(description="范围：enterprise prefecture province region")] = None
    key: Annotated[str, Field(description="范围编号：信用代码，或行政区划前缀")] = ""
    code: Annotated[str | None, Field(description="废物代码或类别")] = None
    material: Annotated[str | None, Field(description="物料编号")] = None
    metal: Annotated[str | None, Field(description="金属")] = None


def own_boundary(sight: Sight, wanted: Wanted) -> Boundary:
    """The boundary that is asked for, or the caller's own.

    Raises:
        Forbidden: the region's figures, or another enterprise's.
    """
    level, key = wanted.level, wanted.key
    if level is None:
        level, key = _home(sight)
    allowed = {
        "auditor": True,
        "regulator": (level in {"prefecture", "province"} and key.startswith(sight.caller.division))
        or (level == "enterprise" and sight.holds(key)),
    }.get(sight.caller.role, level == "enterprise" and key in sight.own)
    if not allowed:
        raise Forbidden("figures-own-only")
    return Boundary(level, key, wanted.code, wanted.material, wanted.metal)


PREFECTURE_DIGITS = len("5101")


def _home(sight: Sight) -> tuple[Level, str]:
    match sight.caller.role:
        case "auditor":
            return "region", ""
        case "regulator":
            division = sight.caller.division[:PREFECTURE_DIGITS]
            return ("prefecture" if len(division) == PREFECTURE_DIGITS else "province"), division
        case _:
            return "enterprise", sight.caller.organisation


def question_of(sight: Sight, service: Service, wanted: Wanted, horizon: Horizon) -> Question:
    """The question that a caller asks, with its own boundary and this year where nothing else is said."""
    today = service.clock().astimezone(SHANGHAI).date()
    last = wanted.last or today
    period = Period(wanted.first or date(last.year, 1, 1), last)
    return Question(period, own_boundary(sight, wanted), horizon.as_of, horizon.at_us)


@router.get("/definitions", summary="指标定义")
def list_definitions() -> Response:
    """Every definition: formula, what counts and when, source."""
    return answer({"rows": [each.model_dump() for each in definitions().values()]})


@router.get("/indicators", summary="指标值，附分子、分母、期间、范围、定义与完整性")
def list_indicators(
    sight: TheSight,
    service: TheService,
    horizon: TheHorizon,
    wanted: Annotated[Wanted, Query()],
    only: Annotated[list[str] | None, Query(description="指标编号，可多个")] = None,
    by: Annotated[list[By] | None, Query(description="分组，可多个")] = None,
) -> Response:
    """Figures with their parts; null carries a reason."""
    question = question_of(sight, service, wanted, horizon)
    values = figures(only or list(definitions()), question, service.columns, by or ())
    return answer({"rows": [value_json(each) for each in values]}, position=service.book.position)


@router.get("/indicators/{indicator}/parts", summary="指标各分量背后的台账条目与克数")
def indicator_parts(
    indicator: str, sight: TheSight, service: TheService, horizon: TheHorizon, wanted: Annotated[Wanted, Query()]
) -> Response:
    """The facts behind numerator and denominator: those of a part sum exactly to it."""
    question = question_of(sight, service, wanted, horizon)
    value = figures([definition(indicator).id], question, service.columns)[0]
    rows = [
        {"part": each.part, "position": each.position, "mass_g": each.mass_g} for each in parts(value, service.columns)
    ]
    return answer({"value": value_json(value), "rows": rows}, position=service.book.position)


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
