"""What rows refer to: sites, facilities and batches by their codes, whether the ledger knows them or the file brings them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from api.workbook.layout import Sheet
from api.workbook.names import BatchName, Identity, Names
from api.workbook.numbering import REFUSED
from api.workbook.remarks import write_remarks
from api.workbook.report import Change, ImportFinding, ImportProblem
from api.workbook.rows import Row, RowProblem
from api.workbook.values import CellReader, Value
from flows import codes
from flows.book import Book, Request
from flows.errors import Figure, Malformed, Problem, Unknown
from flows.events import Event, Packing, Portion
from flows.ids import BatchId, EnterpriseId, Id, derived, own_id, owner
from flows.law import Finding
from flows.materials import Material

NEAREST_SHOWN: Final = 20


@dataclass
class Awaits(Exception):
    """待对方登记. A row needs what a partner has not stated yet."""

    key: str
    figures: dict[str, Figure]

    @classmethod
    def of(cls, key: str, **figures: Figure) -> "Awaits":
        """What is awaited, with its figures."""
        return cls(key, figures)


@dataclass(frozen=True, slots=True)
class Handle:
    """A batch that rows speak of: what it is made of, and what it weighed when it came to be."""

    batch_id: BatchId
    material: str
    mass_g: int


@dataclass
class Changed:
    """What becomes of a record that the ledger holds otherwise, or no more."""

    kind: Change
    columns: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """The columns that differ, with what the file says and what the ledger holds."""
    ways: list[list[Event]] = field(default_factory=list[list[Event]])
    """The orders in which its facts may be told; none: all that can be asked now is asked already."""
    asked: bool = False
    """Another enterprise has to agree."""
    later: int = 0
    """Facts whose correction can be asked for when the one before is agreed on."""


@dataclass(slots=True)
class Unit:
    """The rows that are one record, and what became of them."""

    sheet: Sheet
    identity: Identity
    rows: list[Row]
    site: str = ""
    needs: frozenset[BatchName] = frozenset()
    gives: frozenset[BatchName] = frozenset()
    causes: frozenset[int] = frozenset()
    """Units that come before, by number. Most have none, and there may be many units: nothing is kept for nothing."""
    facts: list[Event] = field(default_factory=list[Event])
    makes: list[tuple[BatchName, Handle]] = field(default_factory=list[tuple[BatchName, Handle]])
    problems: list[ImportProblem] = field(default_factory=list[ImportProblem])
    findings: list[ImportFinding] = field(default_factory=list[ImportFinding])
    awaits: Awaits | None = None
    skipped: bool = False
    """Something that it rests on failed: judged when that is mended."""
    unchanged: bool = False
    struck: tuple[Row, ...] = ()
    """Rows of it that are marked as cancelled."""
    changed: Changed | None = None
    """What the ledger holds otherwise."""
    key: Identity = ()
    """What its rows share in the file, whatever manifest they turn out to speak of."""

    def __post_init__(self) -> None:
        self.key = self.identity

    @property
    def every(self) -> list[Row]:
        """Its rows, those that are cancelled too."""
        return [*self.rows, *self.struck]

    @property
    def first(self) -> Row:
        """The row that errors of the whole record are told at."""
        return self.every[0]

    @property
    def cancelled(self) -> bool:
        """Is each of its rows marked as cancelled?"""
        return not self.rows

    @property
    def ways(self) -> list[list[Event]]:
        """The orders in which its facts may be told."""
        return self.changed.ways if self.changed is not None and self.changed.ways else [self.facts]

    @property
    def why(self) -> str:
        """What its rows say of why it was changed."""
        return next((row.why for row in self.every if row.why), "")

    @property
    def fails(self) -> bool:
        """An error of its own, or of something below it."""
        return self.skipped or bool(self.problems)

    def event_id(self, step: str = "") -> str:
        """The name of a fact of this record: the same rows give the same name."""
        return derived("event", *self.identity, step)

    def find(self, finding: Finding) -> None:
        """List something that is admitted and does not add up."""
        self.findings.append(ImportFinding.of(finding, self.first.place()))

    def agreed(self, key: str) -> Value | None:
        """The one value that the rows of the record have in a column; empty cells agree with any."""
        found: Value | None = None
        for row in self.rows:
            value = row.values.get(key)
            if value is None:
                continue
            if found is not None and value != found:
                problem = Malformed("workbook-rows-disagree", column=row.sheet.zh_of(key), record=self.identity[-1])
                raise row.wrong(problem, key)
            found = value
        return found

    def agreed_text(self, key: str) -> str | None:
        """The same, of a text."""
        value = self.agreed(key)
        assert value is None or isinstance(value, str), key
        return value

    def agreed_time(self, key: str = "time") -> date | datetime:
        """The same, of a time that must be there."""
        value = self.agreed(key)
        if value is None:
            return self.first.when(key)
        assert isinstance(value, date), key
        return value

    def joined(self, key: str) -> str:
        """All that the rows say in a column of words, each once, however the rows are sorted."""
        return "、".join(sorted({row.said(key) for row in self.rows if row.said(key)}))

    def note(self, *pairs: tuple[str, str], extra: Iterable[str] = ()) -> str | None:
        """The note of the record's fact: labelled pairs, the columns that only a note keeps, the note."""
        noted = [column.key for column in self.sheet.columns if column.noted]
        told = [*pairs, *((self.sheet.zh_of(key), self.joined(key)) for key in (*noted, *extra))]
        try:
            return write_remarks(told, self.joined("note"))
        except Problem as problem:
            raise self.first.wrong(problem, "note") from problem


