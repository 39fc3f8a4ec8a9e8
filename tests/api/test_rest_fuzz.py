"""Whatever is asked of whatever address, in whatever words: an answer or a refusal, and never a fault of ours."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.world import DROSS, LOAD, M1, RECYCLER, SEATS, SMELTER, World

VALUES = st.one_of(
    st.sampled_from([
        "", "0", "1", "-1", "5", "1000", str(2**53), str(2**63), str(10**30), "1e5", "NaN", "true", "null", "2026-09-02",
        "2026-02-30", "0001-01-01", "9999-12-31", "1900-01-01", "2199-12-31", "2026-09-02T10:00:00+08:00",
        "0001-01-01T00:00:00+14:00", "51", "5101", "510100", "999999", "region", "enterprise", "prefecture", "province",
        "month", "quarter", "code", "dry", "both", "up", "columns", "graphml", "node-link", SMELTER, RECYCLER, DROSS,
        "primary-dross", "321-024-48", "HW48", "al", "utilization-general", "hazardous_waste", "road", "accepted", "150",
        "\x00", "%00", "../..", "LHZ1", "批次", "\r\nX: y", "'; drop table entry; --", "{0.__class__}", "\u202e",
    ]),
    st.text(max_size=30),
    st.integers().map(str),
)  # fmt: skip
CODES = st.one_of(st.sampled_from([DROSS, LOAD, M1, "LHZ1", "台账一号", "a/b", "..", "?", "#", "a\r\nb"]), VALUES)
SEAT = st.sampled_from([*SEATS])


@pytest.fixture(scope="module")
def routes(world: World) -> list[tuple[str, list[str]]]:
    """Every GET route with the names that it may be asked with."""
    paths: dict[str, Any] = world.client.get("/openapi.json").json()["paths"]
    return [
        (path, [each["name"] for each in told["get"].get("parameters", ()) if each["in"] == "query"])
        for path, told in paths.items()
        if "get" in told
    ]


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_question_breaks_anything(world: World, routes: list[tuple[str, list[str]]], data: st.DataObject) -> None:
    path, names = data.draw(st.sampled_from(routes))
    seat = data.draw(SEAT)
    for name in re.findall(r"{(\w+)}", path):
        value = data.draw(st.sampled_from(["svg", "png"]) if name == "form" else CODES)
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    names = [*names, "lang", "unheard-of"]
    asked = data.draw(st.lists(st.tuples(st.sampled_from(names), VALUES), max_size=4))

    answer = world.client.get(path, params=asked, headers=world.headers(seat))

    assert answer.status_code < 500, (path, asked)
    if answer.status_code >= 400 and path.startswith("/api/"):
        assert answer.json()["detail"]


@pytest.mark.parametrize("seat", ["smelter", "auditor"])
def test_no_parameter_breaks_any_route_alone(world: World, routes: list[tuple[str, list[str]]], seat: str) -> None:
    odd = ["", "\x00", str(10**30), "-1", "0001-01-01", "9999-12-31", "1900-01-01", "2199-12-31", "51", "٣", "x" * 3000]
    for path, names in routes:
        if "label" in path or "xlsx" in path:
            continue  # drawn one by one below
        for code, indicator in (
            ("{code}", DROSS),
            ("{manifest_id}", M1),
            ("{position}", "3"),
            ("{indicator}", "supply-share"),
        ):
            path = path.replace(code, indicator)  # noqa: PLW2901 - filled in bit by bit
        for name in names:
            for value in odd:
                answer = world.client.get(path, params={name: value}, headers=world.headers(seat))
                assert answer.status_code < 500, (path, name, value)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        VALUES | st.none() | st.booleans() | st.integers() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "facts", "event_id", "enterprise", "event_time", "product", "lines", "x"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_no_body_breaks_anything(world: World, body: object) -> None:
    import json  # NaN and half surrogates too: what a careless client writes

    headers = {**world.headers("smelter"), "Content-Type": "application/json"}
    answer = world.client.post("/api/v1/facts", content=json.dumps(body), headers=headers)

    assert answer.status_code in {400, 422}, body
    assert answer.json()["detail"]
