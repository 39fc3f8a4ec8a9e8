"""What an enterprise calls its batches and records, read off the ledger: the same names find the same facts again."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from api.workbook.general import FORM_LABEL, GENERAL_OF
from api.workbook.numbering import (
    B4_LABEL,
    B5_LABEL,
    MANIFEST_LABEL,
    RECORD_LABEL,
    Inbound,
    first_code,
    labels_told,
    load_code,
    record_no,
    refused_code,
    told_on_a_form,
)
from api.workbook.values import plain
from flows.book import Book
from flows.entries import Entry
from flows.events import (
    Arrived,
    Assayed,
    Cancelled,
    Collected,
    Decided,
    Delivered,
    Disposed,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    Generated,
    Left,
    Loaded,
    Mending,
    Packed,
    PlanFiled,
    Product,
    ScaleRegistered,
    SiteRegistered,
    Stated,
    StatusChanged,
    StockDeclared,
    StockTaken,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Tapped,
    Transformed,
    VehicleRegistered,
)
from flows.ids import BatchId, EnterpriseId, Id, ManifestId, derived

BatchName: TypeAlias = tuple[str, str, str]
"""Site code, batch code, container code."""
Identity: TypeAlias = tuple[str, ...]
"""A sheet's key, and what the rows of one record share."""

_LOADING: Final = re.compile(rb'"manifest_id":"([^"]+)"')


