"""A whole installation moved: the same digests, readings and keys there, and what the desk does not take along."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api import desk_file
from api.app import create_app
from api.cli import app
from api.desk_file import ANEW, MOVED, WrongDeskFile
from api.service import Service
from api.settings import Settings
from graph import entry_file
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api.world import DROSS, INGOT, M1, SMELTER, Clock, World, mend, site, world_of

ROOT = Path(__file__).parents[2]
QUESTIONS = (
    f"batches/{DROSS}/trace?direction=both", f"batches/{DROSS}/fate", f"batches/{INGOT}/provenance",
    f"manifests/{M1}", "indicators?from=2026-01-01&to=2026-12-31", "entries?limit=1000", "audit", f"batches/{DROSS}/history",
)  # fmt: skip


def run(folder: Path, *words: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words), env={"HUANLIU_DATA": str(folder), "COLUMNS": "200"})
    assert result.exit_code == expect, (words, result.output, result.exception)
    return result


def answers(client: TestClient, keys: dict[str, str]) -> list[tuple[int, bytes]]:
    """What three seats are told."""
    return [
        (answer.status_code, answer.content)
        for seat in ("smelter", "recycler", "province")
        for question in QUESTIONS
        for answer in [client.get(f"/api/v1/{question}", headers={"Authorization": f"Bearer {keys[seat]}"})]
    ]


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A world with corrections, written to two files."""
    folder = tmp_path_factory.mktemp("moving")
    world = world_of(folder / "world")
    mend(world)
    entry_file.write(world.service.ledger, folder / "a.ledger")
    desk_file.write(world.service.desk, world.clock, folder / "a.desk")
    return world, folder


def test_a_moved_ledger_answers_as_the_one_it_was_moved_from(moving: tuple[World, Path], tmp_path: Path) -> None:
    """Memory to SQLite to a file to memory to SQLite: entries, digests, readings of three seats by their old keys."""
    world, folder = moving
    a, b = tmp_path / "one", tmp_path / "two"
    told = json.loads(
        run(a, "import", "--ledger", str(folder / "a.ledger"), "--desk", str(folder / "a.desk"), "--json").stdout
    )
    run(a, "export", "--ledger", str(tmp_path / "b.ledger"), "--desk", str(tmp_path / "b.desk"))
    between = MemoryLedger()
    entry_file.take_in(tmp_path / "b.ledger", between)
    entry_file.write(between, tmp_path / "c.ledger")
    run(b, "import", "--ledger", str(tmp_path / "c.ledger"), "--desk", str(tmp_path / "b.desk"))

    head = world.service.ledger.head()
    assert (told["position"], told["digest"], told["entries"]) == (head.position, head.digest, head.position)
    expected = answers(world.client, world.keys)
    assert {status for status, _ in expected} <= {200, 404}
    for data in (a, b):
        service = Service.open(Settings(data=data), world.clock)
        with closing(service):
            assert list(service.ledger.entries()) == list(world.service.ledger.entries())
            assert answers(TestClient(create_app(service), base_url="http://127.0.0.1:8000"), world.keys) == expected
        assert json.loads(run(data, "audit", "--json").stdout)["faults"] == []
        assert all(json.loads(run(data, "rebuild", "--json").stdout)["agree"].values())


def test_a_second_import_appends_what_came_since(moving: tuple[World, Path], tmp_path: Path) -> None:
    _, folder = moving
    run(tmp_path / "a", "import", "--ledger", str(folder / "a.ledger"))
    with closing(Service.open(Settings(data=tmp_path / "a"), Clock())) as service:
        before = service.ledger.head().position
        entry_file.write(service.ledger, tmp_path / "more.ledger")
    run(tmp_path / "b", "import", "--ledger", str(tmp_path / "more.ledger"))
    again = run(tmp_path / "b", "import", "--ledger", str(tmp_path / "more.ledger"))

    assert f"新增 added 0  条目 position {before}" in again.stdout


def test_a_check_takes_nothing_in(moving: tuple[World, Path], tmp_path: Path) -> None:
    _, folder = moving
    checked = run(tmp_path, "import", "--ledger", str(folder / "a.ledger"), "--check")

    assert "文件完整，未导入" in checked.stdout
    assert json.loads(run(tmp_path, "audit", "--head", "--json").stdout)["position"] == 0


