"""The shapes of the answers, for the description of the interface; tests hold every answer to them.

Answers are written by hand as plain values: these models describe them, and are not on their way.
"""

from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from api.problems import OK, PROBLEM_JSON, STATUS, Unsigned
from flows.errors import Forbidden, Malformed, Problem, Refusal, Unknown
from graph.store_problems import StoreAway, StoreFull

PDF: Final = "application/pdf"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
Json: TypeAlias = dict[str, Any]


class Shape(BaseModel):
    """An answer, with these members and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemAnswer(Shape):
    """RFC 9457. `code` is the message's key, `figures` its numbers, `errors` the faults of shape, each with its place.

    `later` are the entries that could not stand after a correction, each with its own reason; others' are only counted.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    figures: dict[str, str | int | float | None]
    where: str | None = None
    errors: list["FaultAnswer"] = []
    later: list[Json] = []


class FaultAnswer(Shape):
    """One fault of shape: where in the input, what kind, what is wrong."""

    where: str
    code: str
    detail: str


class Finding(Shape):
    """What was admitted and does not add up."""

    code: str
    detail: str
    figures: dict[str, str | int | float | None]


class RecordedEntry(Shape):
    """Where a fact stands in the ledger."""

    position: int
    event_id: str
    record_time: str
    digest: str


class Recorded(Shape):
    """What a statement became; a retry gets the same."""

    entries: list[RecordedEntry]
    findings: list[Finding]


class OwnColumn(Shape):
    """An enterprise's own header on one sheet, and the column of ours that it is read as; null: it is not read."""

    sheet: str
    header: str
    column: str | None


class OwnColumns(Shape):
    """What an enterprise calls its columns."""

    enterprise: str
    columns: list[OwnColumn]


class Entry(Shape):
    """An entry of the ledger; `recorded_by` is its stater's to know."""

    position: int
    record_time: str
    recorded_by: str | None
    digest: str
    event: Json


class Entries(Shape):
    """A page of entries."""

    rows: list[Entry]


class Batch(Shape):
    """A batch as it stands."""

    batch_id: str
    code: str | None
    digital_code: str | None
    material: str
    name_zh: str
    name_en: str
    waste_code: str | None
    waste_edition: str | None
    item_pending: bool
    legal_status: str
    holder: str
    site_id: str
    division: str | None
    origin: str
    place: str | None
    storage_id: str | None
    manifest_id: str | None
    mass_g: int
    left_g: int | None
    made: str
    position: int


class Batches(Shape):
    """A page of batches."""

    rows: list[Batch]


class PartAnswer(Shape):
    """What a decision made of a side of a line."""

    batch_id: str
    mass_g: int
    code: str | None


class ManifestLine(Shape):
    """A line with what each party said of it."""

    line: int
    batch_id: str
    material: str
    name_zh: str
    waste_code: str | None
    submitted_g: int
    load_id: str | None
    loaded_g: int | None
    arrived_g: int | None
    difference_g: int | None
    accepted: PartAnswer | None
    rejected: PartAnswer | None
    reason: str | None


class ManifestFact(Shape):
    """One step of a manifest."""

    position: int
    kind: str
    event_time: str


class Manifest(Shape):
    """A manifest as it stands."""

    manifest_id: str
    internal_no: str
    official_no: str | None
    state: str
    consignor: str
    consignee: str
    method: str
    legs: list[Json]
    lines: list[ManifestLine]
    facts: list[ManifestFact]


class Manifests(Shape):
    """A page of manifests."""

    rows: list[Manifest]


class NodeRow(Shape):
    """A batch of a trace. What the caller may not know is null; day, prefecture and the own share are told always."""

    seen: bool
    depth: int
    share: float
    content_g: float
    date: str
    prefecture: str | None
    batch_id: str | None
    holder: str | None
    material: str | None
    mass_g: int | None
    left_g: int | None


class EdgeRow(Shape):
    """From one node to another, by their places in the whole trace; `content_g` is the root's own mass."""

    giver: int = Field(alias="from")
    taker: int = Field(alias="to")
    content_g: float
    mass_g: float | None
    position: int | None


class Crossing(Shape):
    """Mass over the boundary. `node` is the batch of a gap of its own."""

    content_g: float
    mass_g: float | None
    detail: str | None
    position: int | None
    node: int | None


class EndRow(Crossing):
    """Where mass ended."""

    fate: str = Field(alias="class")


