"""When an installation's cache is used and written: after much was read or recorded, and never at the service's cost."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, TypeAlias

from api.settings import Settings
from flows.entries import head_of
from flows.errors import Problem
from flows.materials import Catalogue
from flows.ports import Ledger
from flows.recording import LedgerFacts, Recording
from graph.cache import Cache
from graph.readings import Readings
from graph.tables import Damaged

WORTH: Final = 2_000
"""Entries behind the cache for which a command writes it anew: reading them takes about half a second."""
SHARE: Final = 20
"""Of a long ledger a twentieth: writing a cache costs with its length."""
MEGABYTE: Final = 1_000_000
_LOG: Final = logging.getLogger(__name__)


@dataclass
class Caching:
    """The cache of one installation and the readings that began with it."""

    cache: Cache
    ledger: Ledger
    readings: Readings
    position: int
    """Of the newest cache that this process knows of."""
    used: bool = True
    """Whether the cache is used and written; who audits looks at it only."""

    @classmethod
    def begin(cls, settings: Settings, catalogue: Catalogue, ledger: Ledger, graph: int | None) -> "Caching":
        """The readings as the cache has them, or before the first entry.

        A graph that goes less far than the cache, up to entry `graph`, has to hear all that is behind it.
        """
        cache = Cache(settings.cache, settings.tables)
        readings = cache.find(catalogue, ledger)
        if readings is not None and graph is not None and 0 <= graph < readings.book.position:
            readings.close()
            readings = None
        readings = readings or Readings.empty(catalogue, LedgerFacts(ledger))
        return cls(cache, ledger, readings, readings.book.position)

    def looked_at(self) -> "Caching":
        """The same for who reads the book alone: the cache is not written, for the other readings stand still."""
        return replace(self, used=False)

    @classmethod
    def unused(cls, settings: Settings, catalogue: Catalogue, ledger: Ledger, _: int | None = None) -> "Caching":
        """The readings before the first entry, whatever the cache has."""
        cache = Cache(settings.cache, settings.tables)
        return cls(cache, ledger, Readings.empty(catalogue, LedgerFacts(ledger)), 0, used=False)

    def due(self, position: int) -> bool:
        """Is so much behind the cache that the next start should not read it again?"""
        return self.used and position - self.position >= max(WORTH, position // SHARE)

    def write(self, recording: Recording) -> Problem:
        """Keep what was read; the recording holds still meanwhile. Returns what happened, in words.

        What cannot be written is told and logged: the service does without.
        """
        try:
            with recording.still():
                return self._write(self.readings)
        except Problem as problem:  # what was read is not whole
            return self._told(problem)

    def replaced(self, fresh: Readings) -> Problem:
        """Keep readings that nobody else has, in place of the cache that is there."""
        return self._write(fresh)

    def _write(self, readings: Readings) -> Problem:
        began, position = perf_counter(), readings.book.position
        last = head_of(next(self.ledger.entries(after=position - 1, until=position), None))
        try:
            size = self.cache.write(readings, last)
        except (OSError, Damaged) as fault:
            return self._told(fault)
        if size is None:
            return Problem("cache-busy", path=str(self.cache.folder))
        self.position = position
        seconds, megabytes = f"{perf_counter() - began:.1f}", f"{size / MEGABYTE:.1f}"
        told = Problem("cache-written", position=position, megabytes=megabytes, seconds=seconds)
        _LOG.info("%s", told.text("zh"))
        return told

    def _told(self, fault: BaseException) -> Problem:
        told = Problem("cache-unwritten", path=str(self.cache.folder), **_words(fault))
        _LOG.warning("%s", told.text("zh"))
        return told

    def close(self, recording: Recording) -> None:
        """Write the cache if it is due, and let go of what the readings were begun with."""
        if self.due(recording.position):
            self.write(recording)
        self.readings.close()


Begin: TypeAlias = Callable[[Settings, Catalogue, Ledger, int | None], Caching]
"""How readings begin: by what the cache has, or before the first entry."""


def _words(fault: BaseException) -> dict[str, str]:
    if isinstance(fault, Problem):
        return {"told": fault.text("zh"), "told_en": fault.text("en")}
    return {"told": str(fault), "told_en": str(fault)}
