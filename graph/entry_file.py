"""A ledger as one file: on each line an entry's digest and the bytes that it was taken over, and behind them the end.

    huanliu-ledger 1
    6f3a… {"event":{…},"position":1,"previous":"0000…",…}
    end 1 6f3a…

The bytes are those of the ledger, never written anew. A file without its end was broken off; writing goes on from there.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import orjson
from pydantic import ValidationError

from flows.entries import Entry, Head, digest_of, head_of
from flows.errors import Conflict, Malformed, Problem
from flows.events import EVENT
from flows.ports import Ledger
from flows.times import instant_us

Told: TypeAlias = Callable[[int, int], None]
"""Hears how many entries are behind it, and of how many."""

FIRST: Final = b"huanliu-ledger 1\n"
END: Final = b"end "
DIGITS: Final = 64
LINE_MOST: Final = 64 << 20
"""Bytes of a line: twice what one request may bring in, so no fact is longer, and a file of another kind is soon told."""
END_MOST: Final = 100
"""Bytes of the last line."""
TURN_ENTRIES: Final = 2_000
"""Entries of one turn: a twentieth of a second on SQLite, and that long a neighbour's fact waits."""
TELLING: Final = 2_000
"""Entries between two words of progress."""
OWNER_ONLY: Final = 0o600
_UNREADABLE: Final = (ValueError, KeyError, TypeError, Problem)
"""What a line that is no entry runs into."""


class WrongLine(Malformed):
    """A line of a ledger file that is not what it should be."""

    title = {"zh": "台账文件有误", "en": "Wrong ledger file"}


