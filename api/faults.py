"""What pydantic found wrong, told to people: each fault with its place in the input and words in their language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flows.codes import nearest
from flows.errors import Language, Problem, messages
from flows.events import KINDS

BRANCHES: Final = frozenset({"fact", "facts"})
"""How the two forms of a statement are told apart inside: nothing that a caller wrote."""
WORDS: Final = {
    "missing": "shape-missing",
    "extra_forbidden": "shape-extra",
    "union_tag_not_found": "shape-kind-missing",
    "union_tag_invalid": "shape-kind-unknown",
    "literal_error": "shape-choice",
    "enum": "shape-choice",
    "string_type": "shape-text",
    "string_unicode": "shape-text",
    "string_too_short": "shape-text-short",
    "string_too_long": "shape-text-long",
    "string_pattern_mismatch": "shape-pattern",
    "int_type": "shape-whole-number",
    "int_parsing": "shape-whole-number",
    "int_from_float": "shape-whole-number",
    "int_parsing_size": "shape-whole-number",
    "finite_number": "shape-whole-number",
    "greater_than": "shape-above",
    "greater_than_equal": "shape-least",
    "less_than_equal": "shape-most",
    "bool_type": "shape-yes-no",
    "bool_parsing": "shape-yes-no",
    "tuple_type": "shape-list",
    "list_type": "shape-list",
    "frozen_set_type": "shape-list",
    "too_short": "shape-list-short",
    "too_long": "shape-list-long",
    "dict_type": "shape-object",
    "model_type": "shape-object",
    "model_attributes_type": "shape-object",
    "date_type": "shape-day",
    "date_parsing": "shape-day",
    "date_from_datetime_parsing": "shape-day",
    "date_from_datetime_inexact": "shape-day",
    "json_invalid": "shape-json",
}
"""The faults that the models of this service can have, by pydantic's name for them."""


def faults_of(faults: Iterable[Mapping[str, Any]], language: Language) -> list[dict[str, str]]:
    """Every fault: where in the input, what kind, and what is wrong."""
    found = list(faults)
    places = [tuple(fault["loc"]) for fault in found]
    return [
        {"where": where(fault["loc"]), "code": str(fault["type"]), "detail": _clean(_words(fault, language))}
        for fault, place in zip(found, places, strict=True)
        if fault["type"] != "too_short" or not any(_within(other, place) for other in places)
    ]


def _within(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    """A list whose items are at fault is not short as well: pydantic counts the good ones only."""
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def where(location: Sequence[int | str]) -> str:
    """The place as a caller would write it: ``facts[3].product.mass_g``."""
    path = ""
    for step in _written(location):
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return _clean(path)


def _written(location: Sequence[int | str]) -> list[int | str]:
    """The steps that stand in the input: not which part of the request, form or kind of fact was tried."""
    steps = list(location)
    if steps[:1] == ["body"] and steps[1:2] and steps[1] in BRANCHES:
        del steps[1]
    if steps[:1] and steps[0] in {"body", "query", "path"}:
        del steps[0]
    at = 2 if steps[:1] == ["facts"] else 0
    if steps[at : at + 1] and steps[at] in KINDS:
        del steps[at]
    return steps


def _words(fault: Mapping[str, Any], language: Language) -> str:
    figures: dict[str, Any] = fault.get("ctx") or {}
    cause = getattr(figures.get("error"), "__cause__", None)
    if isinstance(cause, Problem):
        return cause.text(language)
    key = WORDS.get(str(fault["type"]))
    if "tag" in figures:
        figures = figures | {"nearest": nearest(str(figures["tag"]), KINDS) or "—"}
    if "expected" in figures and language == "zh":
        figures = figures | {"expected": str(figures["expected"]).replace(" or ", "、").replace(", ", "、")}
    return str(fault["msg"]) if key is None else messages()[key][language].format(**figures)


def _clean(text: str) -> str:
    """What can stand in UTF-8: half a surrogate in a field's name cannot."""
    return text.encode("utf-8", "replace").decode()
