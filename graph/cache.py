"""The folder of an installation's cache: written aside and renamed when whole, and used only for what it was made of."""

import hashlib
import logging
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any, BinaryIO, Final

import orjson

import flows
import graph
from flows.entries import Head
from flows.errors import Problem
from flows.materials import Catalogue
from flows.ports import Ledger
from flows.recording import LedgerFacts
from graph.collected import Collected
from graph.parts import BLOCK, Parts, PartsWriter
from graph.readings import Readings
from graph.tables import Damaged

FORM: Final = 1
"""Of the files; what stands in them goes by the code that wrote them."""
PARTS: Final = "parts"
CONTENTS: Final = "contents.json"
ASIDE: Final = "aside"
_AT: Final = "at-"
_NEW: Final = ".new-"
_LOG: Final = logging.getLogger(__name__)


class Unfit(Problem):
    """A cache that is not used: why, and what becomes of it."""

    title = {"zh": "缓存不可用", "en": "Cache not used"}


@dataclass(frozen=True)
class Contents:
    """What a cache says of itself: which entries it was made of, by which code, and where its parts lie."""

    made_by: str
    position: int
    digest: str
    size: int
    parts: dict[str, dict[str, Any]]

    def written(self) -> bytes:
        """As a file: one line of JSON, and its own digest on the next."""
        told = orjson.dumps({"form": FORM, **self.__dict__})
        return told + b"\n" + hashlib.sha256(told).hexdigest().encode()

    @classmethod
    def read(cls, file: Path) -> "Contents":
        """From a file.

        Raises:
            Damaged: it is not as it was written.
        """
        try:
            told, digest = file.read_bytes().split(b"\n")
        except (FileNotFoundError, ValueError) as fault:
            raise Damaged(CONTENTS) from fault
        if hashlib.sha256(told).hexdigest().encode() != digest:
            raise Damaged(CONTENTS)
        values: dict[str, Any] = orjson.loads(told)
        if values.pop("form") != FORM:
            return cls("", 0, "", 0, {})  # by other code, whatever it says
        return cls(**values)


