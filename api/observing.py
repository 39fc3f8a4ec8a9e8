"""How the turns of a recording go: what is told, after each, to whoever counts."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from api.retries import Remembering
from flows.book import Book
from flows.entries import Entry
from flows.errors import Problem
from flows.ports import Name, Turn
from flows.recording import Recorded, Statement

FAULT: Final = "fault-of-ours"
"""What a statement is said to have failed of when it was no problem of its own."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TurnTold:
    """One turn that ended: how many statements it took together, how long, what it recorded and what it refused."""

    statements: int
    seconds: float
    facts: Mapping[str, int]
    """By kind."""
    refused: Mapping[str, int]
    """Statements, by the key of the problem."""


Hear: TypeAlias = Callable[[TurnTold], None]


@dataclass
class Observed(Remembering):
    """A recording that tells how its turns go; as long as nobody counts, it tells nobody."""

    hear: Hear | None = field(default=None, kw_only=True)
    _fresh: list[str] = field(default_factory=list[str], kw_only=True)

    def _judge(self, statement: Statement, draft: Book, turn: Turn, known: dict[Name, Entry]) -> list[Recorded]:
        fresh = super()._judge(statement, draft, turn, known)
        self._fresh += [entry.event.kind for entry, _ in fresh]
        return fresh

    def _take_turn(self) -> Sequence[Statement]:
        self._fresh.clear()  # what was rehearsed since
        begun_s = time.perf_counter()
        waiting = super()._take_turn()
        if self.hear is None:
            return waiting
        refused = Counter(_key(each.answer) for each in waiting if each.answer is not None)
        kept = refused.total() < len(waiting)  # else all were refused, or the commit failed and nothing stands
        told = TurnTold(len(waiting), time.perf_counter() - begun_s, Counter(self._fresh if kept else ()), refused)
        try:
            self.hear(told)
        except Exception:  # noqa: BLE001 - a turn does not fail of being counted
            _LOG.exception("a turn was not counted")
        return waiting


def _key(answer: BaseException) -> str:
    return answer.key if isinstance(answer, Problem) else FAULT
