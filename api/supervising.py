"""Server processes on one listening socket: watched, started anew when they die, and stopped together."""

import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Final, TypeAlias

from rich.console import Console

Start: TypeAlias = Callable[[int], BaseProcess]
"""Starts the process of a number."""

LOOK_S: Final = 0.2
"""Between two looks at signals; a death is seen at once."""
STEADY_S: Final = 30.0
"""Who lived so long did not die of its start."""
PAUSE_S: Final = 0.5
"""Before one that died at its start is started again; twice as long each time."""
PAUSE_MOST_S: Final = 30.0
STOP_S: Final = 20.0
"""How long processes may take to end: answers under way have five seconds, an import its turn."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Worker:
    """One place in the row, whichever process fills it."""

    number: int
    process: BaseProcess | None = None
    begun_s: float = 0.0
    due_s: float = 0.0
    """When its next process is to be started."""
    deaths: int = 0
    """In a row, each soon after the start."""

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid


@dataclass
class Supervisor:
    """Keeps so many processes running until it is told to stop."""

    count: int
    start: Start
    console: Console
    ended: Callable[[int], None]
    """Hears the number of a process that is no more."""
    look: Callable[[], None]
    """Called now and then."""
    workers: list[Worker] = field(init=False)

    def __post_init__(self) -> None:
        self.workers = [Worker(number) for number in range(1, self.count + 1)]

    def run(self) -> None:
        """Watch until SIGTERM or SIGINT; a second one kills what has not ended yet."""
        with _heard() as signals:
            try:
                while not signals:
                    for worker in self.workers:
                        self._keep(worker)
                    self.look()
                    self._wait()
            finally:
                self._stop(signals)

    def _alive(self) -> Iterator[BaseProcess]:
        return (worker.process for worker in self.workers if worker.process is not None)

    def _wait(self) -> None:
        alive = [process.sentinel for process in self._alive()]
        if alive:
            wait(alive, LOOK_S)
        else:
            time.sleep(LOOK_S)

    def _keep(self, worker: Worker) -> None:
        if worker.process is not None and not worker.process.is_alive():
            self._bury(worker)
        if worker.process is None and time.monotonic() >= worker.due_s:
            worker.begun_s = time.monotonic()
            worker.process = self.start(worker.number)

    def _bury(self, worker: Worker) -> None:
        """Say that a process died, and when its place is filled again."""
        assert worker.process is not None
        pid, code, now_s = worker.pid, worker.process.exitcode, time.monotonic()
        worker.process.close()
        worker.process = None
        self.ended(pid)
        worker.deaths = 0 if now_s - worker.begun_s > STEADY_S else worker.deaths + 1
        pause_s = min(PAUSE_MOST_S, PAUSE_S * 2 ** (worker.deaths - 1)) if worker.deaths else 0.0
        worker.due_s = now_s + pause_s
        self.console.print(
            f"工作进程 {worker.number}（{pid}）已退出，代码 {code}；{pause_s:g} 秒后重新启动 · "
            f"worker {worker.number} ({pid}) ended with {code}; started again in {pause_s:g} s",
            style="yellow",
            highlight=False,
        )

    def _stop(self, signals: list[int]) -> None:
        """Ask all to end, and wait; who does not end in time, or when a second signal comes, is killed."""
        until_s = time.monotonic() + STOP_S
        for process in self._alive():
            process.terminate()
        while time.monotonic() < until_s and len(signals) < len(SIGNALS):
            alive = [process.sentinel for process in self._alive() if process.is_alive()]
            if not alive:
                break
            wait(alive, LOOK_S)
        for process in self._alive():
            if process.is_alive():
                process.kill()
            process.join()


@contextmanager
def _heard() -> Generator[list[int]]:
    """The signals to stop that came, while this lasts."""
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in SIGNALS}
    try:
        yield came
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
