"""The import page: a file is checked first and told all its errors, its columns are mapped, then it is committed by one button."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, File, Form, Path, Query, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import columns
from api.findings import SHOWN_MOST, gathered
from api.import_jobs import UnderWay
from api.pages.drawing import page
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import NOT_KEPT, OK, SEE_OTHER, language_of
from api.rest.imports import XLSX, download, errors_file
from api.waiting import Kept, give_up, waiting_of
from api.workbook.heads import sheet_called
from api.workbook.manner import GIVEN_MAX, GivenColumn, Manner, normal
from api.workbook.report import ImportReport
from api.workbook.sheets import BY_KEY
from flows.access import check_may_import
from flows.codes import uscc
from flows.errors import Forbidden, Malformed, Unknown
from flows.ids import EnterpriseId
from flows.times import SHANGHAI, instant_us

CHECKED: Final = "checked_workbook"
CHECKED_LASTS: Final = timedelta(hours=2)
"""From the check to the button: time to ask a colleague."""
FILE_MOST: Final = 16 * 1024 * 1024
"""Bytes of a workbook: a year of a large plant is a few megabytes."""
PATIENCE_S: Final = 3.0
"""What takes longer gets a page of its own that tells how far it is."""
LOOK_AGAIN_S: Final = 1
ERRORS_SHOWN: Final = 500
HELD_SHOWN: Final = 100
NAME_MOST: Final = 300
DIGEST: Final = r"^[0-9a-f]{64}$"
LEFT_OPEN: Final = "?"
"""What a select says that nobody touched."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/import")
def import_page(request: Request, reader: TheReader) -> Response:
    return _page(request, reader, None, "")


