"""Traces as a caller may see them: what is hidden is hidden in every column, and nothing is lost of one's own."""

from pathlib import Path

import pytest

from api.readings import Seen, prefecture
from api.trails import Table, Trail, rows
from flows.access import Caller
from graph.tracing import Direction, trace
from tests.api.world import DROSS, LAID, SEATS, World


def columns(world: World, seat: str, root: str, direction: Direction) -> dict[str, Table]:
    organisation, role, division = SEATS[seat]
    caller = Caller(organisation, role, division)  # pyright: ignore[reportArgumentType]
    service = world.service
    traced = trace(service.lineage, service.lineage.rank(root), direction)
    return Trail(traced, Seen(service.sight(caller), service)).columns()


@pytest.mark.parametrize("seat", ["smelter", "landfill", "auditor", "chengdu"])
@pytest.mark.parametrize("direction", ["up", "down", "both"])
@pytest.mark.parametrize("root", [DROSS, LAID])
def test_what_is_not_seen_is_null_in_every_column_that_could_tell(
    world: World, seat: str, direction: Direction, root: str
) -> None:
    told = columns(world, seat, root, direction)
    for node in rows(told["nodes"]):
        secret = [node[name] for name in ("batch_id", "holder", "material", "mass_g")]
        assert (
            all(value is not None for value in secret)
            if node["seen"]
            else not any(value is not None for value in secret)
        )
        own = node["holder"] == SEATS[seat][0] or seat in {"auditor", "chengdu"} or _on_the_road(world, node)
        assert (node["left_g"] is not None) == bool(node["seen"] and own), "what is left is its holder's to know"
        assert node["date"]
        assert node["prefecture"]
    seen = told["nodes"]["seen"]
    for edge in rows(told["edges"]):
        both = seen[int(str(edge["from"]))] and seen[int(str(edge["to"]))]
        assert (edge["mass_g"] is not None) == (edge["position"] is not None) == bool(both)
    for name in ("ends", "sources"):
        for row in rows(told[name]):
            assert row["mass_g"] is not None or float(str(row["content_g"])) > 0, "what others did beside is left out"


def _on_the_road(world: World, node: dict[str, object]) -> bool:
    return bool(node["seen"]) and world.service.book.batch(str(node["batch_id"])).origin == "load"


@pytest.mark.parametrize("seat", ["smelter", "auditor"])
def test_the_roots_mass_goes_somewhere_whole(world: World, seat: str) -> None:
    """What left over the boundary and what is still in batches make up the root, to the gram that rounding takes."""
    told = columns(world, seat, DROSS, "down")
    ended = sum(float(str(value)) for value in told["ends"]["content_g"])
    drawn = [0.0] * len(told["nodes"]["seen"])
    for giver, content in zip(told["edges"]["from"], told["edges"]["content_g"], strict=True):
        drawn[int(str(giver))] += float(str(content))

    assert 0 < ended < 30_000_000
    assert drawn[0] == pytest.approx(20_000_000, abs=1)


def test_all_columns_of_a_table_are_of_one_length(world: World) -> None:
    for table in columns(world, "smelter", DROSS, "both").values():
        assert len({len(values) for values in table.values()}) == 1


@pytest.mark.parametrize(("division", "told"), [("510104", "510100"), ("510100", "510100"), ("", None)])
def test_nobody_is_placed_nearer_than_the_prefecture(division: str, told: str | None) -> None:
    assert prefecture(division) == told


def test_a_stretch_of_rows(tmp_path: Path) -> None:
    _ = tmp_path
    table: Table = {"a": [1, 2, 3], "b": [4, 5, 6]}

    assert rows(table, 1, 2) == [{"a": 2, "b": 5}]
    assert rows(table, 9) == []
