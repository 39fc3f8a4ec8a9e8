"""The official ledgers B.1 to B.5, column by column in their order; columns of ours stand behind them.

Source: HJ 1259-2022, tables B.1 to B.5.
"""

from dataclasses import replace
from typing import Final

from api.workbook.layout import SHIPPERS, UNITS, Column, Sheet


def must(column: Column) -> Column:
    return replace(column, required=True)


NO_COLUMN = Column("no", "序号", "No.", "ignored")
SITE_COLUMN = Column("site", "场所编码", "Site code (may stay empty with one site)", "code")
NOTE_COLUMN = Column("note", "备注", "Note")
UNIT_COLUMN = Column("unit", "计量单位", "Unit: 吨 t (default), 千克 kg, 克 g", "unit", words=UNITS)
REST_COLUMN = Column("rest", "全部剩余", "是: all that is left of the batch, as weighed now", "yes")
CONTAINER_COLUMN = Column("container", "容器/包装编码", "Container code", "code")
CONTAINER_TYPE_COLUMN = Column("container_type", "容器/包装类型", "Container type")
CONTAINER_COUNT_COLUMN = Column("container_count", "容器/包装数量", "Number of containers", "count")
CONTAINER_COLUMNS = (CONTAINER_COLUMN, CONTAINER_TYPE_COLUMN, CONTAINER_COUNT_COLUMN)
WASTE_COLUMNS = (
    Column("trade", "行业俗称/单位内部名称", "Trade name: a material of the list, or your own name"),
    Column("name", "国家危险废物名录名称", "Name in the national list"),
    Column("category", "废物类别", "Category, such as HW48"),
    Column("waste", "废物代码", "Waste code, such as 321-024-48", "waste"),
)
RECORD_COLUMN = Column("record", "记录编号", "Record number: rows of one number are one record", "code", required=True)
BATCH_COLUMN = Column("batch", "批次编码", "Batch code", "code", required=True)
REASON_COLUMN = Column("reason", "差额原因", "Why the rest weighs otherwise than the book has it")
SCALE_COLUMN = Column("scale", "计量器具编码", "Code of the scale", "code")
MATERIAL_COLUMN = Column("material", "物料", "Material", "material")


def handler(key: str, zh: str, en: str) -> Column:
    return Column(key, zh, en, noted=True)