def test_a_wrong_byte_is_told_with_its_line_and_nothing_is_taken_in(moving: tuple[World, Path], tmp_path: Path) -> None:
    _, folder = moving
    lines = (folder / "a.ledger").read_bytes().splitlines(keepends=True)
    lines[20] = lines[20].replace(b'"kind"', b'"kine"')
    (tmp_path / "bad.ledger").write_bytes(b"".join(lines))

    told = run(tmp_path / "data", "import", "--ledger", str(tmp_path / "bad.ledger"), expect=2).stderr

    assert "第 21 行（第 20 条）" in told
    assert "line 21 of the ledger file (entry 20)" in told
    assert lines[20][:64].decode() in told
    assert json.loads(run(tmp_path / "data", "audit", "--head", "--json").stdout)["position"] == 0


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("export", "--ledger"), "请写明台账文件名", 2),
        (("export", "--facts", "--desk", "d"), "huanliu export --ledger 台账文件 --desk 工作台文件", 2),
        (("export", "--facts", "--ledger", "x"), "请从 --template", 2),
        (("export",), "请从 --template", 2),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, words: tuple[str, ...], told: str, code: int) -> None:
    assert told in run(tmp_path, *words, expect=code).stderr


def test_what_is_kept_of_a_retry_moves_and_sessions_do_not(tmp_path: Path) -> None:
    """A retry with its key hears the first reply at the new place; who was signed in signs in again."""
    world = world_of(tmp_path / "world")
    fact = world.fact(
        "generated", SMELTER, site_id=site(SMELTER), product={"batch_id": f"{SMELTER}.K", "material": "primary-dross", "mass_g": 7}
    )  # fmt: skip
    first = world.post("smelter", fact, **{"Idempotency-Key": "k1"})
    session = world.service.keys.open_session(world.keys["smelter"])
    assert session is not None
    entry_file.write(world.service.ledger, tmp_path / "a.ledger")
    desk_file.write(world.service.desk, world.clock, tmp_path / "a.desk")
    ledger, desk = MemoryLedger(), MemoryDesk()
    entry_file.take_in(tmp_path / "a.ledger", ledger)
    carried = desk_file.take_in(tmp_path / "a.desk", desk, world.clock)
    service = Service.over(Settings(data=tmp_path), ledger, desk, world.clock)
    there = World(service, TestClient(create_app(service), base_url="http://127.0.0.1:8000"), world.clock, world.keys)

    again = there.post("smelter", fact, **{"Idempotency-Key": "k1"})

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert service.keys.find_session(session) is None
    assert desk_file.take_in(tmp_path / "a.desk", desk, world.clock).unchanged == carried.written


def test_what_stands_on_the_desk_is_not_written_over(moving: tuple[World, Path]) -> None:
    world, folder = moving
    desk = MemoryDesk()
    key_id = world.keys["smelter"].split("_")[1]
    desk.put("key", key_id, b"another", version=0, now_us=0)

    carried = desk_file.take_in(folder / "a.desk", desk, world.clock)

    assert carried.differing == 1
    document = desk.get("key", key_id, now_us=0)
    assert document is not None
    assert document.body == b"another"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (b"huanliu-desk 1", b"huanliu-desk 2", "desk-file-other"),
        (b'"kind":"key"', b'"kind":"kez"', "desk-line-kind"),
        (b'"body":"', b'"body":"*', "desk-line-unreadable"),
        (b'"expires_us":null', b'"expires_us":7', "desk-file-changed"),
        (b"end ", b"", "desk-line-unreadable"),
    ],
)
def test_a_changed_desk_file_puts_nothing_down(
    moving: tuple[World, Path], tmp_path: Path, old: bytes, new: bytes, key: str
) -> None:
    world, folder = moving
    (tmp_path / "a.desk").write_bytes((folder / "a.desk").read_bytes().replace(old, new, 1))
    desk = MemoryDesk()

    with pytest.raises(WrongDeskFile) as caught:
        desk_file.take_in(tmp_path / "a.desk", desk, world.clock)

    assert caught.value.key == key
    assert caught.value.text("zh")
    assert desk.all("key", now_us=0) == []


def test_every_kind_of_document_either_moves_or_is_made_anew() -> None:
    """A new kind on the desk has to say which."""
    named = re.compile(r'^(?:[A-Z_]*KIND|JOB|PART|REPORT|CHECKED|MARK): Final = "(\w+)"', re.MULTILINE)
    kinds = {kind for file in (ROOT / "api").rglob("*.py") for kind in named.findall(file.read_text("utf-8"))}

    assert kinds == {*MOVED, *ANEW}
    assert not set(MOVED) & set(ANEW)


def test_an_import_under_way_is_said_to_stay_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with closing(Service.open(Settings(data=data))):
        pass
    with closing(sqlite3.connect(data / "huanliu.db", isolation_level=None)) as raw:
        job = {"mode": "record", "enterprise": SMELTER, "digest": "d", "recorded_by": SMELTER, "manner": "{}"}
        raw.execute("insert into document values ('import_job', 'j', 1, ?, null)", [json.dumps(job).encode()])

    told = run(data, "export", "--ledger", str(tmp_path / "a.ledger"), "--desk", str(tmp_path / "a.desk"))

    assert "有 1 个导入正在办理" in told.stdout
