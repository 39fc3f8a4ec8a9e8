"""The manifest's sheet: every stated thing is on it, on as many pages as it takes."""

from collections.abc import Callable
from dataclasses import asdict, replace

import pypdfium2 as pdfium
import pytest
import zxingcpp
from hypothesis import given

from flows.errors import Malformed, Problem
from labels import sheet
from labels.sheet import Leg
from tests.labels.prints import MARKUP, MM_PER_POINT, characters, font_names, printed_text, texts
from tests.labels.samples import LEG, LINE, MANIFEST

MANY = replace(
    MANIFEST,
    official_no="20265101000123",
    approval_no="川环审批〔2026〕12号",
    legs=(LEG, replace(LEG, name="重庆某某运输有限公司", plate="渝B·54321")),
    lines=tuple(replace(LINE, name=f"浸出渣第{i}批") for i in range(1, 41)),
)


def test_the_code_reads_from_the_printed_sheet() -> None:
    page = pdfium.PdfDocument(sheet.pdf(MANIFEST))[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=150 / 72).to_pil())

    assert code.text == MANIFEST.url


@pytest.mark.parametrize("length", [150, 400, 600])
def test_a_signed_link_is_long_and_still_reads(length: int) -> None:
    link = "HTTPS://HUANLIU.EXAMPLE.CN/V/" + "A2B3C4D5E6" * (length // 10)
    page = pdfium.PdfDocument(sheet.pdf(replace(MANIFEST, url=link)))[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())

    assert code.text == link


def test_modules_are_never_smaller_than_a_phone_reads() -> None:
    page = pdfium.PdfDocument(sheet.pdf(MANIFEST))[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=4).to_pil())
    side_mm = (code.position.top_right.x - code.position.top_left.x) / 4 * 25.4 / 72

    assert side_mm / 29 >= 0.69, "version 3 has 29 modules"


def test_a_link_beyond_any_readable_code_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        sheet.pdf(replace(MANIFEST, url="HTTPS://" + "A" * 2000))
    assert refusal.value.key == "print-link-too-long"


def test_every_stated_thing_is_on_the_sheet() -> None:
    text = printed_text(sheet.pdf(MANIFEST))

    for said in (
        "危险废物转移联单", "未分配", "HL-2026-000123", "已签收", "成都某某有色金属有限公司", "028-85550000",
        "四川省成都市双流区某某工业园区12号", "王𡐓", "2026-11-2208:30", "川交运管许可成字510100000001号", "李四",
        "13900139000", "公路", "川A·D12345", "成都市双流区", "2026-11-2209:30", "德阳市", "绵阳市涪城区", "2026-11-2213:30",
        "绵阳某某资源循环利用有限公司", "川环危第510703001号", "赵六", "2026-11-2214:30", "321-002-48", "铅、镉、砷", "吨袋",
        "12.505", "12.500", "0.000", "−0.005", "无", "接受", "R4", "途中水分蒸发", "台账位置10234", MANIFEST.digest,
        "2026-11-2215:30（北京时间）", "第1页，共1页", "不是国家系统分配的转移联单编号",
    ):  # fmt: skip
        assert said in text, said


def test_an_official_number_needs_no_warning() -> None:
    text = printed_text(sheet.pdf(MANY))

    assert "20265101000123" in text
    assert "川环审批〔2026〕12号" in text
    assert "不是国家系统分配" not in text


def test_other_waste_has_a_sheet_of_its_own_name() -> None:
    text = printed_text(sheet.pdf(replace(MANIFEST, hazardous=False)))

    assert text.startswith("固体废物转移单")
    assert "危险废物转移联单" not in text


def test_many_lines_go_over_pages_with_their_headings_again() -> None:
    pages = [page.get_textpage().get_text_range() for page in pdfium.PdfDocument(sheet.pdf(MANY))]

    assert len(pages) >= 3
    assert all("废物名称" in page for page in pages if "浸出渣第" in page)
    assert all("20265101000123" in page for page in pages)
    assert f"第 {len(pages)} 页，共 {len(pages)} 页" in pages[-1]
    text = "".join(pages)
    assert all(text.count(f"浸出渣第{i}批") >= 2 for i in range(1, 41)), "once as loaded, once as arrived"
    assert "500.200" in text, "the total of what was loaded"
    assert "第 2 段，共 2 段" in text


def test_a_total_of_some_lines_is_not_printed_as_one_of_all() -> None:
    waiting = replace(LINE, arrived_g=None, accepted_g=None, rejected_g=None)
    text = printed_text(sheet.pdf(replace(MANIFEST, lines=(LINE, waiting))))

    assert "25.010" in text
    assert "25.000" not in text


def test_masses_are_exact_and_stand_under_one_another() -> None:
    fine = replace(LINE, loaded_g=1, arrived_g=1)
    text = printed_text(sheet.pdf(replace(MANIFEST, lines=(LINE, fine))))

    for mass in ("12.505000", "0.000001", "12.505001", "−0.005"):
        assert mass in text


def test_nothing_runs_off_the_paper() -> None:
    long = {name: name[0].upper() * 60 + "长" * 60 for name, field in asdict(LEG).items() if isinstance(field, str)}
    lines = (replace(LINE, name="Y" * 80, reason="因" * 300, code="1" * 64, packing="（" * 30),)
    made = sheet.pdf(replace(MANIFEST, legs=(Leg(**long), LEG), lines=lines))

    for page in range(len(pdfium.PdfDocument(made))):
        for sign, _, (_, bottom, right, _) in characters(made, page):
            assert not sign.strip() or (right * MM_PER_POINT < 199 and bottom * MM_PER_POINT > 7), sign
    text = printed_text(made)
    assert all(said in text for said in ("Y" * 80, *long.values()))
    assert text.count("因") == 301, "its 300, and the one in 原因"


def test_a_cell_that_holds_a_story_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        sheet.pdf(replace(MANIFEST, state="状" * 121))
    assert refusal.value.key == "print-cell-too-full"
    assert "状态" in refusal.value.text("zh")


def test_markup_in_a_text_is_printed_as_it_stands() -> None:
    assert MARKUP.replace(" ", "") in printed_text(sheet.pdf(replace(MANIFEST, state=MARKUP)))


@given(name=texts, address=texts, via=texts, reason=texts, packing=texts)
def test_any_text_is_printed_or_refused(name: str, address: str, via: str, reason: str, packing: str) -> None:
    party = replace(MANIFEST.consignor, name=name, address=address)
    lines = (replace(LINE, reason=reason, packing=packing),)
    try:
        made = sheet.pdf(replace(MANIFEST, consignor=party, legs=(replace(LEG, via=via),), lines=lines))
    except Problem as problem:
        assert problem.text("zh")
        return
    assert made.startswith(b"%PDF")


def test_every_font_is_inside_the_document() -> None:
    fonts = font_names(sheet.pdf(MANY))

    assert any("NotoSansCJK" in name for name in fonts)
    assert all(fonts.values())


def test_a_sheet_can_be_looked_at() -> None:
    assert [page[:4] for page in sheet.png(MANIFEST, dpi=50)] == [b"\x89PNG"]


def test_the_sheet_is_as_it_was(same_as_golden: Callable[[str, bytes], None]) -> None:
    same_as_golden("manifest.pdf", sheet.pdf(MANIFEST))
