"""Commands as of another date, and the difference of two dates on a terminal."""

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from api.cli import app
from flows.entries import event_json
from tests.api.world import DROSS, LAID, M1, SMELTER, mend, world_of


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """An installation that was corrected, and the position before that."""
    folder = tmp_path_factory.mktemp("mended")
    world = world_of(folder)
    position = world.service.recording.position
    mend(world)
    told = [json.dumps(event_json(entry.event), ensure_ascii=False) for entry in world.service.ledger.entries()]
    world.service.close()
    file = folder / "world.jsonl"
    file.write_text("\n".join(told) + "\n", "utf-8")
    assert run(folder, "import", str(file)).exit_code == 0
    return folder, position


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"HUANLIU_DATA": str(folder), "COLUMNS": "200"})


def read(folder: Path, *words: str) -> Any:
    answer = run(folder, *words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_commands_answer_as_known_before_a_correction(mended: tuple[Path, int]) -> None:
    folder, position = mended

    assert read(folder, "fate", DROSS)["mass_g"] == 29_000_000
    then = read(folder, "fate", DROSS, "--as-of", str(position))
    assert (then["mass_g"], then["position"]) == (30_000_000, position)
    stock = ("indicators", "--only", "stock-hazardous", "--from", "2026-01-01", "--to", "2026-12-31")
    now, before = (read(folder, *stock, *more)["rows"][0]["numerator_g"] for more in ((), ("--as-of", str(position))))
    assert now - before == -1_000_000
    trace = ("trace", DROSS, "--as-of", str(position))
    assert read(folder, *trace)["position"] == position


def test_documents_are_printed_as_known_before(mended: tuple[Path, int], tmp_path: Path) -> None:
    folder, position = mended
    for words in (("label", DROSS), ("manifest", M1)):
        now, then, again = (tmp_path / f"{words[0]}-{each}.pdf" for each in ("now", "then", "again"))
        read(folder, *words, "--to", str(now))
        for file in (then, again):
            read(folder, *words, "--to", str(file), "--as-of", str(position))
        assert then.read_bytes() == again.read_bytes() != now.read_bytes()


def test_facts_are_written_as_stated_or_as_read_then(mended: tuple[Path, int], tmp_path: Path) -> None:
    folder, position = mended

    def lines(*words: str) -> list[Any]:
        file = tmp_path / "facts.jsonl"
        read(folder, "export", str(file), "--facts", *words)
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    stated, then = lines(), lines("--as-of", str(position))
    assert stated[:position] == then
    assert lines("--effective", "--as-of", str(position)) == then
    read_now = lines("--effective")
    assert not any(each["kind"].startswith("correction_") for each in read_now)
    assert not any(each["kind"] == "disposed" for each in read_now)
    masses = [each["product"]["mass_g"] for each in read_now if each["kind"] == "generated"]
    assert masses == [29_000_000]


def test_a_workbook_is_of_its_period(mended: tuple[Path, int], tmp_path: Path) -> None:
    folder, _ = mended

    def rows(*words: str) -> int:
        file = tmp_path / "book.xlsx"
        read(folder, "export", str(file), "--of", SMELTER, *words)
        return sum(sheet.max_row for sheet in load_workbook(file))

    assert rows("--from", "2026-09-01") > rows("--from", "2026-10-01")


def test_two_dates_are_compared_with_the_entry_that_did_it(mended: tuple[Path, int]) -> None:
    folder, position = mended
    told = read(folder, "diff", str(position))

    assert {each["id"] for each in told["batches"]} == {DROSS, LAID}
    assert told["batches"][0]["because"][0]["reason"] == "过磅单录错"
    figures = read(folder, "diff", str(position), "--figures")
    assert figures["batches"] == []
    assert figures["figures"] == told["figures"] != []
    shown = run(folder, "diff", str(position)).stdout
    assert f"第 {position + 1} 条 correction_requested" in shown
    assert "过磅单录错" in shown
    assert "30 t → 29 t" in shown


def test_two_instants_are_compared_too(mended: tuple[Path, int]) -> None:
    folder, _ = mended
    told = read(folder, "diff", "2026-09-02", "2026-09-03", "--at")

    assert told["earlier"]["at"].startswith("2026-09-02")
    assert told["batches"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("diff", "9999"), "as-of-beyond-end"),
        (("diff", "9", "5"), "difference-backwards"),
        (("fate", DROSS, "--as-of", "0"), ""),
    ],
)
def test_dates_that_make_no_sense_are_wrong_use(mended: tuple[Path, int], words: tuple[str, ...], told: str) -> None:
    folder, _ = mended
    answer = run(folder, *words)

    assert answer.exit_code == 2, (answer.output, told)
