"""What a sheet is made of: columns with their headers, and the words that a cell may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "ignored", "text", "code", "mass", "unit", "time", "day", "count", "percent", "choice", "choices", "yes",
    "material", "waste", "method", "process", "division", "plate", "uscc", "element",
]  # fmt: skip
"""How a cell is read; `ignored` is shown for people and carries nothing."""

UNITS: Final = {"吨": "t", "千克": "kg", "克": "g"}
ROLES: Final = {
    "产废单位": "generator", "收集单位": "collector", "利用单位": "recoverer", "处置单位": "disposer",
    "承运人": "carrier", "原生金属生产单位": "producer", "贸易商": "trader",
}  # fmt: skip
PURPOSES: Final = {"产生": "generate", "利用": "utilize", "处置": "dispose"}
STORAGE_TYPES: Final = {"仓库": "warehouse", "堆场": "yard", "储罐": "tank", "贮存点": "point"}
ACCURACY: Final = {each: each for each in ("I", "II", "III", "IIII")}
EMISSIONS: Final = {each: each for each in ("国三", "国四", "国五", "国六", "新能源")}
REGISTERED: Final = {
    "单位": "enterprise", "场所": "site", "设施": "facility", "贮存设施": "storage", "计量器具": "scale",
    "车辆": "vehicle", "管理计划": "plan",
}  # fmt: skip
ARISINGS: Final = {"旧废料": "old", "新废料": "new", "出炉": "tapped"}
LINES: Final = {"投入": "input", "添加": "addition", "产出": "output", "损耗": "loss"}
LOSSES: Final = {
    "水分": "moisture", "挥发": "volatile", "烧失": "combustion", "扬散": "dust", "搬运": "handling", "其他": "other",
}  # fmt: skip
USES: Final = {
    "产品": "product", "副产品": "by_product", "建材": "building_material", "回填": "backfill",
    "市政工程": "municipal_works", "能源": "energy",
}  # fmt: skip
LEAVINGS: Final = {"出厂": "delivered", "离开可见范围": "left"}
OTHERS: Final = {"盘点": "stock_taken", "属性变更": "status_changed", "装入容器": "packed"}
STATUSES: Final = {
    "危险废物": "hazardous_waste", "一般工业固体废物": "general_waste", "再生原料": "recycled_raw_material",
    "产品": "product",
}  # fmt: skip
MARKS: Final = {"撤销": "cancelled", "作废": "cancelled", "是": "cancelled", "否": "stands", "正常": "stands"}
SHIPPERS: Final = {"移出人": "consignor", "接受人": "consignee"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in code, its header, what it holds.

    `noted` has no field of its own in a fact: it is kept in the fact's note, under its header.
    """

    key: str
    zh: str
    en: str
    kind: Kind = "text"
    required: bool = False
    words: Mapping[str, str] | None = None
    noted: bool = False
    unit: str = "t"
    zero: bool = False
    """May the mass be nought?"""


CANCELLED: Final = Column(
    "cancelled", "撤销", "撤销: what this row recorded is withdrawn; empty: it stands", "choice", words=MARKS
)
WHY: Final = Column("why", "更正原因", "Why a recorded row was changed or cancelled; empty: file and row are named")
ABOUT_ROWS: Final = (CANCELLED, WHY)
"""What every sheet asks of a row, and no fact holds."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its columns in order, and what the notes say of it. `group` is what rows of one fact share."""

    key: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    group: tuple[str, ...]
    help_zh: str
    help_en: str

    def column(self, key: str) -> Column:
        """A column by its key."""
        return next(column for column in self.columns if column.key == key)

    def has(self, key: str) -> bool:
        """Is there a column of this key?"""
        return any(column.key == key for column in self.columns)

    def zh_of(self, key: str) -> str:
        """A column's header, or the text itself where no column has this key."""
        return next((column.zh for column in self.columns if column.key == key), key)
