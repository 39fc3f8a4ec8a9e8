"""Which version of a document is printed: one more for each correction that changed what it shows.

What a version is follows from what was known when it is printed, so that the same print can be had again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from api.service import Service
from flows.batches import Batch
from flows.book import Book
from flows.layers import Layer
from flows.manifests import Manifest

DIGEST_SIGNS: Final = 12
"""Of the entry's digest: enough to tell it by, and short enough for a label."""


@dataclass(frozen=True, slots=True)
class Version:
    """第几版: counted from one, with the entry at which it came to be."""

    number: int
    position: int
    digest: str

    @property
    def text(self) -> str:
        """As documents bear it."""
        return f"第 {self.number} 版 · 台账第 {self.position} 条 · 摘要 {self.digest[:DIGEST_SIGNS]}"


@dataclass(frozen=True, slots=True)
class Shown:
    """One name in one register of the book, and what of its value a document shows."""

    layer: Layer[Any, Any]
    key: object
    part: Callable[[Any], object]

    def corrections(self) -> Iterator[int]:
        """The corrections that changed what is shown."""
        for position in self.layer.rewritten(self.key):
            if self._told(position - 1, position) != self._told(position, position):
                yield position

    def since(self, known: int) -> int:
        """The entry that made it so, as the facts are read; 0 where nothing ever stood there."""
        past = self.layer.past(self.key, known)
        count = past.number(known + 1)
        told = [None if each is None else self.part(each) for each in past.values[:count]]
        while count > 1 and told[count - 2] == told[count - 1]:
            count -= 1
        return past.positions[count - 1] if count else 0

    def _told(self, known: int, bound: int) -> object:
        """What was shown of the entries before a position, as it was known at another."""
        past = self.layer.past(self.key, known)
        count = past.number(bound)
        value = past.values[count - 1] if count else None
        return None if value is None else self.part(value)


def version_of(shown: list[Shown], service: Service) -> Version:
    """The version of a document that shows all this, as of what the service knows."""
    known = service.head.position
    changed = {position for each in shown for position in each.corrections() if position <= known}
    since = max([0, *changed, *(each.since(known) for each in shown)])
    entry = next(service.ledger.entries(after=since - 1, until=since))
    return Version(1 + len(changed), since, entry.digest)


def label_version(batch: Batch, service: Service) -> Version:
    """The version of a batch's label."""
    book = service.book
    shown = [Shown(book.batches, batch.batch_id, _of_label), *_party(batch.holder, batch.site_id, book)]
    return version_of(shown, service)


def sheet_version(manifest: Manifest, service: Service) -> Version:
    """The version of a manifest's sheet."""
    book, submitted = service.book, manifest.submitted
    shown = [
        Shown(book.manifests, manifest.manifest_id, _facts),
        *(Shown(book.batches, line.batch_id, _of_line) for line in submitted.lines),
        *_party(submitted.enterprise, submitted.consignor_site, book),
        *_party(submitted.consignee, submitted.consignee_site, book),
        Shown(book.permits, submitted.consignee, _first_permit),
    ]
    for leg in submitted.legs:
        if leg.carrier is not None:
            shown.append(Shown(book.enterprises, leg.carrier, _registered))
            plates = {plate for plate in (leg.plate, manifest.loaded.plate if manifest.loaded else None) if plate}
            shown += [Shown(book.vehicles, (leg.carrier, plate), _whole) for plate in sorted(plates)]
    return version_of(shown, service)


def _party(enterprise: str, site: str, book: Book) -> list[Shown]:
    return [Shown(book.enterprises, enterprise, _registered), Shown(book.sites, site, _whole)]


def _whole(value: object) -> object:
    return value


def _of_label(batch: Batch) -> object:
    return batch.material, batch.mass_g, batch.made_us, batch.status, batch.code, batch.holder, batch.site_id


def _of_line(batch: Batch) -> object:
    return batch.material, batch.packing


def _facts(manifest: Manifest) -> object:
    return manifest.history


def _registered(enterprise: Any) -> object:
    """What documents say of an enterprise; that it was confirmed they do not."""
    return enterprise.registered.name, enterprise.registered.contact, enterprise.registered.phone


def _first_permit(permits: Any) -> object:
    return permits[0].permit_no if permits else None
