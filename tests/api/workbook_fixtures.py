"""Three enterprises in a row, each with its own file, filled as a person fills it: smelter, dross plant, landfill."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import openpyxl

from api.imports import ImportReport, commit_workbook
from api.workbook.template import template
from flows.book import Book
from flows.codes import uscc_with_check
from flows.entries import canonical, event_json
from flows.events import Event
from flows.materials import catalogue
from flows.reading import read
from flows.recording import Recording
from flows.times import SHANGHAI
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger

SMELTER = uscc_with_check("91511100", "MA7100AB")
PLANT = uscc_with_check("91510600", "MA7200AB")
LANDFILL = uscc_with_check("91510100", "MA7300AB")
NOW = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
TEMPLATE = template(catalogue())

Line = Mapping[str, Any]
Lines = Mapping[str, Sequence[Line]]


def now() -> datetime:
    return NOW


@dataclass
class House:
    """A ledger, its book and its desk: what an installation has."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    desk: MemoryDesk = field(default_factory=MemoryDesk)
    recording: Recording = field(init=False)

    def __post_init__(self) -> None:
        self.recording = Recording(self.ledger, Book(catalogue()), now)

    @property
    def book(self) -> Book:
        return self.recording.book

    def take(self, enterprise: str, data: bytes) -> ImportReport:
        return commit_workbook(data, enterprise, self.recording, self.desk, recorded_by=enterprise)

    def facts(self) -> list[Event]:
        return [entry.event for entry in self.ledger.entries()]

    def digest(self) -> str:
        """The facts without their order."""
        return sha256(b"\n".join(sorted(canonical(event_json(event)) for event in self.facts()))).hexdigest()

    def holdings(self) -> dict[tuple[str, str, str], int]:
        """What each holds of each material, and in what place, in grams."""
        held: dict[tuple[str, str, str], int] = defaultdict(int)
        for batch in self.book.batches.values():
            held[batch.holder, batch.material, batch.place] += batch.left_g
        return {key: mass_g for key, mass_g in sorted(held.items()) if mass_g}

    def moved(self) -> dict[tuple[str, str, str], int]:
        """What came in and went out over each boundary, by enterprise, in grams."""
        from flows.balance import Boundary, postings

        totals: dict[tuple[str, str, str], int] = defaultdict(int)
        book = Book(catalogue())
        for entry in self.ledger.entries():
            for posting in postings(read(book, entry.event, entry.position, entry.record_time_us).movements):
                if isinstance(posting.account, Boundary):
                    totals[entry.enterprise, str(posting.account), posting.detail] += posting.mass_g
        return dict(sorted(totals.items()))


