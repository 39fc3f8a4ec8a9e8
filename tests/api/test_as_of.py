"""What was known stays known: each reading as of a position before a correction is the answer that was given then."""

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from zipfile import ZipFile

import pytest

from tests.api.world import (
    DROSS,
    INGOT,
    LAID,
    LOAD,
    M1,
    M2,
    TAKEN,
    World,
    mend,
    world_of,
)

_BATCHES = (DROSS, LOAD, TAKEN, INGOT, LAID)
_READINGS: tuple[str, ...] = (
    "batches",
    "manifests",
    "network",
    "fates",
    "indicators",
    "indicators?first=2026-01-01&last=2026-12-31&by=enterprise",
    "indicators/stock-hazardous/parts",
    "indicators/fate-utilization-hazardous/parts",
    "entries?effective=true&limit=1000",
    "entries?limit=1000",
    "exports/workbook.xlsx",
    *(f"manifests/{each}" for each in (M1, M2)),
    *(f"manifests/{each}/sheet.pdf" for each in (M1, M2)),
    *(
        f"batches/{each}{part}"
        for each in _BATCHES
        for part in (
            "",
            "/entries",
            "/label.svg",
            "/label.pdf",
            "/trace?direction=both",
            "/trace?form=columns",
            "/fate",
            "/fate?basis=dry",
            "/fate?at=2026-09-03",
            "/provenance",
        )
    ),
)
_LOOKERS = ("smelter", "recycler", "landfill", "carrier", "stranger", "delegate", "province", "chengdu", "auditor")


def told(world: World, seat: str, path: str, as_of: int | None = None) -> tuple[int, Any]:
    """Status and body; of a workbook the parts, as its container bears the hour of its making."""
    plain, _, query = path.partition("?")
    known = {} if as_of is None else {"as_of": as_of}
    answer = world.get(seat, plain, **dict(parse_qsl(query)), **known)
    if answer.status_code == 200 and path.endswith(".xlsx"):
        with ZipFile(BytesIO(answer.content)) as book:
            return 200, {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    return answer.status_code, (answer.content, answer.headers.get("huanliu-position"))


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, int, dict[tuple[str, str], Any]]:
    """A world, corrected; the position before that, and all that was told then."""
    world = world_of(tmp_path_factory.mktemp("mended"))
    position = world.service.recording.position
    before = {(seat, path): told(world, seat, path) for seat in _LOOKERS for path in _READINGS}
    mend(world)
    return world, position, before


@pytest.mark.parametrize("seat", _LOOKERS)
def test_each_reading_as_of_a_position_is_what_was_told_then(
    mended: tuple[World, int, dict[tuple[str, str], Any]], seat: str
) -> None:
    world, position, before = mended
    differing = [path for path in _READINGS if told(world, seat, path, position) != before[seat, path]]

    assert differing == []


def test_and_now_something_else_is_told(mended: tuple[World, int, dict[tuple[str, str], Any]]) -> None:
    world, _, before = mended
    moved = (
        "batches", "fates", "indicators", "indicators/stock-hazardous/parts", "entries?effective=true&limit=1000",
        "entries?limit=1000", f"manifests/{M1}/sheet.pdf", f"manifests/{M2}/sheet.pdf", f"batches/{DROSS}",
        f"batches/{DROSS}/label.svg", f"batches/{DROSS}/label.pdf", f"batches/{DROSS}/trace?direction=both",
        f"batches/{DROSS}/fate", f"batches/{DROSS}/fate?basis=dry", f"batches/{LAID}", f"batches/{LAID}/fate",
    )  # fmt: skip
    same = [path for path in moved if told(world, "auditor", path)[1][0] == before["auditor", path][1][0]]

    assert set(moved) <= set(_READINGS)
    assert same == []


@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-01T12:00:00+08:00"])
def test_a_day_and_an_instant_name_what_was_known_at_their_end(world: World, day: str) -> None:
    position = world.service.recording.position
    answer = world.get("smelter", f"batches/{DROSS}", as_of=day)

    assert answer.content == world.get("smelter", f"batches/{DROSS}").content
    assert answer.headers["huanliu-position"] == str(position)


def test_what_came_later_is_not_there_and_what_was_withdrawn_later_still_is(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)

    laid = fresh.get("landfill", f"batches/{LAID}").json()
    then = fresh.get("landfill", f"batches/{LAID}", as_of=position).json()

    assert (laid["left_g"], then["left_g"]) == (11_222_000, 11_222_000 - 7_654_321)
    first = fresh.get("smelter", f"batches/{DROSS}").json()["position"]
    assert fresh.get("smelter", f"batches/{LOAD}", as_of=first).status_code == 404


@pytest.mark.parametrize("path", ["batches", "manifests", f"batches/{DROSS}/label.svg", "exports/workbook.xlsx"])
def test_a_state_of_knowledge_that_is_not_there_is_said_in_words(world: World, path: str) -> None:
    end = world.service.recording.position
    for text, code in (
        (end + 1, "as-of-beyond-end"),
        (0, "as-of-before-first"),
        ("2026-10-31", "as-of-before-first"),
        ("2027-01-01", "as-of-to-come"),
        ("gestern", "as-of-unreadable"),
    ):
        answer = world.get("smelter", path, as_of=text)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
