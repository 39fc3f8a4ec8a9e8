"""Who sees what, who may say what: one policy for API, pages, exports, documents, codes and error texts.

What a caller may not see answers like what does not exist, so callers of this module turn a False into `Unknown`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from flows.batches import Batch
from flows.book import Book
from flows.codes import division_prefix
from flows.errors import Forbidden, Unknown
from flows.events import (
    Amendment,
    ApprovalGranted,
    Arrived,
    Cancelled,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Decided,
    EnterpriseConfirmed,
    Event,
    FigureDeclared,
    Loaded,
    MandateEnded,
    MandateGiven,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
    Submitted,
)
from flows.ids import BatchId, EnterpriseId, ManifestId, SiteId
from flows.indicators import Level
from flows.manifests import Manifest
from flows.reading import manifest_of

CallerRole: TypeAlias = Literal["member", "driver", "reader", "administrator", "regulator", "auditor", "operator"]
"""成员 · 司机 · 只读 · 管理员 · 监管 · 审计 · 运维"""

ROLES_ZH: Final = {
    "member": "成员", "driver": "司机", "reader": "只读", "administrator": "管理员",
    "regulator": "监管", "auditor": "审计", "operator": "运维",
}  # fmt: skip
_STATES_OWN: Final = {"member", "administrator", "driver"}
_SEES_OWN: Final = {"member", "administrator", "driver", "reader"}
_PROVINCE_DIGITS: Final = len("51")
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
        Forbidden: not for this enterprise, or not with this role; a mandate is given and ended by the enterprise
            itself, so that no delegate prolongs or passes on its own.
        Unknown: an authority names what is outside its division, or was never recorded.
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
    for stated in _stated(event):
        if isinstance(stated, (MandateGiven, MandateEnded)) and event.enterprise != caller.organisation:
            raise Forbidden("mandate-not-passed-on", enterprise=event.enterprise)


def _stated(event: Event) -> Iterator[Event]:
    """A fact, or those that a correction puts one in place of the other."""
    if isinstance(event, CorrectionRequested):
        yield from (form for change in event.changes for form in change.forms)
    else:
        yield event


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
    stated = list(_stated(event))
    for each in stated:
        if not isinstance(each, allowed):
            raise Forbidden("authority-states-other", kind=each.kind)
    if event.enterprise != caller.organisation:
        raise Forbidden("not-your-enterprise", enterprise=event.enterprise)
    for each in stated if caller.role == "regulator" else ():
        _check_in_charge(caller, each, book)


def _check_in_charge(caller: Caller, event: Event, book: Book) -> None:
    """What lies in another division answers like what was never recorded; a division itself is nobody's secret."""
    match event:
        case EnterpriseConfirmed(confirmed=subject):
            _check_enterprise_in_charge(caller, subject, book)
        case PermitGranted(permit=permit):
            _check_enterprise_in_charge(caller, permit.holder, book)
        case PermitAmended(permit=permit):
            _check_permit_in_charge(caller, permit.permit_no, book)
            _check_enterprise_in_charge(caller, permit.holder, book)
        case PermitRevoked(permit_no=permit_no):
            _check_permit_in_charge(caller, permit_no, book)
        case ApprovalGranted(approval=approval):
            _check_enterprise_in_charge(caller, approval.consignor, book)
        case FigureDeclared(division=division):
            if not _in_charge(caller, division):
                raise Forbidden("outside-your-division", division=division, own=caller.division)
        case _:
            pass


def _check_enterprise_in_charge(caller: Caller, enterprise: EnterpriseId, book: Book) -> None:
    known = book.enterprises.get(enterprise)
    if known is None or not _in_charge(caller, known.registered.division):
        raise Unknown("enterprise-unknown", enterprise=enterprise)


def _check_permit_in_charge(caller: Caller, permit_no: str, book: Book) -> None:
    permit = book.find_permit(permit_no)
    known = book.enterprises.get(permit.holder) if permit is not None else None
    if known is None or not _in_charge(caller, known.registered.division):
        raise Unknown("permit-unknown", permit=permit_no)


