"""Two uploads of one file are one import: in threads of a service, in processes on a file, and after a crash."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from api.bench.year import SMELTER as YEAR_OF
from api.bench.year import year
from api.import_jobs import JOB, PART, ImportJobs, Job, job_of
from api.imports import Watch, commit_workbook
from api.service import Service
from api.settings import Settings
from api.workbook.manner import Manner
from api.workbook.report import ImportReport
from flows.errors import Malformed
from flows.materials import catalogue
from graph.memory_desk import MemoryDesk
from tests.api.workbook_fixtures import SMELTER, House, files, now

PLAIN = Manner()
DATA = b"a file"


def jobs_on(desk: MemoryDesk) -> ImportJobs:
    return ImportJobs(desk, now)


def report(rows: int = 1) -> ImportReport:
    return ImportReport(enterprise=SMELTER, digest="d", rows=rows)


def job(mode: str = "record", data: bytes = DATA) -> Job:
    assert mode in ("check", "record")
    return job_of(mode, SMELTER, data, SMELTER, PLAIN)


def together(*calls: Callable[[], None]) -> None:
    """All at one instant; what one raises is raised here."""
    begin, faults = Barrier(len(calls)), list[BaseException]()

    def go(call: Callable[[], None]) -> None:
        begin.wait()
        try:
            call()
        except BaseException as fault:  # noqa: BLE001 - told by whoever waits for the threads
            faults.append(fault)

    threads = [Thread(target=go, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def test_who_comes_while_a_file_is_recorded_gets_its_report() -> None:
    desk, entered, go_on = MemoryDesk(), Event(), Event()
    answers, runs = list[ImportReport](), list[int]()

    def work(_: Watch) -> ImportReport:
        runs.append(1)
        entered.set()
        assert go_on.wait(30)
        return report(7)

    def hand_in() -> None:
        answers.append(jobs_on(desk).run(job(), DATA, work))

    first = Thread(target=hand_in)
    first.start()
    assert entered.wait(30)
    second = Thread(target=hand_in)
    second.start()
    go_on.set()
    first.join()
    second.join()

    assert answers == [report(7), report(7)]
    assert len(runs) in (
        1,
        2,
    )  # the second may have come when the first was done: then it runs anew, and finds nothing new


def test_a_finished_import_may_be_looked_at_and_handed_in_again() -> None:
    jobs = jobs_on(MemoryDesk())

    assert jobs.run(job(), DATA, lambda _: report(1)) == report(1)
    assert (jobs.report(job().key), jobs.find(job().key)) == (report(1), jobs.find(job().key))
    found = jobs.find(job().key)
    assert found is not None
    assert found.finished
    assert jobs.run(job(), DATA, lambda _: report(2)) == report(2)


def test_another_file_or_another_way_is_another_import() -> None:
    keys = {
        job().key,
        job("check").key,
        job(data=b"other").key,
        job_of("record", SMELTER, DATA, SMELTER, Manner(good_rows=True)).key,
    }

    assert len(keys) == 4


def test_a_fault_is_told_to_its_caller_and_leaves_nothing_that_others_would_wait_for() -> None:
    desk = MemoryDesk()

    def broken(_: Watch) -> ImportReport:
        raise Malformed("workbook-unreadable")

    with pytest.raises(Malformed):
        jobs_on(desk).run(job(), DATA, broken)

    assert jobs_on(desk).find(job().key) is None
    assert jobs_on(desk).run(job(), DATA, lambda _: report()) == report()


def test_how_far_it_is_stands_on_the_desk() -> None:
    desk, seen = MemoryDesk(), list[tuple[str, int, int]]()

    def work(told: Watch) -> ImportReport:
        told("checking", 3, 9)
        found = jobs_on(desk).find(job().key)
        assert found is not None
        seen.append((found.phase, found.done, found.total))
        return report()

    jobs_on(desk).run(job(), DATA, work)

    assert seen == [("checking", 3, 9)]


def test_a_job_of_a_dead_process_is_taken_over_and_can_be_finished_from_the_desk() -> None:
    desk = MemoryDesk()
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    jobs = jobs_on(desk)
    whole = os.urandom(3 << 20)
    left = job(data=whole)

    def dies(_: Watch) -> ImportReport:
        held = desk.get(JOB, left.key, now_us=0)
        assert held is not None
        told = Job.model_validate_json(held.body)
        node, _pid, token = told.runner.split("/")
        body = told.model_copy(update={"runner": f"{node}/{dead.pid}/{token}"}).model_dump_json().encode()
        assert desk.put(JOB, left.key, body, version=held.version, now_us=0)
        found = list(jobs.left_over())
        assert [(each.key, data) for each, data in found] == [(left.key, whole)]
        return jobs_on(desk).run(left, whole, lambda _: report(5))

    assert jobs.run(left, whole, dies) == report(5)
    assert list(jobs.left_over()) == []


def test_what_another_machine_left_is_taken_for_left_when_it_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can ask whether its process lives: what it notes of its import tells."""
    monkeypatch.setattr("api.import_jobs.SILENT_S", 0.0)
    desk, left = MemoryDesk(), job()
    jobs = jobs_on(desk)
    elsewhere = left.model_copy(update={"runner": "another machine/7/a", "parts": 1})
    desk.put(JOB, left.key, elsewhere.model_dump_json().encode(), version=0, now_us=0)
    desk.put(PART, f"{left.key}.0", DATA, version=0, now_us=0)
    first = jobs.noted()
    assert list(jobs.left_over()) == []

    jobs.tell(elsewhere.model_copy(update={"done": 1}))
    assert list(jobs.left_over(first)) == [], "it lives: it noted something since"

    assert [data for _, data in jobs.left_over(jobs.noted())] == [DATA]
    assert jobs.run(left, DATA, lambda _: report(3)) == report(3)
    assert jobs.noted() == {}