@router.post("/import")
def check_file(
    request: Request,
    reader: TheReader,
    file: Annotated[UploadFile, File()],
    enterprise: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Judge a file and keep nothing but the file itself, for the buttons."""
    owner = _owner(reader, enterprise)
    data = file.file.read(FILE_MOST + 1)
    if len(data) > FILE_MOST:
        raise Malformed("body-too-large", size=f"> {FILE_MOST >> 20} MiB", most=f"{FILE_MOST >> 20} MiB")
    name = (file.filename or "")[-NAME_MOST:]
    _keep(reader, owner, hashlib.sha256(data).hexdigest(), data)
    begun = reader.service.begin_import("check", reader.caller, owner, data, Manner(name, good_rows=True))
    return _answer(request, reader, begun)


@router.get("/import/job/{key}")
def import_job(request: Request, reader: TheReader, key: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]) -> Response:
    """How far an import is; when it is done, what came of it."""
    service = reader.service
    job = service.imports.find(key)
    if job is None or job.enterprise not in reader.sight.own:
        raise Unknown("import-job-unknown")
    report = service.imports.report(key) if job.finished else None
    if report is None:
        return page(request, "import_job.html", headers={"Refresh": str(LOOK_AGAIN_S)}, job=job)
    if report.committed and report.good:
        service.desk.drop(CHECKED, f"{job.enterprise}.{job.digest}")
    return _page(request, reader, report, job.how.file_name)


def _answer(request: Request, reader: Reader, begun: UnderWay) -> Response:
    """What came of an import when it is short; else the page that tells how far it is, and bears to be left."""
    while begun.wait(PATIENCE_S) is None:
        job = reader.service.imports.find(begun.key)
        if job is not None and not job.finished:  # else it has not begun, and what stands there is of another day
            return RedirectResponse(f"/import/job/{begun.key}", SEE_OTHER)
    return import_job(request, reader, begun.key)


@dataclass(frozen=True)
class Checked:
    """The file that was checked: whose it is, what it holds, what it is called."""

    owner: EnterpriseId
    data: bytes
    name: str
    key: str


def checked_of(
    reader: TheReader,
    digest: Annotated[str, Form(pattern=DIGEST)],
    enterprise: Annotated[str, Form(max_length=40)] = "",
    name: Annotated[str, Form(max_length=NAME_MOST)] = "",
) -> Checked:
    """The file that a button speaks of.

    Raises:
        Unknown: it was checked too long ago, or recorded since.
    """
    return _checked(reader, digest, enterprise, name)


def _checked(reader: Reader, digest: str, enterprise: str, name: str) -> Checked:
    owner = _owner(reader, enterprise)
    service, key = reader.service, f"{owner}.{digest}"
    kept = service.desk.get(CHECKED, key, now_us=instant_us(service.clock()))
    if kept is None:
        raise Unknown("checked-file-gone")
    return Checked(owner, kept.body, name, key)


TheChecked: TypeAlias = Annotated[Checked, Depends(checked_of)]


@router.post("/import/commit")
def commit_file(
    request: Request, reader: TheReader, checked: TheChecked, *, good_rows: Annotated[bool, Form()] = False
) -> Response:
    """Record the file that was checked: all of it or nothing, or its good rows by the other button."""
    service = reader.service
    manner = Manner(checked.name, good_rows)
    return _answer(request, reader, service.begin_import("record", reader.caller, checked.owner, checked.data, manner))


@router.post("/import/columns")
def map_columns(
    request: Request,
    reader: TheReader,
    checked: TheChecked,
    sheet: Annotated[list[str], Form(max_length=GIVEN_MAX)],
    header: Annotated[list[str], Form(max_length=GIVEN_MAX)],
    column: Annotated[list[str], Form(max_length=GIVEN_MAX)],
) -> Response:
    """Remember what the enterprise says of its columns, and judge the file with it. What was left open stays open."""
    if not len(sheet) == len(header) == len(column):
        raise Malformed("columns-form-uneven")
    told = zip(header, column, sheet, strict=True)
    given = tuple(GivenColumn(own, ours, of) for own, ours, of in told if ours != LEFT_OPEN)
    manner = Manner(checked.name, good_rows=True, given=given)
    report = reader.service.remember_columns(reader.caller, checked.owner, checked.data, manner)
    return _page(request, reader, report, checked.name)


@router.post("/import/columns/forget")
def forget_columns(
    reader: TheReader,
    sheet: Annotated[str, Form(max_length=100)],
    enterprise: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Forget what an enterprise calls the columns of one sheet."""
    reader.service.forget_columns(reader.caller, _owner(reader, enterprise), sheet_called(sheet).key)
    return RedirectResponse("/import", SEE_OTHER)


@router.get("/import/errors")
def errors_of_file(
    request: Request,
    reader: TheReader,
    digest: Annotated[str, Query(pattern=DIGEST)],
    enterprise: Annotated[str, Query(max_length=40)] = "",
    name: Annotated[str, Query(max_length=NAME_MOST)] = "",
    *,
    good_rows: bool = False,
) -> Response:
    """The file that was checked, with its errors."""
    checked = _checked(reader, digest, enterprise, name)
    manner, language = Manner(name, good_rows), language_of(request)
    marked = reader.service.marked_import(reader.caller, checked.owner, checked.data, manner, language)
    if marked is None:
        raise Unknown("no-errors-file")
    return errors_file(name, *marked)


@router.post("/import/withdraw")
def withdraw_waiting(
    reader: TheReader,
    identity: Annotated[str, Form(max_length=2000)],
    enterprise: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Take a record that waits off the desk."""
    owner = _owner(reader, enterprise)
    service = reader.service
    check_may_import(reader.caller, owner, service.book, service.clock().astimezone(SHANGHAI).date())
    wanted = next((kept for kept in _waiting(reader, owner) if json.dumps(kept.identity) == identity), None)
    if wanted is None:
        raise Unknown("waiting-unknown")
    give_up(service.desk, owner, wanted.identity, service.clock)
    return RedirectResponse("/import", SEE_OTHER)


@router.get("/import/template.xlsx")
def template_file(reader: TheReader) -> Response:
    """The empty template."""
    return download(reader.service.template(), "环流填报模板.xlsx", XLSX)


@router.get("/import/ledger.xlsx")
def ledger_file(reader: TheReader, enterprise: str = "") -> Response:
    """An enterprise's own facts in the form of the template."""
    owner = _owner(reader, enterprise)
    return download(reader.service.workbook(owner, None), f"环流台账-{owner}.xlsx", XLSX)


def _owner(reader: Reader, enterprise: str) -> EnterpriseId:
    """Whose ledger: the one that was named, or the reader's own.

    Raises:
        Forbidden: not the reader's to speak for.
    """
    owner = uscc(enterprise) if enterprise else reader.caller.organisation
    if owner not in reader.sight.own:
        raise Forbidden("not-your-enterprise", enterprise=owner)
    return owner


def _keep(reader: Reader, owner: EnterpriseId, digest: str, data: bytes) -> None:
    """The same file again, or nearly at once from two windows, is the same document."""
    service = reader.service
    now_us = instant_us(service.clock())
    key = f"{owner}.{digest}"
    before = service.desk.get(CHECKED, key, now_us=now_us)
    expires_us = now_us + CHECKED_LASTS // timedelta(microseconds=1)
    version = before.version if before else 0
    service.desk.put(CHECKED, key, data, version=version, now_us=now_us, expires_us=expires_us)


def _waiting(reader: Reader, owner: EnterpriseId) -> tuple[Kept, ...]:
    return waiting_of(reader.service.desk, owner, reader.service.clock)


def _columns(reader: Reader, owner: EnterpriseId) -> Iterator[dict[str, object]]:
    """What an enterprise calls its columns, sheet by sheet."""
    for key, each in columns.remembered(reader.service.desk, owner, reader.service.clock).items():
        if (sheet := BY_KEY.get(key)) is not None:
            pairs = [(header, sheet.zh_of(column) if column else "") for header, column in each.columns.items()]
            yield {"owner": owner, "sheet": sheet.zh, "pairs": pairs}


def _page(request: Request, reader: Reader, report: ImportReport | None, name: str) -> Response:
    own = sorted(reader.sight.own)
    if not own:
        raise Forbidden("import-own-only")
    waiting = [
        {
            "owner": owner,
            "identity": json.dumps(kept.identity),
            "sheet": BY_KEY[kept.identity[0]].zh,
            "record": kept.identity[-1],
            "rows": [row.number for row in kept.rows],
            "problem": kept.problem,
        }
        for owner in own
        for kept in _waiting(reader, owner)
    ]
    status = NOT_KEPT if report is not None and not report.good else OK
    return page(
        request,
        "import.html",
        status=status,
        own=own,
        report=report,
        file_name=name,
        waiting=waiting,
        errors_shown=ERRORS_SHOWN,
        held_shown=HELD_SHOWN,
        listed=[each for each in report.errors if each.key != "workbook-header-unknown"] if report else [],
        renamed=[each for each in report.sheets if normal(each.table) != normal(each.sheet)] if report else [],
        left_open=LEFT_OPEN,
        columns=[each for owner in own for each in _columns(reader, owner)],
        findings=gathered(report.findings) if report else [],
        findings_shown=SHOWN_MOST,
    )
