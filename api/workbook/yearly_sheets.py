"""Tables 1 and 2 of the ledger of general industrial solid waste, column by column: readings, which nobody imports.

Source: 一般工业固体废物管理台账制定指南（试行）, MEE Announcement 2021 No. 82, tables 1 and 2; what the balance needs stands behind.
"""

from typing import Final

from api.workbook.layout import Column, Sheet

_KIND: Final = (
    Column("waste", "代码", "Waste code"),
    Column("name", "名称", "Name"),
    Column("category", "类别", "Category"),
)


def _mass(key: str, zh: str, en: str) -> Column:
    return Column(key, f"{zh}（吨）", f"{en}, t", "mass")


G1: Final = Sheet(
    "g1",
    "表1 产生清单",
    "General waste, table 1: what arises, by year",
    (
        Column("year", "年度", "Year", "count"),
        *_KIND,
        Column("process", "产生环节", "Where it arises"),
        Column("form", "物理性状", "Physical form"),
        Column("components", "主要成分", "Main components"),
        Column("harmful", "污染特性", "What is harmful in it"),
        _mass("generated", "年产生量", "Mass that arose in the year"),
    ),
    (),
    "由台账汇总生成，导入时不读取。",
    "Filled from the ledger; an import leaves it alone.",
)
G2: Final = Sheet(
    "g2",
    "表2 流向汇总",
    "General waste, table 2: flows, by month",
    (
        Column("month", "月份", "Month"),
        *_KIND,
        _mass("generated", "产生量", "Mass that arose"),
        _mass("stored", "贮存量", "Put into storage in the month"),
        _mass("lying", "累计贮存量", "In storage at its end"),
        Column("own_use_by", "自行利用方式", "Methods of own use"),
        _mass("own_use", "自行利用数量", "Own use"),
        Column("entrusted_use_by", "委托利用方式", "Methods of use by others"),
        _mass("entrusted_use", "委托利用数量", "Use by others, as they accepted it"),
        Column("own_disposal_by", "自行处置方式", "Methods of own disposal"),
        _mass("own_disposal", "自行处置数量", "Own disposal"),
        Column("entrusted_disposal_by", "委托处置方式", "Methods of disposal by others"),
        _mass("entrusted_disposal", "委托处置数量", "Disposal by others, as they accepted it"),
        _mass("dumped", "倾倒丢弃量", "Dumped: no fact of the ledger says so, to be filled in"),
        _mass("opening", "月初结存", "Held at the month's beginning, wherever it lay"),
        _mass("more", "其他增加量", "Opening stock, change of status, found by the scale"),
        _mass("less", "其他减少量", "Change of status, missing by the scale, left without a method"),
        _mass("closing", "月末结存", "Held at its end, what is on the road included"),
    ),
    (),
    "由台账汇总生成，导入时不读取。月初结存＋产生量＋其他增加量＝利用＋处置＋其他减少量＋月末结存；委托的按接受量计入接受当月。",
    "Filled from the ledger; an import leaves it alone. Opening, arisen and other gains are used, disposed of, lost or "
    "held at the end; what others took counts as they accepted it, in the month in which they did.",
)
READINGS: Final = (G1, G2)
"""Sheets that the export fills and an import leaves alone."""
