"""Labels, sheets and codes: a new one each time, so that nothing is answered from what was printed before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from itertools import count
from typing import Final

import qrcode
from qrcode.image.svg import SvgPathImage

from api.bench.rows import MS, Name, Row, medians_ms, row
from api.bench.story import DAY
from flows.times import SHANGHAI
from labels import label, qr, sheet
from labels.label import BatchLabel
from labels.payload import batch_url, manifest_url
from labels.sheet import Consignee, Consignor, Leg, ManifestSheet, WasteLine

BASE: Final = "https://huanliu.example.cn"
LABEL: Final = BatchLabel(
    kind="hazardous",
    name="铅锌冶炼过程中产生的浸出渣",
    category="HW48 有色金属采选和冶炼废物",
    code="321-002-48",
    edition="2025年版",
    form="固态",
    hazards=("T",),
    main_components="ZnSO₄·7H₂O 18%",
    harmful_components="铅、镉、砷",
    precautions="防雨防渗；禁止与酸类混放",
    enterprise="测量某某有色金属有限公司",
    contact="某某 13800138000",
    produced_on=DAY,
    mass_g=862_500,
    url=batch_url("B1", BASE),
)
NOON: Final = datetime(2026, 3, 9, 12, tzinfo=SHANGHAI)
SHEET: Final = ManifestSheet(
    hazardous=True,
    official_no=None,
    internal_no="HL-2026-000001",
    revision=1,
    state="已签收",
    consignor=Consignor(name="测量某某有色金属有限公司", phone="13800138000", handed_over_at=NOON),
    legs=(Leg(name="测量某某运输有限公司", plate="川A·D12345", departed_at=NOON, arrived_at=NOON),),
    consignee=Consignee(name="测量某某资源循环利用有限公司", received_at=NOON),
    lines=(
        WasteLine(
            name="铅锌冶炼过程中产生的浸出渣",
            code="321-002-48",
            hazards=("T",),
            form="固态",
            packing="吨袋",
            packages=12,
            loaded_g=12_505_000,
            arrived_g=12_500_000,
            accepted_g=12_500_000,
            rejected_g=0,
            opinion="接受",
            method="R4",
        ),
    ),
    position=10_234,
    digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    as_of=NOON,
    url=manifest_url("M1", BASE),
)
QR_PEER: Final = "qrcode's own SVG"
MASKS: Final = 8


def documents(wanted: frozenset[Name]) -> Iterator[Row]:
    """The rows that are wanted."""
    numbers = count(1)
    if Name.LABEL in wanted:
        yield _printed(Name.LABEL, "标签 PDF · label PDF", lambda: new_label(next(numbers)))
    if Name.SHEET in wanted:
        yield _printed(Name.SHEET, "联单 PDF · manifest PDF", lambda: new_sheet(next(numbers)))
    if Name.QR in wanted:
        yield _codes(numbers)


def new_label(number: int) -> bytes:
    """A label that was not printed before."""
    own = f"{number:026d}"
    return label.pdf(replace(LABEL, batch_id=own, url=batch_url(own, BASE)), 100)


def new_sheet(number: int) -> bytes:
    """A sheet that was not printed before."""
    own = f"{number:026d}"
    return sheet.pdf(replace(SHEET, internal_no=own, url=manifest_url(own, BASE)))


def _printed(name: Name, what: str, print_one: Callable[[], bytes]) -> Row:
    size = len(print_one())  # the first opens the font
    (ours,) = medians_ms(print_one)
    return row(name, what, "ms", ours, note=f"{size:,} B")


def _codes(numbers: "count[int]") -> Row:
    """Ours has one mask, always the same; the library looks for the best of eight."""
    check_code(batch_url(f"{next(numbers):026d}", BASE))
    ours, theirs = medians_ms(
        lambda: qr.svg(batch_url(f"{next(numbers):026d}", BASE)),
        lambda: qr_by_library(batch_url(f"{next(numbers):026d}", BASE)),
    )
    return row(Name.QR, "二维码 SVG · QR SVG", "/s", MS / ours, (QR_PEER, MS / theirs))


def check_code(text: str) -> None:
    """The library's code of a text is ours, under one of the masks."""
    ours = [list(line) for line in qr.matrix(text)]
    assert any(ours == _squares(text, mask) for mask in range(MASKS)), "the library makes another code"


def _squares(text: str, mask: int) -> list[list[bool]]:
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_Q, border=0, mask_pattern=mask)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return [[bool(dark) for dark in line] for line in code.modules]


def qr_by_library(text: str) -> bytes:
    """A code by the library's own SVG factory."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_Q, border=qr.QUIET_MODULES)
    code.add_data(text, optimize=0)
    file = BytesIO()
    code.make_image(image_factory=SvgPathImage).save(file)
    return file.getvalue()
