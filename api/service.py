"""The parts put together: one ledger, its desk, book, lineage and columns, and the way in for callers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from api import columns
from api.caching import Begin, Caching
from api.import_jobs import ImportJobs, Job, Mode, UnderWay, begin, job_of
from api.imports import Watch, admit_waiting, check_workbook, commit_workbook
from api.keys import Keys
from api.manners import giving_way
from api.observing import Observed
from api.retries import Stated
from api.settings import Settings
from api.stores import open_graph, open_stores
from api.wall_clock import WallClock
from api.workbook.export import export_workbook
from api.workbook.manner import Manner, SheetColumns
from api.workbook.marked import marked
from api.workbook.reading import read_file
from api.workbook.report import ImportReport
from api.workbook.rows import PLAIN
from api.workbook.template import template
from flows.access import Caller, Sight, check_may_import, check_may_state
from flows.book import Book
from flows.entries import Head
from flows.errors import Language, Malformed
from flows.events import Decided, EnterpriseRegistered, Event, Loaded, SiteRegistered
from flows.ids import EnterpriseId
from flows.indicators import Period
from flows.materials import Catalogue
from flows.ports import Clock, Desk, Ledger
from flows.recording import LedgerFacts, Statement
from flows.times import SHANGHAI
from graph.cache import Cache
from graph.columns import Columns
from graph.containers import Containers
from graph.editions import Editions
from graph.following import Following
from graph.lineage import Lineage
from graph.readings import Readings

now: Final = WallClock()
"""The one clock."""

AWAITED: Final = (Loaded, Decided, EnterpriseRegistered, SiteRegistered)
"""What rows of a workbook may wait for."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one answer is read from: book and lineage as they were known at one position, or are known now."""

    book: Book
    lineage: Lineage
    as_of: int | None = None
    """The position that was asked for; None: what is known now."""


