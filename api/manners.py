"""What a process owes to those who wait for it: the interpreter often, and no long stop."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final

SWITCH_S: Final = 0.001
"""A turn of the ledger gives the interpreter away a dozen times, and waits this long each time to have it back.

With Python's own five milliseconds a neighbour's fact took up to 0.2 s beside an import; with one, 0.05 s.
"""
WHOLE: Final = 2
"""The generation whose collection walks over everything."""
PORTIONS: Final = (700, 10, 2)
"""A settled process looks at the whole after some twenty thousand new objects, and not after seventy thousand: 5 ms in
place of 15 to 30, in which no thread moves."""
LASTING: Final = 25_000
"""So many objects that outlived a whole collection are the ledger's, and laid aside: requests in flight have hundreds."""


class _Running:
    """How many long computations are under way, and what was set before the first."""

    lock = Lock()
    count = 0
    switch_s = 0.0
    collects = True
    portions = gc.get_threshold()


def settle_memory() -> None:
    """Of a process that serves: what it holds now, and what lasts from now on, is never walked over again.

    Collecting garbage stops all threads while it looks at every object that lives: a tenth of a second and more beside
    a ledger in memory, each time that it has grown by a quarter. So what a whole collection leaves is laid aside, and
    the next looks at what came since. The price: what lay aside and dies in a circle is not found again. Each request
    leaves a small one, so nothing is laid aside before the ledger has grown, and then it is those in flight. Facts and
    imports leave none; a written workbook is taken apart by whoever made it (`api.workbook.parting`).
    """
    if _lay_aside not in gc.callbacks:
        gc.callbacks.append(_lay_aside)
        gc.set_threshold(*PORTIONS)
    gc.collect()
    gc.freeze()
    gc.collect()  # nothing is left to look at, so the next comes by what was made since and not by what stood before


def unsettle_memory() -> None:
    """The opposite: everything is looked at again."""
    if _lay_aside in gc.callbacks:
        gc.callbacks.remove(_lay_aside)
        gc.set_threshold(*_Running.portions)
    gc.unfreeze()


def _lay_aside(phase: str, collected: dict[str, int]) -> None:
    if phase == "stop" and collected["generation"] == WHOLE and len(gc.get_objects(WHOLE)) > LASTING:
        gc.freeze()


@contextmanager
def giving_way() -> Generator[None]:
    """Compute beside others: they get the interpreter every millisecond, and nobody stops for a long collection.

    Collecting garbage walks over everything that a large file became, a quarter of a second at a time. What is made
    meanwhile goes by its count of references; the little that lies in circles waits. A settled process has no long
    collections, and goes on with its short ones: it would else make up for them all at once.
    """
    with _Running.lock:
        if _Running.count == 0:
            _Running.switch_s, _Running.collects = sys.getswitchinterval(), gc.isenabled()
            sys.setswitchinterval(min(SWITCH_S, _Running.switch_s))
            if _lay_aside not in gc.callbacks:
                gc.disable()
        _Running.count += 1
    try:
        yield
    finally:
        with _Running.lock:
            _Running.count -= 1
            if _Running.count == 0:
                sys.setswitchinterval(_Running.switch_s)
                if _Running.collects:
                    gc.enable()
