"""One Neo4j database for ledger, desk and graph: its driver, its schema, and one open transaction a thread at most."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString, TypeAlias, TypeVar

from neo4j import READ_ACCESS, WRITE_ACCESS, Driver, GraphDatabase, NotificationMinimumSeverity, Record, Session
from neo4j import Transaction as DriverTransaction

from flows.entries import NO_DIGEST
from flows.law import Finding
from graph import neo4j_schema
from graph.neo4j_faults import FAULTS, again, made_by_anyone, told
from graph.neo4j_schema import CONSTRAINTS, INDEXES, NAME, STEPS, Step, known_version
from graph.store_problems import StoreAway, StoreProblem

__all__ = ["Neo4jAddress", "Neo4jStore", "Patience", "Transaction"]

CONNECT_SECONDS: Final = 5.0
"""To reach a server of one's own network."""
POOL_SECONDS: Final = 10.0
"""To get one of the pool's hundred connections: it is never empty for longer, unless the server hangs."""
Transaction: TypeAlias = DriverTransaction
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Neo4jAddress:
    """Where a Neo4j answers, as whom it is asked, and in which of its databases."""

    uri: str
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str = "neo4j"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds."""

    again: float = 5.0
    """While a question finds no connection: after a server's restart the dead ones of the pool are used up at once, and
    nobody at a weighbridge waits longer for a word."""
    turn: float = 60.0
    """The longest turn, its waiting for the lock included: then the server ends what a lost machine left open."""
    answer: float = 30.0
    """To learn whether a turn was kept whose answer was lost: a server that was killed is back within ten."""


class Neo4jStore:
    """The database and its connections. Threads share the driver's pool; each has one open transaction at most.

    Readers of this process see what its writers wrote, whichever member of a cluster answers: bookmarks are shared.

    Raises:
        StoreProblem: not reachable, no entry, newer than this program, or somebody else's; the words say what to do.
    """

    def __init__(self, address: Neo4jAddress, steps: tuple[Step, ...] = STEPS, patience: Patience = Patience()) -> None:
        self.address = address
        self._patience = patience
        self._steps = steps
        self._threads = threading.local()
        self._bookmarks = GraphDatabase.bookmark_manager()
        self._made: list[str] = []
        with self.reading():
            self._driver = connect(address)
        try:
            with address_checked(address), self.reading():
                self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Generator[None]:
        """What Neo4j cannot do is told in words.

        Raises:
            StoreProblem: it does not answer, lets nobody in, or has no room.
        """
        try:
            yield
        except FAULTS as fault:
            problem = told(fault, self.address.uri, self.address.user, self.address.database)
            if problem is fault:
                raise
            raise problem from fault

    def rows(self, query: LiteralString, **values: Any) -> list[Record]:
        """All records of a question: within this thread's turn where there is one, else asked again if the wire breaks.

        Raises as `reading` does.
        """
        own = self._own()
        with self.reading():
            return list(own.run(query, values)) if own is not None else self._again(lambda: self._asked(query, values))

    @contextmanager
    def writing(self, kept: Callable[[Transaction], bool]) -> Generator[Transaction]:
        """One transaction: durable when it ends, gone when it raises. Within another, of one thread, it is part of that.

        `kept` is asked when the answer to the commit was lost: in a transaction of its own, whether it stands.

        Raises:
            StoreProblem: as `reading` does; nothing was kept, or `neo4j-answer-lost`: then nobody knows.
        """
        own = self._own()
        if own is not None:
            yield own
            return
        with self.reading():
            session, transaction = self._again(self._begun)
        self._threads.transaction = transaction
        try:
            yield transaction
            self._threads.transaction = None
            self._commit(transaction, kept)
        finally:
            self._threads.transaction = None
            with suppress(*FAULTS):  # what is not committed is gone either way
                transaction.close()
            with suppress(*FAULTS):
                session.close()

    def written(self, work: Callable[[Transaction], T], kept: Callable[[Transaction], bool]) -> T:
        """What a piece of work in one transaction gives; done again where the wire breaks, or the server asks for it.

        Raises as `writing` does.
        """

        def once() -> T:
            with self.writing(kept) as transaction:
                return work(transaction)

        with self.reading():
            return once() if self._own() is not None else self._again(once)

    def damaged(self, said: str) -> StoreProblem:
        """The problem of properties that make no sense."""
        return StoreProblem("neo4j-damaged", uri=self.address.uri, told=said)

    def check_version(self, found: object) -> None:
        """Refuse a schema that this program does not know.

        Raises:
            StoreProblem: it is newer.
        """
        known = known_version(self._steps)
        if not isinstance(found, int):
            raise self.damaged("schema")
        if found > known:
            raise StoreProblem("neo4j-newer", uri=self.address.uri, found=found, known=known)

    def faults(self) -> list[Finding]:
        """What is wrong with what guards and finds our nodes, and how many bear our label without being found."""
        made = [Finding.of("audit-neo4j-guard-made", name=name) for name in self._made]
        lacking = [Finding.of("audit-neo4j-guard-missing", name=name) for name in self._lacking()]
        (strays,) = self.rows(neo4j_schema.STRAYS)
        found = [Finding.of("audit-neo4j-strays", nodes=int(strays["nodes"]))] if strays["nodes"] else []
        return [*made, *lacking, *found]

    def mend(self) -> list[Finding]:
        """Make constraints and indexes anew where they are missing; what was wrong."""
        wrong = [Finding.of("audit-neo4j-guard-missing", name=name) for name in self._lacking()]
        if wrong:
            with self.reading():
                self._make()
        return wrong

    def close(self) -> None:
        """Close every connection."""
        self._driver.close()

    def _again(self, work: Callable[[], T]) -> T:
        return again(work, self._patience.again)

    def _own(self) -> Transaction | None:
        return getattr(self._threads, "transaction", None)

    def _session(self, access: str) -> Session:
        return self._driver.session(  # pyright: ignore[reportUnknownMemberType] - the driver's `**config` has no types
            database=self.address.database, default_access_mode=access, bookmark_manager=self._bookmarks
        )

    def _asked(self, query: LiteralString, values: dict[str, Any]) -> list[Record]:
        with self._session(READ_ACCESS) as session:
            return list(session.run(query, values))

    def _run(self, query: LiteralString, **values: Any) -> list[Record]:
        """A statement on its own that may be made twice, such as of the schema."""

        def once() -> list[Record]:
            with self._session(WRITE_ACCESS) as session:
                return list(session.run(query, values))

        return self._again(once)

    def _begun(self) -> tuple[Session, Transaction]:
        session = self._session(WRITE_ACCESS)
        try:
            return session, session.begin_transaction(timeout=self._patience.turn)
        except BaseException:
            session.close()
            raise

    def _commit(self, transaction: Transaction, kept: Callable[[Transaction], bool]) -> None:
        try:
            transaction.commit()
        except FAULTS:
            try:
                stands = again(lambda: self._stands(kept), self._patience.answer)
            except FAULTS as still:
                raise StoreAway("neo4j-answer-lost", uri=self.address.uri) from still
            if not stands:
                with self.reading():
                    raise

    def _stands(self, kept: Callable[[Transaction], bool]) -> bool:
        session, transaction = self._begun()
        with session, transaction:
            return kept(transaction)

    # the schema --------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Claim an empty place, or check what is there; then make what guards it, and take the steps that are missing."""
        found = self._run(neo4j_schema.FOUND_LEDGER, name=NAME)
        if found:
            self.check_version(found[0]["schema"])
            self._made = self._lacking()
        else:
            self._check_free()
        self._make()
        self._run(neo4j_schema.CLAIM, name=NAME, schema=known_version(self._steps), digest=NO_DIGEST)
        self._migrate()

    def _check_free(self) -> None:
        """Nobody else's nodes bear a label of ours; another process of ours may be claiming at this very moment."""
        foreign = [str(record["label"]) for record in self._run(neo4j_schema.USED)]
        if foreign and not self._run(neo4j_schema.FOUND_LEDGER, name=NAME):
            raise StoreProblem(
                "neo4j-foreign", uri=self.address.uri, database=self.address.database, labels=", ".join(foreign)
            )

    def _make(self) -> None:
        for statement in (*CONSTRAINTS.values(), *INDEXES.values()):
            with made_by_anyone():
                self._run(statement)
        self._run(neo4j_schema.AWAIT, seconds=neo4j_schema.INDEX_SECONDS)
        if lacking := self._lacking():
            raise StoreProblem("neo4j-guards-taken", uri=self.address.uri, names=", ".join(lacking))

    def _lacking(self) -> list[str]:
        with self.reading():
            online = {str(each["name"]) for each in self._run(neo4j_schema.GUARDS) if each["state"] == "ONLINE"}
            constrained = {str(each["name"]) for each in self._run(neo4j_schema.CONSTRAINED)}
        guards = [name for name in CONSTRAINTS if name not in online or name not in constrained]
        return [*guards, *(name for name in INDEXES if name not in online)]

    def _migrate(self) -> None:
        """Take the steps to this version, each in one transaction: what breaks off goes on from there."""
        for step in self._steps:
            self._again(lambda step=step: self._take(step))

    def _take(self, step: Step) -> None:
        with (
            self._session(WRITE_ACCESS) as session,
            session.begin_transaction(timeout=self._patience.turn) as transaction,
        ):
            (record,) = transaction.run(neo4j_schema.LOCK_SCHEMA, name=NAME)
            if record["schema"] >= step.version:  # another process was first
                return
            for statement in step.statements:
                transaction.run(statement).consume()
            transaction.run(neo4j_schema.SET_SCHEMA, name=NAME, schema=step.version).consume()
            transaction.commit()


def connect(address: Neo4jAddress) -> Driver:
    """A driver for an address; it has spoken to nobody yet.

    Raises:
        StoreProblem: no address of a Neo4j.
    """
    with address_checked(address):
        return GraphDatabase.driver(  # pyright: ignore[reportUnknownMemberType] - the same
            address.uri,
            auth=(address.user, address.password),
            connection_timeout=CONNECT_SECONDS,
            connection_acquisition_timeout=POOL_SECONDS,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
        )


@contextmanager
def address_checked(address: Neo4jAddress) -> Generator[None]:
    """What the driver says of an address that makes no sense, some of it only when it is first used."""
    try:
        yield
    except ValueError as fault:
        raise StoreProblem("neo4j-address-wrong", uri=address.uri, told=str(fault)) from fault


def one(records: Sequence[Record]) -> Record | None:
    """The only record of a question, or none."""
    assert len(records) <= 1, "two answers to one question"
    return records[0] if records else None
