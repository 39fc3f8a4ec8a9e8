"""数字识别码: which batch a hazardous container's code means, counted off the ledger's own order."""

from collections.abc import MutableMapping
from datetime import date
from threading import Lock
from typing import Final, NamedTuple, TypeAlias

from flows.batches import Batch
from flows.book import Change
from flows.codes import LAST_SERIAL, digital_code, parse_digital_code
from flows.entries import Entry
from flows.errors import Malformed
from flows.ids import BatchId
from flows.materials import Catalogue
from flows.times import day_of
from graph.keeping import Found, Keeping
from graph.values import PLAIN, codec_of

_EIGHT_DIGITS: Final = len("321-024-48")


class Containers:
    """Serials by maker, waste code and day, in the order of entries: a code, once printed, keeps its meaning.

    A correction of what the code says (maker, waste code or day) gives the batch a code of its own more; the label that
    hangs on the drum still finds it.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._batches: MutableMapping[Key, list[BatchId]] = {}
        self._serials: MutableMapping[BatchId, list[Serial]] = {}
        self._lock = Lock()

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it."""
        keeping.table("containers.batches", self._batches, _KEY, _IDS)
        keeping.table("containers.serials", self._serials, PLAIN, _SERIALS)

    @classmethod
    def found(cls, catalogue: Catalogue, found: Found) -> "Containers":
        """The serials that were kept."""
        own = cls(catalogue)
        own._batches = found.table("containers.batches", _KEY, _IDS)
        own._serials = found.table("containers.serials", PLAIN, _SERIALS)
        return own

    def read(self, entry: Entry, change: Change) -> None:
        """Count the hazardous batches that a fact made, and those that a correction made otherwise."""
        _ = entry
        self._count_made(change, change.position)
        if change.revision is not None:
            for _, reread in sorted(change.revision.entries.items()):
                if reread.now is not None:
                    self._count_made(reread.now, change.position)

    def _count_made(self, change: Change, since: int) -> None:
        for movement in change.movements:
            for made in movement.makes:
                waste = self._catalogue.material(made.material).waste_code or ""
                if len(waste) == _EIGHT_DIGITS and not waste.startswith("SW"):
                    self._count((made.holder, waste, day_of(change.effective_us)), made.batch_id, since)

    def code_of(self, batch: Batch, as_of: int | None = None) -> str | None:
        """The 37 characters for a hazardous batch, as they were known at a position; none for others, or past the day's
        last serial.
        """
        told = self._serials.get(batch.batch_id, [])
        known = [each for each in told if as_of is None or each.since <= as_of]
        if not known or known[-1].serial > LAST_SERIAL:
            return None
        maker, waste, day = known[-1].key
        return digital_code(maker, waste, day, known[-1].serial)

    def find(self, text: str) -> BatchId | None:
        """The batch that a digital identification code means."""
        try:
            code = parse_digital_code(text)
        except Malformed:
            return None
        batches = self._batches.get((code.uscc, code.waste_code, code.day), [])
        return batches[code.serial - 1] if code.serial <= len(batches) else None

    def _count(self, key: "Key", batch_id: BatchId, since: int) -> None:
        with self._lock:
            told = self._serials.setdefault(batch_id, [])
            if told and told[-1].key == key:
                return
            known = next((each.serial for each in told if each.key == key), None)
            if known is None:
                batches = self._batches.setdefault(key, [])
                batches.append(batch_id)
                known = len(batches)
            told.append(Serial(key, known, since))


Key: TypeAlias = tuple[str, str, date]
"""Maker, waste code, day."""


class Serial(NamedTuple):
    """The number of a batch among those of its key, since an entry."""

    key: Key
    serial: int
    since: int


_KEY: Final = codec_of(tuple[str, str, date])
_IDS: Final = codec_of(list[BatchId])
_SERIALS: Final = codec_of(list[Serial])
