"""Workbooks in: checked whole, then committed whole; and out again in the same form."""

from typing import Annotated, Final, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.problems import NO_CONTENT, NOT_KEPT, RECORDED, language_of
from api.rest import shapes
from api.rest.answers import answer
from api.rest.asking import DAY_LEAST, DAY_MOST, Asked, Day, KnownService, KnownSight, TheCaller, TheService
from api.rest.once import Once
from api.rest.shapes import CSV, XLSX, refusals
from api.service import Service
from api.workbook.heads import sheet_called
from api.workbook.manner import Manner, given_columns
from api.workbook.report import ImportReport
from api.workbook.sheets import BY_KEY
from flows.access import Caller
from flows.ids import EnterpriseId
from flows.indicators import Period

router = APIRouter(tags=["imports"], route_class=Once)
TheFile: TypeAlias = Annotated[UploadFile, File(description="台账 .xlsx、.xls 或 .csv")]
TheEnterprise: TypeAlias = Annotated[str, Form(description="台账所属单位的信用代码，不填为本单位")]
GoodRows: TypeAlias = Annotated[
    bool,
    Form(description="登记正确的行，其余列出；不填则全部登记或全部不登记 · record the good rows without the others"),
]
GivenColumns: TypeAlias = Annotated[
    list[str] | None,
    Form(
        alias="map",
        description="列名对应，可重复：“其列名=我们的列名”，可在前面写“工作表:”，不读取的写“其列名=”；登记时记住 · "
        "their header=our header, may be repeated; remembered when recorded",
    ),
]
MEDIA: Final = {".xlsx": XLSX, ".csv": CSV}


def _manner(file: UploadFile, columns: list[str] | None, *, good_rows: bool) -> Manner:
    return Manner(file.filename or "", good_rows, given_columns(columns or ()))


@router.post(
    "/imports/check",
    summary="检查台账文件：一次列出全部错误，不登记 · Check a ledger file",
    responses=refusals(ImportReport),
)
def check_import(  # one parameter for each field of the form
    caller: TheCaller,
    service: TheService,
    file: TheFile,
    enterprise: TheEnterprise = "",
    columns: GivenColumns = None,
    *,
    good_rows: GoodRows = False,
) -> Response:
    """Judge a ledger file and keep nothing."""
    manner = _manner(file, columns, good_rows=good_rows)
    return told(service.check_import(caller, enterprise or caller.organisation, file.file.read(), manner))


@router.post(
    "/imports",
    status_code=RECORDED,
    summary="登记台账文件：全部登记或全部不登记；同一文件再次提交不改变任何内容 · Record a ledger file",
    responses=refusals(ImportReport, "full", status=RECORDED),
)
def commit_import(  # one parameter for each field of the form
    caller: TheCaller,
    service: TheService,
    file: TheFile,
    enterprise: TheEnterprise = "",
    columns: GivenColumns = None,
    *,
    good_rows: GoodRows = False,
) -> Response:
    """Check a ledger file and record all of it, or nothing, or its good rows where that is asked.

    The answer holds all errors, what is held back with them, and what waits for a partner.
    """
    manner = _manner(file, columns, good_rows=good_rows)
    report = service.commit_import(caller, enterprise or caller.organisation, file.file.read(), manner)
    return told(report, RECORDED if report.committed else NOT_KEPT)


@router.post(
    "/imports/errors",
    summary="带错误的文件：原样返回，错误列在最前，在其中改正后可再导入 · The file with its errors",
    response_class=Response,
    responses=refusals(None, media=(XLSX, CSV)) | {NO_CONTENT: {"description": "no error · 没有错误"}},
)
def get_errors(  # one parameter for each field of the form
    request: Request,
    caller: TheCaller,
    service: TheService,
    file: TheFile,
    enterprise: TheEnterprise = "",
    columns: GivenColumns = None,
    *,
    good_rows: GoodRows = False,
) -> Response:
    """Judge a file and give it back as it was, its errors first in each row and their cells marked; nothing is kept.

    204 where it has no errors; a file that cannot be opened is told as a problem by `check`, and is 204 here.
    """
    manner = _manner(file, columns, good_rows=good_rows)
    data = file.file.read()
    marked = service.marked_import(caller, enterprise or caller.organisation, data, manner, language_of(request))
    return Response(status_code=NO_CONTENT) if marked is None else errors_file(manner.file_name, *marked)


