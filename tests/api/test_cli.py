"""The command line: what each command says and writes, and what it ends with: 0 good, 1 refused or wanting, 2 wrong use."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner, Result

from api import audits
from api.cli import app
from api.service import Service
from flows.entries import event_json
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api.world import DROSS, INGOT, LAID, LOAD, M1, SMELTER, TAKEN, World, world_of
from tests.graph.stores import unread

HUANLIU = Path(sys.executable).with_name("huanliu")


class Shell:
    """Commands on the installation of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"HUANLIU_DATA": str(folder), "COLUMNS": "200"}

    def run(self, *words: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words), env=self.environment)
        assert result.exit_code == expect, (words, result.output, result.exception)
        return result

    def json(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    @property
    def file(self) -> Path:
        return self.folder / "huanliu.db"


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's facts as a file of lines."""
    folder = tmp_path_factory.mktemp("facts")
    world = world_of(folder)
    told = [json.dumps(event_json(entry.event), ensure_ascii=False) for entry in world.service.ledger.entries()]
    file = folder / "world.jsonl"
    file.write_text("\n".join(told) + "\n", "utf-8")
    return file


@pytest.fixture(scope="module")
def shell(facts: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """An installation with the world in it, to look at."""
    shell = Shell(tmp_path_factory.mktemp("data"))
    shell.run("import", str(facts))
    return shell


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


# keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_told_once_listed_without_itself_and_revoked(empty: Shell) -> None:
    told = empty.json("key", "create", SMELTER, "--role", "member", "--name", "称重房 [1]")

    assert re.fullmatch(r"hl_[0-9a-f]{8}_[0-9A-Za-z-]{32}", told["key"])
    [kept] = empty.json("key", "list")
    assert kept["key_id"] == told["key_id"]
    assert "digest" not in kept
    assert told["key"] not in empty.run("key", "list").stdout
    assert "称重房 [1]" in empty.run("key", "list").stdout
    assert told["key"].rpartition("_")[2].encode() not in empty.file.read_bytes()
    empty.run("key", "revoke", told["key_id"])
    assert empty.json("key", "list") == []
    empty.run("key", "revoke", told["key_id"], expect=1)


@pytest.mark.parametrize(
    "words",
    [
        ("key", "create", "BAD"),
        ("key", "create", SMELTER, "--role", "king"),
        ("key", "create", SMELTER, "--role", "regulator"),
        ("key", "create", SMELTER, "--role", "member", "--division", "51"),
        ("key", "create", SMELTER, "--role", "regulator", "--division", "abc"),
        ("trace", "%%%"),
        ("trace", DROSS, "--at", "yesterday"),
        ("trace", DROSS, "--depth", "-1"),
        ("trace", DROSS, "--as-of", "-1"),
        ("trace", DROSS, "--graph", "dot"),
        ("label", DROSS, "--size-mm", "77"),
        ("indicators", "--from", "2026-13-01"),
        ("indicators", "--by", "colour"),
        ("import", "nowhere.jsonl"),
        ("export",),
        ("export", "--facts", "--template"),
        ("serve", "--port", "0"),
        ("fly",),
    ],
)
def test_wrong_use_ends_with_two(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell.run(*words, expect=2)

    assert "Traceback" not in result.output
    assert result.output.strip()


@pytest.mark.parametrize(
    "words",
    [("trace", "NONE"), ("fate", "NONE"), ("label", "NONE"), ("manifest", "NONE"), ("indicators", "--only", "luck")],
)
def test_what_is_not_there_ends_with_one_and_says_so_twice(shell: Shell, words: tuple[str, ...]) -> None:
    output = shell.run(*words, expect=1).output

    assert re.search("[\u4e00-\u9fff]", output)
    assert "Unknown:" in output


@pytest.mark.parametrize(
    ("name", "value"), [("HUANLIU_PORT", "x"), ("HUANLIU_LEDGER", "http://x"), ("HUANLIU_PUBLIC_URL", "y")]
)
def test_a_setting_that_cannot_be_is_named(empty: Shell, name: str, value: str) -> None:
    empty.environment[name] = value

    assert name in empty.run("key", "list", expect=2).output


# readings ---------------------------------------------------------------------------------------------------------


def test_a_trace_as_outline_as_columns_and_as_a_graph(shell: Shell) -> None:
    assert "LHZ1" in shell.run("trace", DROSS).stdout
    told = shell.json("trace", DROSS)
    assert told["root"] == DROSS
    assert LAID in told["nodes"]["batch_id"]
    assert DROSS in shell.json("trace", LAID, "--up")["nodes"]["batch_id"]
    assert shell.json("trace", DROSS, "--depth", "1")["nodes"]["batch_id"] == [DROSS, LOAD]
    graph: Any = nx.parse_graphml(shell.run("trace", DROSS, "--graph", "graphml").stdout)
    assert nx.has_path(graph, DROSS, LAID)
    linked: Any = nx.node_link_graph(
        json.loads(shell.run("trace", DROSS, "--graph", "node-link").stdout), edges="links"
    )
    assert set(linked) == set(graph)


def test_a_fate_to_the_gram(shell: Shell) -> None:
    told = shell.json("fate", DROSS)

    assert sum(row["mass_g"] for row in told["classes"]) == told["mass_g"] == 30_000_000
    assert "30" in shell.run("fate", DROSS, "--dry").stdout
    assert shell.json("fate", DROSS, "--at", "2026-09-01")["classes"][0]["mass_g"] == 30_000_000


def test_indicators_with_their_parts(shell: Shell) -> None:
    told = shell.json("indicators", "--from", "2026-01-01", "--to", "2026-12-31", "--by", "prefecture")

    assert {row["boundary"]["key"] for row in told["rows"]} >= {"5101", "5103"}
    assert shell.run("indicators", "--only", "supply-share").stdout


def test_a_manifest_is_shown_and_printed(shell: Shell, tmp_path: Path) -> None:
    sheet = tmp_path / "deep" / "sheet.pdf"

    assert shell.json("manifest", M1)["state"] == "partly_accepted"
    assert "部分接受" in shell.run("manifest", M1.lower(), "--to", str(sheet)).stdout
    assert sheet.read_bytes()[:5] == b"%PDF-"


@pytest.mark.parametrize("form", ["pdf", "png", "svg"])
def test_a_label_is_written_under_a_short_name(
    shell: Shell, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = shell.json("label", INGOT, "--form", form, "--size-mm", "150")

    assert told["file"] == f"label-INGOT.{form}"
    assert (tmp_path / told["file"]).stat().st_size > 1000


def test_a_traces_filters_and_both_ways(shell: Shell) -> None:
    assert {DROSS, TAKEN, LAID} <= set(shell.json("trace", TAKEN, "--both")["nodes"]["batch_id"])
    some = shell.json("trace", DROSS, "--material", "recovered-aluminium", "--from", "2026-09-01", "--to", "2026-09-30")
    assert some["nodes"]["batch_id"] == [DROSS, INGOT]
    assert shell.json("trace", DROSS, "--status", "hazardous_waste", "--division", "51", "--code", "321-024-48")[
        "nodes"
    ]
    assert "LHZ1" in shell.run("trace", DROSS, "--all", "--enterprise", SMELTER).stdout
    shell.run("trace", DROSS, "--material", "nope", expect=1)


def test_the_facts_behind_a_figure_are_listed(shell: Shell) -> None:
    asked = ("indicators", "--level", "province", "--key", "51", "--from", "2026-01-01", "--to", "2026-12-31")
    told = shell.json(*asked, "--code", "HW48", "--parts", "disposal-hazardous")

    assert {row["kind"] for row in told["rows"]} >= {"generated"}
    for part in told["value"]["parts"]:
        found = [row["mass_g"] for row in told["rows"] if row["part"] == part["part"]]
        assert not found or sum(found) == part["mass_g"]
    assert "四川省" in shell.run(*asked, "--parts", "disposal-hazardous").stdout
    shell.run("indicators", "--metal", "zz", expect=1)


def test_what_is_written_is_named_and_its_name_says_the_form(shell: Shell, tmp_path: Path) -> None:
    sheet, label = tmp_path / "m.pdf", tmp_path / "x.png"

    assert shell.json("manifest", M1, "--to", str(sheet))["file"] == str(sheet)
    assert sheet.read_bytes()[:5] == b"%PDF-"
    shell.run("label", DROSS, "--to", str(label))
    assert label.read_bytes()[1:4] == b"PNG"
    shell.run("label", DROSS, "--to", str(label), "--form", "pdf", expect=2)
    shell.run("label", DROSS, "--to", str(tmp_path / "x.gif"), expect=2)


def test_an_unreadable_workbook_is_told_in_both_languages(shell: Shell, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(b"PK no workbook")
    words = shell.run("import", str(book), "--as", SMELTER, expect=1).stdout

    assert "✗ :" not in words
    assert "nothing recorded" in words


# in and out -------------------------------------------------------------------------------------------------------


def test_facts_out_and_in_again_are_the_same_facts(shell: Shell, empty: Shell, tmp_path: Path) -> None:
    """Record times differ, and with them the digests; the facts do not."""
    first, second = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    shell.run("export", str(first), "--facts")
    empty.run("import", str(first))
    empty.run("export", str(second), "--facts")

    assert first.read_bytes() == second.read_bytes()
    assert empty.json("import", str(first))["recorded"] == 0, "known facts change nothing"


def test_entries_from_a_file_bear_their_enterprises_name(shell: Shell) -> None:
    with sqlite3.connect(shell.file) as file:
        bodies = [json.loads(body) for (body,) in file.execute("select body from entry")]

    assert all(body["recorded_by"] == body["event"]["enterprise"] for body in bodies)


def test_a_file_is_mended_and_goes_on_from_there(empty: Shell, facts: Path, tmp_path: Path) -> None:
    lines = facts.read_text("utf-8").splitlines()
    wrong = json.loads(lines[20]) | {"event_time": "2020-01-01"}
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join([*lines[:20], json.dumps(wrong), *lines[21:]]), "utf-8")

    told = empty.json("import", str(broken), expect=1)
    assert [each["line"] for each in told["errors"]] == [21]
    assert told["errors"][0]["zh"]
    assert told["recorded"] == 0, "a turn is kept whole or not at all"

    assert empty.json("import", str(facts))["recorded"] == len(lines)


def test_every_line_that_is_no_fact_is_told_at_once(empty: Shell, facts: Path, tmp_path: Path) -> None:
    lines = facts.read_text("utf-8").splitlines()
    file = tmp_path / "x.jsonl"
    file.write_bytes(
        b"\xef\xbb\xbf"
        + "\n".join([lines[0], "", "{", '{"kind": "sold"}', '{"event": {"kind": "generated"}}', "7"]).encode()
        + b"\n\xff\n"
    )
    told = empty.json("import", str(file), expect=1)

    assert {each["line"] for each in told["errors"]} == {3, 4, 5, 6, 7}
    assert told["position"] == 0
    missing = [each for each in told["errors"] if each["line"] == 5]
    assert {"where": "product", "zh": "缺少此项", "en": "this field is missing"}.items() <= missing[-1].items()
    words = empty.run("import", str(file), expect=1).stdout
    assert "第 3 行" in words
    assert "line 3" in words


def test_a_check_keeps_nothing(empty: Shell, facts: Path) -> None:
    told = empty.json("import", str(facts), "--check")

    assert (told["errors"], told["position"], told["checked"]) == ([], 0, True)


def test_workbooks_go_out_and_in(shell: Shell, tmp_path: Path) -> None:
    book, template = tmp_path / "book.xlsx", tmp_path / "template.xlsx"
    shell.run("export", str(book), "--of", SMELTER)
    shell.run("export", str(template), "--template")

    assert template.read_bytes()[:2] == b"PK"
    told = shell.json("import", str(book), "--as", SMELTER)
    assert (told["errors"], told["facts"]) == ([], 0)
    assert "--as" in shell.run("import", str(book), expect=2).output


# what stands in the file ------------------------------------------------------------------------------------------


def test_a_sound_ledger_is_found_sound_and_rebuilt_alike(shell: Shell) -> None:
    assert shell.json("audit")["faults"] == []
    assert "台账完整" in shell.run("audit").stdout
    assert all(shell.json("rebuild")["agree"].values())
    assert "✓" in shell.run("rebuild").stdout


def test_who_kept_a_position_and_its_digest_proves_that_the_ledger_only_grew(empty: Shell, facts: Path) -> None:
    lines = facts.read_text("utf-8").splitlines(keepends=True)
    file = facts.with_name("half.jsonl")
    file.write_text("".join(lines[:12]), "utf-8")
    empty.run("import", str(file))
    end = empty.json("audit", "--head")
    assert set(end) == {"position", "digest", "record_time"}
    mark = ("--since", str(end["position"]), "--digest", end["digest"])
    assert " ".join(mark) in empty.run("audit").output
    empty.run("import", str(facts))

    told = empty.json("audit", *mark)
    assert (told["since"], told["only_grew"], told["faults"]) == (12, True, [])
    assert "only grew" in empty.run("audit", *mark).stdout
    other = empty.json("audit", "--since", "11", *mark[2:], expect=1)
    assert (other["only_grew"], [each["code"] for each in other["faults"]]) == (False, ["audit-since-differs"])
    assert {"detail", "detail_en", "figures"} <= set(other["faults"][0])
    for gone in ("999", "9" * 15):
        beyond = empty.json("audit", "--since", gone, *mark[2:], expect=1)
        assert [each["code"] for each in beyond["faults"]] == ["audit-since-gone"]
    assert empty.run("audit", "--since", "9" * 30, *mark[2:], expect=2)
    assert "--digest" in empty.run("audit", "--since", "3", expect=2).output
    assert "64" in empty.run("audit", "--since", "3", "--digest", "abc", expect=2).output


@pytest.mark.parametrize("position", [1, 12, 20])
def test_a_changed_byte_is_found(empty: Shell, facts: Path, position: int) -> None:
    empty.run("import", str(facts))
    with sqlite3.connect(empty.file) as file:
        for (name,) in file.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            file.execute(f"drop trigger {name}")
        (body,) = file.execute("select body from entry where position = ?", (position,)).fetchone()
        file.execute("update entry set body = ? where position = ?", (body.replace(b"2026", b"2025", 1), position))

    told = empty.json("audit", expect=1)

    assert "audit-digest-wrong" in {each["code"] for each in told["faults"]}
    assert str(position) in empty.run("audit", expect=1).stdout


def test_a_damaged_file_is_told_in_words(empty: Shell, facts: Path) -> None:
    empty.run("import", str(facts))
    with sqlite3.connect(empty.file) as file:
        file.execute("pragma wal_checkpoint(truncate)")
    file.close()
    body = empty.file.read_bytes()
    empty.file.write_bytes(body[:4096] + b"\xff" * (len(body) - 4096))

    assert {"audit-file-damaged", "store-damaged"} <= {each["code"] for each in empty.json("audit", expect=1)["faults"]}
    for command in ("audit", "rebuild"):
        assert "从备份恢复" in empty.run(command, expect=1).output


def test_a_file_that_is_no_ledger_is_told_so(empty: Shell) -> None:
    empty.folder.mkdir(parents=True)
    empty.file.write_bytes(b"not a database at all, but long enough to look at" * 100)

    for command in ("audit", "rebuild"):
        assert "HUANLIU_DATA" in empty.run(command, expect=1).output


def test_the_script_itself_runs(shell: Shell, tmp_path: Path) -> None:
    """One real process: the console script, its streams, its exit code."""
    environment = {**os.environ, **shell.environment}
    good = subprocess.run(
        [HUANLIU, "fate", DROSS, "--json"], env=environment, capture_output=True, cwd=tmp_path, check=False
    )
    bad = subprocess.run([HUANLIU, "fate", "NONE"], env=environment, capture_output=True, cwd=tmp_path, check=False)

    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["mass_g"] == 30_000_000
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert "未找到" in bad.stderr.decode()


def test_names_with_brackets_are_shown_as_they_are(empty: Shell, facts: Path, tmp_path: Path) -> None:
    lines = facts.read_text("utf-8").replace("成都甲铝业", "成都[/]甲[red]铝业")
    file = tmp_path / "[b]x.jsonl"
    file.write_text(lines, "utf-8")

    empty.run("import", str(file))
    assert "成都[/]甲[red]铝业" in empty.run("trace", DROSS).stdout
    assert "成都[/]甲[red]铝业" in empty.run("manifest", M1, "--to", str(tmp_path / "m.pdf")).stdout


def test_the_world_is_the_same_by_wire_and_by_file(world: World, shell: Shell) -> None:
    assert shell.json("audit")["position"] == world.service.book.position


def _told_in_steps(world: World) -> Service:
    """The world's facts, told one after the other to a service that was open all the while."""
    service = Service.over(world.service.settings, MemoryLedger(), MemoryDesk(), world.service.clock)
    for entry in world.service.ledger.entries():
        with service.ledger.turn() as turn:
            turn.append(unread([entry]))
        service.recording.catch_up()
    return service


def _rebuilt(service: Service) -> dict[str, list[str]]:
    return {name: differing for name, differing in audits.compared(service).differing.items() if differing}


def test_what_was_told_in_steps_is_as_what_is_read_anew(world: World) -> None:
    assert _rebuilt(_told_in_steps(world)) == {}


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda s: s.book.permit_used_g.set(("w", "x", "y", "z", 1), 1, 1), {"book": ["permit_used_g"]}),
        (lambda s: s.lineage.batches.mass_g.__setitem__(0, 1), {"lineage": ["_now.batches.mass_g"]}),
        (lambda s: s.lineage.draws.older.__setitem__(0, 7), {"lineage": ["_now.draws.older"]}),
        (lambda s: s.lineage.rank_of.popitem(), {"lineage": ["_now.rank_of"]}),
        (lambda s: s.columns._divisions.clear(), {"columns": ["_divisions"]}),
        (
            lambda s: s.columns.counts.add(1, 1, 1, 0, 0, 5),
            {"columns": ["counts._rows", "recognition._counts._rows"]},
        ),
        (lambda s: s.containers._serials.clear(), {"containers": ["_serials"]}),
    ],
)
def test_a_reading_that_went_wrong_is_told_by_name(
    world: World, spoil: Callable[[Service], object], found: dict[str, list[str]]
) -> None:
    service = _told_in_steps(world)
    spoil(service)

    assert _rebuilt(service) == found
