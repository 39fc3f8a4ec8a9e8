"""`huanliu backup` and `huanliu restore`: what they say, what they end with, and a server that runs meanwhile."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.service import Service
from api.settings import Settings
from tests.flows.stories import SMELTER, generated, registered


class Shell:
    """Commands on the installation of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "huanliu.db"

    def run(self, *words: str, expect: int = 0) -> Result:
        environment = {"HUANLIU_DATA": str(self.folder), "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == expect, (words, result.output, result.exception)
        return result

    def json(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def told(self, *names: str) -> None:
        """Facts of the smelter."""
        service = Service.open(Settings(data=self.folder))
        service.recording.record([*registered(SMELTER), *(generated(name, "1 t") for name in names)], SMELTER)
        service.close()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path / "data")
    shell.told("B1", "B2")
    return shell


def test_a_backup_tells_position_and_digest_that_can_be_kept(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    told = shell.run("backup", str(target)).stdout
    audited = shell.json("audit")

    assert f"huanliu audit --since 5 --digest {audited['digest']}" in told
    assert "✓ 备份完成，已核对 · backed up and checked" in told
    checked = shell.json("backup", "--check", str(target))
    assert (checked["position"], checked["digest"], checked["faults"]) == (5, audited["digest"], [])
    assert "✓ 完整 · whole" in shell.run("backup", "--check", str(target)).stdout


def test_a_folder_gets_a_dated_file(shell: Shell, tmp_path: Path) -> None:
    told = shell.json("backup", str(tmp_path))

    assert Path(told["file"]).parent == tmp_path
    assert Path(told["file"]).name.startswith("huanliu-2")
    assert (told["schema"], told["size_b"]) == (2, Path(told["file"]).stat().st_size)


def test_a_name_without_an_ending_that_nothing_bears_is_a_folder(shell: Shell, tmp_path: Path) -> None:
    """As one writes it the first time: what is there the next day is another dated file, and not a name that is taken."""
    told = shell.json("backup", str(tmp_path / "kept" / "backup"))

    assert Path(told["file"]).parent == tmp_path / "kept" / "backup"
    assert Path(told["file"]).suffix == ".db"


def test_a_backup_while_the_service_is_open(shell: Shell, tmp_path: Path) -> None:
    service = Service.open(Settings(data=shell.folder))
    shell.run("backup", str(tmp_path / "copy.db"))
    service.recording.record([generated("B3", "1 t")], SMELTER)
    service.close()

    assert shell.json("backup", "--check", str(tmp_path / "copy.db"))["position"] == 5
    assert shell.json("backup", "--check", str(shell.file))["position"] == 6


def test_what_is_wrong_with_a_backup_is_named(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    shell.run("backup", str(target))
    with closing(sqlite3.connect(target, isolation_level=None)) as raw:
        raw.execute("drop trigger entry_is_never_changed")
        raw.execute("update entry set digest = 'x' where position = 4")

    told = shell.run("backup", "--check", str(target), expect=1).stdout
    assert "第 4 条台账的内容与摘要不符" in told
    assert "entry 5: the chain to the entry before it is broken" in told
    assert "entry_is_never_changed" in told
    assert "没有恢复" in shell.run("restore", str(target), expect=1).stderr


def test_a_restore_keeps_what_was_there_and_says_what_is_missing(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    shell.run("backup", str(target))
    shell.told("B3", "B4")

    refused = shell.run("restore", str(target), expect=1).stderr
    assert "--force" in refused
    told = shell.run("restore", str(target), "--force").stdout
    assert "✓ 已恢复 · restored" in told
    assert "第 6 至 7 条不在备份中" in told
    assert len(list(shell.folder.glob("huanliu-before-restore-*.db"))) == 1
    assert shell.json("audit")["position"] == 5
    shell.told("B3", "B4")
    assert shell.json("audit")["position"] == 7


def test_a_restore_as_json(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    shell.run("backup", str(target))
    there = shell.json("restore", str(target))
    fresh = Shell(tmp_path / "fresh")

    assert (there["position_before"], there["left_out"], Path(there["aside"]).exists()) == (5, 0, True)
    assert fresh.json("restore", str(target))["aside"] is None
    assert fresh.json("audit")["position"] == 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("backup",), 2, "请写明备份的文件名或文件夹"),
        (("backup", "--check", "none.db"), 1, "没有文件 none.db"),
        (("restore", "none.db"), 1, "没有文件 none.db"),
        (("backup", "{copy}"), 1, "已存在，备份不会覆盖任何文件"),
    ],
)
def test_what_cannot_be_done_is_said(
    shell: Shell, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    shell.run("backup", str(tmp_path / "copy.db"))

    assert said in shell.run(*(word.format(copy=tmp_path / "copy.db") for word in words), expect=code).stderr


def test_where_there_is_no_ledger_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    told = Shell(tmp_path / "nothing").run("backup", str(tmp_path / "copy.db"), expect=1)

    assert "没有台账可备份" in told.stderr
    assert not (tmp_path / "nothing").exists()
