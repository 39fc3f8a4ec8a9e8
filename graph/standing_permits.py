"""Permits and the catalogue as nodes: what each line allows, and since which entry until which it stood."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flows.balance import Boundary
from flows.book import Book
from flows.enterprises import Permit
from flows.materials import Catalogue, WasteCode
from graph.picture import Edge, Key, Node, Value

BOUNDARIES_ZH: Final = {
    Boundary.OPENING: "期初库存",
    Boundary.GENERATION: "产生",
    Boundary.COLLECTION: "回收",
    Boundary.TAPPING: "出炉",
    Boundary.ADDITION: "添加物",
    Boundary.UNACCOUNTED: "未说明去向",
    Boundary.SCALE_DIFFERENCE: "磅差",
    Boundary.LOSS: "损耗",
    Boundary.DISPOSAL: "处置",
    Boundary.DELIVERY: "出厂",
    Boundary.LEFT: "离开可见范围",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A permit as one entry set it, and the next one that changed it; None: it still stands so."""

    permit: Permit
    since: int
    until: int | None


def permit_node(permit_no: str, book: Book) -> Node | None:
    """A permit that was ever granted, with all lines that it ever had; None: it never was."""
    standings = list(_standings(permit_no, book))
    if not standings:
        return None
    last = standings[-1]
    props: dict[str, Value] = {
        "valid_from": last.permit.valid_from.isoformat(),
        "valid_to": last.permit.valid_to.isoformat(),
        "ended_by": last.until,
    }
    edges = [Edge("HAS_PERMIT", last.permit.holder, permit_no)]
    edges += [edge for standing in standings for edge in _lines(standing)]
    return Node(Key("Permit", permit_no), props, tuple(edges))


def _lines(standing: Standing) -> Iterator[Edge]:
    permit = standing.permit
    for line in permit.lines:
        told: dict[str, Value] = {
            "mode": line.mode, "annual_g": line.annual_g, "valid_from": permit.valid_from.isoformat(),
            "valid_to": permit.valid_to.isoformat(), "since": standing.since, "until": standing.until,
        }  # fmt: skip
        yield Edge("ALLOWS", permit.permit_no, line.waste, told)


def _standings(permit_no: str, book: Book) -> Iterator[Standing]:
    """How a permit stood, from entry to entry."""
    holders = book.permit_holders.past(permit_no).values
    for holder in dict.fromkeys(holder for holder in holders if holder is not None):
        versions = book.permits.past(holder)
        since, stood = 0, None
        for position, permits in zip(versions.positions, versions.values, strict=True):
            permit = next((each for each in permits or () if each.permit_no == permit_no), None)
            if permit == stood:
                continue
            if stood is not None:
                yield Standing(stood, since, position)
            since, stood = position, permit
        if stood is not None:
            yield Standing(stood, since, None)


def catalogue_nodes(tables: Catalogue) -> Iterator[Node]:
    """What the catalogue says of materials, waste codes and methods, and the boundaries of the system."""
    for boundary in Boundary:
        yield Node(Key("Boundary", boundary.value), {"name": BOUNDARIES_ZH[boundary]})
    for method in tables.methods.values():
        told: dict[str, Value] = {"side": method.side, "ending": method.ending}
        yield Node(Key("Method", method.code), {"name": method.name_zh, "name_en": method.name_en, **told})
    for waste in tables.wastes.values():
        yield _waste_node(waste, tables)
    for category in sorted({waste.category for waste in tables.wastes.values()} - tables.wastes.keys()):
        yield Node(Key("Waste", category), {"hazardous": category.startswith("HW"), "category": category})
    for material in tables.materials.values():
        classed = (Edge("CLASSED_AS", material.id, material.waste_code),) if material.waste_code else ()
        told = {"group": material.group, "metal": material.metal, "legal_status": material.legal_status}
        yield Node(
            Key("Material", material.id), {"name": material.name_zh, "name_en": material.name_en, **told}, classed
        )


def _waste_node(waste: WasteCode, tables: Catalogue) -> Node:
    exempt = tuple(sorted({each.step for each in tables.exemptions_for(waste.code)})) if waste.hazardous else ()
    told: dict[str, Value] = {"hazardous": waste.hazardous, "category": waste.category, "exempt": exempt}
    edges = () if waste.is_class else (Edge("IN_CATEGORY", waste.code, waste.category),)
    return Node(Key("Waste", waste.code), {"name": waste.name_zh, "name_en": waste.name_en, **told}, edges)
