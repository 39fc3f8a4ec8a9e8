"""What the service's own readings answer to the questions of `docs/graph.md`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from flows.balance import Boundary
from flows.batches import Batch
from flows.book import Book
from flows.events import Arrived, Decided, Event
from flows.law import breaches
from flows.manifests import Manifest, State
from flows.times import day_of, earliest_us, latest_us
from graph.cone import downstream, upstream
from graph.lineage import ARISING, ORIGINS, Lineage
from graph.network import cycles, supplies
from graph.prefix import Prefix

NOT_PERMITTED = {"permit-not-covering", "permit-not-valid"}


@dataclass(frozen=True)
class Readings:
    """Book and lineage, as the service has them."""

    book: Book
    lineage: Lineage

    def name(self, enterprise: str) -> str:
        known = self.book.enterprises.get(enterprise)
        assert known is not None
        return known.registered.name

    def facts(self) -> Iterator[tuple[int, Event]]:
        for position in range(1, self.book.position + 1):
            event = self.book.fact(position).event
            if event is not None:
                yield position, event

    def not_permitted(self, begin: str, end: str) -> set[int]:
        """Entries of decisions for which the house found no permit that covers them, or none that was valid."""
        return {
            position
            for position, event in self.facts()
            if isinstance(event, Decided) and begin <= day_of(latest_us(event.event_time)).isoformat() <= end
            if any(found.key in NOT_PERMITTED for found in breaches(event, self.book.before(position)))
        }

    def loads_to(self, site: str) -> list[tuple[Any, ...]]:
        found = [
            (
                *self._load(manifest, line),
                sorted(self.name(leg.carrier) for leg in manifest.submitted.legs if leg.carrier),
            )
            for manifest in self.book.all_manifests()
            if manifest.submitted.consignee_site == site and manifest.loaded is not None
            for line in (each.line for each in manifest.loaded.lines)
        ]
        return sorted(found, key=lambda row: (row[0], row[1]))

    def _load(self, manifest: Manifest, line: int) -> tuple[Any, ...]:
        loaded, decided = manifest.loaded_line(line), manifest.decided_line(line)
        assert loaded is not None
        accepted = decided.accepted.mass_g if decided is not None and decided.accepted is not None else None
        return manifest.manifest_id, line, loaded.portion.mass_g, manifest.arrived_g(line), accepted

    def lying(self, enterprise: str, material: str) -> list[tuple[str, str, str, int]]:
        prefix = Prefix(self.lineage)
        sources = [
            rank
            for rank in prefix.ranks.tolist()
            if self.lineage.holders.names[int(prefix.holder[rank])] == enterprise
            and self.lineage.materials.names[int(prefix.material[rank])] == material
            and ORIGINS[int(prefix.origin[rank])] in {"stock", "generated", "made"}
        ]
        ranks = downstream(prefix, np.array(sources, np.int64)).ranks
        left = prefix.left_g(ranks)
        found = [
            (self.lineage.batch_ids[int(rank)], self.lineage.sites.names[int(prefix.site[rank])], int(left_g))
            for rank, left_g in zip(ranks, left, strict=True)
            if left_g
        ]
        return sorted((batch, site, self._batch(batch).place, left_g) for batch, site, left_g in found)

    def _batch(self, batch_id: str) -> Batch:
        return self.book.batch(batch_id)

    def loops(self) -> list[tuple[Any, ...]]:
        rounds = cycles(self.lineage, supplies(self.lineage), length_max=2)
        return [(each.code, *each.enterprises, each.least_g) for each in rounds]

    def underway(self, today: date, days: int) -> list[tuple[str, int]]:
        return sorted(
            (manifest.manifest_id, line.line)
            for manifest in self.book.manifests.values()
            if manifest.state == State.LOADED and manifest.loaded is not None
            if (today - day_of(latest_us(manifest.loaded.event_time))).days > days
            for line in manifest.loaded.lines
        )

    def differences(self) -> dict[str, int]:
        """Lines whose arrival the house found beyond tolerance, by carrier."""
        found = Counter[str]()
        for position, event in self.facts():
            if not isinstance(event, Arrived):
                continue
            lines = sum(each.key == "arrival-differs" for each in breaches(event, self.book.before(position)))
            for leg in self.book.manifest(event.manifest_id).submitted.legs:
                if lines and leg.carrier:
                    found[leg.carrier] += lines
        return dict(found)

    def stored_longer(self, today: date, days: int) -> list[tuple[str, int]]:
        return sorted(
            (batch.batch_id, batch.left_g)
            for batch in self.book.batches.values()
            if batch.status == "hazardous_waste" and batch.place != "road"
            if (today - day_of(batch.made_us)).days > days
        )

    def unaccounted(self, begin: date, end: date) -> dict[tuple[str, str], int]:
        prefix, names = Prefix(self.lineage), self.lineage.holders.names
        kinds = list(Boundary)
        found = Counter[tuple[str, str]]()

        def count(movement: int, boundary: str, mass_g: int) -> None:
            within = earliest_us(begin) <= prefix.effective_us[movement] <= latest_us(end)
            if within and mass_g > 0 and boundary in {"unaccounted", "scale_difference"}:
                found[names[int(prefix.enterprise[movement])], boundary] += mass_g

        for line, movement in enumerate(prefix.end_movement.tolist()):
            count(movement, kinds[int(prefix.end_boundary[line])].value, int(prefix.end_mass_g[line]))
        for line, movement in enumerate(prefix.draw_movement.tolist()):
            gap_g = int(prefix.draw_mass_g[line]) - int(prefix.draw_weighed_g[line])
            count(movement, kinds[int(prefix.gap[movement])].value, gap_g)
        return dict(found)

    def made_of(self, batch_id: str) -> dict[tuple[str, str, str], int]:
        prefix = Prefix(self.lineage)
        ranks = upstream(prefix, np.array([self.lineage.rank(batch_id)], np.int64)).ranks
        found = Counter[tuple[str, str, str]]()
        for rank in ranks[np.isin(prefix.origin[ranks], ARISING)].tolist():
            holder = self.lineage.holders.names[int(prefix.holder[rank])]
            material = self.lineage.materials.names[int(prefix.material[rank])]
            found[holder, material, ORIGINS[int(prefix.origin[rank])]] += 1
        return dict(found)

    def corrected(self) -> list[tuple[int, int, str, bool]]:
        return sorted(
            (request.settled, request.corrects, request.event.reason, request.event.becomes is None)
            for request in self.book.requests.every()
            if request.settled is not None and request.state == "in_force"
        )
