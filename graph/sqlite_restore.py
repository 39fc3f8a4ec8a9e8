"""Putting a backup in the ledger's place: checked first, in one step, and what was there is moved aside, never deleted."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from flows.entries import Head
from graph.sqlite_backup import Copied, check, digest_at
from graph.sqlite_copy import copy_at_rest, dated, sync
from graph.sqlite_faults import UNREADABLE, told, told_by_system, waits
from graph.store_problems import StoreAway, StoreProblem

STOPPED_SECONDS: Final = 2.0
"""How long another program may take to let go of the file."""
SIDES: Final = ("-wal", "-shm")
"""What SQLite keeps beside a file in use."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where that which was there lies now."""

    backup: Copied
    aside: Path | None
    before: Head | None
    """The end of the ledger that was there; none where there was no ledger, or it could not be read."""

    @property
    def left_out(self) -> int:
        """Entries of the ledger that was there beyond the backup's end."""
        return max(0, self.before.position - self.backup.head.position) if self.before else 0


def restore(backup: Path, file: Path, *, force: bool, now: datetime) -> Restored:
    """Put a backup in the place of a ledger's file.

    A ledger with entries is replaced only when the backup holds all of them, or by `force`; it is moved aside under a
    dated name in either case. A backup that differs from its seal, while all that is read of it holds, needs `force` too.
    At no instant is there no ledger under the file's name that was there before.

    Raises:
        StoreProblem: the backup is unsound; entries would be left out; the ledger is in use; no room.
    """
    copied = check(backup)
    if copied.faults and not (copied.readable and force):
        key = "restore-seal-differs" if copied.readable else "restore-unsound"
        raise StoreProblem(key, path=str(backup), count=len(copied.faults))
    there = any(path.exists() for path in (file, *_sides(file)))
    before = _end_of(file) if there else None
    if there and not force:
        _check_held(copied, backup, file, before)
    fresh = file.with_name(f".{file.name}.restored")
    copy_at_rest(backup, fresh, over=True)
    try:
        aside = _moved_aside(file, dated(file, "before-restore", now)) if there else None
        fresh.replace(file)
        sync(file.parent)
    except OSError as fault:
        raise told_by_system(fault, file) from fault
    finally:
        fresh.unlink(missing_ok=True)
    return Restored(copied, aside, before)


def _sides(file: Path) -> list[Path]:
    return [file.with_name(file.name + side) for side in SIDES]


def _end_of(file: Path) -> Head | None:
    """Where the ledger that is there ends; none where it cannot be read."""
    try:
        return check(file).head if file.exists() else None
    except StoreProblem:
        return None


def _check_held(copied: Copied, backup: Path, file: Path, before: Head | None) -> None:
    """The backup holds every entry of the ledger that is there."""
    if before is None:
        raise StoreProblem("restore-over-unreadable", path=str(file))
    if before.position and digest_at(backup, before.position) != before.digest:
        raise StoreProblem(
            "restore-leaves-out", path=str(file), before=before.position, after=copied.head.position,
        )  # fmt: skip


def _moved_aside(file: Path, aside: Path) -> Path:
    """Give what is there a second name, its write-ahead log folded in; a file that is beyond that moves as it is.

    Raises:
        StoreAway: another program has it open.
    """
    try:
        with closing(sqlite3.connect(file, timeout=STOPPED_SECONDS)) as connection:
            connection.execute("pragma journal_mode = delete")  # SQLite grants it to nobody while others are there
    except UNREADABLE as fault:
        if waits(fault):
            raise StoreAway("store-in-use", path=str(file)) from None
        if isinstance(problem := told(fault, file), StoreAway):
            raise problem from fault
        for side in _sides(file):  # before the file itself: what it lacks must not be read into what comes
            if side.exists():
                side.rename(aside.with_name(aside.name + side.name.removeprefix(file.name)))
    if not file.exists():
        return aside
    try:
        aside.hardlink_to(file)
    except OSError:  # a disk that knows no links
        file.rename(aside)
    return aside