def test_ones_own_import_is_never_taken_for_left() -> None:
    desk = MemoryDesk()
    jobs = jobs_on(desk)

    def work(_: Watch) -> ImportReport:
        held = desk.get(JOB, job().key, now_us=0)
        assert held is not None
        assert jobs.noted() == {}
        assert list(jobs.left_over({held.key: held.version})) == []
        return report()

    assert jobs.run(job(), DATA, work) == report()


def hand_in(house: House, answers: list[ImportReport]) -> None:
    hand_in_file(house, files()[SMELTER], PLAIN, answers)


def hand_in_file(house: House, data: bytes, manner: Manner, answers: list[ImportReport]) -> None:
    def work(watch: Watch) -> ImportReport:
        return commit_workbook(
            data, SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=manner, watch=watch
        )

    answers.append(jobs_on(house.desk).run(job(data=data), data, work))


def take(house: House, answers: list[ImportReport]) -> None:
    answers.append(house.take(SMELTER, files()[SMELTER]))


@pytest.mark.parametrize("way", [hand_in, take], ids=["as one job", "without a desk between them"])
def test_identical_uploads_at_one_instant_record_once(way: Callable[[House, list[ImportReport]], None]) -> None:
    for _ in range(3):
        house, answers = House(), list[ImportReport]()

        together(*[partial(way, house, answers)] * 3)

        assert all(each.committed and not each.errors for each in answers)
        names = [event.event_id for event in house.facts()]
        assert len(names) == len(set(names)) == house.ledger.head().position
        if way is hand_in:
            assert {each.facts for each in answers} <= {len(names), 0}


ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from api.cli import main; main()", "import", "--json", "--as")


def importing(folder: Path, file: Path, owner: str = YEAR_OF) -> subprocess.Popen[str]:
    """`huanliu import` in a process of its own."""
    environment = {**os.environ, "HUANLIU_DATA": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*COMMAND, owner, str(file)], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def opened(folder: Path) -> Service:
    return Service.open(Settings(data=folder, ledger="sqlite", public_url=None, secret=None, tables=None))


def names_in(service: Service) -> list[str]:
    return [entry.event_id for entry in service.ledger.entries()]


@pytest.fixture(scope="module")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More rows than one turn takes."""
    file = tmp_path_factory.mktemp("year") / "year.xlsx"
    file.write_bytes(year(2_000, catalogue()))
    return file


def test_two_processes_that_import_one_file_record_it_once(ledger_file: Path, tmp_path: Path) -> None:
    opened(tmp_path).close()

    processes = [importing(tmp_path, ledger_file) for _ in range(2)]
    reports = [json.loads(process.communicate()[0]) for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert all(each["committed"] and not each["errors"] for each in reports)
    service = opened(tmp_path)
    names = names_in(service)
    assert len(names) == len(set(names))
    assert {each["facts"] for each in reports} <= {len(names), 0}
    assert len(names) in {each["facts"] for each in reports}
    service.close()


@pytest.mark.long
def test_what_a_killed_process_left_is_finished_by_the_next_service(ledger_file: Path, tmp_path: Path) -> None:
    opened(tmp_path / "whole").close()
    whole = importing(tmp_path / "whole", ledger_file)
    assert json.loads(whole.communicate()[0])["committed"]
    service = opened(tmp_path / "killed")

    process = importing(tmp_path / "killed", ledger_file)
    while service.ledger.head().position == 0:
        assert process.poll() is None, "it ended before anything was recorded"
    process.kill()
    process.communicate()
    found = service.ledger.head().position
    finished = service.finish_imports()

    assert finished == 1
    assert found < service.ledger.head().position
    other = opened(tmp_path / "whole")
    assert names_in(service) == names_in(other)
    assert service.finish_imports() == 0
    service.close()
    other.close()
