"""The closed set of facts: what an enterprise or an authority may state, each with the law's word for it.

A caller states a fact; the house admits it unchanged or refuses it. The JSON form of each, with a worked
example, stands in ``docs/facts.md``. Masses are whole grams, shares whole parts per million.
"""

from datetime import date
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, TypeAdapter

from flows.enterprises import (
    Approval,
    Code,
    DivisionCode,
    Facility,
    Frozen,
    Mandate,
    Name,
    Permit,
    Plan,
    Ppm,
    Role,
    Scale,
    Site,
    StorageArea,
    Text,
    Vehicle,
)
from flows.ids import BatchId, EnterpriseId, EventId, Id, ManifestId, SiteId
from flows.mass import Grams
from flows.times import EventTime

LINES_MAX = 200  # a lorry carries fewer kinds of waste, and a furnace charge fewer lots
CHANGES_MAX = 100  # somebody reads them all before agreeing, and neighbours wait while they are judged
Metal: TypeAlias = Literal["al", "cu", "zn", "pb", "ni", "sn", "sb", "hg", "mg", "ti", "si", "v", "re", "li", "all"]
LegalStatus: TypeAlias = Literal["hazardous_waste", "general_waste", "recycled_raw_material", "product"]
"""危险废物 · 一般工业固体废物 · 再生原料 · 产品"""


class Packing(Frozen):
    """容器. How a batch is packed: the code on the container, its type, how many."""

    code: Code
    type: Text = ""
    count: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1


class Product(Frozen):
    """A new batch: an amount of one material, under a name of its own within its site."""

    batch_id: BatchId
    material: Code
    mass_g: Grams
    code: Code | None = None
    packing: Packing | None = None


class Portion(Frozen):
    """份量. Some of a batch, as weighed. `rest` is all that is left: it closes the batch, whatever it weighs."""

    batch_id: BatchId
    mass_g: Grams
    rest: bool = False


class Addition(Frozen):
    """添加物. Flux, lime, water, air or bought metal that no batch carries: a source of its own."""

    material: Code
    mass_g: Grams


LossKind: TypeAlias = Literal["moisture", "volatile", "combustion", "dust", "handling", "other"]


class Loss(Frozen):
    """损耗. A declared loss: moisture 水分, volatile 挥发, combustion 烧失, dust 扬散, handling 搬运, other 其他."""

    kind: LossKind
    mass_g: Grams


Portions: TypeAlias = Annotated[tuple[Portion, ...], Field(min_length=1, max_length=LINES_MAX)]


class Fact(Frozen):
    """What all facts say: who states it, under which name of theirs, and when it happened."""

    event_id: EventId
    enterprise: EnterpriseId
    event_time: EventTime
    note: Text | None = None


# who ---------------------------------------------------------------------------------------------------------------


class EnterpriseRegistered(Fact):
    """单位登记. An enterprise entered itself (or its entry anew), by its unified social credit code."""

    kind: Literal["enterprise_registered"] = "enterprise_registered"
    name: Name
    name_en: Text = ""
    division: DivisionCode
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    contact: Text = ""
    phone: Text = ""


class EnterpriseConfirmed(Fact):
    """单位确认. A regulator of the division confirmed an enterprise's registration."""

    kind: Literal["enterprise_confirmed"] = "enterprise_confirmed"
    confirmed: EnterpriseId


class SiteRegistered(Fact):
    """场所登记."""

    kind: Literal["site_registered"] = "site_registered"
    site: Site


class FacilityRegistered(Fact):
    """设施登记."""

    kind: Literal["facility_registered"] = "facility_registered"
    facility: Facility


class StorageRegistered(Fact):
    """贮存设施登记."""

    kind: Literal["storage_registered"] = "storage_registered"
    storage: StorageArea


class ScaleRegistered(Fact):
    """计量器具登记."""

    kind: Literal["scale_registered"] = "scale_registered"
    scale: Scale


class VehicleRegistered(Fact):
    """车辆登记."""

    kind: Literal["vehicle_registered"] = "vehicle_registered"
    vehicle: Vehicle


class PermitGranted(Fact):
    """许可证颁发."""

    kind: Literal["permit_granted"] = "permit_granted"
    permit: Permit


class PermitAmended(Fact):
    """许可证变更. The lines and dates of a permit from now on."""

    kind: Literal["permit_amended"] = "permit_amended"
    permit: Permit


