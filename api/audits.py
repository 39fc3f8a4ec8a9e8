"""An installation against its ledger: the readings in use, and what the desk keeps of facts, keys and rows that wait."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from api import columns, import_jobs, retries, waiting
from api.keys import KEY_KIND, SESSION_KIND, KeptKey
from api.rest import once
from api.rest.answers import POSITION
from api.service import Service
from api.stores import open_graph
from api.waiting import Kept, Waiting
from api.workbook.names import Names
from api.workbook.report import ImportReport
from api.workbook.statements import build, in_order, link_causes, units
from api.workbook.values import CellReader
from api.workbook.world import Unit, World
from flows.audit import audit as ledger_faults
from flows.entries import Entry, Head
from flows.errors import Problem
from flows.ids import EnterpriseId
from flows.law import Finding
from flows.ports import Document
from flows.recording import LedgerFacts, Recording
from flows.times import instant_us
from graph.cache import PARTS, Unfit
from graph.collected import differing
from graph.graph_audit import graph_faults
from graph.likeness import differences
from graph.readings import Readings
from graph.tables import Damaged

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, zlib.error)
"""What a changed document runs into: pydantic and JSON raise kinds of ValueError."""
CACHE: Final = "cache"
NAMED_MOST: Final = 10
"""Positions that a finding quotes."""


@dataclass(frozen=True, slots=True)
class Audited:
    """How far the ledger went, and all that is wrong: with its bytes, with the readings in use, with the desk."""

    head: Head
    faults: list[Finding]


@dataclass(frozen=True, slots=True)
class Compared:
    """The readings in use beside those read anew from the entries: by reading, the names of what differs."""

    position: int
    batches: int
    differing: Mapping[str, list[str]]
    fresh: Readings
    """What was read anew."""
    cache: Path | None
    """The cache that was compared with the entries up to its position, if there is one that would be used."""


def audit(service: Service) -> Audited:
    """All of it; nothing is raised. What rests on the ledger is looked at only when the ledger is whole."""
    faults = ledger_faults(service.ledger, service.catalogue)
    if not faults:
        faults += _resting_faults(service)
    try:
        return Audited(service.ledger.head(), faults)
    except Problem:  # it is among the faults
        return Audited(Head(), faults)


def _resting_faults(service: Service) -> list[Finding]:
    try:
        service.recording.catch_up()
        return [
            *cache_faults(service), *reading_faults(service), *desk_faults(service), *drawn_faults(service),
        ]  # fmt: skip
    except Problem as problem:
        return [Finding.of("audit-readings-stopped", told=problem.text("zh"), told_en=problem.text("en"))]


def drawn_faults(service: Service) -> list[Finding]:
    """What the graph that stands with the ledger says otherwise than the entries; an embedded ledger has none."""
    graph = open_graph(service.settings, service.catalogue)
    if graph is None:
        return []
    try:
        return graph_faults(graph, service.ledger, service.catalogue)
    finally:
        graph.close()


def reading_faults(service: Service) -> Iterator[Finding]:
    """What the readings in use say otherwise than the entries, read anew."""
    found = compared(service)
    for reading, parts in found.differing.items():
        for part in parts:
            if reading == CACHE:
                yield Finding.of("audit-cache-differs", path=str(found.cache), part=part)
            else:
                yield Finding.of("audit-reading-differs", reading=reading, part=part)


def compared(service: Service) -> Compared:
    """Read everything anew from the entries, and compare all of it with what is in use, and with what the cache has."""
    fresh = Readings.empty(service.catalogue, LedgerFacts(service.ledger))
    cache, found = _cache_compared(service, fresh)
    recording = Recording(service.ledger, fresh.book, service.clock, fresh.followers)
    while recording.catch_up() != service.recording.catch_up():
        pass  # somebody writes meanwhile
    for each in (fresh.columns, service.columns):
        each.table()  # its rows wait for whoever asks first
    lineage, _ = fresh.editions.now, service.editions.now  # and so do corrections
    pairs = {
        "book": (fresh.book, service.book),
        "lineage": (fresh.editions, service.editions),
        "columns": (fresh.columns, service.columns),
        "containers": (fresh.containers, service.containers),
    }
    found |= {name: list(differences(*pair)) for name, pair in pairs.items()}
    return Compared(fresh.book.position, len(lineage.batch_ids), found, fresh, cache)


# the cache --------------------------------------------------------------------------------------------------------


def cache_faults(service: Service) -> Iterator[Finding]:
    """Bytes of the cache that are not those that were written, and caches that are another ledger's."""
    cache = service.cache
    if cache is None:
        return
    for place in cache.places():
        try:
            contents = cache.contents(place, service.ledger)
            for part in cache.spoilt(place, contents):
                yield Finding.of("audit-cache-part", path=str(place / PARTS), part=part)
        except Unfit as unfit:
            yield from _unfit(unfit)
        except OSError:
            yield Finding.of("audit-cache-torn", path=str(place), part=PARTS)


def _unfit(unfit: Unfit) -> Iterator[Finding]:
    figures = unfit.figures
    match unfit.key:
        case "cache-foreign" | "cache-ahead":
            yield Finding.of("audit-cache-astray", path=figures["path"], position=figures["position"])
        case "cache-torn":
            yield Finding.of("audit-cache-torn", path=figures["path"], part=figures["part"])
        case _:
            pass  # another version's is not used


