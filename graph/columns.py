"""The columns that figures are read from: what counts, which divisions the sites lie in, what was declared."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType
from typing import Final, TypeVar

from flows.book import Change, Revision
from flows.entries import Entry
from flows.events import FigureDeclared, SiteRegistered
from flows.ids import SiteId
from flows.materials import Catalogue
from graph.counts import Counts, Table
from graph.keeping import Found, Keeping, Later
from graph.recognition import Recognition
from graph.rows import FOREVER
from graph.values import PLAIN, codec_of


@dataclass(frozen=True, slots=True)
class Declared:
    """An external figure with the place of its entry, known since an entry and until a correction."""

    position: int
    effective_us: int
    event: FigureDeclared
    since: int
    until: int = FOREVER


@dataclass(frozen=True, slots=True)
class Placed:
    """A site and its division, as an entry said it, known since an entry and until a correction."""

    position: int
    site_id: SiteId
    division: str
    since: int
    until: int = FOREVER


_FIGURES: Final = codec_of(list[Declared])
_PLACED: Final = codec_of(list[Placed])


class Columns:
    """A follower that keeps what the indicators need; it can be thrown away and read again from the entries."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.position = 0
        self.counts = Counts()
        self._figures: Later[list[Declared]] = Later([])
        self._placed: list[Placed] = []
        self._divisions: dict[SiteId, str] = {}
        self.recognition = Recognition(catalogue, self.counts)
        self._lock = Lock()

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it."""
        keeping.plain("columns.position", self.position, PLAIN)
        keeping.plain("columns.figures", self.figures, _FIGURES)
        keeping.plain("columns.placed", self._placed, _PLACED)
        self.counts.keep(keeping)
        self.recognition.keep(keeping)

    @classmethod
    def found(cls, catalogue: Catalogue, found: Found) -> "Columns":
        """The columns that were kept."""
        own = cls(catalogue)
        own.position = found.plain("columns.position", PLAIN)
        own._figures = Later(found.later("columns.figures", _FIGURES))
        own._placed = found.plain("columns.placed", _PLACED)
        own._divisions = own.divisions_as_of(own.position)
        own.counts = Counts.found(found)
        own.recognition = Recognition.found(catalogue, own.counts, found)
        return own

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did to the book."""
        _ = entry
        with self._lock:
            if change.revision is None:
                self._note(change, change.position)
                self.recognition.read(change)
            else:
                self._revise(change.revision, change.position)
            self.position = change.position

    @property
    def figures(self) -> list[Declared]:
        """The external figures, by the position of their entry."""
        return self._figures.value

    def _note(self, change: Change, since: int) -> None:
        match change.event:
            case FigureDeclared() as event:
                figure = Declared(change.position, change.effective_us, event, since)
                insort(self.figures, figure, key=lambda each: each.position)
            case SiteRegistered(site=site):
                placed = Placed(change.position, site.site_id, site.division, since)
                insort(self._placed, placed, key=lambda each: each.position)
                self._divisions[site.site_id] = site.division
            case _:
                pass

    def _revise(self, revision: Revision, since: int) -> None:
        """What entries said until a correction ends; what they say since begins."""
        ended = revision.entries.keys()
        self._figures = Later([_ended(each, since) if each.position in ended else each for each in self.figures])
        self._placed = [_ended(each, since) if each.position in ended else each for each in self._placed]
        for reread in revision.entries.values():
            if reread.now is not None:
                self._note(reread.now, since)
        self._divisions = self.divisions_as_of(since)
        self.recognition.revise(revision, since)

    def table(self) -> Table:
        """All rows up to and with `position`, or beyond while somebody writes."""
        with self._lock:
            return self.counts.table()

    @property
    def divisions(self) -> Mapping[SiteId, str]:
        """The division code of each site."""
        return MappingProxyType(self._divisions)

    def divisions_as_of(self, position: int) -> dict[SiteId, str]:
        """The division code of each site as it was known at a position."""
        return {each.site_id: each.division for each in self._placed if each.since <= position < each.until}


Told = TypeVar("Told", Declared, Placed)


def _ended(told: Told, until: int) -> Told:
    return replace(told, until=until) if told.until == FOREVER else told
