"""The press: its font, and what it does to text before it is set."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import Malformed, Problem
from labels import label, press, sheet
from tests.labels.samples import MANIFEST, RARE, SLAG

FONT_SHA256 = "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a"


def test_the_font_is_the_one_that_was_looked_at() -> None:
    digest = hashlib.sha256(press.fonts().path.read_bytes()).hexdigest()
    assert digest == FONT_SHA256


def test_the_font_has_the_characters_of_names_and_of_chemistry() -> None:
    characters = press.fonts().characters

    assert all(ord(sign) in characters for sign in RARE)
    assert len([code for code in range(0x4E00, 0xA000) if code in characters]) > 20_900
    assert ord("\N{THAI CHARACTER KO KAI}") not in characters


def test_another_font_file_may_be_named() -> None:
    own = press.fonts().path
    assert label.svg(SLAG, 100, font=own) == label.svg(SLAG, 100)


def test_a_missing_font_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="is missing"):
        press.fonts(tmp_path / "none.ttc")


def test_a_file_that_is_no_such_font_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.ttc").write_bytes(b"no font")
    with pytest.raises(Problem, match="does not hold"):
        press.fonts(tmp_path / "other.ttc")


def test_every_sign_beyond_the_chinese_font_is_really_there() -> None:
    """PDF/A has no room for a missing glyph: typst would say so."""
    signs = sorted(press.SUPPLEMENT)
    for start in range(0, len(signs), 20):
        assert label.pdf(replace(SLAG, remark="".join(signs[start : start + 20]), precautions=""), 200)


@pytest.mark.parametrize(
    ("typed", "printed"),
    [("  a\n b\t", "a b"), ("A\u200bB\ufeff", "AB"), ("☑\ufe0e", "☑"), ("\u202eabc", "abc"), ("全　角", "全 角")],
)
def test_unseen_signs_are_left_out_and_white_space_is_one_space(typed: str, printed: str) -> None:
    assert press.clean(typed, where="name", known=press.fonts().characters) == printed


@pytest.mark.parametrize("sign", ["\N{THAI CHARACTER KO KAI}", "\N{GRINNING FACE}", "\x07", "\ue000"])
def test_a_character_that_would_print_as_a_box_is_refused_by_name(sign: str) -> None:
    with pytest.raises(Malformed) as refusal:
        label.pdf(replace(SLAG, name=f"渣{sign}"), 100)

    assert refusal.value.where == "name"
    assert f"U+{ord(sign):04X}" in refusal.value.text("zh")


def test_many_threads_print_the_same_as_one() -> None:
    alone = [label.pdf(replace(SLAG, remark=str(i)), 100) for i in range(8)]
    alone_sheet = sheet.pdf(MANIFEST)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: label.pdf(replace(SLAG, remark=str(i)), 100), range(8)))
        sheets = list(pool.map(lambda _: sheet.pdf(MANIFEST), range(8)))

    assert together == alone
    assert set(sheets) == {alone_sheet}