@dataclass(frozen=True)
class Cache:
    """The cache of one installation: `tables` is the folder that its catalogue was read from."""

    folder: Path
    tables: Path | None = None

    def find(self, catalogue: Catalogue, ledger: Ledger) -> Readings | None:
        """The readings of the newest cache of this ledger, by this code; None: there is none that may be used."""
        for place in self.places():
            try:
                return self._found(place, catalogue, ledger)
            except Unfit as unfit:
                _LOG.warning("%s", unfit.text("zh"))
                if unfit.key != "cache-other-code":
                    self.set_aside(place)
        return None

    def places(self) -> list[Path]:
        """Where caches lie, that of the highest position first."""
        try:
            found = [each for each in self.folder.iterdir() if each.name.startswith(_AT)]
        except OSError:
            return []
        return sorted(found, key=lambda each: each.name, reverse=True)

    def _found(self, place: Path, catalogue: Catalogue, ledger: Ledger) -> Readings:
        contents = self.contents(place, ledger)
        try:
            readings = self.readings(place, contents, catalogue, ledger)
        except Damaged as damaged:
            raise Unfit("cache-damaged", path=str(place), part=damaged.part) from damaged
        except OSError as fault:
            raise Unfit("cache-torn", path=str(place), part=PARTS) from fault
        parts = readings.begun_with
        assert isinstance(parts, Parts), "they begin with its parts"
        parts.again = _Anew(self, place, catalogue, ledger, contents.position).part
        return readings

    def readings(self, place: Path, contents: Contents, catalogue: Catalogue, ledger: Ledger) -> Readings:
        """The readings that were kept, whatever part of them is damaged being told when it is asked for.

        Raises:
            Damaged: a part that is read at once.
            OSError: the file cannot be read.
        """
        parts = Parts(place / PARTS, contents.parts)
        try:
            return Readings.found(catalogue, LedgerFacts(ledger), contents.position, parts)
        except BaseException:
            parts.close()
            raise

    def contents(self, place: Path, ledger: Ledger) -> Contents:
        """What a cache says of itself, if it was made of this ledger's entries by this code, and all of it is there.

        The time that this takes does not grow with it.

        Raises:
            Unfit: it was not, or is not.
        """
        path = str(place)
        try:
            contents = Contents.read(place / CONTENTS)
            size = (place / PARTS).stat().st_size
        except Damaged as damaged:
            raise Unfit("cache-torn", path=path, part=damaged.part) from damaged
        except OSError as fault:
            raise Unfit("cache-torn", path=path, part=PARTS) from fault
        if contents.made_by != made_by(self.tables):
            raise Unfit("cache-other-code", path=path)
        head = ledger.head()
        if contents.position > head.position:
            raise Unfit("cache-ahead", path=path, position=contents.position, head=head.position)
        last = next(ledger.entries(after=contents.position - 1, until=contents.position), None)
        if last is None or last.digest != contents.digest:
            raise Unfit("cache-foreign", path=path, position=contents.position)
        if size != contents.size:
            raise Unfit("cache-torn", path=path, part=PARTS)
        return contents

    def spoilt(self, place: Path, contents: Contents) -> Iterator[str]:
        """The parts whose bytes are not those that were written; all of them are looked at."""
        with (place / PARTS).open("rb") as file:
            for name, note in contents.parts.items():
                file.seek(note["begin"])
                if _sha256(file, note["size"]) != note["sha256"]:
                    yield name

    def set_aside(self, place: Path) -> None:
        """Move a cache out of the way; it is kept for whoever wants to know what happened to it, until the next."""
        with suppress(OSError):
            shutil.rmtree(self.folder / ASIDE, ignore_errors=True)
            place.rename(self.folder / ASIDE)

    def write(self, readings: Readings, head: Head) -> int | None:
        """Keep readings that end with an entry; returns the bytes, or None while another process writes a cache.

        Nobody reads an entry into them meanwhile.

        Raises:
            OSError: the disk is full or refuses; what was there before stays.
            Damaged: what the readings were begun with is damaged.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone() as alone:
            if not alone:
                return None
            for left in self.folder.glob(f"{_NEW}*"):
                shutil.rmtree(left, ignore_errors=True)
            new = Path(mkdtemp(prefix=_NEW, dir=self.folder))
            try:
                size = self._write(new, readings, head)
                self._publish(new, self.folder / f"{_AT}{head.position:012}")
            finally:
                shutil.rmtree(new, ignore_errors=True)
        return size

    def _write(self, new: Path, readings: Readings, head: Head) -> int:
        with closing(PartsWriter(new / PARTS)) as writer:
            readings.keep(writer)
            writer.finish()
        contents = Contents(made_by(self.tables), head.position, head.digest, writer.size, writer.parts)
        with (new / CONTENTS).open("xb") as file:
            file.write(contents.written())
            file.flush()
            os.fsync(file.fileno())
        _sync(new)
        return writer.size

    def _publish(self, new: Path, place: Path) -> None:
        """Give it its name; those before it go."""
        shutil.rmtree(place, ignore_errors=True)
        new.rename(place)
        _sync(self.folder)
        for each in self.places():
            if each != place:
                shutil.rmtree(each, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Generator[bool]:
        """Whether this process is the only one that writes here; the system lets go of the lock of a killed one."""
        with (self.folder / "lock").open("ab") as file:
            yield _locked(file.fileno())


class _Anew:
    """What a damaged cache stands for, read from the entries: once, when somebody needs it."""

    def __init__(self, own: Cache, place: Path, catalogue: Catalogue, ledger: Ledger, position: int) -> None:
        self._own: Final = own
        self._place: Final = place
        self._catalogue: Final = catalogue
        self._ledger: Final = ledger
        self._position: Final = position
        self._lock: Final = Lock()
        self._parts: dict[str, Any] | None = None

    def part(self, name: str) -> Any:
        """A part as the entries say it."""
        with self._lock:
            if self._parts is None:
                _LOG.error("%s", Unfit("cache-damaged", path=str(self._place), part=name).text("zh"))
                self._own.set_aside(self._place)
                self._parts = Collected.of(Readings.anew(self._catalogue, self._ledger, self._position)).parts
            return self._parts[name]


def _sha256(file: BinaryIO, size: int) -> str:
    whole = hashlib.sha256()
    while size and (block := file.read(min(size, BLOCK))):
        whole.update(block)
        size -= len(block)
    return whole.hexdigest()


def made_by(tables: Path | None) -> str:
    """The digest of all code that reads entries, and of the tables that it reads them by."""
    whole = hashlib.sha256(_code().encode())
    for file in sorted(tables.iterdir()) if tables is not None else ():
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


@cache
def _code() -> str:
    whole = hashlib.sha256()
    for file in _sources():
        whole.update(str(file.name).encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def _sources() -> Iterator[Path]:
    for package in (flows, graph):
        folder = Path(str(package.__file__)).parent
        yield from sorted(folder.glob("*.py"))
        yield from sorted((folder / "tables").glob("*.csv"))


def _sync(folder: Path) -> None:
    """A folder's names are on the disk."""
    if os.name == "nt":
        return  # there it is no file, and needs none of it
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # elsewhere two writers do the same work twice; the later one's name stands
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