@dataclass(frozen=True)
class Service:
    """An open installation. Threads share it; close it when done.

    An answer is read from `known(…)`, the same service pinned to one state of knowledge: ranks of a lineage hold in the
    edition that they were read from, and a correction between two looks would change it.
    """

    settings: Settings
    catalogue: Catalogue
    ledger: Ledger
    desk: Desk
    editions: Editions
    columns: Columns
    containers: Containers
    recording: Observed
    clock: Clock
    keys: Keys
    caching: Caching | None = None
    pinned: Known | None = None
    following: Following | None = None
    """Who keeps the graph up with the ledger, where it has one."""

    @classmethod
    def open(cls, settings: Settings, clock: Clock = now, *, readings: bool = True) -> "Service":
        """Open the installation's store and read what it holds, from its cache on where there is one.

        Who only states facts does without `readings`, and has the book alone: a third of the memory, and of the time that
        reading others' facts takes.
        """
        service = cls._opened(settings, clock, Caching.begin, readings=readings)
        with giving_way():
            service.recording.catch_up()
        if service.following is not None:
            service.following.start()
        return service

    @classmethod
    def open_unread(cls, settings: Settings, clock: Clock = now) -> "Service":
        """Open the store without reading it: for the audit, which must bear with a ledger that cannot be read."""
        return cls._opened(settings, clock, Caching.unused, follows=False)

    @classmethod
    def _opened(
        cls, settings: Settings, clock: Clock, begin: Begin, *, readings: bool = True, follows: bool = True
    ) -> "Service":
        (ledger, desk), catalogue = open_stores(settings), Catalogue.load(settings.tables)
        try:
            graph = open_graph(settings, catalogue) if follows else None
        except BaseException:
            ledger.close()
            desk.close()
            raise
        caching = begin(settings, catalogue, ledger, None if graph is None else graph.head().position)
        service = cls._built(settings, ledger, desk, clock, caching.readings, readings=readings)
        following = None if graph is None else Following(graph, service.recording.book)
        if following is not None:
            service.recording.followers = (*service.recording.followers, following)
        return replace(service, caching=caching if readings else caching.looked_at(), following=following)

    @classmethod
    def over(cls, settings: Settings, ledger: Ledger, desk: Desk, clock: Clock = now) -> "Service":
        """Put the parts together over any ledger and desk, and read all that it holds."""
        own = Readings.empty(Catalogue.load(settings.tables), LedgerFacts(ledger))
        service = cls._built(settings, ledger, desk, clock, own)
        service.recording.catch_up()
        return service

    @classmethod
    def _built(
        cls, settings: Settings, ledger: Ledger, desk: Desk, clock: Clock, own: Readings, *, readings: bool = True
    ) -> "Service":
        recording = Observed(ledger, own.book, clock, own.followers if readings else (), desk=desk)
        keys = Keys(desk, clock, settings.secret.get_secret_value() if settings.secret else "")
        return cls(
            settings, own.book.catalogue, ledger, desk, own.editions, own.columns, own.containers, recording, clock,
            keys,
        )  # fmt: skip

    @property
    def cache(self) -> Cache | None:
        """The cache of this installation; None where everything is read anew each time."""
        return None if self.caching is None else self.caching.cache

    @property
    def book(self) -> Book:
        """The state as of the last entry read, or as it was known where this service is pinned."""
        return self.recording.book if self.pinned is None else self.pinned.book

    @property
    def lineage(self) -> Lineage:
        """The index as the facts are read now, or were where this service is pinned."""
        return self.editions.now if self.pinned is None else self.pinned.lineage

    def known(self, as_of: int | None = None) -> "Service":
        """This service for one answer: pinned to what was known at a position, or is known now."""
        assert self.recording.followers, "opened without readings"
        self.recording.catch_up()
        book, lineage = self.recording.book, self.editions.as_of(as_of)
        if as_of is not None:
            book = book.known_at(as_of)
        return replace(self, pinned=Known(book, lineage, as_of))

    @property
    def as_of(self) -> int | None:
        """The position whose knowledge this service is pinned to; None: now."""
        return None if self.pinned is None else self.pinned.as_of

    @property
    def head(self) -> Head:
        """The last entry that an answer rests on: of the ledger, or of what was known where this service is pinned."""
        as_of = self.as_of
        entry = None if as_of is None else next(self.ledger.entries(after=as_of - 1, until=as_of), None)
        return self.ledger.head() if entry is None else Head(entry.position, entry.digest, entry.record_time_us)

    def sight(self, caller: Caller) -> Sight:
        """What a caller sees now; catches up first, so an answer holds all that was acknowledged before it."""
        self.recording.catch_up()
        day = self.clock().astimezone(SHANGHAI).date()
        return Sight.of(caller, self.recording.book, day).on(self.book)

    def state(self, caller: Caller, facts: Sequence[Event]) -> Statement:
        """Record facts for a caller, all or none; a retry gets the entries and findings of the first time.

        Raises:
            Problem: the caller may not say it, or a rule says no.
        """
        self.recording.catch_up()
        day = self.clock().astimezone(SHANGHAI).date()
        for event in facts:
            check_may_state(caller, event, self.book, day)
        statement = self.recording.record(Stated(facts), caller.organisation)
        if any(isinstance(event, AWAITED) for event in facts):
            admit_waiting(self.recording, self.desk)
        return statement

    def check_import(
        self,
        caller: Caller,
        enterprise: EnterpriseId,
        data: bytes,
        manner: Manner = PLAIN,
        watch: Watch | None = None,
    ) -> ImportReport:
        """Judge an enterprise's workbook and keep nothing. What it calls its columns is known from earlier imports.

        Raises:
            Forbidden: the caller may not hand in this enterprise's workbook.
        """
        self._check_may_import(caller, enterprise)
        how = self._manner(enterprise, manner)
        return check_workbook(data, enterprise, self.recording, self.desk, manner=how, watch=watch)

    def commit_import(
        self,
        caller: Caller,
        enterprise: EnterpriseId,
        data: bytes,
        manner: Manner = PLAIN,
        watch: Watch | None = None,
    ) -> ImportReport:
        """Record an enterprise's workbook, all of it or nothing, or its good rows where `manner` says so.

        With it what was given of the enterprise's columns is remembered. Whoever hands in the same while it is under
        way, here or in another process, gets the same report. Raises as `check_import` does.
        """
        self._check_may_import(caller, enterprise)
        job = job_of("record", enterprise, data, caller.organisation, manner)
        return self.imports.run(job, data, lambda told: self._worked(job, data, told), watch)

    def begin_import(
        self, mode: Mode, caller: Caller, enterprise: EnterpriseId, data: bytes, manner: Manner = PLAIN
    ) -> UnderWay:
        """Judge or record a workbook behind the caller's back, who may ask how far it is. Raises as `check_import` does."""
        self._check_may_import(caller, enterprise)
        job = job_of(mode, enterprise, data, caller.organisation, manner)
        return begin(lambda: self.imports.run(job, data, lambda told: self._worked(job, data, told)), job.key)

    def finish_imports(self, noted: Mapping[str, int] = MappingProxyType({})) -> int:
        """Go on with the imports that a process left when it died; returns how many there were.

        `noted` is what `imports.noted` said long ago: who has noted nothing since is taken for dead, on whatever machine.
        """
        left = list(self.imports.left_over(noted))
        for job, data in left:
            _ = self.imports.run(job, data, lambda told, job=job, data=data: self._worked(job, data, told))
        return len(left)

    @property
    def imports(self) -> ImportJobs:
        """The imports under way, in whichever process."""
        return ImportJobs(self.desk, self.clock)

    def _worked(self, job: Job, data: bytes, watch: Watch) -> ImportReport:
        how, owner, by = self._manner(job.enterprise, job.how), job.enterprise, job.recorded_by
        if job.mode == "check":
            return check_workbook(data, owner, self.recording, self.desk, manner=how, watch=watch)
        report = commit_workbook(data, owner, self.recording, self.desk, recorded_by=by, manner=how, watch=watch)
        if report.committed:
            columns.remember(self.desk, owner, report, self.clock)
        return report

    def remember_columns(self, caller: Caller, enterprise: EnterpriseId, data: bytes, manner: Manner) -> ImportReport:
        """Keep what is given of the columns of a file, and judge the file with it. Raises as `check_import` does."""
        report = self.check_import(caller, enterprise, data, manner)
        columns.remember(self.desk, enterprise, report, self.clock)
        return report

    def columns_of(self, caller: Caller, enterprise: EnterpriseId) -> Mapping[str, SheetColumns]:
        """What an enterprise calls its columns, by the key of the sheet. Raises as `check_import` does."""
        self._check_may_import(caller, enterprise)
        return columns.remembered(self.desk, enterprise, self.clock)

    def forget_columns(self, caller: Caller, enterprise: EnterpriseId, sheet: str | None = None) -> None:
        """Forget what an enterprise calls its columns, on one sheet or on all. Raises as `check_import` does."""
        self._check_may_import(caller, enterprise)
        columns.forget(self.desk, enterprise, self.clock, sheet)

    def marked_import(
        self,
        caller: Caller,
        enterprise: EnterpriseId,
        data: bytes,
        manner: Manner = PLAIN,
        language: Language = "zh",
        report: ImportReport | None = None,
    ) -> tuple[bytes, str] | None:
        """The file with its errors, and the ending of its name; None where there is none, or it cannot be opened.

        `report` saves judging it again. Raises as `check_import` does.
        """
        told = report or self.check_import(caller, enterprise, data, manner)
        if not told.errors and not told.held:
            return None  # a large file is not taken apart a second time for nothing
        try:
            handed = read_file(data, manner.file_name)
        except Malformed:
            return None  # nothing could be laid out again; the report says why
        return marked(handed, told, self._manner(enterprise, manner), language)

    def _manner(self, enterprise: EnterpriseId, manner: Manner) -> Manner:
        return replace(manner, remembered=columns.remembered(self.desk, enterprise, self.clock))

    def _check_may_import(self, caller: Caller, enterprise: EnterpriseId) -> None:
        self.recording.catch_up()
        check_may_import(caller, enterprise, self.book, self.clock().astimezone(SHANGHAI).date())

    def template(self) -> bytes:
        """The empty workbook that enterprises fill in."""
        return template(self.catalogue)

    def workbook(self, enterprise: EnterpriseId, period: Period | None) -> bytes:
        """The template filled with an enterprise's own facts, of a period or all; it may be imported again."""
        until = self.recording.catch_up() if self.as_of is None else self.as_of
        days = (period.first, period.last) if period else (None, None)
        return export_workbook(list(self.ledger.entries(until=until)), self.book, enterprise, days)

    def close(self) -> None:
        """Let go of the store: its graph is brought up to what was read first, and the cache written where much came since."""
        if self.following is not None:
            self.following.close()
        if self.caching is not None:
            self.caching.close(self.recording)
        self.ledger.close()
        self.desk.close()
