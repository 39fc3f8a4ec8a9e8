"""Readings as one caller may see them: identities and others' masses are left out here, and nowhere else.

Further along a chain than its direct partners an enterprise sees the fate class, its own share of the mass, the date
and the prefecture; a regulator or an auditor sees everything.
"""

from dataclasses import dataclass
from typing import Final

from api.service import Service
from flows.access import Sight
from flows.batches import Batch
from flows.book import Book
from flows.fates import FATES_EN, FATES_ZH, FateClass
from flows.ids import BatchId, ManifestId
from flows.times import day_of
from flows.touches import Touch, touched
from graph.fate import Fate, Provenance, Source
from graph.lineage import Lineage

PREFECTURE_DIGITS: Final = len("5101")


def prefecture(division: str) -> str | None:
    """The prefecture that a division lies in: nearer than that nobody along a chain is placed."""
    return division[:PREFECTURE_DIGITS].ljust(len(division), "0") if division else None


@dataclass(frozen=True)
class Seen:
    """What a caller may be told of the batches of a lineage."""

    sight: Sight
    service: Service

    @property
    def lineage(self) -> Lineage:
        """The index that ranks belong to."""
        return self.service.lineage

    def batch(self, rank: int) -> Batch | None:
        """The batch of a rank, if the caller sees it."""
        batch = self.service.book.batch(self.lineage.batch_ids[rank])
        return batch if self.sight.knows_on_chain(batch) else None

    def oversees(self, rank: int) -> bool:
        """Does the rank's batch lie in a regulator's charge, or is it the caller's own?"""
        return self.sight.follows(self.service.book.batch(self.lineage.batch_ids[rank]))

    def reads(self, position: int) -> bool:
        """May the caller read the entry at a position?"""
        entry = next(self.service.ledger.entries(after=position - 1, until=position))
        return self.sight.sees_entry(entry.event)

    def where(self, rank: int) -> dict[str, object]:
        """What everybody along the chain may know of a batch: the day and the prefecture."""
        lineage = self.lineage
        site = self.service.book.sites.get(lineage.sites.names[int(lineage.batches.site[rank])])
        return {
            "date": day_of(int(lineage.batches.made_us[rank])).isoformat(),
            "prefecture": prefecture(site.division if site is not None else ""),
        }

    def fate(self, fate: Fate) -> dict[str, object]:
        """Grams by class; the bounds are the regulator's."""
        rows: list[dict[str, object]] = []
        for each in FateClass:
            bounds = fate.bounds.get(each) if fate.bounds is not None and self.sight.region else None
            if not fate.grams[each] and not (bounds and bounds[1]):
                continue
            rows.append(
                {
                    "class": each.value,
                    "name_zh": FATES_ZH[each],
                    "name_en": FATES_EN[each],
                    "mass_g": fate.grams[each],
                    "share": self._share(fate.fractions[each], fate.grams[each], fate.mass_g)
                    if fate.fractions
                    else None,
                    "least_g": bounds[0] if bounds else None,
                    "most_g": bounds[1] if bounds else None,
                }
            )
        return {
            "mass_g": fate.mass_g,
            "basis": fate.basis,
            "policy": fate.policy,
            "bounds": "outer" if fate.bounds is not None and self.sight.region else None,
            "footing": {
                "assayed_g": fate.footing.assayed_g,
                "assumed_g": fate.footing.assumed_g,
                "as_weighed_g": fate.footing.as_weighed_g,
            },
            "classes": rows,
        }

    def _share(self, exact: float, grams: int, whole_g: int) -> float:
        """A share no finer than its grams, for whom the masses along the chain are not: fifteen digits tell them."""
        return exact if self.sight.region or not whole_g else grams / whole_g

    def provenance(self, provenance: Provenance) -> dict[str, object]:
        """The sources of a batch, the largest first."""
        return {
            "mass_g": provenance.mass_g,
            "basis": provenance.basis,
            "policy": provenance.policy,
            "sources": [self._source(source, provenance.mass_g) for source in provenance.sources],
        }

    def _source(self, source: Source, mass_g: int) -> dict[str, object]:
        told: dict[str, object] = {
            "share": self._share(source.share, source.grams, mass_g),
            "mass_g": source.grams,
            "boundary": source.boundary.value,
        }
        batch = self.batch(source.rank) if source.rank is not None else None
        if source.rank is not None:
            told |= self.where(source.rank)
        known = batch is not None or self.sight.region or (source.rank is None and self.sight.holds(source.holder))
        told["seen"] = known
        if known:
            material = self.service.catalogue.materials.get(source.material)
            told |= {
                "batch_id": batch.batch_id if batch else None,
                "holder": source.holder,
                "material": source.material or None,
                "name_zh": material.name_zh if material else None,
                "name_en": material.name_en if material else None,
            }
        return told

    def batch_id(self, rank: int) -> BatchId | None:
        """The id of a rank, if the caller sees it."""
        batch = self.batch(rank)
        return batch.batch_id if batch else None


def history(name: BatchId | ManifestId, service: Service) -> list[int]:
    """Positions of the entries that speak of a batch or a manifest, as far as they and what they say were known."""
    book = service.book
    found = [position for position in book.history(name) if service.as_of is None or position <= service.as_of]
    return [position for position in found if _speaks_of(name, position, book)]


def _speaks_of(name: BatchId | ManifestId, position: int, book: Book) -> bool:
    """Does an entry name it, as it was stated or as it is read? A later correction may have made it do so."""
    told = (book.told(position).event, book.fact(position).event)
    names = {Touch("batches", name), Touch("manifests", name)}
    then = book.before(position)
    return any(not names.isdisjoint(touched(event, then)) for event in told if event is not None)