class SourceRow(Crossing):
    """Where mass came from."""

    boundary: str


class Trace(Shape):
    """A trace. In `rows` each table is a list of rows, a page of them; in `columns` an object of whole columns."""

    root: str
    form: Literal["rows", "columns"]
    totals: dict[str, int] | None = None
    nodes: list[NodeRow] | dict[str, list[Any]]
    edges: list[EdgeRow] | dict[str, list[Any]]
    ends: list[EndRow] | dict[str, list[Any]]
    sources: list[SourceRow] | dict[str, list[Any]]


class Footing(Shape):
    """Of the source's mass as weighed, what had its moisture assayed, assumed, or taken as none."""

    assayed_g: int
    assumed_g: int
    as_weighed_g: int


class FateRow(Shape):
    """One class of fate, with the least and the most that masses alone allow (for regulators)."""

    fate: str = Field(alias="class")
    name_zh: str
    name_en: str
    mass_g: int
    share: float | None
    least_g: int | None
    most_g: int | None


class Fates(Shape):
    """Where mass ended: rows that sum to `mass_g`."""

    mass_g: int
    basis: str
    policy: str
    bounds: str | None
    footing: Footing
    classes: list[FateRow]


class Fate(Fates):
    """Where a batch's mass ended."""

    batch_id: str


class CohortFate(Fates):
    """Where the mass of many batches ended."""

    batches: int


class Provenance(Shape):
    """Where a batch's mass came from: shares that sum to one."""

    batch_id: str
    mass_g: int
    basis: str
    policy: str
    sources: list[Json]


class Value(Shape):
    """A figure with everything it rests on."""

    definition: str
    name_zh: str
    name_en: str
    unit: str
    view: str
    basis: str
    period: dict[str, str]
    boundary: dict[str, str | None]
    as_of: int | None
    numerator_g: int | None
    denominator_g: int | None
    value: float | None
    exact: str | None
    shown: str | None
    verdict: str | None
    reason: str | None
    reason_text: dict[str, str] | None
    note: str | None
    note_text: dict[str, str] | None
    parts: list[Json]
    completeness: dict[str, int] | None


class Values(Shape):
    """Figures."""

    rows: list[Value]


class PartRow(Shape):
    """What one entry adds to a part; its position where the caller may read it."""

    part: str
    position: int | None
    mass_g: int


class ValueParts(Shape):
    """A figure, and the entries behind it."""

    value: Value
    rows: list[PartRow]


class Definitions(Shape):
    """Every definition."""

    rows: list[Json]


class Network(Shape):
    """Who supplies whom, and what that looks like from above."""

    supplies: list[Json]
    cycles: list[Json]
    communities: list[list[str]]
    choke_points: list[Json]


_REFUSALS: Final[dict[str, tuple[type[Problem], str]]] = {
    "unsigned": (Unsigned, "需要密钥 · no key, or one that stands for nobody"),
    "forbidden": (Forbidden, "无权办理 · not for this caller"),
    "malformed": (Malformed, "内容无法识别 · the words make no sense"),
    "unknown": (Unknown, "不存在或不可见 · never recorded, or not for this caller to see"),
    "conflict": (Refusal, "不予登记或编号冲突 · a rule says no, or one name for two facts"),
    "away": (
        StoreAway,
        "台账暂时无法读写，或本进程尚未读到您见过的位置 · the ledger is out of reach for the moment, or not read up to what you saw",
    ),
    "full": (StoreFull, "磁盘空间不足，没有保留 · no room on the disk, nothing was kept"),
}
_ALWAYS: Final = ("unsigned", "forbidden", "malformed", "away")


def refusals(
    shape: type[BaseModel] | None, *kinds: str, status: int = OK, media: tuple[str, ...] = ()
) -> dict[int | str, dict[str, Any]]:
    """The answers of a route: its shape, or bytes of these media types, and what it may refuse."""
    good: dict[str, Any] = {"description": "good"}
    if shape is not None:
        good["model"] = shape
    else:
        good["content"] = {each: {"schema": {"type": "string", "format": "binary"}} for each in media}
    told: dict[int | str, dict[str, Any]] = {status: good}
    for kind in (*_ALWAYS, *kinds):
        problem, words = _REFUSALS[kind]
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
        told[int(STATUS[problem])] = {"description": words, "content": content}
    return told