class PermitRevoked(Fact):
    """许可证注销."""

    kind: Literal["permit_revoked"] = "permit_revoked"
    permit_no: Code
    reason: Text


class PlanFiled(Fact):
    """管理计划备案."""

    kind: Literal["plan_filed"] = "plan_filed"
    plan: Plan


class ApprovalGranted(Fact):
    """跨省转移批准."""

    kind: Literal["approval_granted"] = "approval_granted"
    approval: Approval


class MandateGiven(Fact):
    """委托."""

    kind: Literal["mandate_given"] = "mandate_given"
    mandate: Mandate


class MandateEnded(Fact):
    """委托终止."""

    kind: Literal["mandate_ended"] = "mandate_ended"
    mandate_id: Id


# arising -----------------------------------------------------------------------------------------------------------


class StockDeclared(Fact):
    """期初库存. A batch that lay at the site before the ledger began; `since` is when it arose, if known."""

    kind: Literal["stock_declared"] = "stock_declared"
    site_id: SiteId
    product: Product
    since: date | None = None


class Generated(Fact):
    """产生. Waste arose from a process and was weighed."""

    kind: Literal["generated"] = "generated"
    site_id: SiteId
    facility_id: Id | None = None
    product: Product


class Collected(Fact):
    """回收. Scrap was bought or collected: `old` from discarded products, `new` from manufacturing."""

    kind: Literal["collected"] = "collected"
    site_id: SiteId
    scrap: Literal["old", "new"]
    product: Product
    supplier: Text = ""
    supplier_division: DivisionCode | None = None


class Tapped(Fact):
    """出铝、出炉. Primary metal was tapped from ore-based production."""

    kind: Literal["tapped"] = "tapped"
    site_id: SiteId
    facility_id: Id | None = None
    product: Product


class Packed(Fact):
    """装入容器. A batch was put into containers."""

    kind: Literal["packed"] = "packed"
    batch_id: BatchId
    packing: Packing


# storing -----------------------------------------------------------------------------------------------------------


class Stored(Fact):
    """入库. All of a batch was put into a storage area; its storage code is another name for it."""

    kind: Literal["stored"] = "stored"
    batch_id: BatchId
    storage_id: Id
    code: Code | None = None


class TakenOut(Fact):
    """出库. All of a batch was taken out of storage. Taking part of it is a split, then this."""

    kind: Literal["taken_out"] = "taken_out"
    batch_id: BatchId
    code: Code | None = None


# measuring ---------------------------------------------------------------------------------------------------------


class Grade(Frozen):
    """品位. An element's share of the dry mass, with its standard uncertainty and the method."""

    element: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    ppm: Ppm
    uncertainty_ppm: Ppm | None = None
    method: Text = ""


class Assayed(Fact):
    """化验. Moisture (share of the wet mass) and grades (shares of the dry mass) of a batch."""

    kind: Literal["assayed"] = "assayed"
    batch_id: BatchId
    assay_no: Code | None = None
    moisture_ppm: Ppm | None = None
    moisture_uncertainty_ppm: Ppm | None = None
    grades: tuple[Grade, ...] = ()
    laboratory: Text = ""


class StockTaken(Fact):
    """盘点. What was counted at a site of one material. It asserts; it moves nothing."""

    kind: Literal["stock_taken"] = "stock_taken"
    site_id: SiteId
    material: Code
    counted_g: Annotated[int, Field(ge=0, strict=True)]


class StatusChanged(Fact):
    """属性变更. What a batch is in law changed, on a stated basis."""

    kind: Literal["status_changed"] = "status_changed"
    batch_id: BatchId
    status: LegalStatus
    basis: Annotated[str, Field(min_length=1, max_length=500)]


# making ------------------------------------------------------------------------------------------------------------


class Transformed(Fact):
    """加工. Portions and additions became batches and losses. Repacking, merging and splitting are of this kind."""

    kind: Literal["transformed"] = "transformed"
    site_id: SiteId
    facility_id: Id | None = None
    process: Code
    method: Code | None = None
    inputs: Portions
    additions: Annotated[tuple[Addition, ...], Field(max_length=LINES_MAX)] = ()
    outputs: Annotated[tuple[Product, ...], Field(max_length=LINES_MAX)] = ()
    losses: Annotated[tuple[Loss, ...], Field(max_length=LINES_MAX)] = ()
    gap_reason: Text | None = None


