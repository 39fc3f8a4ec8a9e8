"""The official ledger of general industrial solid waste, tables 3 to 7, column by column; columns of ours stand behind them.

The form number of the step before (前序表单编号) is the batch code that the step before gave.

Source: 一般工业固体废物管理台账制定指南（试行）, MEE Announcement 2021 No. 82, tables 3 to 7.
"""

from typing import Final

from api.workbook.layout import SHIPPERS, Column, Sheet
from api.workbook.official import (
    CONTAINER_COLUMNS,
    NO_COLUMN,
    NOTE_COLUMN,
    REASON_COLUMN,
    REST_COLUMN,
    SCALE_COLUMN,
    SITE_COLUMN,
    UNIT_COLUMN,
    handler,
    must,
)

FLOWS: Final = {each: each for each in ("省内转移", "跨省转移", "境外")}
FORM_LABEL: Final = "记录表编号"
PREVIOUS: Final = Column("batch", "前序表单编号", "Form number of the step before", "code", required=True)
_WASTE: Final = (
    Column("waste", "废物代码", "Waste code, such as SW01 or 900-001-S01", "waste"),
    Column("trade", "废物名称", "Name: a material of the list, or your own with a code", required=True),
    Column("category", "废物类别", "Category, such as SW01"),
)


def _form(what: str, key: str = "code") -> Column:
    return Column(key, FORM_LABEL, what, "code", required=True)


G3: Final = Sheet(
    "g3",
    "表3 出厂环节",
    "General waste, table 3: leaving the works",
    (
        NO_COLUMN,
        _form("Form number, such as CC20261031001"),
        *_WASTE,
        must(Column("mass", "出厂数量", "Mass that left", "mass")),
        UNIT_COLUMN,
        Column("time", "出厂时间", "When it left", "time", required=True),
        handler("handler", "出厂环节经办人", "Handler"),
        Column("carrier", "运输单位", "Carrier; several legs with ；"),
        Column("plate", "运输信息", "Plate"),
        Column("driver", "运输方经办人", "Driver"),
        Column("receiver", "接收单位", "Receiver"),
        Column("flow", "流向类型", "Within the province, to another, abroad", "choice", words=FLOWS, noted=True),
        PREVIOUS,
        Column("method", "利用/处置方式", "Intended method; with a receiver on this platform", "method"),
        Column("consignee", "接受人信用代码", "Credit code of the receiver, when it is on this platform", "uscc"),
        Column("manifest", "联单编号", "Manifest number, when there is one", "code"),
        Column("line", "联单行号", "Line on the manifest", "count"),
        Column("planned", "联单申报量", "Mass as submitted, when it differs", "mass"),
        REST_COLUMN,
        Column("submitted", "联单提交时间", "When the manifest was submitted, when earlier", "time"),
        Column("internal_no", "内部编号", "Your own number beside the state's", "code"),
        Column("consignee_site", "接受人场所编码", "Site of the receiver, when it has several", "code"),
        Column("carrier_code", "承运人信用代码", "Credit code of the carrier, when on this platform"),
        Column("start", "起点", "From"),
        Column("end", "终点", "To"),
        Column("shipper", "托运人", "Who engaged the carrier", "choice", words=SHIPPERS),
        Column("approval", "跨省转移批准文号", "Approval of the province", "code"),
        Column("division", "接收地区划代码", "Division of a receiver outside the platform", "division"),
        SCALE_COLUMN,
        *CONTAINER_COLUMNS,
        SITE_COLUMN,
        NOTE_COLUMN,
        REASON_COLUMN,
    ),
    ("site", "manifest"),
    "填写接受人信用代码的，登记为提交联单并装车，待对方登记接收；不填的，登记为离开可见范围。",
    "With the receiver's credit code a manifest is submitted and loaded; without, the waste has left the platform.",
)
G4: Final = Sheet(
    "g4",
    "表4 产生环节",
    "General waste, table 4: generation",
    (
        NO_COLUMN,
        _form("Form number: the code of the batch, such as CS20261031001"),
        Column("facility", "生产设施编码", "Code of the facility", "code"),
        *_WASTE,
        Column("time", "产生时间", "When it arose", "time", required=True),
        must(Column("mass", "产生数量", "Mass", "mass")),
        UNIT_COLUMN,
        handler("moved_time", "转移时间", "When it was moved on"),
        handler("moved", "转移数量", "Mass that was moved on"),
        handler("destination", "转移去向", "Where to"),
        handler("handler", "产生部门经办人", "Handler"),
        handler("carrier_handler", "运输经办人", "Who moved it"),
        *CONTAINER_COLUMNS,
        SITE_COLUMN,
        NOTE_COLUMN,
    ),
    ("site", "code", "container"),
    "一行一批，记录表编号即批次编码；转移时间、数量和去向只作记载，转移由下一环节的表登记。",
    "One row a batch; the form number is its code. Where it was moved is noted only: the next step's table records it.",
)
G5: Final = Sheet(
    "g5",
    "表5 贮存环节",
    "General waste, table 5: storage",
    (
        NO_COLUMN,
        _form("Form number: the storage code, such as RK20261031001"),
        Column("storage", "贮存设施编码", "Code of the storage area", "code", required=True),
        *_WASTE,
        Column("time", "入库时间", "When it was stored", "time", required=True),
        handler("source", "废物来源", "Where it came from"),
        PREVIOUS,
        must(Column("mass", "入库数量", "Mass stored", "mass")),
        UNIT_COLUMN,
        handler("carrier_handler", "入库运输经办人", "Who brought it"),
        handler("handler", "入库贮存经办人", "Who took it"),
        Column("out_time", "出库时间", "When it was taken out", "time"),
        Column("out", "出库数量", "Mass taken out", "mass"),
        handler("destination", "废物去向", "Where to"),
        handler("out_handler", "出库贮存经办人", "Who gave it out"),
        handler("out_carrier_handler", "出库运输经办人", "Who took it on"),
        Column("out_code", "出库批次编码", "Code of the part taken out, when it is not all", "code"),
        *CONTAINER_COLUMNS,
        SITE_COLUMN,
        NOTE_COLUMN,
    ),
    ("site", "code", "container"),
    "入库数量少于前序批次的，分出的部分以记录表编号为名；出库数量少于入库数量的，分出的部分以出库批次编码为名。同一库存再次出库，另起一行并以原记录表编号为前序表单编号。",
    "Less than the batch before is split off under the form number; less than was stored is split off under the code "
    "of the part taken out. For a second taking, write another row with this form number as the one before.",
)


