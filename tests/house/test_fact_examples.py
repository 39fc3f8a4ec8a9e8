"""Each kind of fact has one worked example in the documents, and it means what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flows.events import EVENT, KINDS

FACTS = Path(__file__).parents[2] / "docs" / "facts.md"
BLOCK = re.compile(r"^```json\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def _examples() -> list[dict[str, Any]]:
    """The JSON blocks of the page that are facts: others may show an answer or a file."""
    blocks = [json.loads(match["text"]) for match in BLOCK.finditer(FACTS.read_text("utf-8"))]
    return [block for block in blocks if isinstance(block, dict) and block.get("kind") in KINDS]


def _example(kind: str) -> dict[str, Any]:
    found = [example for example in _examples() if example["kind"] == kind]
    assert len(found) == 1, f"docs/facts.md has {len(found)} examples of {kind}"
    return found[0]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_fact_has_one_worked_example_that_parses(kind: str) -> None:
    assert type(EVENT.validate_python(_example(kind))) is KINDS[kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_example_comes_back_as_it_was_written(kind: str) -> None:
    example = _example(kind)
    event = EVENT.validate_json(json.dumps(example))

    assert json.loads(EVENT.dump_json(event, exclude_unset=True)) == example
    assert EVENT.validate_json(EVENT.dump_json(event)) == event


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_page_names_the_fact_with_the_laws_word(kind: str) -> None:
    word = (KINDS[kind].__doc__ or "").partition(".")[0]

    assert word in FACTS.read_text("utf-8")