# moving ------------------------------------------------------------------------------------------------------------

LineNo: TypeAlias = Annotated[int, Field(ge=1, le=LINES_MAX, strict=True)]


class ManifestLine(Frozen):
    """One line of a manifest: which batch, and how much of it is to be moved."""

    line: LineNo
    batch_id: BatchId
    mass_g: Grams


class Leg(Frozen):
    """运输段. A carrier on the platform, or one outside it by name; the vehicle; where from and to."""

    carrier: EnterpriseId | None = None
    carrier_name: Text = ""
    plate: Annotated[str, Field(min_length=7, max_length=8)] | None = None
    driver: Text = ""
    start: Text = ""
    end: Text = ""


class Submitted(Fact):
    """提交联单. The consignor declares a transfer: lines, legs, parties and the intended method."""

    kind: Literal["submitted"] = "submitted"
    manifest_id: ManifestId
    internal_no: Code
    official_no: Annotated[str, Field(pattern=r"^\d{14}$")] | None = None
    consignor_site: SiteId
    consignee: EnterpriseId
    consignee_site: SiteId
    lines: Annotated[tuple[ManifestLine, ...], Field(min_length=1, max_length=LINES_MAX)]
    legs: Annotated[tuple[Leg, ...], Field(min_length=1, max_length=20)]
    method: Code
    shipper: Literal["consignor", "consignee"] = "consignor"
    approval_no: Code | None = None

    @property
    def number(self) -> str:
        """The number that people know it by: the national system's, or the consignor's own until that is there."""
        return self.official_no or self.internal_no


class LoadedLine(Frozen):
    """A portion that went onto the vehicle, weighed, and the new batch that it is on the road."""

    line: LineNo
    portion: Portion
    load_id: BatchId
    scale_id: Id | None = None


class Loaded(Fact):
    """装车起运. The lines are on the vehicle, still the consignor's until they are decided."""

    kind: Literal["loaded"] = "loaded"
    manifest_id: ManifestId
    plate: Annotated[str, Field(min_length=7, max_length=8)] | None = None
    lines: Annotated[tuple[LoadedLine, ...], Field(min_length=1, max_length=LINES_MAX)]
    gap_reason: Text | None = None


class ArrivedLine(Frozen):
    """What the consignee's scale read for a line."""

    line: LineNo
    mass_g: Grams
    scale_id: Id | None = None


class Arrived(Fact):
    """运抵. The vehicle reached the consignee and was weighed."""

    kind: Literal["arrived"] = "arrived"
    manifest_id: ManifestId
    lines: Annotated[tuple[ArrivedLine, ...], Field(min_length=1, max_length=LINES_MAX)]


class Part(Frozen):
    """One side of a decision: the batch that the accepted, or the rejected, mass becomes."""

    batch_id: BatchId
    mass_g: Grams
    code: Code | None = None


class DecidedLine(Frozen):
    """Accepted, partly or rejected: the two parts make up what arrived. A rejected part needs a reason."""

    line: LineNo
    load_id: BatchId
    accepted: Part | None = None
    rejected: Part | None = None
    reason: Text = ""
    method: Code | None = None


class Decided(Fact):
    """接受确认. The consignee's word on each line; the accepted part is the consignee's from here on."""

    kind: Literal["decided"] = "decided"
    manifest_id: ManifestId
    lines: Annotated[tuple[DecidedLine, ...], Field(min_length=1, max_length=LINES_MAX)]


class Cancelled(Fact):
    """撤销联单. Before loading only."""

    kind: Literal["cancelled"] = "cancelled"
    manifest_id: ManifestId
    reason: Annotated[str, Field(min_length=1, max_length=500)]


# ending ------------------------------------------------------------------------------------------------------------


class Disposed(Fact):
    """处置. Portions were disposed of by a method (D1 landfill, D10 incineration …)."""

    kind: Literal["disposed"] = "disposed"
    site_id: SiteId
    facility_id: Id | None = None
    portions: Portions
    method: Code
    gap_reason: Text | None = None


Use: TypeAlias = Literal["product", "by_product", "building_material", "backfill", "municipal_works", "energy"]
"""产品 · 副产品 · 建材 · 回填 · 市政工程 · 能源"""


