"""数字识别码: which batch a hazardous container's code means, counted off the ledger's own order."""

from datetime import date
from threading import Lock
from typing import Final

from flows.batches import Batch
from flows.book import Change
from flows.codes import LAST_SERIAL, digital_code, parse_digital_code
from flows.entries import Entry
from flows.errors import Malformed
from flows.ids import BatchId
from flows.materials import Catalogue
from flows.times import day_of

_EIGHT_DIGITS: Final = len("321-024-48")


class Containers:
    """Serials by maker, waste code and day, in the order of entries: a code, once printed, keeps its meaning."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._batches: dict[tuple[str, str, date], list[BatchId]] = {}
        self._serials: dict[BatchId, tuple[tuple[str, str, date], int]] = {}
        self._lock = Lock()

    def read(self, entry: Entry, change: Change) -> None:
        """Count the hazardous batches that a fact made."""
        _ = entry
        for movement in change.movements:
            for made in movement.makes:
                waste = self._catalogue.material(made.material).waste_code or ""
                if len(waste) == _EIGHT_DIGITS and not waste.startswith("SW"):
                    self._count((made.holder, waste, day_of(change.effective_us)), made.batch_id)

    def code_of(self, batch: Batch) -> str | None:
        """The 37 characters for a hazardous batch; none for others, or past the day's last serial."""
        found = self._serials.get(batch.batch_id)
        if found is None:
            return None
        (maker, waste, day), serial = found
        return digital_code(maker, waste, day, serial) if serial <= LAST_SERIAL else None

    def find(self, text: str) -> BatchId | None:
        """The batch that a digital identification code means."""
        try:
            code = parse_digital_code(text)
        except Malformed:
            return None
        batches = self._batches.get((code.uscc, code.waste_code, code.day), [])
        return batches[code.serial - 1] if code.serial <= len(batches) else None

    def _count(self, key: tuple[str, str, date], batch_id: BatchId) -> None:
        with self._lock:
            batches = self._batches.setdefault(key, [])
            batches.append(batch_id)
            self._serials[batch_id] = key, len(batches)
