"""An import under way, on the desk: told to whoever asks, shared by whoever hands in the same, finished after a crash."""

import hashlib
import os
import platform
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from pydantic import TypeAdapter

from api.imports import Watch
from api.workbook.manner import Manner
from api.workbook.report import ImportReport, Progress
from flows.enterprises import Frozen
from flows.ids import EnterpriseId
from flows.ports import Clock, Desk, Document
from flows.times import instant_us

Mode: TypeAlias = Literal["check", "record"]
Work: TypeAlias = Callable[[Watch], ImportReport]

JOB: Final = "import_job"
PART: Final = "import_part"
REPORT: Final = "import_report"
LASTS: Final = timedelta(days=2)
"""A report can be looked at again the day after."""
PART_B: Final = 1 << 20
"""Bytes of a file that the desk takes at a time: a neighbour's fact waits for each write."""
TOLD_S: Final = 0.5
"""Between two notes of how far it is: each is a durable write."""
LOOKED_S: Final = 0.05
"""Between two looks at somebody else's import."""
SILENT_S: Final = 60.0
"""Whose process cannot be asked, and who has said nothing for so long, is gone. To be wrong costs work, and doubles nothing."""
WORKERS: Final = 4
"""Imports that pages start and that run at once; each may take a few hundred megabytes."""
_WORKERS: Final = ThreadPoolExecutor(WORKERS, "import")
_PROCESS: Final = token_hex(8)
_MANNER: Final = TypeAdapter(Manner)


