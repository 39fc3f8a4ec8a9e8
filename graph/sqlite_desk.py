"""The desk in the ledger's SQLite file, in a table of its own."""

from contextlib import suppress
from typing import Final, LiteralString

from flows.ports import Document
from graph.sqlite_store import SqliteStore
from graph.store_problems import StoreProblem

GET: Final[LiteralString] = """
    select kind, key, version, body, expires_us from document where kind = ? and key = ?
"""
ALL: Final[LiteralString] = """
    select kind, key, version, body, expires_us from document where kind = ? order by key
"""
CREATE: Final[LiteralString] = """
    insert into document (kind, key, version, body, expires_us) values (?, ?, 1, ?, ?) on conflict (kind, key) do nothing
"""
REPLACE: Final[LiteralString] = """
    update document set version = version + 1, body = ?, expires_us = ? where kind = ? and key = ? and version = ?
"""
SWEEP: Final[LiteralString] = """
    delete from document where expires_us <= ?
"""
DROP: Final[LiteralString] = """
    delete from document where kind = ? and key = ?
"""


class SqliteDesk:
    """Promises of `flows.ports.Desk`, kept across processes."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def get(self, kind: str, key: str, *, now_us: int) -> Document | None:
        """The document, if it is there and has not lapsed."""
        with self._store.reading():
            row = self._store.connection().execute(GET, (kind, key)).fetchone()
        found = [] if row is None else self._not_lapsed([Document(*row)], now_us)
        return found[0] if found else None

    def put(
        self, kind: str, key: str, body: bytes, *, version: int, now_us: int, expires_us: int | None = None
    ) -> bool:
        """Write the next version over `version`; False when another came first. What has lapsed is swept away."""
        with self._store.writing() as connection, self._store.reading():
            connection.execute(SWEEP, (now_us,))
            if version == 0:
                return connection.execute(CREATE, (kind, key, body, expires_us)).rowcount == 1
            return connection.execute(REPLACE, (body, expires_us, kind, key, version)).rowcount == 1

    def drop(self, kind: str, key: str) -> None:
        """Take it away, if it is there."""
        with self._store.writing() as connection, self._store.reading():
            connection.execute(DROP, (kind, key))

    def all(self, kind: str, *, now_us: int) -> list[Document]:
        """All documents of a kind, by key."""
        with self._store.reading():
            rows = self._store.connection().execute(ALL, (kind,)).fetchall()
        return self._not_lapsed([Document(*row) for row in rows], now_us)

    def _not_lapsed(self, documents: list[Document], now_us: int) -> list[Document]:
        """Those that have not lapsed. What is seen lapsed is taken away: a clock set back does not bring it back."""
        left = [each for each in documents if each.expires_us is None or each.expires_us > now_us]
        if len(left) < len(documents):
            with suppress(StoreProblem), self._store.writing() as connection, self._store.reading():
                connection.execute(SWEEP, (now_us,))  # a full disk hinders no reading: they have lapsed
        return left

    def close(self) -> None:
        """Close the file."""
        self._store.close()