def _cache_compared(service: Service, fresh: Readings) -> tuple[Path | None, dict[str, list[str]]]:
    """Read up to the position of the newest cache that would be used, and what it says otherwise."""
    cache = service.cache
    if cache is None:
        return None, {}
    for place in cache.places():
        try:
            contents = cache.contents(place, service.ledger)
            kept = cache.readings(place, contents, service.catalogue, service.ledger)
        except Damaged as damaged:
            return place, {CACHE: [damaged.part]}
        except (Unfit, OSError):
            continue  # told already
        with closing(kept):
            fresh.read_on(service.ledger, contents.position)
            return place, {CACHE: list(differing(kept, fresh))}
    return None, {}


# the desk ---------------------------------------------------------------------------------------------------------


def desk_faults(service: Service) -> Iterator[Finding]:
    """Documents that cannot be read, or speak of what the ledger does not hold."""
    checks: dict[str, Callable[[Document, Service], Iterator[Finding]]] = {
        KEY_KIND: _key_faults,
        SESSION_KIND: _session_faults,
        retries.KIND: _findings_faults,
        once.KIND: _reply_faults,
        waiting.KIND: _waiting_faults,
        columns.KIND: _columns_faults,
        import_jobs.JOB: _job_faults,
        import_jobs.REPORT: _report_faults,
    }
    now_us = instant_us(service.clock())
    for kind, check in checks.items():
        for document in service.desk.all(kind, now_us=now_us):
            found: list[Finding] = []
            try:
                found += check(document, service)
            except UNREADABLE:
                found = [Finding.of("desk-unreadable", kind=kind, name=document.key)]
            yield from found


def _key_faults(document: Document, _: Service) -> Iterator[Finding]:
    if KeptKey.model_validate_json(document.body).key_id != document.key:
        yield Finding.of("desk-unreadable", kind=document.kind, name=document.key)


def _session_faults(document: Document, _: Service) -> Iterator[Finding]:
    """A session whose key was revoked stands for nobody and lapses; one that names no key makes no sense."""
    if int(document.body, 16) < 0:
        yield Finding.of("desk-unreadable", kind=document.kind, name=document.key)


def _findings_faults(document: Document, service: Service) -> Iterator[Finding]:
    positions = retries.Found.model_validate_json(document.body).positions
    entries = [entry for position in positions if (entry := find_entry(service, position)) is not None]
    if len(entries) < len(positions) or retries.name_of(entries) != document.key:
        told = ", ".join(map(str, positions[:NAMED_MOST])) + (" …" if len(positions) > NAMED_MOST else "")
        yield Finding.of("desk-findings-astray", name=document.key, positions=told)


def _reply_faults(document: Document, service: Service) -> Iterator[Finding]:
    asked, body = once.read_kept(document.body)
    if not asked.status:
        return
    told: list[tuple[int, str | None]] = []
    if known := dict(asked.headers).get(POSITION.lower()):
        told.append((int(known), None))
    reply: dict[str, Any] = orjson.loads(body) if body else {}
    told += [(each["position"], each["digest"]) for each in reply.get("entries", ())]
    for position, digest in told:
        entry = find_entry(service, position) if position else None
        if position and (entry is None or digest not in {None, entry.digest}):
            where = f"{asked.method} {asked.target}"
            yield Finding.of("desk-reply-astray", name=document.key, asked=where, position=position)
            return


def _job_faults(document: Document, _: Service) -> Iterator[Finding]:
    if import_jobs.Job.model_validate_json(document.body).key != document.key:
        yield Finding.of("desk-unreadable", kind=document.kind, name=document.key)


def _report_faults(document: Document, service: Service) -> Iterator[Finding]:
    report = ImportReport.model_validate_json(zlib.decompress(document.body))
    head = service.ledger.head().position
    if report.committed and report.last_position is not None and report.last_position > head:
        yield Finding.of("desk-report-astray", name=document.key, position=report.last_position, head=head)


def _columns_faults(document: Document, service: Service) -> Iterator[Finding]:
    _ = columns.remembered(service.desk, document.key, service.clock)
    yield from _stranger_faults(document, service)


def _stranger_faults(document: Document, service: Service) -> Iterator[Finding]:
    if service.book.enterprises.get(document.key) is None:
        yield Finding.of("desk-enterprise-unknown", kind=document.kind, enterprise=document.key)


def _waiting_faults(document: Document, service: Service) -> Iterator[Finding]:
    """Rows that wait although they are recorded, or although what they wait for is."""
    records = Waiting.model_validate_json(document.body).records
    if not records:
        return
    yield from _stranger_faults(document, service)
    for unit, kept in _units(records, document.key, service):
        rows = ", ".join(str(row.number) for row in unit.rows)
        told = {"enterprise": document.key, "sheet": unit.sheet.zh, "rows": rows}
        stands = [service.ledger.find(fact.enterprise, fact.event_id) is not None for fact in unit.facts]
        if unit.unchanged or (stands and all(stands)):
            yield Finding.of("desk-waiting-recorded", **told)
        elif unit.facts and unit.awaits is None and not unit.fails and kept.problem is None:
            yield Finding.of("desk-waiting-due", **told)


def _units(records: tuple[Kept, ...], enterprise: EnterpriseId, service: Service) -> Iterator[tuple[Unit, Kept]]:
    """The records as they would be stated now."""
    reader, book = CellReader(service.catalogue), service.book
    read = [(row, kept) for kept in records for row in kept.read(reader)[0]]
    world = World.of(enterprise, book, Names.read(service.ledger.entries(), enterprise, book))
    found = units([row for row, _ in read], world)
    link_causes(found, book.catalogue)
    build(found, in_order(found), world)
    kept_of = {id(row): kept for row, kept in read}
    for unit in found:
        yield unit, kept_of[id(unit.first)]


def find_entry(service: Service, position: int) -> Entry | None:
    """The entry at a position."""
    return next(service.ledger.entries(after=position - 1, until=position), None)
