"""A whole file under its name, or nothing: copies are written beside it, synced, and only then named."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from graph.sqlite_faults import UNREADABLE, told, told_by_system
from graph.store_problems import StoreProblem

PART: Final = ".part"
"""What an unfinished copy is called at its end."""


def dated(path: Path, word: str, now: datetime) -> Path:
    """A free name beside a file that says why and when: ``huanliu-before-restore-20261122-210500.db``."""
    stem = f"{path.stem}-{word}-{now:%Y%m%d-%H%M%S}"
    number = 1
    while (free := path.with_name(f"{stem}{f'-{number}' if number > 1 else ''}{path.suffix}")).exists():
        number += 1
    return free


@contextmanager
def written_whole(target: Path, *, over: bool = False) -> Generator[Path]:
    """A place to write to. When all went well the file is synced and gets its name, else it is taken away.

    Raises:
        StoreProblem: the name is taken (unless it may be written `over`), or the disk is full or read-only.
    """
    if not over:
        check_free(target)
    part = target.with_name(f".{target.name}.{token_hex(4)}{PART}")
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield part
            sync(part)
            if over:
                part.replace(target)
            else:
                _name(part, target)
            sync(target.parent)
        except OSError as fault:
            raise told_by_system(fault, target) from fault
        except UNREADABLE as fault:
            raise told(fault, target) from fault
    finally:
        for rest in (part, *(part.with_name(part.name + end) for end in ("-journal", "-wal", "-shm"))):
            with suppress(OSError):
                rest.unlink()


def check_free(target: Path) -> None:
    """Nothing is ever written over.

    Raises:
        StoreProblem: something of this name is there.
    """
    if target.exists():
        raise StoreProblem("backup-name-taken", path=str(target))


def _name(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)  # fails where somebody else took the name meanwhile
    except FileExistsError:
        check_free(target)
        raise
    except OSError:  # a stick formatted for Windows knows no links
        check_free(target)
        part.rename(target)


def sync(path: Path) -> None:
    """What was written to a file, or which names a folder holds, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def copy_at_rest(source: Path, target: Path, *, over: bool = False) -> None:
    """Copy a file that nobody writes to, page by page, with what its write-ahead log holds, into one file.

    Raises:
        StoreProblem: it cannot be read, or the copy cannot be written.
    """
    with (
        written_whole(target, over=over) as part,
        closing(sqlite3.connect(source)) as origin,
        closing(sqlite3.connect(part)) as copy,
    ):
        origin.backup(copy)
        copy.execute("pragma journal_mode = delete")  # a single file, that may lie on a read-only disk
