"""The words of the pages in two languages: one table a language, the same keys in both, no word in a template."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flows.errors import Language, messages

LOCALE_FOLDER: Final = Path(__file__).parent.parent / "locale"


@cache
def words(language: Language) -> Mapping[str, str]:
    """All words of a language by key: ``{"batch.title": "批次"}``."""
    found: dict[str, str] = {}
    for section, table in tomllib.loads((LOCALE_FOLDER / f"{language}.toml").read_text("utf-8")).items():
        for key, text in table.items():
            found[f"{section}.{key}"] = text
    return MappingProxyType(found)


class Words:
    """The words of one language, as templates ask for them: ``t("batch.title")``."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._words = words(language)

    def __call__(self, key: str, **figures: object) -> str:
        """The words under a key, with figures filled in."""
        return self._words[key].format(**figures)

    def chosen(self, zh: str, en: str) -> str:
        """What stands in the data in both languages; Chinese where there is no English."""
        return en if self.language == "en" and en else zh

    def message(self, key: str) -> str:
        """A reason or a note of a figure, in words."""
        return messages()[key][self.language]

    def known(self, key: str) -> str | None:
        """The words under a key, if there are any."""
        return self._words.get(key)
