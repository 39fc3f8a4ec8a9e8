"""What the documents tell people to type and to open is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^ *```(?:sh|bash|console|shell)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:make|huanliu)(?: [^`\n]*)?)`")
LINK = re.compile(r"(?<!!)!?\[[^\]\n]*\]\((?P<target>[^)\s]+)[^)\n]*\)")
BREAKS = re.compile(r"&&|\|\||[|;]")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _commands(page: Path) -> Iterator[list[str]]:
    """What a reader would type: each command of the shell blocks and each inline `make …` or `huanliu …`."""
    text = page.read_text("utf-8")
    lines = [line for block in FENCED.finditer(text) for line in block["text"].replace("\\\n", " ").splitlines()]
    lines += INLINE.findall(FENCED.sub("", text))
    for line in lines:
        for part in BREAKS.split(line.partition(" #")[0]):
            words = shlex.split(part.strip().removeprefix("$ "))
            while words and (words[0] in {"sudo", "env", "time"} or re.match(r"[A-Z_]+=", words[0])):
                words = words[1:]
            if words:
                yield words


COMMANDS = [(_name(page), words) for page in PAGES for words in _commands(page)]
LINKS = [(_name(page), match["target"]) for page in PAGES for match in LINK.finditer(page.read_text("utf-8"))]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _subcommands() -> set[str]:
    from api.cli import app

    command = typer.main.get_command(app)
    return set(getattr(command, "commands", {}))


def test_the_readme_tells_how_to_begin() -> None:
    assert ["make", "demo"] in [words for page, words in COMMANDS if page == "README.md"]


@pytest.mark.parametrize(("page", "words"), [row for row in COMMANDS if row[1][0] == "make"])
def test_every_make_word_in_the_documents_exists(page: str, words: list[str]) -> None:
    asked = {word for word in words[1:] if "=" not in word and not word.startswith("-")}

    assert asked <= _targets(), page


@pytest.mark.parametrize(("page", "words"), [row for row in COMMANDS if row[1][0].rpartition("/")[2] == "huanliu"])
def test_every_command_in_the_documents_exists(page: str, words: list[str]) -> None:
    asked = {word for word in words[1:2] if not word.startswith("-")}

    assert asked <= _subcommands(), page


@pytest.mark.parametrize(("page", "target"), [row for row in LINKS if "://" not in row[1] and row[1][0] != "#"])
def test_every_link_to_a_file_resolves(page: str, target: str) -> None:
    assert ((ROOT / page).parent / target.partition("#")[0]).exists()


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = {target for page, target in LINKS if page == "docs/decisions/README.md"}

    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}