def _own(key: str, zh: str, en: str, verb: str, code: str) -> Sheet:
    return Sheet(
        key,
        zh,
        en,
        (
            NO_COLUMN,
            _form(f"Form number, such as {code}20261031001", "record"),
            Column("facility", f"{verb}设施编码", "Code of the facility", "code"),
            *_WASTE,
            handler("received_time", "接收时间", "When it was received"),
            handler("source", "废物来源", "Where it came from"),
            PREVIOUS,
            handler("received", "接收数量", "Mass received"),
            handler("carrier_handler", "运输经办人", "Who brought it"),
            handler("receiving_handler", "接收经办人", "Who took it"),
            Column("time", f"{verb}时间", "When", "time", required=True),
            Column("method", f"{verb}方式", "Method", "method", required=True),
            must(Column("mass", f"{verb}数量", "Mass", "mass")),
            UNIT_COLUMN,
            handler("handler", f"{verb}经办人", "Handler"),
            REST_COLUMN,
            *CONTAINER_COLUMNS,
            SITE_COLUMN,
            NOTE_COLUMN,
            REASON_COLUMN,
        ),
        ("site", "record"),
        f"{verb}方式从列表选择。" + (
            "若“生产记录”投入了同一批次，只核对重量、不再另计；否则登记为在本单位利用。" if key == "g6" else "登记为处置。"
        ),
        "Choose the method from the list. "
        + ("With a run that took the batch in it is compared only." if key == "g6" else "Recorded as disposed."),
    )  # fmt: skip


G6: Final = _own("g6", "表6 自行利用环节", "General waste, table 6: own use", "利用", "LY")
G7: Final = _own("g7", "表7 自行处置环节", "General waste, table 7: own disposal", "处置", "CZ")

GENERAL: Final = (G3, G4, G5, G6, G7)
GENERAL_OF: Final = {"b1": "g4", "b2": "g5", "b3": "g5", "b4": "g6", "b5": "g3"}
"""The table of general waste beside each ledger of hazardous waste."""
SENT: Final = frozenset({"b5", "g3"})
"""Sheets whose rows submit and load, or leave."""
STORED: Final = frozenset({"b2", "b3", "g5"})
"""Sheets whose rows give a batch another name."""
USED: Final = frozenset({"b4", "g6"})
"""Sheets whose rows a run may tell better."""
