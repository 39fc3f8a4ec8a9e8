"""Beside a server: the cache is written again when the ledger has grown, by a process of its own that lets all others go first."""

import logging
import os
import subprocess
import sys
from threading import Event, Thread
from time import monotonic
from typing import Final, Self

import orjson

from api.caching import Caching
from api.service import Service

EVERY: Final = 5_000
"""Entries behind the cache: a start then reads them in a second or so."""
LOOK_SECONDS: Final = 30.0
REST: Final = 20
"""Times as long as the last cache took to write nobody writes another: a twentieth of one processor, at the lowest priority."""
PORTION: Final = 20
REST_SECONDS: Final = 0.005
"""After a portion of manifests has been looked up, some two milliseconds of work."""
_COMMAND: Final = "import os; getattr(os, 'nice', int)(19); from api.cli import main; main()"
"""At the lowest priority that the system knows, if it knows any."""
_LOG: Final = logging.getLogger(__name__)


class CacheKeeper:
    """Looks now and then how far the ledger is ahead of the cache. Threads of the server never write it themselves:
    half a million names would hold the interpreter for seconds.
    """

    def __init__(
        self, service: Service, *, writes: bool = True, every: int = EVERY, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._service: Final = service
        self._writes: Final = writes
        self._every: Final = every
        self._look_seconds: Final = look_seconds
        self._stop: Final = Event()
        self._writing: subprocess.Popen[bytes] | None = None
        self._rests_until = 0.0
        self._thread: Final = Thread(target=self._keep, name="cache-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._writing is not None:
            self._writing.terminate()  # what it has written by then has no name, and the next writer clears it away
        self._thread.join()

    def _look_up(self) -> None:
        """What lists ask for as a whole, a little at a time: whoever asks for all of it then waits for less."""
        manifests = self._service.book.manifests
        for number, key in enumerate(manifests.keys()):
            manifests.get(key)
            if number % PORTION == 0 and self._stop.wait(REST_SECONDS):
                return
        self._service.columns.table()

    def _keep(self) -> None:
        caching = self._service.caching
        if caching is not None and caching.readings.begun_with is not None:
            self._look_up()
        while caching is not None and self._writes and not self._stop.wait(self._look_seconds):
            behind = self._service.recording.position - caching.position
            if behind >= self._every and monotonic() >= self._rests_until:
                began = monotonic()
                self._write(caching)
                self._rests_until = monotonic() + REST * (monotonic() - began)

    def _write(self, caching: Caching) -> None:
        """Have it written, and hear how far it goes."""
        settings = self._service.settings
        environment = {**os.environ, "HUANLIU_DATA": str(settings.data), "PYTHONSAFEPATH": "1"}
        if settings.tables is not None:
            environment["HUANLIU_TABLES"] = str(settings.tables)
        command = [sys.executable, "-P", "-c", _COMMAND, "rebuild", "--cache", "--onward", "--json"]
        self._writing = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - our own command
        if self._stop.is_set():
            self._writing.terminate()
        told, complaint = self._writing.communicate()
        if self._stop.is_set():
            return
        if self._writing.returncode == 0:
            caching.position = int(orjson.loads(told)["position"])
            _LOG.info("cache written up to entry %s", caching.position)
        else:
            _LOG.warning("the cache was not written: %s", (told or complaint).decode(errors="replace").strip())