@dataclass
class World:
    """What can be referred to while the units of a file are turned into facts, one after the other."""

    enterprise: EnterpriseId
    book: Book
    names: Names
    reader: CellReader
    sites: dict[str, Id] = field(default_factory=dict[str, Id])
    facilities: dict[tuple[str, str], Id] = field(default_factory=dict[tuple[str, str], Id])
    storages: dict[tuple[str, str], Id] = field(default_factory=dict[tuple[str, str], Id])
    scales: dict[tuple[str, str], Id] = field(default_factory=dict[tuple[str, str], Id])
    handles: dict[tuple[str, str], dict[str, Handle]] = field(default_factory=dict[tuple[str, str], dict[str, Handle]])
    taken: dict[BatchId, list[int]] = field(default_factory=dict[BatchId, list[int]])
    """What runs take in of each batch, portion by portion."""
    mends: tuple[date, str] | None = None
    """Rows that the ledger holds otherwise are corrections, asked on that day by a file of that name; none: they are errors."""
    awaited: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Codes that rows which wait already will bring."""
    _requests: dict[int, list[Request]] | None = None

    @classmethod
    def of(cls, enterprise: EnterpriseId, book: Book, names: Names) -> "World":
        """The world as the ledger has it."""
        world = cls(enterprise, book, names, CellReader(book.catalogue))
        world.sites = {site.code: site.site_id for site in book.sites.values() if owner(site.site_id) == enterprise}
        by_id = {site_id: code for code, site_id in world.sites.items()}
        for facility in book.facilities.values():
            if facility.site_id in by_id:
                world.facilities[by_id[facility.site_id], facility.code] = facility.facility_id
        for storage in book.storages.values():
            if storage.site_id in by_id:
                world.storages[by_id[storage.site_id], storage.code] = storage.storage_id
        for scale in book.scales.values():
            if scale.site_id in by_id:
                world.scales[by_id[scale.site_id], scale.code] = scale.scale_id
        world.taken = {batch_id: list(masses) for batch_id, masses in names.drawn.items()}
        return world

    # places ----------------------------------------------------------------------------------------------------------

    def site_code(self, row: Row, key: str = "site") -> str:
        """The site that a row names; the only one where it names none."""
        told = row.text(key)
        if told is None:
            if len(self.sites) == 1:
                return next(iter(self.sites))
            if not self.sites:
                raise row.wrong(Unknown("workbook-site-none"), key)
            shown = tuple(self.sites)
            raise row.wrong(Malformed("workbook-site-needed", sites="、".join(shown)), key, shown)
        if told not in self.sites:
            raise self._unknown(row, key, "workbook-site-unknown", self.sites)
        return told

    def facility(self, row: Row, site: str) -> Id | None:
        """The facility that a row names, if it names one."""
        return self._at(row, "facility", site, self.facilities, "workbook-facility-unknown")

    def storage(self, row: Row, site: str) -> Id:
        """The storage area that a row names."""
        found = self._at(row, "storage", site, self.storages, "workbook-storage-unknown")
        assert found is not None, "a required column"
        return found

    def scale(self, row: Row, site: str) -> Id | None:
        """The scale that a row names, if it names one."""
        return self._at(row, "scale", site, self.scales, "workbook-scale-unknown")

    def _at(self, row: Row, key: str, site: str, known: dict[tuple[str, str], Id], problem: str) -> Id | None:
        told = row.text(key)
        if told is None:
            return None
        if (site, told) in known:
            return known[site, told]
        elsewhere = [found for (_, code), found in known.items() if code == told]
        if len(elsewhere) == 1:
            return elsewhere[0]
        raise self._unknown(row, key, problem, [code for _, code in known])

    @staticmethod
    def _unknown(row: Row, key: str, problem: str, known: Iterable[str]) -> RowProblem:
        known = list(known)
        near = codes.nearest(row.said(key), known)
        told = Unknown(problem, read=row.said(key), nearest=near or "—")
        return row.wrong(told, key, known[:NEAREST_SHOWN], near)

    # batches ---------------------------------------------------------------------------------------------------------

    def define(self, name: BatchName, handle: Handle) -> None:
        """Let later rows speak of a batch by this name."""
        site, code, container = name
        self.handles.setdefault((site, code), {})[container] = handle

    def batch(self, row: Row, site: str, key: str = "batch") -> Handle:
        """The batch that a row names by code, and by container where a code has several."""
        code = row.needed(key)
        container = row.said("container")
        found = self._found(site, code)
        by_id = {handle.batch_id: handle for handle in found.values()}
        if len(by_id) == 1:
            return next(iter(by_id.values()))
        if container in found:
            return found[container]
        if by_id:
            shown = tuple(sorted(filter(None, found)))
            raise row.wrong(Malformed("workbook-container-needed", code=code, containers="、".join(shown)), key, shown)
        if code.startswith(REFUSED):
            raise Awaits.of("workbook-awaits-decision", code=code)
        if (site, code) in self.awaited:
            raise Awaits.of("workbook-awaits-row", code=code)
        known = {
            known for at, known in (*self.handles, *((at, told) for at, told, _ in self.names.batches)) if at == site
        }
        near = codes.nearest(code, known)
        raise row.wrong(Unknown("workbook-batch-unknown", read=code, nearest=near or "—"), key, (), near)

    def _found(self, site: str, code: str) -> dict[str, Handle]:
        found = dict(self.handles.get((site, code), {}))
        for container, batch_id in self.names.with_code(site, code).items():
            batch = self.book.find_batch(batch_id)
            if container not in found and batch is not None:
                found[container] = Handle(batch_id, batch.material, batch.mass_g)
        return found

    def portion(self, row: Row, handle: Handle) -> Portion:
        """What a row takes of a batch."""
        return Portion(batch_id=handle.batch_id, mass_g=row.mass_g(), rest=row.yes("rest"))

    def take(self, portion: Portion) -> None:
        """Remember what a run takes in."""
        self.taken.setdefault(portion.batch_id, []).append(portion.mass_g)

    def untake(self, portion: Portion) -> None:
        """Forget what a run took in: it is told otherwise now."""
        taken = self.taken.get(portion.batch_id, [])
        if portion.mass_g in taken:
            taken.remove(portion.mass_g)
        if not taken:
            self.taken.pop(portion.batch_id, None)

    def requests_of(self, position: int) -> Sequence[Request]:
        """What was asked about a fact, whatever came of it."""
        if self._requests is None:
            self._requests = {}
            for request in self.book.requests.every():
                self._requests.setdefault(request.corrects, []).append(request)
        return self._requests.get(position, ())

    def new_id(self, kind: str, *names: str) -> Id:
        """An id of this enterprise's own."""
        return own_id(self.enterprise, kind, *names)

    # materials -------------------------------------------------------------------------------------------------------

    def material(self, row: Row) -> tuple[Material, list[str]]:
        """The material of a ledger row by its name, else by its waste code; and the columns that only a note keeps."""
        known = self.reader.find_material
        named = [key for key in ("trade", "name") if known(row.said(key))]
        others = [key for key in ("trade", "name") if row.said(key) and key not in named]
        code = row.text("waste")
        catalogue = self.book.catalogue
        if named:
            material = catalogue.material(known(row.said(named[0])) or "")
            if code is not None and not _of_code(material, code):
                problem = Malformed(
                    "workbook-code-of-other", material=material.name_zh, expected=material.waste_code or "—"
                )
                raise row.wrong(problem, "waste", (material.waste_code or "",), material.waste_code)
        else:
            fitting = [each for each in catalogue.materials.values() if code is not None and _of_code(each, code)]
            if len(fitting) != 1:
                raise self._material_unclear(row, fitting)
            material = fitting[0]
        detail = ["waste"] if code is not None and code != material.waste_code else []
        official = catalogue.wastes[material.waste_code].name_zh if material.waste_code else ""
        return material, [key for key in others if row.said(key) != official] + detail

    def _material_unclear(self, row: Row, fitting: list[Material]) -> RowProblem:
        shown = tuple(each.name_zh for each in fitting) or tuple(
            each.name_zh for each in self.book.catalogue.materials.values() if each.waste_code
        )
        read = row.said("trade") or row.said("name") or row.said("waste")
        near = codes.nearest(row.said("trade") or row.said("name"), shown)
        if fitting:
            return row.wrong(
                Malformed("workbook-material-unclear", code=row.said("waste"), names="、".join(shown)),
                "trade",
                shown,
                near,
            )
        return row.wrong(Malformed("workbook-material-unknown", read=read, nearest=near or "—"), "trade", shown, near)

    def check_material(self, row: Row, handle: Handle) -> None:
        """A row that tells what a batch is made of must tell what it is made of."""
        material = self.book.catalogue.material(handle.material)
        code = row.text("waste")
        if code is not None and not _of_code(material, code):
            problem = Malformed(
                "workbook-code-of-other", material=material.name_zh, expected=material.waste_code or "—"
            )
            raise row.wrong(problem, "waste", (material.waste_code or "",), material.waste_code)
        told = self.reader.find_material(row.said("trade"))
        if told is not None and told != material.id:
            raise row.wrong(
                Malformed("workbook-other-material", expected=material.name_zh), "trade", (material.name_zh,)
            )


def _of_code(material: Material, code: str) -> bool:
    """A material recorded under a class, such as SW01, may be told by any item of the class."""
    own = material.waste_code
    return own == code or (own is not None and own.startswith("SW") and code.endswith(f"S{own[2:]}"))


def packing(row: Row) -> Packing | None:
    """The container of a row."""
    code = row.text("container")
    if code is None:
        return None
    return Packing(code=code, type=row.said("container_type"), count=row.number_of("container_count") or 1)


def loose_packing(row: Row) -> list[str]:
    """Type and number of containers that have no code: kept in the note."""
    return [] if row.text("container") else ["container_type", "container_count"]