class Job(Frozen):
    """One import: what is handed in, who runs it, and how far it is."""

    mode: Mode
    enterprise: EnterpriseId
    digest: str
    recorded_by: str
    manner: str
    """As JSON, what is remembered left out: it is looked up again."""
    parts: int = 0
    runner: str = ""
    phase: Progress = "reading"
    done: int = 0
    total: int = 0
    finished: bool = False

    @property
    def key(self) -> str:
        """The same file, handed in for the same enterprise by the same caller in the same way, is the same import."""
        named = f"{self.mode} {self.enterprise} {self.digest} {self.recorded_by} {self.manner}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]

    @property
    def how(self) -> Manner:
        """How the file is to be taken."""
        return _MANNER.validate_json(self.manner)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An import that another thread runs."""

    key: str
    answer: Future[ImportReport]

    def wait(self, seconds: float) -> ImportReport | None:
        """The report, if it is there within that time.

        Raises:
            Problem: what stands against handing it in.
        """
        try:
            return self.answer.result(seconds)
        except TimeoutError:
            return None


def begin(work: Callable[[], ImportReport], key: str) -> UnderWay:
    """Hand the work to a thread that is kept for such work: each thread holds a connection to the store."""
    return UnderWay(key, _WORKERS.submit(work))


def job_of(mode: Mode, enterprise: EnterpriseId, data: bytes, recorded_by: str, manner: Manner) -> Job:
    """The import of a file."""
    told = _MANNER.dump_json(manner, exclude={"remembered"}).decode()
    digest = hashlib.sha256(data).hexdigest()
    return Job(mode=mode, enterprise=enterprise, digest=digest, recorded_by=recorded_by, manner=told)


@dataclass
class ImportJobs:
    """The imports of an installation, whichever process runs them."""

    desk: Desk
    clock: Clock

    def run(self, job: Job, data: bytes, work: Work, watch: Watch | None = None) -> ImportReport:
        """Do the work, or wait for whoever does the same already: both get one report.

        A job whose runner died is taken over: what it recorded is known by its names, and the rest follows.
        """
        while True:
            held = self._get(JOB, job.key)
            if held is not None and not _job(held).finished:
                held = self._followed(held, watch)
                if held is not None and _job(held).finished:
                    return self.report(job.key) or _vanished(job.key)
            mine = job.model_copy(
                update={"runner": _runner(), "parts": 0 if job.mode == "check" else -(-len(data) // PART_B)}
            )
            if self._put(JOB, mine, held.version if held else 0):
                return self._done(mine, data, work, watch)

    def find(self, key: str) -> Job | None:
        """A job under way, or finished not long ago."""
        held = self._get(JOB, key)
        return None if held is None else _job(held)

    def report(self, key: str) -> ImportReport | None:
        """What came of a job."""
        held = self._get(REPORT, key)
        return None if held is None else ImportReport.model_validate_json(zlib.decompress(held.body))

    def under_way(self) -> int:
        """How many imports are not finished, in whichever process."""
        return sum(not _job(held).finished for held in self.desk.all(JOB, now_us=instant_us(self.clock())))

    def noted(self) -> dict[str, int]:
        """Of what others are recording: how often each was noted. Who notes nothing for long is gone, wherever he ran."""
        held = self.desk.all(JOB, now_us=instant_us(self.clock()))
        return {each.key: each.version for each in held if _others(_job(each))}

    def left_over(self, noted: Mapping[str, int] = MappingProxyType({})) -> Iterator[tuple[Job, bytes]]:
        """What was being recorded when its process died, with the files; a check is simply asked for again.

        Of a process on another machine nobody can tell; what stands as it was `noted` long ago is taken for left.
        """
        for held in self.desk.all(JOB, now_us=instant_us(self.clock())):
            job = _job(held)
            silent = _others(job) and noted.get(held.key) == held.version
            if job.mode == "check" or job.finished or not (silent or _gone(job.runner)):
                continue
            parts = [self._get(PART, f"{job.key}.{number}") for number in range(job.parts)]
            if all(parts):
                yield job, b"".join(part.body for part in parts if part is not None)

    def _followed(self, held: Document, watch: Watch | None) -> Document | None:
        """Wait until somebody else's job is finished, or is his no more; returns it as it then is."""
        since = time.monotonic()
        while True:
            job = _job(held)
            if job.finished or _gone(job.runner) or time.monotonic() - since > SILENT_S:
                return held
            if watch is not None:
                watch(job.phase, job.done, job.total)
            time.sleep(LOOKED_S)
            seen = self._get(JOB, job.key)
            if seen is None:
                return None
            if seen.version != held.version:
                held, since = seen, time.monotonic()

    def _done(self, job: Job, data: bytes, work: Work, watch: Watch | None) -> ImportReport:
        teller = _Teller(self, job, watch)
        try:
            for number in range(job.parts):
                body = data[number * PART_B : (number + 1) * PART_B]
                self._overwrite(PART, f"{job.key}.{number}", body)
            report = work(teller.hear)
            packed = zlib.compress(report.model_dump_json().encode(), 1)
            self._overwrite(REPORT, job.key, packed)
            self._overwrite(JOB, job.key, job.model_copy(update={"finished": True}).model_dump_json().encode())
        except BaseException:
            self.desk.drop(JOB, job.key)  # who waits for it does it himself, and hears what was wrong
            raise
        finally:
            for number in range(job.parts):
                self.desk.drop(PART, f"{job.key}.{number}")
        return report

    def tell(self, job: Job) -> None:
        """Note how far a job is."""
        self._overwrite(JOB, job.key, job.model_dump_json().encode())

    def _get(self, kind: str, key: str) -> Document | None:
        return self.desk.get(kind, key, now_us=instant_us(self.clock()))

    def _put(self, kind: str, job: Job, version: int) -> bool:
        return self._write(kind, job.key, job.model_dump_json().encode(), version)

    def _overwrite(self, kind: str, key: str, body: bytes) -> None:
        while True:
            held = self._get(kind, key)
            if self._write(kind, key, body, held.version if held else 0):
                return

    def _write(self, kind: str, key: str, body: bytes, version: int) -> bool:
        now_us = instant_us(self.clock())
        expires_us = now_us + LASTS // timedelta(microseconds=1)
        return self.desk.put(kind, key, body, version=version, now_us=now_us, expires_us=expires_us)


@dataclass
class _Teller:
    """Hears how far an import is, and notes it now and then."""

    jobs: ImportJobs
    job: Job
    watch: Watch | None
    _noted_s: float = 0.0

    def hear(self, phase: Progress, done: int, total: int) -> None:
        if self.watch is not None:
            self.watch(phase, done, total)
        now_s = time.monotonic()
        if now_s - self._noted_s > TOLD_S:
            self._noted_s = now_s
            self.jobs.tell(self.job.model_copy(update={"phase": phase, "done": done, "total": total}))


def _job(held: Document) -> Job:
    return Job.model_validate_json(held.body)


def _others(job: Job) -> bool:
    """Is somebody else recording it, or was?"""
    return job.mode == "record" and not job.finished and job.runner != _runner()


def _vanished(key: str) -> ImportReport:
    raise AssertionError(f"job {key} is finished and has no report")


def _runner() -> str:
    return f"{platform.node()}/{os.getpid()}/{_PROCESS}"


def _gone(runner: str) -> bool:
    """Is the process of a runner surely gone? One on another machine cannot be asked."""
    node, pid, process = runner.split("/")
    if node != platform.node():
        return False
    if int(pid) == os.getpid():
        return process != _PROCESS
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
