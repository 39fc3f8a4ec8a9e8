"""What a fact holds, in the columns that many sheets share: material, container, portion, codes for ids."""

from typing import TypeAlias

from api.workbook.names import Names
from api.workbook.values import Value
from flows.events import Packing, Portion
from flows.ids import BatchId, Id

Words: TypeAlias = dict[str, Value | None]


def material_words(material_id: str, names: Names) -> Words:
    catalogue = names.book.catalogue
    material = catalogue.material(material_id)
    waste = material.waste(catalogue)
    return {
        "trade": material.name_zh,
        "name": waste.name_zh if waste else None,
        "category": waste.category if waste else None,
        "waste": waste.code if waste else None,
    }


def packed(packing: Packing | None) -> Words:
    if packing is None:
        return {}
    return {"container": packing.code, "container_type": packing.type, "container_count": packing.count}


def named(batch_id: BatchId, names: Names) -> tuple[str, str, str]:
    return names.called.get(batch_id, ("", batch_id.partition(".")[2], ""))


def portion_words(portion: Portion, names: Names) -> Words:
    _, code, container = named(portion.batch_id, names)
    return {"batch": code, "container": container, "mass": portion.mass_g, "rest": portion.rest or None}


def code_of(own: Id | None, kind: str, names: Names) -> str | None:
    """The code of a facility, a storage area or a scale."""
    if own is None:
        return None
    book = names.book
    found = {"facility": book.facilities, "storage": book.storages, "scale": book.scales}[kind].get(own)
    return found.code if found is not None else own.partition(".")[2]
