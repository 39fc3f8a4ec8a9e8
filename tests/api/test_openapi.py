"""The description of the interface: committed, complete, and true of the answers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.rest import audit, corrections, differences, shapes
from flows.events import KINDS
from tests.api.world import DROSS, INGOT, M1, World

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def told(world: World) -> dict[str, Any]:
    answer: dict[str, Any] = world.client.get("/openapi.json").json()
    return answer


def test_the_description_is_the_committed_one(told: dict[str, Any], *, accept: bool) -> None:
    """A changed description is a changed interface: look at it, then `make accept`."""
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if accept:
        COMMITTED.write_text(text, "utf-8")

    assert COMMITTED.read_text("utf-8") == text


def test_every_route_says_what_it_is_in_both_languages(told: dict[str, Any]) -> None:
    for path, methods in told["paths"].items():
        for method in methods.values():
            assert re.search("[\u4e00-\u9fff]", method["summary"]), path
            assert re.search("[A-Z][a-z' ]+", method["summary"].partition("·")[2]), path
            assert method["tags"], path
            assert method["description"], path


def test_every_refusal_is_described_as_a_problem(told: dict[str, Any]) -> None:
    for path, methods in told["paths"].items():
        for method in methods.values():
            refused = {status: each for status, each in method["responses"].items() if int(status) >= 400}
            assert set(refused) >= {"401", "403", "422"} or path == "/api/v1/definitions"
            for each in refused.values():
                assert list(each["content"]) == ["application/problem+json"], path


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(told)):
        assert name in told["components"]["schemas"]


def test_every_kind_of_fact_is_described(told: dict[str, Any]) -> None:
    assert set(KINDS) <= {
        value
        for each in told["components"]["schemas"].values()
        for value in [each.get("properties", {}).get("kind", {}).get("const")]
    }


_ANSWERS: dict[str, type[shapes.Shape]] = {
    "audit": audit.LedgerEnd,
    "entries": shapes.Entries,
    "entries/3": corrections.EntryAnswer,
    "corrections": corrections.Corrections,
    "batches": shapes.Batches,
    f"batches/{DROSS}": shapes.Batch,
    f"batches/{DROSS}/entries": shapes.Entries,
    f"batches/{DROSS}/trace?direction=both": shapes.Trace,
    f"batches/{DROSS}/trace?form=columns": shapes.Trace,
    f"batches/{DROSS}/fate": shapes.Fate,
    f"batches/{INGOT}/provenance": shapes.Provenance,
    "fates": shapes.CohortFate,
    "definitions": shapes.Definitions,
    "indicators": shapes.Values,
    "indicators/supply-share/parts": shapes.ValueParts,
    "network": shapes.Network,
    "manifests": shapes.Manifests,
    f"manifests/{M1}": shapes.Manifest,
    "imports/columns": shapes.OwnColumns,
    "differences?from=9": differences.Differences,
}
OF_ENTERPRISES = {"imports/columns"}
"""What an enterprise calls its columns is its own to see."""


def test_every_described_json_answer_is_tried(told: dict[str, Any]) -> None:
    described = {
        method["responses"]["200"]["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        for methods in told["paths"].values()
        for name, method in methods.items()
        if name == "get" and "application/json" in method["responses"]["200"]["content"]
    }

    assert described == {shape.__name__ for shape in _ANSWERS.values()}


@pytest.mark.parametrize("path", _ANSWERS)
@pytest.mark.parametrize("seat", ["auditor", "smelter", "recycler"])
def test_an_answer_has_the_shape_that_is_described(world: World, path: str, seat: str) -> None:
    answer = world.client.get(f"/api/v1/{path}", headers=world.headers(seat))

    if answer.status_code == 200:
        _ANSWERS[path].model_validate_json(answer.content)
    else:
        assert seat != "auditor" or path in OF_ENTERPRISES
        shapes.ProblemAnswer.model_validate_json(answer.content)