def errors_file(name: str, body: bytes, ending: str) -> Response:
    """The file with its errors, to keep."""
    return download(body, f"{name.rpartition('.')[0] or name or '台账'}-错误{ending}", MEDIA[ending])


class OfEnterprise(Asked):
    """Whose columns, and of which sheet."""

    enterprise: Annotated[str, Field(description="单位信用代码，不填为本单位")] = ""


class OfSheet(OfEnterprise):
    """The same, of one sheet."""

    sheet: Annotated[str, Field(description="工作表，如“B.1 产生”；不填为全部")] = ""


@router.get(
    "/imports/columns",
    summary="记住的列名对应 · What an enterprise calls its columns",
    responses=refusals(shapes.OwnColumns),
)
def get_columns(caller: TheCaller, service: TheService, asked: Annotated[OfEnterprise, Query()]) -> Response:
    """What was said of an enterprise's own headers: they are read so by themselves, and listed in each report."""
    return _columns(caller, service, asked.enterprise or caller.organisation)


@router.delete(
    "/imports/columns",
    summary="忘记列名对应 · Forget what an enterprise calls its columns",
    responses=refusals(shapes.OwnColumns),
)
def forget_columns(caller: TheCaller, service: TheService, asked: Annotated[OfSheet, Query()]) -> Response:
    """Forget what was said of one sheet's headers, or of all; answers what is left."""
    enterprise = asked.enterprise or caller.organisation
    service.forget_columns(caller, enterprise, sheet_called(asked.sheet).key if asked.sheet else None)
    return _columns(caller, service, enterprise)


def _columns(caller: Caller, service: Service, enterprise: EnterpriseId) -> Response:
    kept = service.columns_of(caller, enterprise)
    rows = [
        {"sheet": sheet.zh, "header": header, "column": sheet.zh_of(column) if column else None}
        for key, each in kept.items()
        if (sheet := BY_KEY.get(key)) is not None
        for header, column in each.columns.items()
    ]
    return answer({"enterprise": enterprise, "columns": rows})


def told(report: ImportReport, status: int | None = None) -> Response:
    """A report as JSON."""
    return answer(report.model_dump(mode="json") | {"good": report.good}, status=status)


@router.get(
    "/exports/template.xlsx",
    summary="填报模板 · The empty template",
    response_class=Response,
    responses=refusals(None, media=(XLSX,)),
)
def get_template(_: TheCaller, service: TheService) -> Response:
    """The empty template, with dropdowns and notes."""
    return download(service.template(), "环流填报模板.xlsx", XLSX)


class Span(Asked):
    """Whose ledger, over which days."""

    enterprise: Annotated[str, Field(description="单位信用代码，不填为本单位")] = ""
    first: Annotated[Day | None, Field(description="自")] = None
    last: Annotated[Day | None, Field(description="至")] = None

    @property
    def period(self) -> Period | None:
        """The days, or all."""
        return Period(self.first or DAY_LEAST, self.last or DAY_MOST) if self.first or self.last else None


@router.get(
    "/exports/workbook.xlsx",
    summary="单位台账，按模板填好，可再导入 · An enterprise's ledger in the template",
    response_class=Response,
    responses=refusals(None, media=(XLSX,)),
)
def get_workbook(sight: KnownSight, service: KnownService, span: Annotated[Span, Query()]) -> Response:
    """An enterprise's own facts in the form of the template; regulators read those in their charge."""
    enterprise = span.enterprise or sight.caller.organisation
    sight.check_figures("enterprise", enterprise)
    return download(service.workbook(enterprise, span.period), f"环流台账-{enterprise}.xlsx", XLSX)


def download(body: bytes, name: str, media_type: str) -> Response:
    """A file to keep, under a name in Chinese."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-cache",
    }
    return Response(body, headers=headers, media_type=media_type)