def _in_charge(caller: Caller, division: str) -> bool:
    """Does a division lie in a regulator's? One whose division nobody named is in charge of nothing."""
    return bool(caller.division) and division.startswith(caller.division)


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

    def on(self, book: Book) -> "Sight":
        """What the caller, with its rights of today, sees of a book as it was known once."""
        return self if book is self.book else Sight(self.caller, book, self.own)

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

    def sees_entry(self, event: Event) -> bool:
        """Its stater's, a party's of its manifest, theirs whom an authority's fact is about, a regulator's of its site."""
        if self._whose(event):
            return True
        match event:
            case Submitted() | Loaded() | Arrived() | Decided() | Cancelled():
                manifest = self.book.find_manifest(event.manifest_id)
                return manifest is not None and self.sees_manifest(manifest)
            case EnterpriseConfirmed(confirmed=subject):
                return self.holds(subject)
            case PermitGranted(permit=permit) | PermitAmended(permit=permit):
                return self.holds(permit.holder)
            case ApprovalGranted(approval=approval):
                return self.holds(approval.consignor) or self.holds(approval.consignee)
            case MandateGiven(mandate=mandate):
                return mandate.delegate in self.own
            case CorrectionRequested(changes=changes):
                return any(self._sees_change(change, event) for change in changes)
            case CorrectionAgreed() | CorrectionDeclined():
                request = self.book.requests.get((event.requested_by, event.request))
                return request is not None and self.sees_entry(request.event)
            case _:
                site_id = getattr(event, "site_id", None)
                return isinstance(site_id, str) and self._oversees(site_id)

    def _sees_change(self, change: Amendment, event: CorrectionRequested) -> bool:
        """Who sees the fact sees its correction; and who has to agree must see what to, but no other's manifest."""
        if any(self.sees_entry(form) for form in change.forms):
            return True
        request = self.book.requests.get((event.enterprise, event.event_id))
        asked = request is not None and not self.own.isdisjoint((*request.others, *request.agreed))
        return asked and manifest_of(change.fact) is None

    def reads(self, event: Event) -> Event:
        """A fact that the caller sees, as it may read it: of a request for correction what concerns it."""
        if not isinstance(event, CorrectionRequested):
            return event
        seen = self.changes(event)
        return event if seen == event.changes else event.model_copy(update={"changes": seen})

    def changes(self, event: CorrectionRequested) -> tuple[Amendment, ...]:
        """What a request for correction asks, as far as it concerns the caller."""
        if self._whose(event):
            return event.changes
        return tuple(change for change in event.changes if self._sees_change(change, event))

    def _whose(self, event: Event) -> bool:
        """Is a fact the caller's own, or of who is in its charge?"""
        return self.holds(event.enterprise) or (self.region and event.enterprise == self.caller.organisation)

    def follows(self, batch: Batch) -> bool:
        """Whose mass it is: its holder, who sent or received it, or a regulator of its site. A carrier sees, and
        does not follow: none of the mass along the chain is its own.
        """
        if batch.holder in self.own or self._oversees(batch.site_id):
            return True
        manifest = self.book.find_manifest(batch.manifest_id) if batch.manifest_id is not None else None
        if manifest is None or not self.sees_manifest(manifest):
            return False
        submitted = manifest.submitted
        return self.region or not self.own.isdisjoint({submitted.enterprise, submitted.consignee})

    def knows_stock(self, batch: Batch) -> bool:
        """May the caller know what is left of a batch, and where it lies? That is its holder's matter, and of who has
        its site in charge; a load is on the road for all who sent it, carry it or await it.
        """
        return (
            batch.holder in self.own
            or self._oversees(batch.site_id)
            or (batch.origin == "load" and self.sees_batch(batch))
        )

    def check_follows(self, batch: Batch) -> None:
        """Raises `Forbidden` where the caller sees a batch and may not ask what became of it."""
        if not self.follows(batch):
            raise Forbidden("chain-parties-only", batch=batch.batch_id)

    def knows_on_chain(self, batch: Batch) -> bool:
        """May the caller know what and whose a batch is that a trace of theirs led to?"""
        return self.region or self.sees_batch(batch)

    def check_may_filter(self) -> None:
        """Raises `Forbidden`: a filter by what is not seen would tell it, as hidden batches vanish where it fits not."""
        if not self.region:
            raise Forbidden("filter-regulators-only")

    def check_may_graph(self) -> None:
        """Raises `Forbidden`: networks and graph files hold identities."""
        if not self.region:
            raise Forbidden("graph-regulators-only")

    def home(self) -> tuple[Level, str]:
        """The boundary that the caller's figures are of where none is asked for: all, a division, or the enterprise."""
        match self.caller.role:
            case "auditor":
                return "region", ""
            case "regulator":
                own = self.caller.division
                return ("province" if len(own) == _PROVINCE_DIGITS else "prefecture"), own
            case _:
                return "enterprise", self.caller.organisation

    def check_figures(self, level: Level, key: str) -> None:
        """Raises `Forbidden` where figures are the region's, another division's or another enterprise's."""
        if level == "enterprise":
            allowed = self.holds(key)
        elif self.caller.role == "regulator":
            allowed = level != "region" and _in_charge(self.caller, division_prefix(key))
        else:
            allowed = self.caller.role == "auditor"
        if not allowed:
            raise Forbidden("figures-own-only")

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
