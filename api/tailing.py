"""The quiet reader of a server: what others write is read before anybody asks."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from api.service import Service
from flows.errors import Problem
from flows.recording import Stopped

TAIL_S: Final = 0.25
"""Between two looks at the ledger's end: a look is one row, and a phone's user does not notice a quarter of a second."""
ENDING_S: Final = 5.0
"""How long the end of a server waits for a reading that is under way."""

_LOG: Final = logging.getLogger(__name__)


@contextmanager
def tailed(service: Service, told: Callable[[], None] = lambda: None) -> Generator[None]:
    """Read what comes in, as long as this lasts; `told` is called after each look, also when it failed."""
    ended = Event()
    thread = Thread(target=_tail, args=(service, ended, told), name="tail", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(ENDING_S)


def _tail(service: Service, ended: Event, told: Callable[[], None]) -> None:
    said = ""
    while not ended.wait(TAIL_S):
        try:
            look(service)
        except Stopped:
            told()
            return  # it was logged where it broke off, and `/readyz` says it
        except Problem as problem:  # a store that is away for the moment; said once for each reason
            if str(problem) != said:
                _LOG.warning("%s · %s", problem.text("zh"), problem.text("en"))
            said = str(problem)
        except Exception:  # noqa: BLE001 - a reader that ended would be missed only by whoever asks next
            if not ended.is_set():  # else the store was closed under it
                _LOG.exception("the tail goes on")
        else:
            said = ""
        told()


def look(service: Service) -> None:
    """Read what is new. When nothing is, corrections that wait for the next question are taken in for it."""
    before = service.recording.position
    if service.recording.catch_up() == before:
        _ = service.editions.now
