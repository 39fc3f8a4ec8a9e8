"""Every problem that the code can raise, and every finding, has its words in two languages, and they ask only for figures that it gives."""

import ast
import importlib
import pkgutil
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.errors import Problem, messages

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "graph", "labels", "api")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,}")


@dataclass(frozen=True)
class Raised:
    """A problem or a finding as it is made somewhere in the code; `figures` is None where they cannot be seen from outside."""

    key: str
    figures: frozenset[str] | None
    where: str


def _problem_names(trees: Iterable[ast.AST]) -> set[str]:
    """What the classes of problems are called, each below another of them."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"Problem"}
    while new := {name for name, above in bases.items() if above & found} - found:
        found |= new
    return found


def _keys(node: ast.expr) -> Iterator[str]:
    """The key, or both keys of `one if … else other`."""
    match node:
        case ast.Constant(value=str(key)):
            yield key
        case ast.IfExp(body=body, orelse=orelse):
            yield from _keys(body)
            yield from _keys(orelse)
        case _:
            pass


def _figures(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name and name != "where")


def _makes(func: ast.expr, classes: set[str]) -> bool:
    """Whether calling this makes a problem, or a finding: `Overdrawn(…)`, `errors.Overdrawn(…)`, `Finding.of(…)`."""
    match func:
        case ast.Attribute(value=ast.Name(id="Finding"), attr="of"):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in classes
        case _:
            return False


def _raised(tree: ast.AST, file: str, classes: set[str]) -> Iterator[Raised]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=[first, *_]) if _makes(func, classes):
                for key in _keys(first):
                    yield Raised(key, _figures(node), f"{file}:{node.lineno}")
            case _:
                pass


FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
TREES = {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text("utf-8")) for file in FILES}
PROBLEMS = _problem_names(TREES.values())
RAISED = [raised for file, tree in TREES.items() for raised in _raised(tree, file, PROBLEMS)]


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: f"{raised.where}-{raised.key}")
def test_every_problem_has_its_words_and_gives_their_figures(raised: Raised) -> None:
    assert raised.key in messages(), f"{raised.where}: flows/tables/messages knows no [{raised.key}]"
    if raised.figures is not None:
        text = messages()[raised.key]
        assert _placeholders(text["zh"]) | _placeholders(text["en"]) <= raised.figures, raised.where


@pytest.mark.parametrize("key", sorted(messages()))
def test_every_text_stands_in_two_languages_with_the_same_figures(key: str) -> None:
    """A figure that is itself a word has a twin for English: `{state}` and `{state_en}`."""
    text = messages()[key]

    assert set(text) == {"zh", "en"}
    assert CHINESE.search(text["zh"])
    assert ENGLISH.search(text["en"]), "an example such as 川A12345 may be Chinese, the sentence is not"
    assert _placeholders(text["zh"]) == {name.removesuffix("_en") for name in _placeholders(text["en"])}


def test_every_text_is_used() -> None:
    spoken = {
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert sorted(set(messages()) - spoken) == []


def test_every_problem_has_a_title_in_two_languages() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        problem = waiting.pop()
        waiting += problem.__subclasses__()

        assert set(problem.title) == {"zh", "en"}, problem
        assert CHINESE.search(problem.title["zh"]), problem


def test_figures_are_named_one_by_one() -> None:
    """Positional or attribute placeholders would fill in what nobody meant to show."""
    named = {name for text in messages().values() for words in text.values() for name in _placeholders(words)}

    assert [name for name in sorted(named) if not name.isidentifier()] == []
