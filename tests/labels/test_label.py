"""The batch label: what the standard asks of it, measured on what was printed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pypdfium2 as pdfium
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import Malformed, Problem
from labels import label
from labels.label import BatchLabel
from tests.labels.prints import MARKUP, MM_PER_POINT, characters, font_names, picture, printed_text, texts
from tests.labels.samples import CATHODES, DIGITAL_CODE, RARE, SLAG

SIZES = (100, 150, 200)
ORANGE = (255, 150, 0)


@pytest.mark.parametrize("size_mm", SIZES)
@pytest.mark.parametrize("black_only", [False, True])
@pytest.mark.parametrize("batch", [SLAG, CATHODES], ids=["hazardous", "product"])
def test_the_code_reads_from_every_size_and_colour(batch: BatchLabel, size_mm: int, black_only: bool) -> None:
    made = picture(label.png(batch, size_mm, dpi=203, black_only=black_only))

    (code,) = zxingcpp.read_barcodes(made)
    assert code.text == batch.url


@pytest.mark.parametrize("size_mm", SIZES)
def test_the_page_is_as_large_as_the_label(size_mm: int) -> None:
    (page,) = pdfium.PdfDocument(label.pdf(SLAG, size_mm))

    assert [round(points * MM_PER_POINT, 2) for points in page.get_size()] == [size_mm, size_mm]
    assert picture(label.png(SLAG, size_mm, dpi=254)).size == (size_mm * 10, size_mm * 10)


@pytest.mark.parametrize("size_mm", SIZES)
def test_no_character_is_lower_than_the_standard_asks(size_mm: int) -> None:
    least_mm = label.SIZES[size_mm].height_mm
    sized = [(sign, size) for sign, size, _ in characters(label.pdf(SLAG, size_mm)) if sign.strip()]

    assert min(size for _, size in sized) * label.GLYPH_HEIGHT * MM_PER_POINT >= least_mm - 0.005


def test_a_text_size_stands_for_the_ink_of_a_full_character() -> None:
    boxes = {sign: box for sign, _, box in characters(label.pdf(replace(SLAG, name="国"), 100))}
    _, bottom, _, top = boxes["国"]

    assert (top - bottom) * MM_PER_POINT >= 3 - 0.02


@pytest.mark.parametrize("size_mm", SIZES)
def test_everything_stands_within_the_frame(size_mm: int) -> None:
    made = characters(label.pdf(SLAG, size_mm))
    edge = size_mm * 0.02 / MM_PER_POINT
    side = size_mm / MM_PER_POINT

    for sign, _, (left, bottom, right, top) in made:
        if sign.strip():
            assert edge <= left <= right <= side - edge, sign
            assert edge <= bottom <= top <= side - edge, sign


def test_hazardous_waste_is_black_on_orange_with_a_white_patch_under_the_code() -> None:
    made = picture(label.png(SLAG, 100, dpi=254))
    colours = {colour: count for count, colour in made.getcolors(1 << 24) or []}

    assert made.getpixel((2, 2)) == ORANGE
    assert made.getpixel((20, 500)) == (0, 0, 0), "the frame"
    (code,) = zxingcpp.read_barcodes(made)
    corner = code.position.top_left
    assert made.getpixel((corner.x - 14, corner.y - 14)) == (255, 255, 255), "the quiet zone"
    plain = sum(colours[colour] for colour in (ORANGE, (0, 0, 0), (255, 255, 255)))
    assert plain > 0.85 * sum(colours.values()), "all else is the soft edge of characters"


@pytest.mark.parametrize(("batch", "black_only"), [(SLAG, True), (CATHODES, False)])
def test_stock_that_is_orange_already_and_other_goods_get_no_colour(batch: BatchLabel, black_only: bool) -> None:
    made = picture(label.png(batch, 100, black_only=black_only))
    colours = {colour for _, colour in made.getcolors(1 << 24) or []}

    assert all(red == green == blue for red, green, blue in colours)


def test_every_line_of_the_standard_is_printed() -> None:
    text = printed_text(label.pdf(SLAG, 100))

    for said in (
        "危险废物", "废物名称：铅锌冶炼过程中产生的浸出渣", "废物类别：HW48有色金属采选和冶炼废物",
        "废物代码：321-002-48（2025年版）", "废物形态：固态", "危险特性", "毒性T", "腐蚀性C",
        "主要成分：Al₂O₃42%，ZnSO₄·7H₂O18%", "有害成分：铅、镉、砷", "注意事项：防雨防渗；禁止与酸类混放；佩戴防护手套",
        f"数字识别码：{DIGITAL_CODE}", "产生/收集单位：成都某某有色金属循环利用有限公司",
        "联系人和联系方式：王𡐓13800138000", "产生日期：2026-11-22", "废物重量：862.5kg",
        "备注：☑已称重，磅差−0.005t",
    ):  # fmt: skip
        assert said in text


def test_a_hazardous_label_keeps_empty_lines_to_be_filled_by_hand() -> None:
    text = printed_text(label.pdf(BatchLabel(kind="hazardous", name="废渣", url=SLAG.url), 150))

    for name in ("废物类别：", "主要成分：", "有害成分：", "注意事项：", "联系人和联系方式：", "备注："):
        assert name in text
    assert "批次号" not in text


@pytest.mark.parametrize(
    ("kind", "title"), [("general", "一般工业固体废物"), ("material", "再生原料"), ("product", "产品")]
)
def test_other_goods_have_a_plain_label_without_hazards(kind: label.Kind, title: str) -> None:
    text = printed_text(label.pdf(replace(CATHODES, kind=kind), 100))

    assert text.startswith(title)
    assert "危险" not in text
    assert "有害成分" not in text
    assert "批次号：9x2k7m4tq0v8c3hzj5wbn6d1ry" in text


@pytest.mark.parametrize("mass_g", [1, 999_999, 1_000_000, 12_345_678])
def test_a_mass_is_printed_to_the_gram(mass_g: int) -> None:
    text = printed_text(label.pdf(replace(CATHODES, mass_g=mass_g), 100))
    assert {1: "0.001kg", 999_999: "999.999kg", 1_000_000: "1t", 12_345_678: "12.345678t"}[mass_g] in text


@pytest.mark.parametrize(
    "hazards", [(), ("C",), ("T", "I"), ("R", "In", "C"), ("T", "C", "I", "R"), ("T", "C", "I", "R", "In")]
)
@pytest.mark.parametrize("size_mm", SIZES)
def test_any_set_of_hazards_has_its_marks(hazards: tuple[str, ...], size_mm: int) -> None:
    text = printed_text(label.pdf(replace(SLAG, hazards=hazards, precautions="防雨"), size_mm))
    assert all(f"{label.HAZARD_WORDS[code]}{code}" in text for code in hazards)


def test_every_font_is_inside_the_document() -> None:
    fonts = font_names(label.pdf(replace(SLAG, remark=RARE), 200))

    assert any("NotoSansCJK" in name for name in fonts)
    assert all(fonts.values())


def test_a_picture_for_pages_holds_no_text_and_refers_to_nothing() -> None:
    drawn = label.svg(SLAG, 100).decode()

    assert "<text" not in drawn
    assert "<image" not in drawn
    assert "data:" not in drawn
    assert 'width="283.46' in drawn


def test_too_much_text_is_refused_with_what_to_shorten() -> None:
    with pytest.raises(Malformed) as refusal:
        label.pdf(replace(SLAG, precautions="轻拿轻放" * 60), 100)

    assert refusal.value.key == "print-too-full"
    assert "注意事项" in refusal.value.text("zh")
    assert "3 mm" in refusal.value.text("en")


def test_a_long_name_wraps_and_a_long_word_is_opened_up() -> None:
    name = "含铅锌镉砷锑铋的冶炼烟气净化污酸处理过程产生的中和渣" + "N-" * 9 + "X" * 40
    made = label.pdf(replace(SLAG, name=name, precautions="", main_components="", remark=""), 200)

    assert name in printed_text(made)
    assert max(right for sign, _, (_, _, right, _) in characters(made) if sign.strip()) < 196 / MM_PER_POINT


@pytest.mark.parametrize("size_mm", [0, 99, 300])
def test_there_are_three_sizes(size_mm: int) -> None:
    with pytest.raises(Malformed, match="choose 100, 150 or 200"):
        label.pdf(SLAG, size_mm)


def test_an_unknown_hazard_is_refused() -> None:
    with pytest.raises(Malformed, match="“X” is unknown"):
        label.pdf(replace(SLAG, hazards=("X",)), 100)


def test_a_link_too_long_to_scan_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        label.pdf(replace(SLAG, url="HTTPS://" + "LONG" * 40), 100)
    assert refusal.value.key == "print-link-too-long"
    assert refusal.value.text("zh")


def test_markup_in_a_text_is_printed_as_it_stands() -> None:
    text = printed_text(label.pdf(replace(SLAG, remark=MARKUP, precautions="", main_components=""), 200))
    assert MARKUP.replace(" ", "") in text


@settings(max_examples=60)
@given(name=texts, category=texts, form=texts, remark=texts, contact=texts, size_mm=st.sampled_from(SIZES))
def test_any_text_is_printed_within_the_frame_or_refused(
    name: str, category: str, form: str, remark: str, contact: str, size_mm: int
) -> None:
    batch = replace(SLAG, name=name, category=category, form=form, remark=remark, contact=contact, precautions="")
    try:
        made = label.pdf(batch, size_mm)
    except Problem as problem:
        assert problem.text("zh")
        assert problem.text("en")
        return
    side = size_mm * 0.98 / MM_PER_POINT
    assert all(right <= side + 0.5 for sign, _, (_, _, right, _) in characters(made) if sign.strip())


@settings(max_examples=60)
@given(st.text("废渣ABCabc123，。；（）、-−·₂☑", max_size=60))
def test_what_is_printed_is_what_was_said(remark: str) -> None:
    try:
        made = label.pdf(replace(SLAG, remark=remark, precautions="", main_components=""), 200)
    except Problem as problem:
        assert problem.key == "print-too-full"
        return
    assert f"备注：{remark}" in printed_text(made)


def test_the_same_label_is_the_same_bytes() -> None:
    assert label.pdf(SLAG, 100) == label.pdf(SLAG, 100)
    assert label.pdf(replace(SLAG, produced_on=date(2026, 11, 23)), 100) != label.pdf(SLAG, 100)


@pytest.mark.parametrize("size_mm", SIZES)
def test_a_hazardous_label_is_as_it_was(size_mm: int, same_as_golden: Callable[[str, bytes], None]) -> None:
    same_as_golden(f"hazardous-{size_mm}.pdf", label.pdf(SLAG, size_mm))


def test_a_black_label_is_as_it_was(same_as_golden: Callable[[str, bytes], None]) -> None:
    same_as_golden("hazardous-100-black.pdf", label.pdf(SLAG, 100, black_only=True))


def test_a_product_label_is_as_it_was(same_as_golden: Callable[[str, bytes], None]) -> None:
    same_as_golden("product-100.pdf", label.pdf(CATHODES, 100))
    same_as_golden("product-100.svg", label.svg(CATHODES, 100))
