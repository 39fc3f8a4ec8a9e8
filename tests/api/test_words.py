"""The words of the pages: the same in both languages, none missing, none idle, the trade's as in the glossary."""

import re
from pathlib import Path

from api.pages.drawing import TEMPLATES, mass, percent, rough_mass, short
from api.pages.words import words

ROOT = Path(__file__).parents[2]


def test_both_languages_have_the_same_words_with_the_same_figures() -> None:
    zh, en = words("zh"), words("en")

    assert set(zh) == set(en)
    for key, text in zh.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", en[key])), key
        assert re.search(r"[\u4e00-\u9fff]", text) or key == "house.other_language", key


def test_every_word_that_a_template_asks_for_is_there_and_none_idle() -> None:
    text = "\n".join(file.read_text("utf-8") for file in sorted(TEMPLATES.iterdir()))
    code = "\n".join(file.read_text("utf-8") for file in sorted((ROOT / "api" / "pages").glob("*.py")))
    asked = set(re.findall(r"\bt\('([\w.-]+)'[,)]", text)) | set(re.findall(r'\bt\(\s*"([\w.-]+)"', code))
    begun = set(re.findall(r"\bt\('([\w.]+)' ~", text)) | set(re.findall(r"known\('([\w.]+)' ~", text))
    begun |= set(re.findall(r'known\(f"([a-z]+\.){', code))
    whole = {key for key in asked if not key.endswith(".")}
    code_words = set(re.findall(r'"([a-z]+\.[\w-]+)"', code))

    assert whole <= set(words("zh")), sorted(whole - set(words("zh")))
    idle = [
        key
        for key in words("zh")
        if key not in whole | code_words and not any(key.startswith(start) for start in begun)
    ]
    assert idle == []


def test_the_trades_words_are_those_of_the_glossary() -> None:
    lines = [line for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    chinese = {(word, cell[1]) for cell in cells for word in re.findall(r"`(\w+)`", cell[0])}
    spoken = [
        tuple(key.split(".", 1))
        for key in words("zh")
        if key.split(".")[0] in {"status", "place", "origin", "state", "kind", "fate", "boundary", "role", "mode"}
    ]
    ours = {"used_up", "beyond"}

    strange = [
        (section, word) for section, word in spoken
        if word not in ours and (word, words("zh")[f"{section}.{word}"]) not in chinese
    ]  # fmt: skip
    assert strange == []


def test_masses_are_exact_and_shares_never_say_more_than_is_there() -> None:
    assert mass(12_500_000, 3) == '<span class="mass">12.500<span class="unit"> t</span></span>'
    assert rough_mass(0.4) == "< 0.001"
    assert rough_mass(1_234_567) == "1.235"
    assert (percent(0.0004), percent(0.9999), percent(1.0), percent(None)) == ("< 0.1 %", "> 99.9 %", "100.0 %", "—")
    assert short("一次铝灰渣（电解铝）", 4) == "一次铝灰…"
