"""Labels and sheets to print: an everyday one each, with the characters that print badly elsewhere."""

from datetime import date, datetime

from labels.label import BatchLabel
from labels.payload import batch_url, manifest_url
from labels.sheet import BEIJING, Consignee, Consignor, Leg, ManifestSheet, WasteLine

HOST = "https://huanliu.example.cn"
DIGITAL_CODE = "91510100MA6CUBFA8Q" + "32100248" + "20261122" + "001"
RARE = "Al₂O₃、ZnSO₄·7H₂O；☑ −0.005 t；王𡐓"

SLAG = BatchLabel(
    kind="hazardous",
    name="铅锌冶炼过程中产生的浸出渣",
    category="HW48 有色金属采选和冶炼废物",
    code="321-002-48",
    edition="2025年版",
    form="固态",
    hazards=("T", "C"),
    main_components="Al₂O₃ 42%，ZnSO₄·7H₂O 18%",
    harmful_components="铅、镉、砷",
    precautions="防雨防渗；禁止与酸类混放；佩戴防护手套",
    digital_code=DIGITAL_CODE,
    enterprise="成都某某有色金属循环利用有限公司",
    contact="王𡐓 13800138000",
    produced_on=date(2026, 11, 22),
    mass_g=862_500,
    remark="☑ 已称重，磅差 −0.005 t",
    version="第 1 版 · 台账第 10231 条 · 摘要 5feceb66ffc8",
    url=batch_url(DIGITAL_CODE, HOST),
)

CATHODES = BatchLabel(
    kind="product",
    name="阴极铜 Cu-CATH-1",
    category="再生铜",
    main_components="Cu 99.9935%",
    batch_id="9x2k7m4tq0v8c3hzj5wbn6d1ry",
    enterprise="绵阳某某资源循环利用有限公司",
    contact="赵六 13700137000",
    produced_on=date(2026, 11, 25),
    mass_g=2_498_000,
    version="第 2 版 · 台账第 10234 条 · 摘要 9f86d081884c",
    url=batch_url("9x2k7m4tq0v8c3hzj5wbn6d1ry", HOST),
)


def at(hour: int) -> datetime:
    return datetime(2026, 11, 22, hour, 30, tzinfo=BEIJING)


LINE = WasteLine(
    name="铅锌冶炼过程中产生的浸出渣",
    code="321-002-48",
    hazards=("T",),
    form="固态",
    harmful_components="铅、镉、砷",
    packing="吨袋",
    packages=12,
    loaded_g=12_505_000,
    arrived_g=12_500_000,
    accepted_g=12_500_000,
    rejected_g=0,
    discrepancy="无",
    opinion="接受",
    method="R4",
    reason="途中水分蒸发",
)

LEG = Leg(
    name="四川某某危险货物运输有限公司",
    permit_no="川交运管许可成字510100000001号",
    address="成都市青白江区某某路 1 号",
    phone="028-83330000",
    driver="李四",
    driver_phone="13900139000",
    means="公路",
    plate="川A·D12345",
    origin="成都市双流区",
    departed_at=at(9),
    via="德阳市",
    destination="绵阳市涪城区",
    arrived_at=at(13),
)

MANIFEST = ManifestSheet(
    hazardous=True,
    official_no=None,
    internal_no="HL-2026-000123",
    revision=3,
    state="已签收",
    consignor=Consignor(
        name="成都某某有色金属有限公司",
        emergency_phone="028-85550000",
        address="四川省成都市双流区某某工业园区 12 号",
        handler="王𡐓",
        phone="13800138000",
        handed_over_at=at(8),
    ),
    legs=(LEG,),
    consignee=Consignee(
        name="绵阳某某资源循环利用有限公司",
        permit_no="川环危第510703001号",
        address="四川省绵阳市涪城区某某路 88 号",
        handler="赵六",
        phone="13700137000",
        received_at=at(14),
    ),
    lines=(LINE,),
    version="第 2 版 · 台账第 10230 条 · 摘要 6b86b273ff34",
    position=10234,
    digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    as_of=at(15),
    url=manifest_url("9x2k7m4tq0v8c3hzj5wbn6d1ry", HOST),
)
