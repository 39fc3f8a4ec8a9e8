"""What SQLite says when it cannot: damaged, full, read-only, busy or away, each told in words with the next step."""

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from graph.store_problems import StoreAway, StoreFull, StoreProblem

_BYTE: Final = 0xFF
"""An extended result code keeps the primary one in its lowest byte."""
_WAITING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CLOSED: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_OURS: Final = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_INTERRUPT})
"""Promises that are kept: whoever broke one is told by SQLite's own error."""
LEAST_FREE_B: Final = 64 * 1024
"""Below it a failed write is a full disk, whatever the system calls it: some say only that writing failed."""
_KIBI: Final = 1024

UNREADABLE: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged file runs into: SQLite itself, and Python that reads a message quoting broken text."""


def code_of(fault: BaseException) -> int | None:
    """SQLite's primary result code; none where Python could not read what SQLite gave."""
    code: int | None = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else code & _BYTE


def waits(fault: BaseException) -> bool:
    """Whether somebody else is at it: nothing is wrong with the file."""
    return code_of(fault) in _WAITING


def told(fault: BaseException, path: Path, *, opening: bool = False) -> Exception:
    """The problem that a fault of SQLite's is, or the fault itself where a promise was kept.

    A fault that says nothing of the bytes never reads as damage.
    """
    code = code_of(fault)
    match code:
        case _ if code in _OURS:
            assert isinstance(fault, Exception)
            return fault
        case sqlite3.SQLITE_NOTADB if opening:
            return StoreProblem("store-not-a-database", path=str(path))
        case _ if code in _WAITING:
            return StoreAway("store-busy", path=str(path))
        case sqlite3.SQLITE_FULL:
            return full(path)
        case sqlite3.SQLITE_IOERR if free_b(path.parent) < LEAST_FREE_B:
            return full(path)
        case sqlite3.SQLITE_IOERR:
            return StoreAway("store-disk-fails", path=str(path), told=_name(fault))
        case _ if code in _CLOSED:
            return StoreAway("store-not-writable", path=str(path), folder=str(path.parent))
        case _:
            return StoreProblem("store-damaged", path=str(path), told=str(fault))


def told_by_system(fault: OSError, path: Path) -> StoreProblem:
    """The problem that the system's refusal of a file or folder is."""
    from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS

    if fault.errno in {ENOSPC, EDQUOT}:
        return full(path)
    if fault.errno in {EACCES, EPERM, EROFS}:
        return StoreAway("store-not-writable", path=str(path), folder=str(path.parent))
    return StoreAway("store-disk-fails", path=str(path), told=fault.strerror or type(fault).__name__)


def full(path: Path) -> StoreFull:
    """The disk that a file lies on is full."""
    return StoreFull("store-full", folder=str(path.parent.absolute()), free=f"{free_b(path.parent) // _KIBI:,} KiB")


def free_b(folder: Path) -> int:
    """Bytes that may still be written into a folder; none where it cannot be asked."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _name(fault: BaseException) -> str:
    return str(getattr(fault, "sqlite_errorname", "") or fault)
