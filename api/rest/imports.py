"""Workbooks in: checked whole, then committed whole; and out again in the same form."""

from typing import Annotated, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import Field
from starlette.responses import Response

from api.problems import NOT_KEPT, RECORDED
from api.rest.answers import answer
from api.rest.asking import DAY_LEAST, DAY_MOST, Asked, Day, TheCaller, TheService, TheSight
from api.rest.once import Once
from api.rest.shapes import XLSX, refusals
from api.workbook.report import ImportReport
from flows.indicators import Period

router = APIRouter(tags=["imports"], route_class=Once)
TheFile: TypeAlias = Annotated[UploadFile, File(description="按模板填写的 .xlsx")]
TheEnterprise: TypeAlias = Annotated[str, Form(description="台账所属单位的信用代码，不填为本单位")]


@router.post(
    "/imports/check",
    summary="检查工作簿：一次列出全部错误，不登记 · Check a workbook",
    responses=refusals(ImportReport),
)
def check_import(caller: TheCaller, service: TheService, file: TheFile, enterprise: TheEnterprise = "") -> Response:
    """Judge a workbook and keep nothing."""
    return told(service.check_import(caller, enterprise or caller.organisation, file.file.read()))


@router.post(
    "/imports",
    status_code=RECORDED,
    summary="登记工作簿：全部登记或全部不登记；同一文件再次提交不改变任何内容 · Record a workbook",
    responses=refusals(ImportReport, status=RECORDED),
)
def commit_import(caller: TheCaller, service: TheService, file: TheFile, enterprise: TheEnterprise = "") -> Response:
    """Check a workbook and record all of it, or nothing; the answer holds all errors, and what waits for a partner."""
    report = service.commit_import(caller, enterprise or caller.organisation, file.file.read())
    return told(report, RECORDED if report.committed else NOT_KEPT)


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
def get_workbook(sight: TheSight, service: TheService, span: Annotated[Span, Query()]) -> Response:
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
