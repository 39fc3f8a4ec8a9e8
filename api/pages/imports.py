"""The import page: a workbook is checked first and told all its errors, then committed by one button."""

import json
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.findings import SHOWN_MOST, gathered
from api.pages.drawing import page
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import NOT_KEPT, OK, SEE_OTHER
from api.rest.imports import XLSX, download
from api.waiting import Kept, give_up, waiting_of
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
ERRORS_SHOWN: Final = 500

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
    """Judge a workbook and keep nothing but the file itself, for the button."""
    owner = _owner(reader, enterprise)
    data = file.file.read(FILE_MOST + 1)
    if len(data) > FILE_MOST:
        raise Malformed("body-too-large", size=f"> {FILE_MOST >> 20} MiB", most=f"{FILE_MOST >> 20} MiB")
    report = reader.service.check_import(reader.caller, owner, data)
    if report.good:
        _keep(reader, owner, report.digest, data)
    return _page(request, reader, report, file.filename or "")


@router.post("/import/commit")
def commit_file(
    request: Request,
    reader: TheReader,
    digest: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    enterprise: Annotated[str, Form(max_length=40)] = "",
    name: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Record the file that was checked, all of it or nothing."""
    owner = _owner(reader, enterprise)
    service = reader.service
    kept = service.desk.get(CHECKED, f"{owner}.{digest}", now_us=instant_us(service.clock()))
    if kept is None:
        raise Unknown("checked-file-gone")
    report = service.commit_import(reader.caller, owner, kept.body)
    if report.committed:
        service.desk.drop(CHECKED, f"{owner}.{digest}")
    return _page(request, reader, report, name)


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
        findings=gathered(report.findings) if report else [],
        findings_shown=SHOWN_MOST,
    )
