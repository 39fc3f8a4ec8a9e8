"""What a caller can mend: problems, each with its figures and its words in two languages.

Problem
├── Malformed   the words make no sense
├── Unknown     they name what was never recorded
├── Forbidden   the caller may not speak for this enterprise
├── Refusal     a rule says no
└── Conflict    one name for two facts

The words stand in ``flows/tables/messages/*.toml``, one table a key, with ``zh`` and ``en``;
each names what is wrong, the figures, and the next step where there is one.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
Figure: TypeAlias = str | int | float | None

MESSAGES_FOLDER = Path(__file__).with_name("tables") / "messages"


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """All message texts by key: ``{"overdrawn": {"zh": …, "en": …}}``."""
    texts: dict[str, Mapping[str, str]] = {}
    for file in sorted(MESSAGES_FOLDER.glob("*.toml")):
        for key, text in tomllib.loads(file.read_text("utf-8")).items():
            assert key not in texts, f"message {key} stands in two files"
            texts[key] = text
    return texts


class Problem(Exception):
    """What a caller can mend. `key` finds the words, `figures` fill them, `where` is a path into the input."""

    title: ClassVar[Mapping[str, str]] = {"zh": "问题", "en": "Problem"}

    def __init__(self, key: str, /, *, where: str | None = None, **figures: Figure) -> None:
        super().__init__(key)
        self.key = key
        self.where = where
        self.figures = figures

    def text(self, language: Language = "zh") -> str:
        """What is wrong, with its numbers and the next step."""
        return messages()[self.key][language].format(**self.figures)

    def at(self, where: str) -> "Problem":
        """The same problem, told with its place in the input; who tells it further says in what that place is."""
        self.where = where if self.where is None else f"{where}.{self.where}"
        return self

    def place(self, name: str) -> int | None:
        """Which of several it is about, where it is about one: ``changes[2]`` is the third of the changes."""
        told = re.search(rf"\b{name}\[(\d+)\]", self.where or "")
        return int(told[1]) if told else None

    def __str__(self) -> str:
        return self.text("en")


class Malformed(Problem):
    """The words make no sense."""

    title = {"zh": "内容无法识别", "en": "Malformed"}


class Unknown(Problem):
    """They name what was never recorded, or what the caller may not see."""

    title = {"zh": "未找到", "en": "Unknown"}


class Forbidden(Problem):
    """The caller may not speak for this enterprise."""

    title = {"zh": "无权办理", "en": "Forbidden"}


class Refusal(Problem):
    """A rule says no."""

    title = {"zh": "不予登记", "en": "Refused"}


class Conflict(Problem):
    """One name for two facts."""

    title = {"zh": "编号冲突", "en": "Conflict"}
