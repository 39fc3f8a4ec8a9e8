"""Who sees what, who may say what: one policy for API, pages, exports, documents, codes and error texts.

What a caller may not see answers like what does not exist, so callers of this module turn a False into `Unknown`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from flows.batches import Batch
from flows.book import Book
from flows.errors import Forbidden, Unknown
from flows.events import (
    ApprovalGranted,
    EnterpriseConfirmed,
    Event,
    FigureDeclared,
    Loaded,
    MandateEnded,
    MandateGiven,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
)
from flows.ids import BatchId, EnterpriseId, ManifestId, SiteId
from flows.manifests import Manifest

CallerRole: TypeAlias = Literal["member", "driver", "reader", "administrator", "regulator", "auditor", "operator"]
"""成员 · 司机 · 只读 · 管理员 · 监管 · 审计 · 运维"""

ROLES_ZH: Final = {
    "member": "成员", "driver": "司机", "reader": "只读", "administrator": "管理员",
    "regulator": "监管", "auditor": "审计", "operator": "运维",
}  # fmt: skip
_STATES_OWN: Final = {"member", "administrator", "driver"}
_SEES_OWN: Final = {"member", "administrator", "driver", "reader"}
_AUTHORITY: Final = (EnterpriseConfirmed, PermitGranted, PermitAmended, PermitRevoked, ApprovalGranted, FigureDeclared)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an organisation, its role, and for a regulator the division prefix (51 province, 5101 prefecture)."""

    organisation: EnterpriseId
    role: CallerRole
    division: str = ""


def speaks_for(caller: Caller, book: Book, day: date) -> frozenset[EnterpriseId]:
    """The enterprises whose matters are the caller's: its own, and those that gave it a mandate valid on `day`."""
    if caller.role not in _SEES_OWN:
        return frozenset()
    given = {
        giver
        for (giver, _), mandate in book.mandates.items()
        if mandate.delegate == caller.organisation and mandate.valid_from <= day <= mandate.valid_to
    }
    return frozenset({caller.organisation} | given)


def check_may_state(caller: Caller, event: Event, book: Book, day: date) -> None:
    """May this caller say this, for the enterprise that the fact names?

    Raises:
        Forbidden: not for this enterprise, not with this role, or outside the regulator's division; a mandate is
            given and ended by the enterprise itself, so that no delegate prolongs or passes on its own.
    """
    if caller.role in {"regulator", "auditor"}:
        _check_authority(caller, event, book)
        return
    if caller.role not in _STATES_OWN:
        raise Forbidden("role-states-nothing", role=ROLES_ZH[caller.role], role_en=caller.role)
    if caller.role == "driver" and not isinstance(event, Loaded):
        raise Forbidden("driver-only-loads")
    if isinstance(event, _AUTHORITY):
        raise Forbidden("authority-only", kind=event.kind)
    if event.enterprise not in speaks_for(caller, book, day):
        raise Forbidden("not-your-enterprise", enterprise=event.enterprise)
    if isinstance(event, (MandateGiven, MandateEnded)) and event.enterprise != caller.organisation:
        raise Forbidden("mandate-not-passed-on", enterprise=event.enterprise)


def check_may_import(caller: Caller, enterprise: EnterpriseId, book: Book, day: date) -> None:
    """May this caller hand in a workbook of an enterprise? It states whatever its owner may state.

    Raises:
        Forbidden: not for this enterprise, or not with this role.
    """
    if caller.role not in {"member", "administrator"}:
        raise Forbidden("role-imports-nothing", role=ROLES_ZH[caller.role], role_en=caller.role)
    if enterprise not in speaks_for(caller, book, day):
        raise Forbidden("not-your-enterprise", enterprise=enterprise)


def _check_authority(caller: Caller, event: Event, book: Book) -> None:
    allowed = _AUTHORITY if caller.role == "regulator" else (FigureDeclared,)
    if not isinstance(event, allowed):
        raise Forbidden("authority-states-other", kind=event.kind)
    if event.enterprise != caller.organisation:
        raise Forbidden("not-your-enterprise", enterprise=event.enterprise)
    for division in _divisions(event, book):
        if caller.role == "regulator" and not _in_charge(caller, division):
            raise Forbidden("outside-your-division", division=division, own=caller.division)