@dataclass
class Names:
    """One enterprise's names. `records` holds the facts of each record by what its rows share."""

    enterprise: EnterpriseId
    book: Book
    batches: dict[BatchName, BatchId] = field(default_factory=dict[BatchName, BatchId])
    called: dict[BatchId, BatchName] = field(default_factory=dict[BatchId, BatchName])
    records: dict[Identity, tuple[Stated, ...]] = field(default_factory=dict[Identity, tuple[Stated, ...]])
    inbound: dict[ManifestId, Inbound] = field(default_factory=dict[ManifestId, Inbound])
    drawn: dict[BatchId, list[int]] = field(default_factory=dict[BatchId, list[int]])
    """What runs took in of each batch, portion by portion."""
    apart: dict[BatchId, int] = field(default_factory=dict[BatchId, int])
    """What was taken of each batch, whatever was taken as its rest left aside."""
    events: dict[str, Stated] = field(default_factory=dict[str, Stated])
    withdrawn: dict[str, int] = field(default_factory=dict[str, int])
    """The positions of the enterprise's facts that were withdrawn, by their names."""
    registrations: dict[Identity, tuple[Stated, ...]] = field(default_factory=dict[Identity, tuple[Stated, ...]])
    """The registrations of each thing, by type and id, the last one last."""
    unnamed: list[Event] = field(default_factory=list[Event])
    """Facts that the workbook has no row for."""
    _coded: dict[tuple[str, str], dict[str, BatchId]] = field(default_factory=dict[tuple[str, str], dict[str, BatchId]])
    _splits: dict[BatchId, Identity] = field(default_factory=dict[BatchId, Identity])
    shelves: dict[BatchId, Identity] = field(default_factory=dict[BatchId, Identity])
    """What a row of table 5 put into storage."""
    unclear: set[BatchName] = field(default_factory=set[BatchName])
    """Codes of storage that were given to more than one batch: no row is to speak of a batch by them."""
    _outbound: dict[ManifestId, Identity] = field(default_factory=dict[ManifestId, Identity])

    @classmethod
    def read(cls, entries: Iterable[Entry], enterprise: EnterpriseId, book: Book) -> "Names":
        """The names that these entries make, as they are read now, those of partners that concern the enterprise included."""
        names = cls(enterprise, book)
        told = enterprise.encode()
        for entry in entries:
            own, replaced = entry.enterprise == enterprise, book.replaced.get(entry.position)
            if replaced is not None:
                if replaced.event is not None:
                    (names.take if own else names.hear)(replaced.event)
                elif own:
                    names.withdrawn[entry.event_id] = entry.position
            elif own:
                names.take(entry.event)
            elif told in entry.body or names._loads_inbound(entry.body):
                names.hear(entry.event)
        return names

    def _loads_inbound(self, body: bytes) -> bool:
        """A loading names its manifest only, and not who is to receive it: looked for before anything is parsed."""
        match = _LOADING.search(body) if b'"kind":"loaded"' in body else None
        return match is not None and match[1].decode() in self.inbound

    def site_code(self, site_id: Id) -> str:
        """A site's code; a site that was never registered goes by its id."""
        site = self.book.sites.get(site_id)
        return site.code if site is not None else site_id.partition(".")[2]

    def with_code(self, site: str, code: str) -> dict[str, BatchId]:
        """The batches of a code, by container."""
        return self._coded.get((site, code), {})

    def hear(self, event: Event) -> None:
        """Take in a partner's fact."""
        match event:
            case Submitted(consignee=consignee) if consignee == self.enterprise:
                self.inbound[event.manifest_id] = Inbound(event)
            case Loaded(manifest_id=manifest_id) if manifest_id in self.inbound:
                self.inbound[manifest_id].loaded = event
            case Loaded(manifest_id=manifest_id) if manifest_id in self._outbound:
                self._take_apart(event)
                self._load(event)
            case Decided(manifest_id=manifest_id) if manifest_id in self._outbound:
                submitted = self.records[self._outbound[manifest_id]][0]
                assert isinstance(submitted, Submitted)
                site = self.site_code(submitted.consignor_site)
                for line in event.lines:
                    if line.rejected is not None:
                        self._claim(line.rejected.batch_id, site, refused_code(submitted, line.line), "")
            case _:
                pass

    def take(self, event: Event) -> None:
        """Take in a fact of the enterprise's own; what it says of its facts is no name."""
        if isinstance(event, Mending):
            return
        self.events[event.event_id] = event
        self._take_apart(event)
        match event:
            case EnterpriseRegistered():
                self._register(("enterprise", event.enterprise), event)
            case SiteRegistered(site=site):
                self._register(("site", site.site_id), event)
            case FacilityRegistered(facility=facility):
                self._register(("facility", facility.facility_id), event)
            case StorageRegistered(storage=storage):
                self._register(("storage", storage.storage_id), event)
            case ScaleRegistered(scale=scale):
                self._register(("scale", scale.scale_id), event)
            case VehicleRegistered(vehicle=vehicle):
                self._register(("vehicle", vehicle.plate), event)
            case PlanFiled(plan=plan):
                self._register(("plan", plan.site_id, str(plan.year)), event)
            case StockDeclared(product=product):
                self._add(("stock", *self._claim_product(product, event.site_id)), event)
            case Generated(product=product):
                name = self._claim_product(product, event.site_id)
                self._add((self._sheet("b1", name, product.material, event), *name), event)
            case Collected(product=product) | Tapped(product=product):
                self._add(("arising", *self._claim_product(product, event.site_id)), event)
            case Stored(batch_id=batch_id, code=code):
                self._lie("b2", event, batch_id, code)
            case TakenOut(batch_id=batch_id, code=code):
                self._lie("b3", event, batch_id, code)
            case Transformed():
                self._transform(event)
            case Assayed(batch_id=batch_id, assay_no=assay_no):
                self._record("assay", self._site_of(batch_id), assay_no or record_no(event, "assay"), event)
            case Packed(batch_id=batch_id) | StatusChanged(batch_id=batch_id):
                self._record("other", self._site_of(batch_id), record_no(event, "other"), event)
            case StockTaken(site_id=site_id):
                self._record("other", self.site_code(site_id), record_no(event, "other"), event)
            case Disposed(site_id=site_id):
                general = told_on_a_form(event) or (
                    B4_LABEL not in labels_told(event, "b4") and self._general(event.portions[0].batch_id)
                )
                sheet, label = ("g7", FORM_LABEL) if general else ("b4", B4_LABEL)
                self._record(sheet, self.site_code(site_id), record_no(event, sheet, label), event)
            case Delivered(site_id=site_id):
                own_use = B4_LABEL in labels_told(event, "b4")
                sheet, label = ("b4", B4_LABEL) if own_use else ("leaving", RECORD_LABEL)
                sheet, label = ("g6", FORM_LABEL) if told_on_a_form(event) else (sheet, label)
                self._record(sheet, self.site_code(site_id), record_no(event, sheet, label), event)
            case Left(site_id=site_id) if told_on_a_form(event):
                labels = labels_told(event, "g3")
                self._record("g3", self.site_code(site_id), labels.get(MANIFEST_LABEL) or first_code(labels), event)
            case Left(site_id=site_id):
                labels = labels_told(event, "b5")
                if B5_LABEL in labels:
                    number = labels.get(MANIFEST_LABEL) or first_code(labels, B5_LABEL)
                    self._record("b5", self.site_code(site_id), number, event)
                else:
                    self._record("leaving", self.site_code(site_id), record_no(event, "leaving"), event)
            case Submitted(manifest_id=manifest_id, consignor_site=site_id):
                number = event.number
                general = self._general(event.lines[0].batch_id) and B5_LABEL not in labels_told(event, "b5")
                sheet = "g3" if general or told_on_a_form(event) else "b5"
                self._outbound[manifest_id] = self._record(sheet, self.site_code(site_id), number, event)
            case Loaded(manifest_id=manifest_id) if manifest_id in self._outbound:
                self._load(event)
            case Loaded(manifest_id=manifest_id) if manifest_id in self.inbound:
                self.inbound[manifest_id].loaded = event
            case Arrived(manifest_id=manifest_id):
                self._add(("receipt", manifest_id), event)
            case Decided(manifest_id=manifest_id):
                self._add(("receipt", manifest_id), event)
                site = self.site_code(self.inbound[manifest_id].submitted.consignee_site)
                for line in event.lines:
                    if line.accepted is not None:
                        self._claim(line.accepted.batch_id, site, line.accepted.code, "")
            case Cancelled(manifest_id=manifest_id) if manifest_id in self._outbound:
                self.unnamed += [*self.records.pop(self._outbound.pop(manifest_id)), event]
            case _:
                self.unnamed.append(event)

    def _register(self, thing: Identity, event: Stated) -> None:
        self.registrations[thing] = (*self.registrations.get(thing, ()), event)

    def _take_apart(self, event: Event) -> None:
        match event:
            case Transformed(inputs=portions) | Disposed(portions=portions) | Delivered(portions=portions):
                taken = portions
            case Left(portions=portions):
                taken = portions
            case Loaded(lines=lines):
                taken = tuple(line.portion for line in lines)
            case _:
                return
        for portion in taken:
            if not portion.rest:
                self.apart[portion.batch_id] = self.apart.get(portion.batch_id, 0) + portion.mass_g

    def _load(self, event: Loaded) -> None:
        identity = self._outbound[event.manifest_id]
        self._add(identity, event)
        for line in event.lines:
            _ = self._claim(line.load_id, identity[1], load_code(identity[2], line.line), "")

    def _transform(self, event: Transformed) -> None:
        for product in event.outputs:
            _ = self._claim_product(product, event.site_id)
        changes = self.book.catalogue.processes[event.process].changes_substance
        for portion in event.inputs if changes else ():
            self.drawn.setdefault(portion.batch_id, []).append(portion.mass_g)
        identity = self._record("run", self.site_code(event.site_id), record_no(event, "run"), event)
        if event.process == "split" and not event.inputs[0].rest and len(event.inputs) == len(event.outputs) == 1:
            self._splits[event.outputs[0].batch_id] = identity

    def _lie(self, official: str, event: Stored | TakenOut, batch_id: BatchId, code: str | None) -> None:
        """Put into storage, or taken out: with the split before it, where the row took only a part."""
        if isinstance(event, TakenOut) and self._leaves_shelf(event, code):
            return
        site, own, container = self.called.get(batch_id, ("", batch_id.partition(".")[2], ""))
        facts: tuple[Stated, ...] = (event,)
        code = plain(code) if code else own
        # the row may have left the container out: then its fact was named without
        forms = (official, GENERAL_OF[official])
        bare = event.event_id in {derived("event", sheet, site, code, "", "") for sheet in forms}
        name = (site, code, "" if bare else container)
        sheet = self._sheet(official, name, self.book.batch(batch_id).material, event)
        sheet = "b3" if isinstance(event, TakenOut) else sheet
        split = self._splits.get(batch_id)
        if split is not None and self.records[split][0].event_id == derived("event", sheet, *name, "split"):
            facts = (*self.records.pop(split), event)
        if (sheet, *name) in self.records:
            name = (site, event.event_id, container)
        self.records[sheet, *name] = facts
        if sheet == "g5":
            self.shelves[batch_id] = (sheet, *name)
        self._name_once(name, batch_id)

    def _leaves_shelf(self, event: TakenOut, code: str | None) -> bool:
        """A taking that stands in the row of table 5 that put the batch into storage: all of it, or a part split off."""
        split = self._splits.get(event.batch_id)
        parted = self.records[split][0] if split is not None else None
        source = parted.inputs[0].batch_id if isinstance(parted, Transformed) else event.batch_id
        shelf = self.shelves.get(event.batch_id) or self.shelves.get(source)
        if shelf is None or any(isinstance(fact, TakenOut) for fact in self.records[shelf]):
            return False
        whole = self.shelves.get(event.batch_id) == shelf
        if not whole and (parted is None or parted.event_id != derived("event", *shelf, "part")):
            return False
        taken = (event,) if whole or split is None else (*self.records.pop(split), event)
        self.records[shelf] = (*self.records[shelf], *taken)
        name = (shelf[1], plain(code or ""), shelf[3])
        if code:
            self._name_once(name, event.batch_id)
        return True

    def _sheet(self, official: str, name: BatchName, material: str, event: Stated) -> str:
        """The ledger of hazardous waste or the table of general waste: where the row stood, else what the law says."""
        general = GENERAL_OF[official]
        for sheet in (official, general):
            if event.event_id == derived("event", sheet, *name, ""):
                return sheet
        return general if self.book.catalogue.material(material).legal_status == "general_waste" else official

    def _general(self, batch_id: BatchId) -> bool:
        batch = self.book.find_batch(batch_id)
        return batch is not None and self.book.catalogue.material(batch.material).legal_status == "general_waste"

    def _site_of(self, batch_id: BatchId) -> str:
        return self.called[batch_id][0] if batch_id in self.called else ""

    def by_event(self, facts: Sequence[Event]) -> tuple[Stated, ...] | None:
        """What the ledger holds under the names of these facts, when it holds them all."""
        held = [self.events.get(fact.event_id) for fact in facts]
        return tuple(event for event in held if event is not None) if facts and None not in held else None

    def _record(self, sheet: str, site: str, number: str, event: Stated) -> Identity:
        identity = (sheet, site, plain(number))
        if identity in self.records:
            identity = (sheet, site, event.event_id)
        self._add(identity, event)
        return identity

    def _add(self, identity: Identity, event: Stated) -> None:
        self.records[identity] = (*self.records.get(identity, ()), event)

    def _claim_product(self, product: Product, site_id: Id) -> BatchName:
        container = product.packing.code if product.packing else ""
        return self._claim(product.batch_id, self.site_code(site_id), product.code, container)

    def _claim(self, batch_id: BatchId, site: str, code: str | None, container: str) -> BatchName:
        """A batch's own name; one that another batch has already, or none, gives way to the batch's id."""
        name = (site, plain(code or batch_id.partition(".")[2]), plain(container))
        if self.batches.get(name, batch_id) != batch_id:
            name = (site, batch_id.partition(".")[2], container)
        self._name(name, batch_id)
        self.called[batch_id] = name
        return name

    def _name_once(self, name: BatchName, batch_id: BatchId) -> None:
        """Storage calls a batch by a code of its own; one that means another batch already means two from here on."""
        if name not in self.batches:
            self._name(name, batch_id)
        elif self.batches[name] != batch_id:
            self.unclear.add(name)

    def _name(self, name: BatchName, batch_id: BatchId) -> None:
        site, code, container = name
        self.batches[name] = batch_id
        self._coded.setdefault((site, code), {})[container] = batch_id