B1: Final = Sheet(
    "b1",
    "B.1 产生",
    "B.1 Generation",
    (
        NO_COLUMN,
        Column("code", "产生批次编码", "Batch code, such as HWCS20261031001", "code", required=True),
        Column("time", "产生时间", "When it arose", "time", required=True),
        *WASTE_COLUMNS,
        must(Column("mass", "产生量", "Mass", "mass")),
        UNIT_COLUMN,
        *CONTAINER_COLUMNS,
        Column("facility", "产生危险废物设施编码", "Code of the facility", "code"),
        handler("handler", "产生部门经办人", "Handler"),
        handler("destination", "去向", "Destination"),
        SITE_COLUMN,
        NOTE_COLUMN,
    ),
    ("site", "code", "container"),
    "一个容器一行；批次由场所、批次编码和容器编码识别，与序号无关。",
    "One row a container. A batch is known by site, code and container, never by its row number.",
)
B2: Final = Sheet(
    "b2",
    "B.2 入库",
    "B.2 Into storage",
    (
        NO_COLUMN,
        Column("code", "入库批次编码", "Storage code, such as HWRK20261031001", "code", required=True),
        Column("time", "入库时间", "When", "time", required=True),
        *CONTAINER_COLUMNS,
        *WASTE_COLUMNS,
        must(Column("mass", "入库量", "Mass", "mass")),
        UNIT_COLUMN,
        Column("storage", "贮存设施编码", "Code of the storage area", "code", required=True),
        Column("storage_type", "贮存设施类型", "Its type", "ignored"),
        handler("carrier_handler", "运送部门经办人", "Who brought it"),
        handler("handler", "贮存部门经办人", "Who took it"),
        Column("batch", "产生批次编码", "Code of the batch stored", "code", required=True),
        SITE_COLUMN,
        NOTE_COLUMN,
    ),
    ("site", "code", "container"),
    "入库量等于批次全量时，入库批次编码成为该批次的又一名称；少于全量时，从批次中分出一部分，以入库批次编码为名。",
    "All of a batch: the storage code is another name for it. Less: the part is split off under that code.",
)
B3: Final = Sheet(
    "b3",
    "B.3 出库",
    "B.3 Out of storage",
    (
        NO_COLUMN,
        Column("code", "出库批次编码", "Code, such as HWCK20261031001", "code", required=True),
        Column("time", "出库时间", "When", "time", required=True),
        *CONTAINER_COLUMNS,
        *WASTE_COLUMNS,
        must(Column("mass", "出库量", "Mass", "mass")),
        UNIT_COLUMN,
        Column("storage", "贮存设施编码", "Code of the storage area", "ignored"),
        Column("storage_type", "贮存设施类型", "Its type", "ignored"),
        handler("handler", "出库部门经办人", "Who gave it out"),
        handler("carrier_handler", "运送部门经办人", "Who took it on"),
        Column("batch", "入库批次编码", "Storage code of the batch", "code", required=True),
        handler("destination", "去向", "Destination"),
        SITE_COLUMN,
        NOTE_COLUMN,
    ),
    ("site", "code", "container"),
    "同 B.2：少于在库批次全量时，分出的部分以出库批次编码为名。",
    "As B.2: less than all of the batch is split off under the code of this row.",
)
B4: Final = Sheet(
    "b4",
    "B.4 自行利用处置",
    "B.4 Own use and disposal",
    (
        NO_COLUMN,
        Column("record", "自行利用/处置批次编码", "Code, such as HWZXCZ20261031001", "code", required=True),
        Column("time", "利用/处置时间", "When", "time", required=True),
        *CONTAINER_COLUMNS,
        *WASTE_COLUMNS,
        must(Column("mass", "利用/处置量", "Mass", "mass")),
        UNIT_COLUMN,
        Column("facility", "利用/处置设施编码", "Code of the facility", "code"),
        Column("method", "利用/处置方式", "Method, such as D1", "method", required=True),
        Column("finished", "利用/处置完毕时间", "Finished", noted=True),
        handler("handler", "利用/处置部门经办人", "Handler"),
        Column("batch", "产生/出库批次编码", "Code of the batch", "code", required=True),
        REST_COLUMN,
        SITE_COLUMN,
        NOTE_COLUMN,
        REASON_COLUMN,
    ),
    ("site", "record"),
    "处置方式的行直接登记处置。利用方式的行，若“生产记录”投入了同一批次，只核对重量、不再另计；否则按该方式的去向登记为在本单位利用。",
    "A way of disposal is recorded as disposed. A way of use is compared with the run that took the batch in; "
    "without such a run it is recorded as used on site.",
)
B5: Final = Sheet(
    "b5",
    "B.5 委外利用处置",
    "B.5 Use and disposal by others",
    (
        NO_COLUMN,
        Column("code", "委外利用/处置批次编码", "Code, such as HWWWLY20261031001", "code", required=True),
        Column("time", "出厂时间", "When it left", "time", required=True),
        *CONTAINER_COLUMNS,
        *WASTE_COLUMNS,
        must(Column("mass", "委外利用/处置量", "Mass loaded", "mass")),
        UNIT_COLUMN,
        Column("method", "利用/处置方式", "Intended method, such as R4", "method", required=True),
        Column("receiver_type", "接收单位类型", "Type of the receiver", noted=True),
        Column("receiver", "危险废物经营许可证持有单位名称", "Permit holder"),
        Column("permit_no", "许可证编码", "Its permit", noted=True),
        Column("exempt_receiver", "危险废物利用处置环节豁免管理单位名称", "Exempt user"),
        Column("foreign_receiver", "境外的危险废物利用处置单位名称", "Foreign user"),
        Column("export_notice", "危险废物出口核准通知单编号", "Export notice"),
        Column("batch", "产生/出库批次编码", "Code of the batch", "code", required=True),
        Column("manifest", "联单编号", "Manifest: the state's 14 digits, or your own number", "code"),
        Column("consignee", "接受人信用代码", "Credit code of the receiver, when it is on this platform", "uscc"),
        Column("carrier", "承运人", "Carrier; several legs with ；"),
        Column("plate", "车牌", "Plate", "text"),
        Column("internal_no", "内部编号", "Your own number beside the state's", "code"),
        Column("line", "联单行号", "Line on the manifest", "count"),
        Column("planned", "联单申报量", "Mass as submitted, when it differs", "mass"),
        REST_COLUMN,
        Column("submitted", "联单提交时间", "When the manifest was submitted, when earlier", "time"),
        Column("consignee_site", "接受人场所编码", "Site of the receiver, when it has several", "code"),
        Column("carrier_code", "承运人信用代码", "Credit code of the carrier, when on this platform"),
        Column("driver", "驾驶员", "Driver"),
        Column("start", "起点", "From"),
        Column("end", "终点", "To"),
        Column("shipper", "托运人", "Who engaged the carrier", "choice", words=SHIPPERS),
        Column("approval", "跨省转移批准文号", "Approval of the province", "code"),
        Column("division", "接收地区划代码", "Division of a receiver outside the platform", "division"),
        SCALE_COLUMN,
        SITE_COLUMN,
        NOTE_COLUMN,
        REASON_COLUMN,
    ),
    ("site", "manifest"),
    "同一联单编号的行是同一份联单。填写接受人信用代码的，登记为提交联单并装车，待对方登记接收；不填的，登记为离开可见范围。",
    "Rows of one manifest number are one manifest. With the receiver's credit code it is submitted and loaded; "
    "without, the waste has left the platform.",
)
