"""Who takes part and with what: sites, facilities, storage areas, scales, vehicles, permits, plans, approvals."""

from datetime import date
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field

from flows.ids import EnterpriseId, Id, SiteId
from flows.mass import Grams

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
"""What a label can print: no control characters."""
LINES: Final = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""Printable, over several lines."""
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]
Text: TypeAlias = Annotated[str, Field(max_length=500, pattern=LINES)]
Code: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
DivisionCode: TypeAlias = Annotated[str, Field(pattern=r"^\d{6}$")]
Ppm: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]

Role: TypeAlias = Literal["generator", "collector", "recoverer", "disposer", "carrier", "producer", "trader"]
"""产废单位 · 收集单位 · 利用单位 · 处置单位 · 承运人 · 原生金属生产单位 · 贸易商"""

Mode: TypeAlias = Literal["collect", "store", "utilize", "dispose"]
"""收集 · 贮存 · 利用 · 处置: what a permit line lets its holder do."""

MODES_ZH: Final = {"collect": "收集", "store": "贮存", "utilize": "利用", "dispose": "处置"}


class Frozen(BaseModel):
    """What crosses a wall: immutable, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_GIVEN: Final[dict[frozenset[str], set[str]]] = {}


def slim(model: Frozen) -> None:
    """Let a model that is kept for a while share with its like the names of the fields that it was given.

    Each model remembers them in a set of its own: more than half of what a fact takes, and never changed here.
    """
    given = model.model_fields_set
    object.__setattr__(model, "__pydantic_fields_set__", _GIVEN.setdefault(frozenset(given), given))
    for value in vars(model).values():
        parts = cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,))
        for part in parts:
            if isinstance(part, Frozen):
                slim(part)


class Site(Frozen):
    """生产场所. Where an enterprise works; plans and ledgers are kept by site (HJ 1259)."""

    site_id: SiteId
    code: Code
    name: Name
    division: DivisionCode
    address: Text = ""
    contact: Text = ""
    phone: Text = ""


class Facility(Frozen):
    """设施. A furnace, line, kiln or landfill cell of a site, by its code in the discharge permit."""

    facility_id: Id
    site_id: SiteId
    code: Code
    name: Name
    purpose: Literal["generate", "utilize", "dispose"]


class StorageArea(Frozen):
    """贮存设施. Where a site keeps waste; a storage point holds at most 3 t (GB 18597-2023, 8.3.5)."""

    storage_id: Id
    site_id: SiteId
    code: Code
    name: Name
    type: Literal["warehouse", "yard", "tank", "point"] = "warehouse"
    capacity_g: Grams | None = None


class Scale(Frozen):
    """计量器具. A weighing instrument: class, scale interval, standard uncertainty of one weighing, calibration."""

    scale_id: Id
    site_id: SiteId
    code: Code
    accuracy_class: Literal["I", "II", "III", "IIII"] = "III"
    interval_g: Grams
    uncertainty_g: Grams
    calibrated_on: date
    calibrated_until: date


class Vehicle(Frozen):
    """运输车辆. Plate (GA 36), emission stage, operating permit and whether it may carry dangerous goods."""

    plate: Annotated[str, Field(min_length=7, max_length=8)]
    emission_stage: Literal["国三", "国四", "国五", "国六", "新能源"] | None = None
    permit_no: Text = ""
    dangerous_goods: bool = False


class PermitLine(Frozen):
    """One line of a permit: a category (HW48) or an 8-digit code, a mode, and the tonnes a year it allows."""

    waste: Annotated[str, Field(pattern=r"^(HW\d{2}|\d{3}-\d{3}-\d{2})$")]
    mode: Mode
    annual_g: Grams

    def covers(self, waste_code: str) -> bool:
        """Does the line name this 8-digit code, or its whole category?"""
        return self.waste == waste_code or self.waste == f"HW{waste_code[-2:]}"


class Permit(Frozen):
    """危险废物经营许可证 (State Council Order 408)."""

    permit_no: Code
    holder: EnterpriseId
    lines: Annotated[tuple[PermitLine, ...], Field(min_length=1)]
    valid_from: date
    valid_to: date


class PlanLine(Frozen):
    """What a generator plans to generate and to move out of one waste in a year."""

    waste: Code
    generated_g: Grams
    moved_g: Annotated[int, Field(ge=0, strict=True)] = 0


class Plan(Frozen):
    """危险废物管理计划 of one site and year (HJ 1259-2022, annex A)."""

    plan_id: Id
    site_id: SiteId
    year: Annotated[int, Field(ge=2000, le=2100, strict=True)]
    lines: tuple[PlanLine, ...]


class Approval(Frozen):
    """跨省转移批准 (Order 23, articles 21-28): who may send what to whom, how much, and until when."""

    approval_no: Code
    consignor: EnterpriseId
    consignee: EnterpriseId
    waste_code: Annotated[str, Field(pattern=r"^\d{3}-\d{3}-\d{2}$")]
    method: Code
    mass_g: Grams
    valid_from: date
    valid_to: date


class Mandate(Frozen):
    """委托. Who may speak for an enterprise, from when to when."""

    mandate_id: Id
    delegate: EnterpriseId
    valid_from: date
    valid_to: date