def _divisions(event: Event, book: Book) -> Iterator[str]:
    """The divisions that an authority's fact touches."""
    match event:
        case EnterpriseConfirmed(confirmed=subject):
            yield from _division_of(subject, book)
        case PermitGranted(permit=permit):
            yield from _division_of(permit.holder, book)
        case PermitAmended(permit=permit):
            yield from _division_of(permit.holder, book)
            yield from _division_of_permit(permit.permit_no, book)
        case PermitRevoked(permit_no=permit_no):
            yield from _division_of_permit(permit_no, book)
        case ApprovalGranted(approval=approval):
            yield from _division_of(approval.consignor, book)
        case FigureDeclared(division=division):
            yield division
        case _:
            pass


def _in_charge(caller: Caller, division: str) -> bool:
    """Does a division lie in a regulator's? One whose division nobody named is in charge of nothing."""
    return bool(caller.division) and division.startswith(caller.division)


def _division_of_permit(permit_no: str, book: Book) -> Iterator[str]:
    permit = book.permits.get(permit_no)
    if permit is not None:
        yield from _division_of(permit.holder, book)


def _division_of(enterprise: EnterpriseId, book: Book) -> Iterator[str]:
    known = book.enterprises.get(enterprise)
    if known is not None:
        yield known.registered.division


@dataclass(frozen=True)
class Sight:
    """What one caller sees of one book: made once for an answer, asked for each thing in it."""

    caller: Caller
    book: Book
    own: frozenset[EnterpriseId]

    @classmethod
    def of(cls, caller: Caller, book: Book, day: date) -> "Sight":
        """The caller's sight on `day`."""
        return cls(caller, book, speaks_for(caller, book, day))

    @property
    def region(self) -> bool:
        """Does the caller see the region's figures, and identities along a chain?"""
        return self.caller.role in {"regulator", "auditor"}

    def holds(self, enterprise: EnterpriseId) -> bool:
        """Is the enterprise the caller's own, or in the division of the caller's charge?"""
        if self.caller.role == "auditor":
            return True
        if self.caller.role == "regulator":
            known = self.book.enterprises.get(enterprise)
            return known is not None and _in_charge(self.caller, known.registered.division)
        return enterprise in self.own

    def _oversees(self, site_id: SiteId) -> bool:
        if self.caller.role == "auditor":
            return True
        if self.caller.role != "regulator":
            return False
        site = self.book.sites.get(site_id)
        return site is not None and _in_charge(self.caller, site.division)

    def sees_manifest(self, manifest: Manifest) -> bool:
        """A party to it, or a regulator of either end."""
        submitted = manifest.submitted
        if self._oversees(submitted.consignor_site) or self._oversees(submitted.consignee_site):
            return True
        return not self.own.isdisjoint(manifest.parties)

    def sees_batch(self, batch: Batch) -> bool:
        """Its holder, a party to the manifest that it came by, or a regulator of its site."""
        if batch.holder in self.own or self._oversees(batch.site_id):
            return True
        if batch.manifest_id is None:
            return False
        manifest = self.book.find_manifest(batch.manifest_id)
        return manifest is not None and self.sees_manifest(manifest)

    def sees_enterprise(self, enterprise: EnterpriseId, partners: frozenset[EnterpriseId]) -> bool:
        """Its own, one of its direct partners, or one in the regulator's charge."""
        return self.holds(enterprise) or enterprise in partners

    def batch(self, batch_id: BatchId) -> Batch:
        """A batch that the caller sees; else it does not exist."""
        batch = self.book.find_batch(batch_id)
        if batch is None or not self.sees_batch(batch):
            raise Unknown("batch-unknown", batch=batch_id)
        return batch

    def manifest(self, manifest_id: ManifestId) -> Manifest:
        """A manifest that the caller sees; else it does not exist."""
        manifest = self.book.find_manifest(manifest_id)
        if manifest is None or not self.sees_manifest(manifest):
            raise Unknown("manifest-unknown", manifest=manifest_id)
        return manifest