class Delivered(Fact):
    """出厂. Portions left as product, by-product, material or energy use."""

    kind: Literal["delivered"] = "delivered"
    site_id: SiteId
    portions: Portions
    use: Use
    receiver: Text = ""
    receiver_division: DivisionCode | None = None
    gap_reason: Text | None = None


class Left(Fact):
    """离开可见范围. Portions went to a receiver outside the platform, or abroad."""

    kind: Literal["left"] = "left"
    site_id: SiteId
    portions: Portions
    receiver: Annotated[str, Field(min_length=1, max_length=500)]
    receiver_division: DivisionCode | None = None
    abroad: bool = False
    export_notice_no: Text = ""
    gap_reason: Text | None = None


# figures -----------------------------------------------------------------------------------------------------------

FigureName: TypeAlias = Literal[
    "primary_output", "refined_output", "ten_metals_output", "metal_imports", "metal_exports", "energy_use"
]


class FigureDeclared(Fact):
    """外部数据. A figure that no batch carries, with its source and period; masses in grams, energy in kWh."""

    kind: Literal["figure_declared"] = "figure_declared"
    figure: FigureName
    metal: Metal = "all"
    division: DivisionCode
    period_from: date
    period_to: date
    mass_g: Grams | None = None
    energy_kwh: Annotated[int, Field(ge=0, strict=True)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=500)]


Stated: TypeAlias = (
    EnterpriseRegistered
    | EnterpriseConfirmed
    | SiteRegistered
    | FacilityRegistered
    | StorageRegistered
    | ScaleRegistered
    | VehicleRegistered
    | PermitGranted
    | PermitAmended
    | PermitRevoked
    | PlanFiled
    | ApprovalGranted
    | MandateGiven
    | MandateEnded
    | StockDeclared
    | Generated
    | Collected
    | Tapped
    | Packed
    | Stored
    | TakenOut
    | Assayed
    | StockTaken
    | StatusChanged
    | Transformed
    | Submitted
    | Loaded
    | Arrived
    | Decided
    | Cancelled
    | Disposed
    | Delivered
    | Left
    | FigureDeclared
)
"""What can be corrected: all facts but those that mend."""

# mending -----------------------------------------------------------------------------------------------------------


class Amendment(Frozen):
    """更正项. One fact that is to be read as another: whose it is, its name, what it says now and what it is to say.

    `was` absent: it was withdrawn before, and is stated anew. `becomes` absent: it is withdrawn (撤销登记).
    """

    stated_by: EnterpriseId
    corrects: EventId
    was: Annotated[Stated | None, Field(discriminator="kind")] = None
    becomes: Annotated[Stated | None, Field(discriminator="kind")] = None

    @property
    def fact(self) -> Stated:
        """The fact in its newer form, or in its last where it is withdrawn."""
        fact = self.becomes or self.was
        assert fact is not None, "one of both is always given"
        return fact

    @property
    def forms(self) -> tuple[Stated, ...]:
        """What it says now and what it is to say, as far as it says anything."""
        return tuple(form for form in (self.was, self.becomes) if form is not None)


class CorrectionRequested(Fact):
    """申请更正. Facts of one matter are to be read otherwise, all of them or none, and why."""

    kind: Literal["correction_requested"] = "correction_requested"
    changes: Annotated[tuple[Amendment, ...], Field(min_length=1, max_length=CHANGES_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class CorrectionAgreed(Fact):
    """同意更正. The other side of a manifest agrees; from here on the facts are read as corrected."""

    kind: Literal["correction_agreed"] = "correction_agreed"
    requested_by: EnterpriseId
    request: EventId


class CorrectionDeclined(Fact):
    """不同意更正. The other side declines, or the requester takes its request back."""

    kind: Literal["correction_declined"] = "correction_declined"
    requested_by: EnterpriseId
    request: EventId
    reason: Annotated[str, Field(min_length=1, max_length=500)]


Mending: TypeAlias = CorrectionRequested | CorrectionAgreed | CorrectionDeclined
Event: TypeAlias = Annotated[Stated | Mending, Field(discriminator="kind")]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
KINDS: dict[str, type[Fact]] = {kind.model_fields["kind"].default: kind for kind in get_args(get_args(Event)[0])}
