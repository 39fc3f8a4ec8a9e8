"""Four common names, one house: nobody else claims them, and none of our modules claims somebody else's."""

import ast
import importlib
import sys
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "graph", "labels", "api")
ATTICS = {"common", "data", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
NAMED = [file for file in MODULES if file.stem != "__init__"]


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_claims_a_package(package: str) -> None:
    claimed_by = set(packages_distributions().get(package, ()))

    assert claimed_by <= {"huanliu"}, f"`{package}` is also brought by {claimed_by - {'huanliu'}}: uninstall it"


def test_the_four_packages_come_from_one_place() -> None:
    homes = {Path(str(importlib.import_module(package).__file__)).parents[1] for package in PACKAGES}

    assert len(homes) == 1, homes


@pytest.fixture(scope="module")
def libraries() -> set[str]:
    """What other distributions bring; to look through them all takes half a second."""
    return {name for name in packages_distributions() if not name.startswith("_")} - {*PACKAGES, "tests"}


@pytest.mark.parametrize("module", NAMED, ids=_path)
def test_a_module_is_named_like_nothing_else(module: Path, libraries: set[str]) -> None:
    assert module.stem not in sys.stdlib_module_names, "a part of the standard library has this name"
    assert module.stem not in libraries, "a library has this name"
    assert module.stem not in ATTICS, "which word is missing?"


def test_a_modules_first_line_says_what_no_other_could_say() -> None:
    said = defaultdict[str, list[str]](list)
    for module in NAMED:
        docstring = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
        said[docstring.partition("\n")[0]].append(_path(module))

    assert said.get("", []) == [], "these say nothing"
    assert [modules for modules in said.values() if len(modules) > 1] == []


def test_only_the_test_root_is_a_package() -> None:
    """Otherwise ``import flows`` would find ``tests/flows``."""
    assert [_path(file) for file in (ROOT / "tests").rglob("__init__.py")] == ["tests/__init__.py"]
