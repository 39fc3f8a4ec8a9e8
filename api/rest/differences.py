"""What changed between two dates, and which fact did it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.differences import Because, Changed, Comparison, Figured, State
from api.rest.answers import answer, page_link
from api.rest.asking import PAGE_MOST, READ_MOST, Place, TheCaller, TheService, TheSight, happened_by, known_by
from api.rest.batches import find_scanned
from api.rest.readings import Wanted, question_of, value_json
from api.rest.shapes import Shape, refusals
from api.service import Service
from flows.access import Caller, Sight
from flows.codes import uscc
from flows.errors import Malformed, Unknown
from flows.ids import BatchId, EnterpriseId
from flows.times import moment_of
from graph.lineage import EVERYTHING, Horizon

Json: TypeAlias = dict[str, Any]
_SIDE: Final = "台账位置、登记日期或时刻；不填为现在 · a position, a record day or an instant; now without it"
_HAPPENED: Final = "只算截至此日或此刻已发生的 · only what had happened by then"

router = APIRouter(tags=["readings"])


class Between(Wanted):
    """Two states of knowledge, or two instants, and what of them is compared."""

    since: Annotated[str, Field(alias="from", max_length=READ_MOST, description=f"前：{_SIDE}")] = ""
    until: Annotated[str, Field(alias="to", max_length=READ_MOST, description=f"后：{_SIDE}")] = ""
    from_at: Annotated[str, Field(max_length=READ_MOST, description=f"前：{_HAPPENED}")] = ""
    to_at: Annotated[str, Field(max_length=READ_MOST, description=f"后：{_HAPPENED}")] = ""
    batch: Annotated[str, Field(max_length=400, description="只看此批次 · this batch only")] = ""
    enterprise: Annotated[str, Field(max_length=READ_MOST, description="只看此单位 · what this enterprise holds")] = ""
    only: Annotated[list[str], Field(description="指标编号，可多个 · indicators")] = []
    after: Annotated[Place, Field(description="从第几行之后")] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_MOST, description="每页行数")] = 100

    def sides(self, service: Service) -> tuple[Horizon, Horizon]:
        """Both horizons. Raises as `known_by` and `happened_by`, and `Malformed` where the first is not told."""
        if not self.since.strip() and not self.from_at.strip():
            raise Malformed("difference-needs-two", where="from")
        told = (("from", self.since, "from_at", self.from_at), ("to", self.until, "to_at", self.to_at))
        first, second = (
            Horizon(
                known_by(as_of, service, known_name) if as_of.strip() else None,
                happened_by(at, at_name) if at.strip() else None,
            )
            for known_name, as_of, at_name, at in told
        )
        return first, second


class Side(Shape):
    """One of the two states."""

    position: int
    record_time: str
    digest: str
    at: str | None


class FactTold(Shape):
    """A fact that did it; for a correction the entry that it is about and the reason."""

    position: int
    record_time: str
    kind: str
    enterprise: str
    event_id: str
    corrects: list[int]
    reason: str | None


class FieldTold(Shape):
    """What was, and what is."""

    field: str
    was: Any
    now: Any


class ChangedTold(Shape):
    """A batch or manifest that differs."""

    id: str
    change: str
    fields: list[FieldTold]
    because: list[FactTold]
    others: int


class FiguredTold(Shape):
    """A figure that differs, with the differences of its two masses in grams."""

    definition: str
    was: Json
    now: Json
    numerator_difference_g: int | None
    denominator_difference_g: int | None
    because: list[FactTold]
    others: int


class Differences(Shape):
    """All that differs; `totals` counts the rows of all pages."""

    earlier: Side
    later: Side
    totals: dict[str, int]
    batches: list[ChangedTold]
    manifests: list[ChangedTold]
    figures: list[FiguredTold]


@router.get(
    "/differences",
    summary="两个日期之间的差异：批次、联单、指标，及由哪条登记引起 · What changed between two dates, and which fact did it",
    responses=refusals(Differences, "unknown"),
)
def list_differences(
    request: Request,
    caller: TheCaller,
    sight: TheSight,
    service: TheService,
    between: Annotated[Between, Query()],
) -> Response:
    """What differs between two states of knowledge or two instants, as the caller may see it; figures on the first page."""
    compared = Comparison.of(service, caller, *between.sides(service))
    told = found(compared, between, sight)
    pinned: Json = {
        "from": compared.earlier.position,
        "to": compared.later.position,
        "after": between.after + between.limit,
    }
    headers = page_link(request, **pinned) if told.more else None
    return answer(told.json(), position=compared.later.position, headers=headers)


def compare(service: Service, caller: Caller, between: Between) -> Json:
    """The same for whoever sits at the machine: all rows."""
    compared = Comparison.of(service, caller, *between.sides(service))
    return found(compared, between, service.sight(caller)).json()


@dataclass(frozen=True)
class Found:
    """All that differs and was asked for, and which page of it is wanted."""

    compared: Comparison
    between: Between
    batches: list[Changed]
    manifests: list[Changed]
    figures: list[Figured]

    @property
    def more(self) -> bool:
        """Is there a page behind this one?"""
        return self.between.after + self.between.limit < max(len(self.batches), len(self.manifests))

    def json(self) -> Json:
        """One page; figures come with the first."""
        begin, end = self.between.after, self.between.after + self.between.limit
        return {
            "earlier": side_json(self.compared.earlier),
            "later": side_json(self.compared.later),
            "totals": {"batches": len(self.batches), "manifests": len(self.manifests), "figures": len(self.figures)},
            "batches": [changed_json(each) for each in self.batches[begin:end]],
            "manifests": [changed_json(each) for each in self.manifests[begin:end]],
            "figures": [figured_json(each) for each in self.figures],
        }


def found(compared: Comparison, between: Between, sight: Sight) -> Found:
    """What differs of what is asked for; figures with the first page only, and not for one batch.

    Raises:
        Forbidden: figures of another.
        Unknown: a batch that is on neither side, or not the caller's to see.
    """
    service = compared.later.service
    whose = uscc(between.enterprise) if between.enterprise else None
    which = _batch_of(between.batch, compared) if between.batch else None
    batches = [each for each in compared.batches() if _of_batch(each, which, whose, compared)]
    manifests = [] if which else [each for each in compared.manifests() if _of_manifest(each, whose, compared)]
    figured: list[Figured] = []
    if which is None and between.after == 0 and (sight.region or sight.own):
        wanted = between if whose is None else between.model_copy(update={"level": "enterprise", "key": whose})
        figured = list(compared.figures(question_of(sight, service, wanted, EVERYTHING), between.only))
    return Found(compared, between, batches, manifests, figured)


def _batch_of(code: str, compared: Comparison) -> BatchId:
    """The batch that a code means on either side, the later first.

    Raises:
        Unknown: on neither.
    """
    try:
        return find_scanned(code, compared.later.sight, compared.later.service).batch_id
    except Unknown:
        return find_scanned(code, compared.earlier.sight, compared.earlier.service).batch_id


def _of_batch(each: Changed, which: BatchId | None, whose: EnterpriseId | None, compared: Comparison) -> bool:
    if which is not None:
        return each.name == which
    if whose is None:
        return True
    found = [side.service.book.find_batch(each.name) for side in (compared.earlier, compared.later)]
    return any(batch is not None and batch.holder == whose for batch in found)


def _of_manifest(each: Changed, whose: EnterpriseId | None, compared: Comparison) -> bool:
    if whose is None:
        return True
    found = [side.service.book.find_manifest(each.name) for side in (compared.earlier, compared.later)]
    return any(manifest is not None and whose in manifest.parties for manifest in found)


def side_json(side: State) -> Json:
    """A state by its last entry, and its instant if it has one."""
    head, at_us = side.service.head, side.horizon.at_us
    return {
        "position": head.position,
        "record_time": moment_of(head.record_time_us).isoformat(),
        "digest": head.digest,
        "at": None if at_us is None else moment_of(at_us).isoformat(),
    }


def fact_json(each: Because) -> Json:
    """A fact that did it: which, who, when, and why where it is a correction."""
    entry = each.entry
    return {
        "position": entry.position,
        "record_time": entry.record_time.isoformat(),
        "kind": entry.event.kind,
        "enterprise": entry.enterprise,
        "event_id": entry.event_id,
        "corrects": list(each.corrects),
        "reason": each.reason,
    }


def _facts(because: Iterable[Because]) -> list[Json]:
    return [fact_json(each) for each in because]


def changed_json(each: Changed) -> Json:
    """A batch or manifest that differs, value by value."""
    fields = [{"field": name, "was": was, "now": now} for name, (was, now) in each.fields.items()]
    return {
        "id": each.name, "change": each.how, "fields": fields, "because": _facts(each.because), "others": each.others,
    }  # fmt: skip


def figured_json(each: Figured) -> Json:
    """A figure that differs, with the differences of its masses."""
    was, now = each.was, each.now
    return {
        "definition": f"{now.definition.id}@{now.definition.version}",
        "was": value_json(was),
        "now": value_json(now),
        "numerator_difference_g": _less(now.numerator_g, was.numerator_g),
        "denominator_difference_g": _less(now.denominator_g, was.denominator_g),
        "because": _facts(each.because),
        "others": each.others,
    }


def _less(now: int | None, was: int | None) -> int | None:
    return None if now is None or was is None else now - was
