"""Who waits for a turn of the ledger: one leads it for all who came before it began, and nobody is woken for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked")


def _shut() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Caller(Generic[Asked]):
    asked: Asked
    called: Lock = field(default_factory=_shut)
    """Opened once: the turn is this caller's to lead, or its answer is there."""
    answered: bool = False


class Crowd(Generic[Asked]):
    """Threads that stand in line, each with what it asks.

    Woken all at once, as by a condition, those who go on waiting would take the interpreter from the one that leads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[_Caller[Asked]] = []
        self._gathered: list[_Caller[Asked]] = []
        self._led = False

    def wait(self, asked: Asked) -> bool:
        """Stand in line. True: lead the turn that is next, now; False: another did, and the answer is there."""
        caller = _Caller(asked)
        with self._lock:
            self._waiting.append(caller)
            leads, self._led = not self._led, True
        if not leads:
            try:
                caller.called.acquire()
            except BaseException:
                self._leave(caller)
                raise
        return not caller.answered

    def gather(self) -> Sequence[Asked]:
        """All who wait now, the leader among them; who comes later waits for the next turn."""
        with self._lock:
            self._gathered, self._waiting = self._waiting, []
        return [caller.asked for caller in self._gathered]

    def answer(self) -> None:
        """Let those go who were gathered, the leader first of all calling who leads next.

        A leader that was interrupted before it gathered anybody goes alone: it is the first in line.
        """
        with self._lock:
            gathered, self._gathered = self._gathered or [self._waiting.pop(0)], []
            for caller in gathered:
                caller.answered = True
            self._call_next()
        for caller in gathered:
            caller.called.release()

    def _call_next(self) -> None:
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].called.release()

    def _leave(self, caller: _Caller[Asked]) -> None:
        """Of one that was interrupted while it waited: what it asked is not done, unless it was gathered already."""
        with self._lock:
            if caller in self._waiting:
                self._waiting.remove(caller)
                if not caller.called.locked():  # it was to lead
                    self._call_next()
