"""What of a desk goes with its ledger to another store, as a file, and what is made anew there."""

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from api import columns, import_jobs, keys, retries, waiting
from api.rest import once
from flows.errors import Malformed
from flows.ports import Clock, Desk, Document
from flows.times import instant_us
from graph.entry_file import OWNER_ONLY

FIRST: Final = b"huanliu-desk 1\n"
END: Final = b"end "
MOVED: Final = (keys.KEY_KIND, columns.KIND, waiting.KIND, retries.KIND, once.KIND)
"""Keys (as digests), mapped columns, rows that wait for a partner, and what a retry is to hear."""
ANEW: Final = (
    keys.SESSION_KIND,  # people sign in again
    import_jobs.JOB,  # an import runs where it was handed in, and its report is read there
    import_jobs.PART,
    import_jobs.REPORT,
    "checked_workbook",  # a file between its check and its recording on the page
    "demo",  # that a folder is the demo's
)
"""What stays behind."""


class WrongDeskFile(Malformed):
    """A file of desk documents that is none, or was changed."""

    title = {"zh": "工作台文件有误", "en": "Wrong desk file"}


class Line(BaseModel):
    """One document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    key: str
    expires_us: int | None
    body: str
    """Base64: some bodies are text, some are not."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How many documents went over, how many were there already, and how many stand there otherwise and were left so."""

    written: int
    unchanged: int = 0
    differing: int = 0
    imports_left: int = 0
    """Imports that are not finished: they are not in the file."""


def write(desk: Desk, clock: Clock, path: Path) -> Carried:
    """Write what moves; a file that is there is written over.

    It is laid beside and then named, so that nobody finds half of it.
    """
    now_us, written, digest = instant_us(clock()), 0, hashlib.sha256()
    beside = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(FIRST)
        for document in (each for kind in MOVED for each in desk.all(kind, now_us=now_us)):
            line = orjson.dumps(_told(document), option=orjson.OPT_APPEND_NEWLINE)
            digest.update(line)
            file.write(line)
            written += 1
        file.write(b"%s%d %s\n" % (END, written, digest.hexdigest().encode()))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return Carried(written, imports_left=import_jobs.ImportJobs(desk, clock).under_way())


def take_in(path: Path, desk: Desk, clock: Clock) -> Carried:
    """Put a file's documents on a desk. What stands there under the same name is left as it is.

    Raises:
        WrongDeskFile: it is none of ours, or was changed; nothing was put down.
    """
    documents = list(_documents(path))
    now_us, counts = instant_us(clock()), {"written": 0, "unchanged": 0, "differing": 0}
    for each in documents:
        body = base64.b64decode(each.body)
        if desk.put(each.kind, each.key, body, version=0, now_us=now_us, expires_us=each.expires_us):
            counts["written"] += 1
            continue
        there = desk.get(each.kind, each.key, now_us=now_us)
        counts["unchanged" if there is not None and there.body == body else "differing"] += 1
    return Carried(**counts)


def _told(document: Document) -> dict[str, object]:
    body = base64.b64encode(document.body).decode()
    return {"kind": document.kind, "key": document.key, "expires_us": document.expires_us, "body": body}


def _documents(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            if file.readline(len(FIRST)) != FIRST:
                raise WrongDeskFile("desk-file-other", path=str(path), first=FIRST.decode().strip())
            yield from _read(file, path)
    except OSError as fault:
        raise Malformed("ledger-file-unreadable", path=str(path), told=fault.strerror or str(fault)) from fault


def _read(file: IO[bytes], path: Path) -> Iterator[Line]:
    digest = hashlib.sha256()
    for count, line in enumerate(file):
        number = count + 2  # the first line said what it is
        if line.startswith(END):
            if line != b"%s%d %s\n" % (END, count, digest.hexdigest().encode()):
                raise WrongDeskFile("desk-file-changed", path=str(path))
            return
        digest.update(line)
        try:
            document = Line.model_validate_json(line)
            base64.b64decode(document.body, validate=True)
        except (ValidationError, ValueError):
            raise WrongDeskFile("desk-line-unreadable", line=number) from None
        if document.kind not in MOVED:
            raise WrongDeskFile("desk-line-kind", line=number, kind=document.kind, kinds=", ".join(MOVED))
        yield document
    raise WrongDeskFile("desk-file-changed", path=str(path))
