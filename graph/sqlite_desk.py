"""The desk in the ledger's SQLite file, in a table of its own."""

from typing import Final, LiteralString

from flows.ports import Document
from graph.sqlite_store import SqliteStore

GET: Final[LiteralString] = """
    select kind, key, version, body, expires_us from document
    where kind = ? and key = ? and (expires_us is null or expires_us > ?)
"""
ALL: Final[LiteralString] = """
    select kind, key, version, body, expires_us from document
    where kind = ? and (expires_us is null or expires_us > ?) order by key
"""
CREATE: Final[LiteralString] = """
    insert into document (kind, key, version, body, expires_us) values (?, ?, 1, ?, ?)
    on conflict (kind, key) do update set version = 1, body = excluded.body, expires_us = excluded.expires_us
    where document.expires_us <= ?
"""
REPLACE: Final[LiteralString] = """
    update document set version = version + 1, body = ?, expires_us = ?
    where kind = ? and key = ? and version = ? and (expires_us is null or expires_us > ?)
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
            row = self._store.connection().execute(GET, (kind, key, now_us)).fetchone()
        return None if row is None else Document(*row)

    def put(
        self, kind: str, key: str, body: bytes, *, version: int, now_us: int, expires_us: int | None = None
    ) -> bool:
        """Write the next version over `version`; False when another came first."""
        with self._store.reading():
            connection = self._store.connection()
            if version == 0:
                return connection.execute(CREATE, (kind, key, body, expires_us, now_us)).rowcount == 1
            return connection.execute(REPLACE, (body, expires_us, kind, key, version, now_us)).rowcount == 1

    def drop(self, kind: str, key: str) -> None:
        """Take it away, if it is there."""
        with self._store.reading():
            self._store.connection().execute(DROP, (kind, key))

    def all(self, kind: str, *, now_us: int) -> list[Document]:
        """All documents of a kind, by key."""
        with self._store.reading():
            return [Document(*row) for row in self._store.connection().execute(ALL, (kind, now_us)).fetchall()]

    def close(self) -> None:
        """Close the file."""
        self._store.close()
