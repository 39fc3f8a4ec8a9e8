"""What Neo4j and its driver say when they cannot: away, no entry, no rights, no room, each told in words with the next step."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeAlias, TypeVar

from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DatabaseError,
    DriverError,
    Neo4jError,
)

from graph.store_problems import StoreAway, StoreFull, StoreProblem

FAULTS: Final = (DriverError, Neo4jError)
"""What the driver raises of its own, and what the server answers."""
Fault: TypeAlias = DriverError | Neo4jError

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 0.5
SECURITY: Final = "Neo.ClientError.Security."
SCHEMA: Final = "Neo.ClientError.Schema."
NO_DATABASE: Final = frozenset({
    "Neo.ClientError.Database.DatabaseNotFound",
    "Neo.ClientError.Database.IllegalDatabaseName",
})  # fmt: skip
NO_ROOM: Final = ("OutOfDiskSpace", "No space left on device", "out of disk space")
"""Words by which a server's full disk is known: it has no code of its own in every version."""
TOO_LONG: Final = (
    "TransactionTimedOut", "TransactionTimedOutClientConfiguration", "LockAcquisitionTimeout", "LockClientStopped",
)  # fmt: skip
"""Ends of codes: somebody else held the lock for longer than a turn may last."""

T = TypeVar("T")


def again(work: Callable[[], T], seconds: float) -> T:
    """Do something that may be done twice; do it again where the connection broke or the server says so, for some seconds."""
    until, pause = time.monotonic() + seconds, FIRST_PAUSE_S
    while True:
        try:
            return work()
        except FAULTS as fault:
            if not fault.is_retryable() or time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def told(fault: Fault, uri: str, user: str, database: str) -> Exception:
    """The problem that a fault is, or the fault itself where a promise was kept, or we asked wrongly."""
    code = code_of(fault)
    match fault:
        case ConstraintError():
            return fault
        case _ if code == SECURITY + "CredentialsExpired":
            return StoreProblem("neo4j-password-expired", uri=uri, user=user)
        case _ if code == SECURITY + "AuthenticationRateLimit":
            return StoreProblem("neo4j-password-rate", uri=uri, user=user)
        case AuthError():
            return StoreProblem("neo4j-password-wrong", uri=uri, user=user)
        case _ if code.startswith(SECURITY):
            return StoreProblem("neo4j-rights-missing", uri=uri, user=user, database=database, told=said(fault))
        case _ if code in NO_DATABASE:
            return StoreProblem("neo4j-database-missing", uri=uri, database=database)
        case ConfigurationError():
            return StoreProblem("neo4j-address-wrong", uri=uri, told=said(fault))
        case _ if any(word in said(fault) for word in NO_ROOM) or code.endswith("OutOfDiskSpace"):
            return StoreFull("neo4j-full", uri=uri)
        case _ if code.endswith(TOO_LONG):
            return StoreAway("neo4j-busy", uri=uri)
        case _ if isinstance(fault, DriverError) or fault.is_retryable():
            return StoreAway("neo4j-away", uri=uri, told=said(fault))
        case DatabaseError():
            return StoreAway("neo4j-fails", uri=uri, told=said(fault))
        case _:
            return fault


@contextmanager
def made_by_anyone() -> Generator[None]:
    """A constraint or index is made, or one like it stands already: `if not exists` loses a race with another process."""
    try:
        yield
    except ClientError as fault:
        if not (code_of(fault).startswith(SCHEMA) and code_of(fault).endswith("AlreadyExists")):
            raise


def code_of(fault: Fault) -> str:
    """Neo4j's own code; empty for what the driver says."""
    return str(fault.code or "") if isinstance(fault, Neo4jError) else ""


def said(fault: Fault) -> str:
    """What it says, in one line."""
    words = str(fault.message or "") if isinstance(fault, Neo4jError) else str(fault)
    first = words.strip().splitlines()[:1]
    return first[0].rstrip(": ") if first else type(fault).__name__
