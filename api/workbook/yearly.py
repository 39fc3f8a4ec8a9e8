"""Rows of tables 1 and 2 of the ledger of general industrial solid waste: years and months, read off the facts.

A month counts what took effect in it. A waste's rows begin with its first month and end with the last in which anything
of general waste moved.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from api.workbook.values import Value
from api.workbook.yearly_flows import OUTLETS, Flows, Month, general_flows
from flows.book import Book
from flows.ids import EnterpriseId
from flows.mass import plain_tonnes
from flows.materials import Catalogue


def yearly_rows(
    book: Book, enterprise: EnterpriseId, period: tuple[date | None, date | None] = (None, None)
) -> dict[str, list[dict[str, Value]]]:
    """The rows of tables 1 and 2 by the key of their sheet: years and months that lie in the period, wholly or in part."""
    flows = general_flows(book, enterprise)
    begin, end = period
    first = (begin.year, begin.month) if begin else None
    last = (end.year, end.month) if end else None

    def within(month: Month) -> bool:
        return (first is None or month >= first) and (last is None or month <= last)

    months = [*_months(flow for _, flow in flows)]
    monthly = [row for month, row in _monthly(flows, months, book.catalogue) if within(month)]
    years = sorted({month[0] for month in months if within(month)})
    return {"g1": [*_listed(flows, years, book.catalogue)], "g2": monthly}


def _months(months: Iterable[Month]) -> Iterator[Month]:
    """Every month from the first to the last."""
    told = sorted(set(months))
    if not told:
        return
    (year, month), last = told[0], told[-1]
    while (year, month) <= last:
        yield year, month
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - months of a year


def _listed(
    flows: Mapping[tuple[str, Month], Flows], years: Iterable[int], catalogue: Catalogue
) -> Iterator[dict[str, Value]]:
    for year in years:
        generated: dict[str, int] = defaultdict(int)
        for (material, month), flow in flows.items():
            if month[0] == year and flow.generated_g:
                generated[material] += flow.generated_g
        for material_id in sorted(generated):
            material = catalogue.material(material_id)
            yield {
                "year": year, **_kind(material_id, catalogue), "process": material.process, "form": material.form,
                "components": material.components, "harmful": material.harmful, "generated": generated[material_id],
            }  # fmt: skip


def _monthly(
    flows: Mapping[tuple[str, Month], Flows], months: Iterable[Month], catalogue: Catalogue
) -> Iterator[tuple[Month, dict[str, Value]]]:
    held_g: dict[str, int] = {}
    lying_g: dict[str, int] = defaultdict(int)
    materials = sorted({material for material, _ in flows})
    for month in months:
        for material in materials:
            flow = flows.get((material, month))
            if flow is None and material not in held_g:
                continue  # it has not arisen yet
            flow = flow or Flows()
            opening_g = held_g.get(material, 0)
            held_g[material] = opening_g + flow.generated_g + flow.more_g - flow.taken_g - flow.less_g
            lying_g[material] += flow.stored_g + flow.shelved_g - flow.fetched_g
            ways: dict[str, Value] = {}
            for outlet in OUTLETS:
                by = flow.through(outlet)
                ways |= {f"{outlet.key}_by": _methods(by), outlet.key: sum(by.values())}
            yield month, {
                "month": f"{month[0]}-{month[1]:02}", **_kind(material, catalogue), "generated": flow.generated_g,
                "stored": flow.stored_g, "lying": lying_g[material], **ways, "opening": opening_g, "more": flow.more_g,
                "less": flow.less_g, "closing": held_g[material],
            }  # fmt: skip


def _kind(material_id: str, catalogue: Catalogue) -> dict[str, Value]:
    material = catalogue.material(material_id)
    waste = material.waste(catalogue)
    told = {"waste": waste.code, "category": waste.category} if waste else {}
    return {"name": material.name_zh, **told}


def _methods(by: Mapping[str, int]) -> str:
    """The method; of several each with its mass."""
    if len(by) == 1:
        return next(iter(by))
    return "；".join(f"{method} {plain_tonnes(mass_g)} 吨" for method, mass_g in sorted(by.items()))
