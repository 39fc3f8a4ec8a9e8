"""The desk in the ledger's Neo4j, in `(:Document)` nodes of its own."""

from contextlib import suppress
from typing import Any, Final, LiteralString

from neo4j import Record

from flows.ports import Document
from graph.neo4j_store import Neo4jStore, Transaction
from graph.store_problems import StoreProblem

GET: Final[LiteralString] = """
    match (d:Document {kind: $kind, key: $key})
    return d.kind as kind, d.key as key, d.version as version, d.body as body, d.expires_us as expires_us
"""
ALL: Final[LiteralString] = """
    match (d:Document {kind: $kind})
    return d.kind as kind, d.key as key, d.version as version, d.body as body, d.expires_us as expires_us
    order by d.key
"""
CREATE: Final[LiteralString] = """
    merge (d:Document {kind: $kind, key: $key})
    on create set d.version = 0
    set d.locked = true
    with d match (held:Document {kind: $kind, key: $key}) where held.version = 0
    set held.version = 1, held.body = $body, held.expires_us = $expires_us
    return held.version as version
"""
REPLACE: Final[LiteralString] = """
    match (d:Document {kind: $kind, key: $key}) set d.locked = true
    with d match (held:Document {kind: $kind, key: $key}) where held.version = $version
    set held.version = $version + 1, held.body = $body, held.expires_us = $expires_us
    return held.version as version
"""
"""The lock of the node first, then what it holds: two who read the same version do not both write the next."""
SWEEP: Final[LiteralString] = """
    match (d:Document) where d.expires_us <= $now_us delete d
"""
DROP: Final[LiteralString] = """
    match (d:Document {kind: $kind, key: $key}) delete d
"""


class Neo4jDesk:
    """Promises of `flows.ports.Desk`, kept across processes."""

    def __init__(self, store: Neo4jStore) -> None:
        self._store = store

    def get(self, kind: str, key: str, *, now_us: int) -> Document | None:
        """The document, if it is there and has not lapsed."""
        found = self._not_lapsed(self._store.rows(GET, kind=kind, key=key), now_us)
        return found[0] if found else None

    def put(
        self, kind: str, key: str, body: bytes, *, version: int, now_us: int, expires_us: int | None = None
    ) -> bool:
        """Write the next version over `version`; False when another came first. What has lapsed is swept away."""
        values = {"kind": kind, "key": key, "body": body, "version": version, "expires_us": expires_us}

        def work(transaction: Transaction) -> bool:
            transaction.run(SWEEP, now_us=now_us).consume()
            return len(list(transaction.run(CREATE if version == 0 else REPLACE, values))) == 1

        return self._store.written(work, lambda asking: _holds(asking, values))

    def drop(self, kind: str, key: str) -> None:
        """Take it away, if it is there."""

        def gone(asking: Transaction) -> bool:
            return not list(asking.run(GET, kind=kind, key=key))

        self._store.written(lambda transaction: transaction.run(DROP, kind=kind, key=key).consume(), gone)

    def all(self, kind: str, *, now_us: int) -> list[Document]:
        """All documents of a kind, by key."""
        return self._not_lapsed(self._store.rows(ALL, kind=kind), now_us)

    def _not_lapsed(self, records: list[Record], now_us: int) -> list[Document]:
        """Those that have not lapsed. What is seen lapsed is taken away: a clock set back does not bring it back."""
        documents = [self._document(record) for record in records]
        left = [each for each in documents if each.expires_us is None or each.expires_us > now_us]
        if len(left) < len(documents):
            with suppress(StoreProblem):  # a full disk hinders no reading: they have lapsed
                self._store.written(lambda asking: asking.run(SWEEP, now_us=now_us).consume(), lambda _: True)
        return left

    def _document(self, record: Record) -> Document:
        match tuple(record.values()):
            case (str(kind), str(key), int(version), bytes() | bytearray() as body, int() | None as expires_us):
                return Document(kind, key, version, bytes(body), expires_us)
            case _:
                raise self._store.damaged(f"document {record['kind']}/{record['key']}")

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


def _holds(transaction: Transaction, values: dict[str, Any]) -> bool:
    """Whether a document is as it was put."""
    wanted = values["version"] + 1, values["body"], values["expires_us"]
    found = list(transaction.run(GET, kind=values["kind"], key=values["key"]))
    return [(each["version"], bytes(each["body"]), each["expires_us"]) for each in found] == [wanted]
