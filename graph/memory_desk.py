"""The desk in a dict: the measure of the others."""

from threading import Lock

from flows.ports import Document


class MemoryDesk:
    """Promises of `flows.ports.Desk`, kept within one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Document] = {}
        self._lock = Lock()

    def get(self, kind: str, key: str, *, now_us: int) -> Document | None:
        """The document, if it is there and has not lapsed."""
        found = self._kept.get((kind, key))
        return found if found is not None and not _lapsed(found, now_us) else None

    def put(
        self, kind: str, key: str, body: bytes, *, version: int, now_us: int, expires_us: int | None = None
    ) -> bool:
        """Write the next version over `version`; False when another came first."""
        with self._lock:
            found = self.get(kind, key, now_us=now_us)
            if (found.version if found else 0) != version:
                return False
            self._kept[kind, key] = Document(kind, key, version + 1, body, expires_us)
            return True

    def drop(self, kind: str, key: str) -> None:
        """Take it away, if it is there."""
        with self._lock:
            self._kept.pop((kind, key), None)

    def all(self, kind: str, *, now_us: int) -> list[Document]:
        """All documents of a kind, by key."""
        with self._lock:
            found = [each for each in self._kept.values() if each.kind == kind and not _lapsed(each, now_us)]
        return sorted(found, key=lambda each: each.key)

    def close(self) -> None:
        """Nothing is held open."""


def _lapsed(document: Document, now_us: int) -> bool:
    return document.expires_us is not None and document.expires_us <= now_us
