"""The columns that figures are read from: what counts, which divisions the sites lie in, what was declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

from flows.book import Change
from flows.entries import Entry
from flows.events import FigureDeclared, SiteRegistered
from flows.ids import SiteId
from flows.materials import Catalogue
from graph.counts import Counts, Table
from graph.recognition import Recognition


@dataclass(frozen=True, slots=True)
class Declared:
    """An external figure with the place of its entry."""

    position: int
    effective_us: int
    event: FigureDeclared


class Columns:
    """A follower that keeps what the indicators need; it can be thrown away and read again from the entries."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.position = 0
        self.counts = Counts()
        self.figures: list[Declared] = []
        self._divisions: dict[SiteId, str] = {}
        self.recognition = Recognition(catalogue, self.counts)
        self._lock = Lock()

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did to the book."""
        with self._lock:
            match change.event:
                case FigureDeclared():
                    self.figures.append(Declared(entry.position, change.effective_us, change.event))
                case SiteRegistered(site=site):
                    self._divisions[site.site_id] = site.division
                case _:
                    self.recognition.read(entry, change)
            self.position = entry.position

    def table(self) -> Table:
        """All rows up to and with `position`, or beyond while somebody writes."""
        with self._lock:
            return self.counts.table()

    @property
    def divisions(self) -> Mapping[SiteId, str]:
        """The division code of each site."""
        return MappingProxyType(self._divisions)
