"""The seal of a backup: a digest of each page behind the last one, so that a byte changed anywhere is named.

Digests of entries and SQLite's own check say nothing of what no content rests on: free pages, the unused end of a page,
the inside of a desk's document. SQLite reads as many pages as its header says and passes over what follows, so that a
sealed backup is one file and opens like any. Whoever changes a file on purpose can make a seal anew: against that stands
the chain, and its end that somebody keeps elsewhere.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple

from flows.law import Finding

MARK: Final = b"huanliu seal 1\r\n"
"""How the last bytes of a sealed file begin. The end of a line is spoilt by whatever takes the file for text."""
DIGEST_B: Final = 32
"""SHA-256."""
PORTION: Final = 8192
"""Pages whose digests reach the disk together, a quarter of a megabyte: one great sync would make every commit wait."""
_ENDED: Final = Struct(">16sIQ32s")
_FIELDS_B: Final = _ENDED.size - DIGEST_B
_HEADER_B: Final = 100
"""Of a database's first page; its page size stands at 16, and how many pages there are at 28."""
_WHOLE_PAGE: Final = 65_536
"""Does not fit into two bytes: there it is written as 1."""


class Seal(NamedTuple):
    """What stands behind the pages: their digests, one after the other."""

    page_b: int
    pages: int
    digests: bytes


def seal(file: Path) -> None:
    """Put the seal behind the last page of a database that nobody writes to any more."""
    with file.open("r+b") as body:
        page_b, _ = _told(body)
        body.seek(0, os.SEEK_END)
        pages = body.tell() // page_b
        whole = hashlib.sha256()
        for first in range(0, pages, PORTION):
            digests = b"".join(_digests(body, page_b, first, min(first + PORTION, pages)))
            whole.update(digests)
            body.seek(pages * page_b + first * DIGEST_B)
            body.write(digests)
            body.flush()
            os.fdatasync(body.fileno())
        fields = _ENDED.pack(MARK, page_b, pages, bytes(DIGEST_B))[:_FIELDS_B]
        whole.update(fields)
        body.write(fields + whole.digest())


def is_sealed(file: Path) -> bool:
    """Something stands behind the last page: a seal, or what is left of one."""
    with file.open("rb") as body:
        page_b, pages = _told(body)
        size_b = body.seek(0, os.SEEK_END)
        return size_b != page_b * pages or _ending(body, size_b)[: len(MARK)] == MARK


def seal_faults(file: Path) -> Iterator[Finding]:
    """The pages that are not what they were when the file was sealed, by their bytes; or that the seal itself is not."""
    with file.open("rb") as body:
        found = _read(body)
        if found is None:
            yield Finding.of("backup-seal-damaged")
            return
        page_b, pages, digests = found
        for page, digest in enumerate(_digests(body, page_b, 0, pages)):
            if digest != digests[page * DIGEST_B : (page + 1) * DIGEST_B]:
                yield Finding.of(
                    "backup-page-differs", page=page + 1, first=page * page_b, last=(page + 1) * page_b - 1
                )


def _read(body: BinaryIO) -> Seal | None:
    """The seal; none where it is not whole."""
    size_b = body.seek(0, os.SEEK_END)
    ending = _ending(body, size_b)
    if len(ending) < _ENDED.size:
        return None
    mark, page_b, pages, own = _ENDED.unpack(ending)
    digests_b = pages * DIGEST_B
    if mark != MARK or size_b != pages * page_b + digests_b + _ENDED.size:
        return None
    body.seek(pages * page_b)
    digests = body.read(digests_b)
    if hashlib.sha256(digests + ending[:_FIELDS_B]).digest() != own:
        return None
    return Seal(page_b, pages, digests)


def _ending(body: BinaryIO, size_b: int) -> bytes:
    body.seek(max(0, size_b - _ENDED.size))
    return body.read(_ENDED.size)


def _told(body: BinaryIO) -> tuple[int, int]:
    """The size of a page and the count of pages, as a database's header says."""
    body.seek(0)
    header = body.read(_HEADER_B)
    page_b = int.from_bytes(header[16:18], "big")
    return _WHOLE_PAGE if page_b == 1 else page_b, int.from_bytes(header[28:32], "big")


def _digests(body: BinaryIO, page_b: int, first: int, until: int) -> Iterator[bytes]:
    body.seek(first * page_b)
    for _ in range(first, until):
        yield hashlib.sha256(body.read(page_b)).digest()
