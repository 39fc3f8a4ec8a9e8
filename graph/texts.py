"""Texts in a row as one block of bytes, and where each stands: half a million names without half a million objects."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableMapping, MutableSequence, Sequence
from typing import Any, Final, cast

import numpy as np

from graph.tables import Array, Numbers, digest_of


class Texts(MutableSequence[Any]):
    """A list of texts, or None, whose first ones lie in a block of UTF-8. What is changed otherwise than by adding to the
    end makes a plain list of it.
    """

    def __init__(self, text: Array, end: Array) -> None:
        self.text: Final = text
        self.end: Final = end
        """Where each ends in the block; of None the complement of it."""
        self._ends: Numbers = end.data
        self._more: list[str | None] = []
        self._list: list[Any] | None = None

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Texts":
        """The same texts in one block."""
        if isinstance(texts, Texts) and texts._list is None:
            known, more = texts, texts._more
        else:
            known, more = None, list(texts)
        parts = [(each or "").encode() for each in more]
        begin = 0 if known is None or not len(known.end) else _place(known._ends[-1])
        end = begin + np.cumsum(np.array([len(each) for each in parts], np.int64))
        end = np.where(np.array([each is None for each in more], bool), ~end, end)
        block = np.frombuffer(b"".join(parts), np.uint8)
        if known is None:
            return cls(block, end)
        return cls(np.concatenate([known.text, block]), np.concatenate([known.end, end]))

    def _whole(self) -> list[Any]:
        """All of it as a list."""
        if self._list is not None:
            return self._list
        return [*self._kept(), *self._more]

    def _kept(self) -> Iterator[str | None]:
        text, begin = self.text.tobytes(), 0
        for end in self._ends:
            yield None if end < 0 else text[begin:end].decode()
            begin = _place(end)

    def __len__(self) -> int:
        return len(self._ends) + len(self._more) if self._list is None else len(self._list)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._whole())

    def __getitem__(self, place: Any) -> Any:
        if self._list is not None:
            return self._list[place]
        if isinstance(place, slice):
            return self._whole()[place]
        size, at = len(self._ends), int(place)
        at += size + len(self._more) if at < 0 else 0
        return self._at(at) if at < size else self._more[at - size]

    def _at(self, place: int) -> str | None:
        end = self._ends[place]
        if end < 0:
            return None
        begin = _place(self._ends[place - 1]) if place else 0
        return self.text[begin:end].tobytes().decode()

    def append(self, value: str | None) -> None:
        """One more behind the end."""
        (self._more if self._list is None else self._list).append(value)

    def insert(self, index: int, value: str | None) -> None:
        """One more in between."""
        self._changed().insert(index, value)

    def __setitem__(self, place: Any, value: Any) -> None:
        self._changed()[place] = value

    def __delitem__(self, place: Any) -> None:
        del self._changed()[place]

    def _changed(self) -> list[Any]:
        self._list = self._whole()
        return self._list

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Texts, list)) and self._whole() == list(cast("Sequence[object]", other))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it grows


def _place(end: int) -> int:
    return end if end >= 0 else ~end


class Ranks(MutableMapping[str, int]):
    """The place of each text among `texts`: found by its digest, and new ones in a dict."""

    def __init__(self, texts: Texts, digest: Array, number: Array) -> None:
        self._texts: Final = texts
        self._digests: Numbers = digest.data
        self._numbers: Numbers = number.data
        self._own: dict[str, int] = {}

    @staticmethod
    def arrays(texts: Iterable[str]) -> tuple[Array, Array]:
        """The digests of texts in order, and whose they are."""
        digests = np.array([digest_of(each) for each in texts], np.uint64)
        order = np.argsort(digests, kind="stable")
        return digests[order], order.astype(np.uint32)

    def _find(self, text: str) -> int | None:
        own = self._own.get(text)
        if own is not None:
            return own
        digest = digest_of(text)
        place = bisect_left(self._digests, digest)
        while place < len(self._digests) and self._digests[place] == digest:
            if self._texts[self._numbers[place]] == text:
                return self._numbers[place]
            place += 1
        return None

    def __getitem__(self, text: str) -> int:
        found = self._find(text)
        if found is None:
            raise KeyError(text)
        return found

    def __setitem__(self, text: str, place: int) -> None:
        self._own[text] = place

    def __delitem__(self, text: str) -> None:
        raise TypeError(text)  # a batch that was made stays made; a correction makes another index

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self._find(text) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
