"""What a long computation owes to the other threads of its process: the interpreter often, and no long stop."""

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


class _Running:
    """How many long computations are under way, and what was set before the first."""

    lock = Lock()
    count = 0
    switch_s = 0.0
    collects = True


@contextmanager
def giving_way() -> Generator[None]:
    """Compute beside others: they get the interpreter every millisecond, and nobody stops for a collection.

    Collecting garbage walks over everything that a large file became, a quarter of a second at a time, in which no
    thread moves. What is made meanwhile goes by its count of references; the little that lies in circles waits.
    """
    with _Running.lock:
        if _Running.count == 0:
            _Running.switch_s, _Running.collects = sys.getswitchinterval(), gc.isenabled()
            sys.setswitchinterval(min(SWITCH_S, _Running.switch_s))
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