def filled(lines: Lines, data: bytes = TEMPLATE) -> bytes:
    """The template with rows typed in."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for name, rows in lines.items():
        sheet = book[name]
        heads = [cell.value for cell in sheet[1]]
        for number, row in enumerate(rows, 2):
            for head, value in row.items():
                sheet.cell(number, heads.index(head) + 1).value = value
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def registration(code: str, name: str, role: str, division: str) -> list[Line]:
    """The first sheet of an enterprise: itself, a site, a storage area, a facility, a scale, a lorry."""
    at = date(2026, 1, 1)
    return [
        {"类型": "设施", "编码": "MF0001", "名称": "一号炉", "所属场所编码": "S1", "设施用途": "利用", "登记时间": at},
        {"类型": "单位", "编码": code, "名称": name, "行政区划代码": division, "单位角色": role, "登记时间": at},
        {
            "类型": "场所", "编码": "S1", "名称": "厂区", "行政区划代码": division, "联系电话": 13800000000,
            "登记时间": at,
        },
        {
            "类型": "贮存设施", "编码": "TS001", "名称": "危废库", "所属场所编码": "S1", "贮存设施类型": "仓库",
            "贮存能力（吨）": 500, "登记时间": at,
        },
        {
            "类型": "计量器具", "编码": "W1", "所属场所编码": "S1", "准确度等级": "III", "分度值（千克）": 20,
            "标准不确定度（千克）": 8.5, "检定日期": at, "检定有效期至": date(2027, 1, 1), "登记时间": at,
        },
        {
            "类型": "车辆", "编码": "川A12345", "排放阶段": "国六", "危险货物运输": "是", "登记时间": "2026.1.1",
        },
        {
            "类型": "管理计划", "编码": "2026", "所属场所编码": "S1", "废物代码": "321-024-48",
            "计划产生量（吨）": 900, "计划转移量（吨）": 800, "登记时间": "2026年1月1日",
        },
    ]  # fmt: skip


DROSS = "一次铝灰渣（电解铝）"
TRADE = "行业俗称/单位内部名称"
FIRST = date(2026, 3, 1)
LOADS = 30


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def smelter() -> Lines:
    """Dross arises every day in a container, is stored, taken out whole or in part, and sent two by two."""
    arisen, stored, out, sent = [], [], [], []
    for n in range(1, 2 * LOADS + 1):
        code, container, mass = f"HWCS2026{n:07d}", f"R{n:03d}", 10 + n / 1000
        arisen.append(
            {
                "序号": n, "产生批次编码": code, "产生时间": day(n), TRADE: DROSS, "废物类别": "HW48",
                "废物代码": "321-024-48", "产生量": mass, "计量单位": "吨", "容器/包装编码": container,
                "容器/包装类型": "吨袋", "容器/包装数量": 1, "产生危险废物设施编码": "MF0001",
                "产生部门经办人": "张三", "去向": "贮存",
            }
        )  # fmt: skip
        stored.append(
            {
                "入库批次编码": f"HWRK2026{n:07d}", "入库时间": day(n), "容器/包装编码": container,
                "废物代码": "321-024-48", "入库量": f"{mass} 吨", "贮存设施编码": "TS001",
                "贮存部门经办人": "李四", "产生批次编码": code,
            }
        )  # fmt: skip
        part = mass if n % 3 else mass - 1
        out.append(
            {
                "出库批次编码": f"HWCK2026{n:07d}", "出库时间": day(n + 1), "容器/包装编码": container,
                "出库量": round(part, 3), "入库批次编码": f"HWRK2026{n:07d}", "去向": "委外利用",
            }
        )  # fmt: skip
        load = (n + 1) // 2
        sent.append(
            {
                "委外利用/处置批次编码": f"HWWWLY2026{n:07d}",
                "出厂时间": datetime.combine(day(2 * load + 2), datetime.min.time()) + timedelta(hours=9),
                "容器/包装编码": container, "委外利用/处置量": round(part * 1000, 3), "计量单位": "千克",
                "利用/处置方式": "R4 再循环", "接收单位类型": "豁免", "产生/出库批次编码": f"HWCK2026{n:07d}",
                "联单编号": f"2026511100{load:04d}", "接受人信用代码": PLANT, "承运人": "某某物流",
                "车牌": "川Ａ１２３４５", "计量器具编码": "W1",
            }
        )  # fmt: skip
    sent.append(
        {
            "委外利用/处置批次编码": "HWWWLY20260900", "出厂时间": day(120), "委外利用/处置量": 2.02,
            "利用/处置方式": "R4", "产生/出库批次编码": "拒收20265111000001-1", "联单编号": "TH-1",
            "接受人信用代码": PLANT,
        }
    )  # fmt: skip
    stock = [
        {
            "批次编码": "QC001", "盘存时间": "2026-01-01", "产生日期": date(2025, 12, 1), TRADE: "电解铝大修渣",
            "库存量": 33.333333,
        }
    ]  # fmt: skip
    back = [{"入库批次编码": "HWRK-TH", "入库时间": day(110), "入库量": 2.02, "贮存设施编码": "TS001",
             "产生批次编码": "拒收20265111000001-1"}]  # fmt: skip
    metal = [
        {"批次编码": f"AL{n:03d}", "类型": "出炉", "时间": datetime.combine(day(31 + n), datetime.min.time()) + timedelta(hours=8.5), "物料": "电解铝液",
         "数量": 25.5, "设施编码": "MF0001"}
        for n in range(10)
    ]  # fmt: skip
    casting: list[Line] = []
    for n in range(5):
        casting += [
            {"记录编号": f"ZZ{n}", "时间": day(50 + n), "工序": "铸造", "行类型": "投入", "批次编码": f"AL{n:03d}",
             "数量": 25.4, "全部剩余": "是"},
            {"记录编号": f"ZZ{n}", "行类型": "产出", "批次编码": f"ALD{n}", "物料": "重熔用铝锭", "数量": 25.1},
            {"记录编号": f"ZZ{n}", "行类型": "损耗", "损耗类型": "烧失", "数量": 200, "计量单位": "千克"},
        ]  # fmt: skip
    gone = [
        {"记录编号": f"CC{n}", "类型": "出厂", "时间": day(60), "批次编码": f"ALD{n}", "数量": 20, "用途": "产品",
         "接收单位": "+某铝材厂", "接收地区划代码": "成都市"}
        for n in range(5)
    ]  # fmt: skip
    return {
        "单位信息": registration(SMELTER, "嘉州铝业", "产废单位、原生金属生产单位", "511100"),
        "期初库存": stock, "B.1 产生": arisen, "B.2 入库": [*back, *stored], "B.3 出库": out,
        "B.5 委外利用处置": sent, "回收与出炉": metal, "生产记录": casting, "产品出厂": gone,
    }  # fmt: skip


def plant() -> Lines:
    """Each load is taken in on another scale; the first one partly refused; furnace runs; salt slag goes on."""
    taken: list[Line] = []
    for load in range(1, LOADS + 1):
        for line in (1, 2):
            n = 2 * load - 2 + line
            part = (10 + n / 1000 if n % 3 else 9 + n / 1000) - 0.015
            refused = {"拒收量": 2.02, "拒收原因": "受潮"} if n == 1 else {}
            taken.append(
                {
                    "联单编号": f"2026511100{load:04d}", "移出人信用代码": SMELTER,
                    "移出批次编码": f"HWWWLY2026{n:07d}",
                    "运抵时间": datetime.combine(day(2 * load + 2), datetime.min.time()) + timedelta(hours=15),
                    "到场重量": round(part, 3), "本单位批次编码": f"JS{n:03d}", "计量器具编码": "W1", **refused,
                }
            )  # fmt: skip
    taken.append({"联单编号": "TH-1", "运抵时间": day(121), "到场重量": 2.0, "本单位批次编码": "JSTH"})
    runs: list[Line] = []
    assays: list[Line] = []
    sent: list[Line] = []
    stored: list[Line] = []
    for n in range(1, LOADS + 1):
        at = datetime.combine(day(70 + n), datetime.min.time()) + timedelta(hours=8)
        head = {
            "记录编号": f"HZ{n:03d}",
            "时间": at,
            "工序": "回转炉处理铝灰渣",
            "利用/处置方式": "R4",
            "设施编码": "MF0001",
        }
        runs += [
            {**head, "行类型": "投入", "批次编码": f"JS{2 * n:03d}", "数量": 8.9, "备注": "热装"},
            {"记录编号": f"HZ{n:03d}", "行类型": "添加", "物料": "熔剂盐", "数量": 0.9},
            {"记录编号": f"HZ{n:03d}", "行类型": "产出", "批次编码": f"HSL{n:03d}", "物料": "回收铝", "数量": 4.2},
            {"记录编号": f"HZ{n:03d}", "行类型": "产出", "批次编码": f"YZ{n:03d}", "物料": "盐渣（电解铝铝灰回收铝）",
             "数量": 5.5, "容器/包装编码": f"Y{n:03d}"},
            {"记录编号": f"HZ{n:03d}", "行类型": "损耗", "损耗类型": "扬散", "数量": 0.1},
        ]  # fmt: skip
        assays += [
            {"化验编号": f"HY{n:03d}", "化验时间": day(69 + n), "批次编码": f"JS{2 * n:03d}", "水分（%）": 1.25,
             "元素": "Al", "品位（%）": "46.5%", "品位标准不确定度（%）": 0.5},
            {"化验编号": f"HY{n:03d}", "化验时间": day(69 + n), "批次编码": f"JS{2 * n:03d}", "元素": "F", "品位（%）": 3.1},
        ]  # fmt: skip
        stored.append(
            {"入库批次编码": f"HWRKB{n:03d}", "入库时间": day(71 + n), "入库量": 5.5, "贮存设施编码": "TS001",
             "产生批次编码": f"YZ{n:03d}"}
        )  # fmt: skip
        sent.append(
            {
                "委外利用/处置批次编码": f"HWWWCZB{n:03d}", "出厂时间": day(105 + n % 5), "委外利用/处置量": 5.5,
                "利用/处置方式": "D1", "产生/出库批次编码": f"YZ{n:03d}", "联单编号": f"B-{n:03d}",
                "接受人信用代码": LANDFILL, "车牌": "川A12345", "承运人信用代码": LANDFILL if n % 2 else None,
            }
        )  # fmt: skip
    sold = [
        {"记录编号": f"XS{n}", "时间": day(115), "批次编码": f"HSL{n:03d}", "数量": 4.2, "用途": "产品"}
        for n in range(1, 20)
    ]  # fmt: skip
    sold.append({"记录编号": "XS20", "类型": "离开可见范围", "时间": day(115), "批次编码": "HSL020", "数量": 4.1,
                 "全部剩余": "是", "接收单位": "外省某厂", "接收地区划代码": "530000"})  # fmt: skip
    other = [
        {"记录编号": "PD1", "类型": "盘点", "时间": day(122), "物料": "回收铝", "盘点数量": 42},
        {"记录编号": "SX1", "类型": "属性变更", "时间": day(122), "批次编码": "HSL021", "属性": "产品", "变更依据": "GB/T 13586"},
        {"记录编号": "RQ1", "类型": "装入容器", "时间": day(122), "批次编码": "HSL022", "容器/包装编码": "K1"},
    ]  # fmt: skip
    scrap = [
        {
            "批次编码": "FL1",
            "类型": "旧废料",
            "时间": day(1),
            "物料": "废铝",
            "数量": "１２．５吨",
            "供货单位": "回收站",
        }
    ]
    return {
        "单位信息": registration(PLANT, "德阳铝灰处理厂", "利用单位", "510600"),
        "接收": taken, "生产记录": runs, "化验": assays, "B.2 入库": stored, "B.5 委外利用处置": sent,
        "产品出厂": sold, "其他记录": other, "回收与出炉": scrap,
    }  # fmt: skip


def landfill() -> Lines:
    """Takes the salt slag in, buries most, leaches some and uses some in its own way."""
    taken = [
        {"联单编号": f"B-{n:03d}", "移出人信用代码": PLANT, "运抵时间": day(112), "到场重量": 5.48,
         "本单位批次编码": f"LF{n:03d}"}
        for n in range(1, LOADS + 1)
    ]  # fmt: skip
    buried = [
        {"自行利用/处置批次编码": f"HWZXCZ{n:03d}", "利用/处置时间": day(113), "利用/处置量": 5.48, "全部剩余": "是",
         "利用/处置设施编码": "MF0001", "利用/处置方式": "D1", "利用/处置完毕时间": "2026-06-23",
         "利用/处置部门经办人": "王五", "产生/出库批次编码": f"LF{n:03d}", "废物代码": "321-024-48"}
        for n in range(1, 26)
    ]  # fmt: skip
    used = [
        {"自行利用/处置批次编码": "HWZXLY001", "利用/处置时间": day(113), "利用/处置量": 5.48, "利用/处置方式": "R4",
         "产生/出库批次编码": "LF026"},
        {"自行利用/处置批次编码": "HWZXLY002", "利用/处置时间": day(113), "利用/处置量": 1.5, "利用/处置方式": "R5",
         "产生/出库批次编码": "LF027"},
    ]  # fmt: skip
    runs = [
        {"记录编号": "JC1", "时间": day(114), "工序": "盐渣浸出", "行类型": "投入", "批次编码": "LF026", "数量": 5.48},
        {"记录编号": "JC1", "行类型": "产出", "批次编码": "YAN1", "物料": "回收盐", "数量": 2.5},
        {"记录编号": "JC1", "行类型": "产出", "批次编码": "LV1", "物料": "含铝资源化料", "数量": 2.4},
        {"记录编号": "JC1", "行类型": "损耗", "损耗类型": "水分", "数量": 0.3, "差额原因": "滤液未计量"},
    ]  # fmt: skip
    out = [
        {"委外利用/处置批次编码": "HWWWLY-C1", "出厂时间": day(118), "委外利用/处置量": 3, "利用/处置方式": "C1",
         "豁免": None, "危险废物经营许可证持有单位名称": "外省水泥厂", "产生/出库批次编码": "LF028"}
    ]  # fmt: skip
    out = [{head: value for head, value in row.items() if head != "豁免"} for row in out]
    return {
        "单位信息": registration(LANDFILL, "成都固废处置中心", "处置单位、承运人", "510100"),
        "接收": taken, "B.4 自行利用处置": [*buried, *used], "生产记录": runs, "B.5 委外利用处置": out,
    }  # fmt: skip


FILES: dict[str, bytes] = {}


def files() -> dict[str, bytes]:
    """The three files, made once."""
    if not FILES:
        FILES.update({SMELTER: filled(smelter()), PLANT: filled(plant()), LANDFILL: filled(landfill())})
    return FILES


def told(report: ImportReport) -> list[str]:
    return [problem.text("zh") for problem in report.errors]


def import_all(house: House, order: Iterable[str]) -> list[ImportReport]:
    return [house.take(enterprise, files()[enterprise]) for enterprise in order]
