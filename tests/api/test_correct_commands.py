"""Corrections from the command line: told anew by path, by file or withdrawn, checked first, agreed to and declined."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.entries import event_json
from tests.api.test_cli import Shell
from tests.api.world import DROSS, M1, RECYCLER, SMELTER, TONNE, read_as, world_of


class Installed(Shell):
    """An installation that knows where in it the dross arose and the load left."""

    generated: int
    loaded: int
    arrived: int
    decided: int
    fact: dict[str, Any]


@pytest.fixture
def shell(tmp_path: Path) -> Installed:
    """An installation with the world in it."""
    world = world_of(tmp_path / "world")
    file = tmp_path / "world.jsonl"
    told = [json.dumps(event_json(entry.event), ensure_ascii=False) for entry in world.service.ledger.entries()]
    file.write_text("\n".join(told) + "\n", "utf-8")
    made = Installed(tmp_path / "data")
    made.run("import", str(file))
    made.generated, _ = read_as(world, DROSS, "generated")
    made.loaded, made.fact = read_as(world, M1, "loaded")
    made.arrived, _ = read_as(world, M1, "arrived")
    made.decided, _ = read_as(world, M1, "decided")
    world.service.close()
    return made


def test_a_value_is_set_by_its_path_checked_first_then_in_force(shell: Installed) -> None:
    words = ("correct", f"{shell.generated}:product.mass_g=29t", "--reason", "过磅单录错")

    assert "将立即生效" in shell.run(*words, "--check").stdout
    assert shell.json("corrections", "--all") == []
    told = shell.json(*words)
    assert (told["state"], told["changes"][0]["altered"]) == (
        "in_force", [{"path": "product.mass_g", "was": 30 * TONNE, "becomes": 29 * TONNE}],
    )  # fmt: skip
    assert "30 t → 29 t" in shell.run("corrections", "--all").stdout
    shell.run(*words, expect=2)


def test_what_would_break_is_named_and_nothing_kept(shell: Installed) -> None:
    words = ("correct", f"{shell.generated}:product.mass_g=15t", "--reason", "过磅单录错")

    output = shell.run(*words, expect=1).output

    assert f"第 {shell.loaded} 条" in output
    assert "15 t" in output
    assert shell.json("corrections", "--all") == []


def test_the_weight_of_a_receipt_is_corrected_in_both_its_facts(shell: Installed) -> None:
    scale, taken = f"{shell.arrived}:lines.0.mass_g=19.8t", f"{shell.decided}:lines.0.accepted.mass_g=17.8t"
    alone = shell.run("correct", scale, "--reason", "皮重有误", expect=1).output
    assert f"第 {shell.decided} 条" in alone

    told = shell.json("correct", scale, taken, "--reason", "皮重有误")

    assert (told["state"], told["others"]) == ("open", [SMELTER])
    listed = shell.run("corrections").stdout
    assert all(value in listed for value in ("19.9 t → 19.8 t", "17.9 t → 17.8 t"))
    agreed = shell.json("agree", RECYCLER, told["request"])
    assert [each["entry"] for each in agreed["changes"]] == [shell.arrived, shell.decided]
    assert agreed["state"] == "in_force"
    shell.run(
        "correct", f"{shell.arrived}:lines.0.mass_g=20t", "--withdraw", str(shell.arrived), "--reason", "x", expect=2
    )


def test_a_load_waits_is_listed_and_agreed_to(shell: Installed) -> None:
    told = shell.json("correct", f"{shell.loaded}:plate=川A99999", "--reason", "换车")

    assert (told["state"], told["others"]) == ("open", [RECYCLER])
    assert told["request"] in shell.run("corrections").stdout
    agreed = shell.json("agree", SMELTER, told["request"])
    assert (agreed["state"], agreed["settled"]["enterprise"]) == ("in_force", RECYCLER)
    assert shell.json("corrections") == []


def test_a_request_is_declined_by_the_other_side_or_taken_back(shell: Installed, tmp_path: Path) -> None:
    file = tmp_path / "becomes.json"
    file.write_text(json.dumps(shell.fact | {"plate": "川A88888"}), "utf-8")
    words = ("correct", "--becomes", str(file), "--reason")
    first = shell.json(*words, "换车")
    assert shell.json("decline", SMELTER, first["request"], "--reason", "不符")["settled"]["reason"] == "不符"
    second = shell.json(*words, "再次申请")
    taken = shell.json("decline", SMELTER, second["request"], "--reason", "弄错了", "--by", SMELTER)
    assert (taken["state"], taken["settled"]["enterprise"]) == ("declined", SMELTER)
    shell.run("agree", SMELTER, second["request"], expect=1)


@pytest.mark.parametrize(
    "words",
    [
        ("--reason", "x"),
        ("1:name=甲", "--withdraw", "1", "--reason", "x"),
        ("1:name", "--reason", "x"),
        ("name=甲", "--reason", "x"),
        ("甲:name=甲", "--reason", "x"),
        ("1:nope=1", "--reason", "x"),
        ("1:name.x=1", "--reason", "x"),
        ("1:roles.7=trader", "--reason", "x"),
        ("--becomes", "nowhere.json", "--reason", "x"),
        ("--withdraw", "1"),
        ("--withdraw", "0", "--reason", "x"),
    ],
)
def test_wrong_use_ends_with_two_and_says_why(shell: Installed, words: tuple[str, ...]) -> None:
    assert "Traceback" not in shell.run("correct", *words, expect=2).output


def test_an_entry_that_is_not_there_ends_with_one(shell: Installed) -> None:
    assert "Unknown:" in shell.run("correct", "--withdraw", "999", "--reason", "x", expect=1).output
