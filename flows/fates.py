"""Where mass ends: the final classes, and which one a flow over the boundary belongs to."""

from enum import StrEnum
from typing import Final

from flows.balance import Boundary, Flow
from flows.materials import Catalogue


class FateClass(StrEnum):
    """去向类别. Every gram of a source is in exactly one of these."""

    PRODUCT = "product"
    MATERIAL_USE = "material_use"
    ENERGY_USE = "energy_use"
    LANDFILLED = "landfilled"
    INCINERATED = "incinerated"
    OTHER_DISPOSAL = "other_disposal"
    STOCK = "stock"
    IN_TRANSIT = "in_transit"
    EXPORTED = "exported"
    LEFT_VISIBILITY = "left_visibility"
    LOSS_MOISTURE = "loss_moisture"
    LOSS_VOLATILE = "loss_volatile"
    LOSS_COMBUSTION = "loss_combustion"
    LOSS_DUST = "loss_dust"
    LOSS_HANDLING = "loss_handling"
    LOSS_OTHER = "loss_other"
    SCALE_DIFFERENCE = "scale_difference"
    UNACCOUNTED = "unaccounted"


FATES: Final = tuple(FateClass)
FATES_ZH: Final = {
    FateClass.PRODUCT: "产品",
    FateClass.MATERIAL_USE: "材料化利用",
    FateClass.ENERGY_USE: "能源利用",
    FateClass.LANDFILLED: "填埋",
    FateClass.INCINERATED: "焚烧",
    FateClass.OTHER_DISPOSAL: "其他处置",
    FateClass.STOCK: "库存",
    FateClass.IN_TRANSIT: "在途",
    FateClass.EXPORTED: "出境",
    FateClass.LEFT_VISIBILITY: "离开可见范围",
    FateClass.LOSS_MOISTURE: "水分损耗",
    FateClass.LOSS_VOLATILE: "挥发损耗",
    FateClass.LOSS_COMBUSTION: "烧失",
    FateClass.LOSS_DUST: "扬散损耗",
    FateClass.LOSS_HANDLING: "搬运损耗",
    FateClass.LOSS_OTHER: "其他损耗",
    FateClass.SCALE_DIFFERENCE: "磅差",
    FateClass.UNACCOUNTED: "未说明去向",
}
FATES_EN: Final = {each: each.value.replace("_", " ") for each in FateClass}

_USES: Final = {
    "product": FateClass.PRODUCT,
    "by_product": FateClass.PRODUCT,
    "building_material": FateClass.MATERIAL_USE,
    "backfill": FateClass.MATERIAL_USE,
    "municipal_works": FateClass.MATERIAL_USE,
    "energy": FateClass.ENERGY_USE,
}


def fate_class(end: Flow, catalogue: Catalogue) -> FateClass:
    """The class of mass that went over a boundary."""
    match end.boundary:
        case Boundary.DELIVERY:
            return _USES[end.detail]
        case Boundary.DISPOSAL:
            return FateClass(catalogue.method(end.detail).ending)
        case Boundary.LEFT:
            return FateClass.EXPORTED if end.detail == "abroad" else FateClass.LEFT_VISIBILITY
        case Boundary.LOSS:
            return FateClass(f"loss_{end.detail}")
        case Boundary.SCALE_DIFFERENCE:
            return FateClass.SCALE_DIFFERENCE
        case Boundary.UNACCOUNTED:
            return FateClass.UNACCOUNTED
        case _:
            raise AssertionError(end)