class OtherLedger(Conflict):
    """Two ledgers of which neither is the beginning of the other."""

    title = {"zh": "不是同一台账", "en": "Not the same ledger"}


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of writing or taking in a file: the end before, and the end now."""

    before: Head
    after: Head

    @property
    def entries(self) -> int:
        """How many were moved."""
        return max(0, self.after.position - self.before.position)


def write(ledger: Ledger, path: Path, told: Told | None = None) -> Moved:
    """Write a ledger to a file as it stands now. What an earlier file of it holds already is checked and not written again.

    Raises:
        WrongLine: the file is there and is none of ours, or a byte of it was changed.
        OtherLedger: it holds another ledger's entries.
        Malformed: an entry of the ledger itself does not fit its digest.
    """
    until = ledger.head()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    with os.fdopen(descriptor, "r+b") as file:
        before = _prepared(file, path, ledger, until)
        last = before
        for entry in ledger.entries(after=before.position, until=until.position):
            _check_sound(entry, last)
            file.write(b"%s %s\n" % (entry.digest.encode(), entry.body))
            last = head_of(entry)
            _tell(told, last.position, until.position)
        file.write(b"%s%d %s\n" % (END, last.position, last.digest.encode()))
        file.flush()
        os.fsync(file.fileno())
    return Moved(before, last)


def end_of(path: Path) -> Head:
    """The end that a file notes, its record time left out.

    Raises:
        WrongLine: it is no ledger file, or was broken off.
    """
    try:
        with path.open("rb") as file:
            first = file.read(len(FIRST))
            file.seek(-min(END_MOST, file.seek(0, os.SEEK_END)), os.SEEK_CUR)
            last = file.read().rpartition(b"\n" + END)[2]
    except OSError as fault:
        raise Malformed("ledger-file-unreadable", path=str(path), told=fault.strerror or str(fault)) from fault
    if first != FIRST:
        raise WrongLine("ledger-file-other", path=str(path), first=FIRST.decode().strip())
    position, _, digest = last.partition(b" ")
    if not (position.isdigit() and len(digest) == DIGITS + 1 and digest.endswith(b"\n")):
        raise WrongLine("ledger-file-broken-off", path=str(path))
    return Head(int(position), digest.decode("ascii", "replace").strip())


def check(path: Path, told: Told | None = None) -> Head:
    """Read all of a file: every digest, the chain, and every fact's shape; its end.

    Raises:
        WrongLine: the first line that is not what it should be, with what it says and what was found.
    """
    noted, last = end_of(path), Head()
    for number, entry in enumerate(_entries(path), 2):
        _check_fact(entry, number)
        last = head_of(entry)
        _tell(told, last.position, noted.position)
    if (last.position, last.digest) != (noted.position, noted.digest):
        raise WrongLine("ledger-file-end-differs", noted=noted.position, found=last.position, digest=last.digest)
    return last


def take_in(path: Path, ledger: Ledger, told: Told | None = None) -> Moved:
    """Append what a file holds beyond a ledger that is empty or its beginning; each turn is durable, and a rest follows.

    `check` comes first: what is appended is verified here once more, but for the facts' shape.

    Raises:
        WrongLine: as `check`; the turns before that line stand.
        OtherLedger: the ledger is not the beginning of the file, or somebody else wrote to it meanwhile.
    """
    noted, before = end_of(path), ledger.head()
    if noted.position < before.position:
        _check_same(ledger, noted, path)
        return Moved(before, before)
    last, waiting = before, list[Entry]()
    for entry in _entries(path):
        if entry.position == before.position and entry.digest != before.digest:
            raise OtherLedger("ledger-not-its-beginning", position=before.position, path=str(path))
        if entry.position > before.position:
            waiting.append(entry)
        if len(waiting) == TURN_ENTRIES:
            last, waiting = _append(ledger, last, waiting), []
        _tell(told, entry.position, noted.position)
    return Moved(before, _append(ledger, last, waiting) if waiting else last)


def _append(ledger: Ledger, last: Head, entries: list[Entry]) -> Head:
    with ledger.turn() as turn:
        if (turn.head.position, turn.head.digest) != (last.position, last.digest):
            raise OtherLedger("ledger-written-meanwhile", expected=last.position, found=turn.head.position)
        turn.append([(entry, None) for entry in entries])
    return head_of(entries[-1])


def _prepared(file: IO[bytes], path: Path, ledger: Ledger, until: Head) -> Head:
    """Bring a file, new or old, to where the next entry is to be written; the end of what it holds."""
    first = file.readline(len(FIRST))
    if not first:
        file.write(FIRST)
        return Head()
    if first != FIRST:
        raise WrongLine("ledger-file-other", path=str(path), first=FIRST.decode().strip())
    last, place = Head(), file.tell()
    for number, line in enumerate(_lines(file), 2):
        if line.startswith(END) or not line.endswith(b"\n"):  # its end, or where it was broken off
            break
        last = head_of(_entry(line, number, last))
        place += len(line)
    if last.position > until.position:
        raise OtherLedger("ledger-file-ahead", path=str(path), found=last.position, position=until.position)
    _check_same(ledger, last, path)
    file.truncate(place)
    file.seek(place)
    return last


def _check_same(ledger: Ledger, last: Head, path: Path) -> None:
    """The ledger has the entry that a file ends with."""
    found = next(ledger.entries(after=last.position - 1, until=last.position), None) if last.position else None
    if head_of(found).digest != last.digest:
        raise OtherLedger("ledger-not-its-beginning", position=last.position, path=str(path))


def _check_sound(entry: Entry, last: Head) -> None:
    """What leaves the ledger is whole: it would else be found where it arrives, and not where it was broken."""
    fits = digest_of(entry.body) == entry.digest and orjson.loads(entry.body).get("previous") == last.digest
    if entry.position != last.position + 1 or not fits:
        raise Malformed("ledger-export-unsound", position=last.position + 1)


def _check_fact(entry: Entry, line: int) -> None:
    try:
        EVENT.validate_python(orjson.loads(entry.body)["event"])
    except ValidationError as fault:
        where = ".".join(map(str, fault.errors()[0]["loc"]))
        raise WrongLine("ledger-line-no-fact", line=line, position=entry.position, told=where) from None
    except Problem as problem:
        raise WrongLine("ledger-line-no-fact", line=line, position=entry.position, told=problem.key) from None


def _entries(path: Path) -> Iterator[Entry]:
    """The entries of a file, each verified against its digest and the one before."""
    with path.open("rb") as file:
        file.readline(len(FIRST))
        last = Head()
        for number, line in enumerate(_lines(file), 2):
            if line.startswith(END):
                return
            entry = _entry(line, number, last)
            last = head_of(entry)
            yield entry


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.readline(LINE_MOST), b"")


def _entry(line: bytes, number: int, last: Head) -> Entry:
    digest, body = line[:DIGITS].decode("ascii", "replace"), line[DIGITS + 1 : -1]
    if not line.endswith(b"\n") or line[DIGITS : DIGITS + 1] != b" ":
        raise WrongLine("ledger-line-unreadable", line=number)
    if (found := digest_of(body)) != digest:
        raise WrongLine("ledger-line-digest", line=number, position=last.position + 1, told=digest, found=found)
    try:
        entry = _read(body, digest)
    except _UNREADABLE:
        raise WrongLine("ledger-line-unreadable", line=number) from None
    if entry.position != last.position + 1:
        raise WrongLine("ledger-line-position", line=number, found=entry.position, expected=last.position + 1)
    if entry.previous != last.digest:
        raise WrongLine(
            "ledger-line-chain", line=number, position=entry.position, told=entry.previous, expected=last.digest
        )
    return entry


def _read(body: bytes, digest: str) -> Entry:
    """As `flows.entries.read_entry`, four times as fast: a move reads each entry twice."""
    content: dict[str, Any] = orjson.loads(body)
    event: dict[str, Any] = content["event"]
    recorded_us = instant_us(datetime.fromisoformat(content["record_time"]))
    columns = content["position"], event["enterprise"], event["event_id"], content["previous"]
    if tuple(map(type, columns)) != (int, str, str, str):
        raise TypeError
    entry = Entry(columns[0], recorded_us, columns[1], columns[2], body, digest)
    entry.__dict__["previous"] = columns[3]  # the chain asks for it again and again
    return entry


def _tell(told: Told | None, done: int, total: int) -> None:
    if told is not None and (done % TELLING == 0 or done == total):
        told(done, total)
