"""One word, one meaning: the glossary knows each fact and each word that a fact may hold, with its Chinese."""

import ast
import inspect
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from flows import balance, batches, enterprises, events, fates, manifests

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CHINESE_FIRST = re.compile(r"(?P<word>[\u4e00-\u9fff、]+)[ .]")


def _rows() -> list[tuple[str, str]]:
    """The first two cells of each row: what stands in code, and its Chinese."""
    lines = [line for line in GLOSSARY.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(row[0], row[1]) for row in cells if not set(row[0]) <= set("-: ") and row[1] != "中文"]


ROWS = _rows()
CHINESE_OF = [(word, chinese) for code, chinese in ROWS for word in re.findall(r"`(\w+)`", code)]
CLASSES = sorted(
    {
        cls.__name__: cls
        for module in (enterprises, events)
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, BaseModel) and cls.__module__ == module.__name__
    }.items()
)
NAMED_BY_LAW = [(name, match["word"]) for name, cls in CLASSES if (match := CHINESE_FIRST.match(cls.__doc__ or ""))]
VALUES = {
    *(value for words in (enterprises.Role, enterprises.Mode) for value in get_args(words)),
    *(value for words in (events.LegalStatus, events.LossKind, events.Use) for value in get_args(words)),
    *(value for words in (events.FigureName, batches.Origin, batches.Place) for value in get_args(words)),
    *balance.Boundary,
    *fates.FateClass,
    *manifests.State,
}


@pytest.mark.parametrize("kind", sorted(events.KINDS))
def test_every_fact_has_its_row_with_the_laws_word(kind: str) -> None:
    fact = events.KINDS[kind]
    docstring = CHINESE_FIRST.match(fact.__doc__ or "")

    assert docstring, f"the docstring of {fact.__name__} begins with the law's word"
    assert [chinese for code, chinese in ROWS if code == f"`{kind}` · `{fact.__name__}`"] == [docstring["word"]]


@pytest.mark.parametrize(("name", "word"), NAMED_BY_LAW)
def test_every_class_with_a_chinese_word_has_its_row(name: str, word: str) -> None:
    assert [chinese for known, chinese in CHINESE_OF if known == name] == [word]


def test_every_chinese_word_that_opens_a_docstring_in_flows_stands_here() -> None:
    known = {word for _, chinese in ROWS for word in re.split(r"[ ·、]+", chinese)}
    opening = {
        match["word"]: file.name
        for file in sorted((ROOT / "flows").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef | ast.Module) and (match := CHINESE_FIRST.match(ast.get_docstring(node) or ""))
    }

    assert [(word, file) for word, file in opening.items() if not known & {word, *word.split("、")}] == []


@pytest.mark.parametrize("value", sorted(VALUES))
def test_every_word_that_a_fact_or_a_reading_may_hold_is_known(value: str) -> None:
    assert value in {word for word, _ in CHINESE_OF}


@pytest.mark.parametrize(("code", "chinese"), ROWS)
def test_every_row_has_chinese(code: str, chinese: str) -> None:
    assert CHINESE.search(chinese), code


def test_no_class_stands_twice() -> None:
    times = Counter(word for word, _ in CHINESE_OF if word in dict(CLASSES))

    assert [word for word, count in times.items() if count > 1] == []


@pytest.mark.parametrize("called", [enterprises.MODES_ZH, fates.FATES_ZH, manifests.STATES_ZH])
def test_a_word_is_called_what_the_pages_call_it(called: Mapping[str, str]) -> None:
    assert {(str(word), chinese) for word, chinese in called.items()} - set(CHINESE_OF) == set()
