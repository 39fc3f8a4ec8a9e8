"""The desk in a dict: the measure of the others."""

from threading import RLock

from flows.ports import Document


class MemoryDesk:
    """Promises of `flows.ports.Desk`, kept within one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Document] = {}
        self._lock = RLock()

    def get(self, kind: str, key: str, *, now_us: int) -> Document | None:
        """The document, if it is there and has not lapsed."""
        with self._lock:
            self._sweep(now_us)
            return self._kept.get((kind, key))

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
            self._sweep(now_us)
            found = [each for each in self._kept.values() if each.kind == kind]
        return sorted(found, key=lambda each: each.key)

    def _sweep(self, now_us: int) -> None:
        """Take away what has lapsed: a clock set back does not bring it back."""
        for name in [name for name, each in self._kept.items() if _lapsed(each, now_us)]:
            self._kept.pop(name, None)

    def close(self) -> None:
        """Nothing is held open."""


def _lapsed(document: Document, now_us: int) -> bool:
    return document.expires_us is not None and document.expires_us <= now_us
