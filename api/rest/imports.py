"""Workbooks in: checked whole, then committed whole; and out again in the same form."""

from datetime import date
from typing import Annotated, Final, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import Field
from starlette.responses import Response

from api.rest.answers import answer
from api.rest.asking import TheCaller, TheService, TheSight
from api.rest.batches import Asked
from api.workbook.report import ImportReport
from flows.errors import Forbidden
from flows.indicators import Period

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(tags=["imports"])
TheFile: TypeAlias = Annotated[UploadFile, File(description="按模板填写的 .xlsx")]
TheEnterprise: TypeAlias = Annotated[str, Form(description="台账所属单位的信用代码，不填为本单位")]


@router.post("/imports/check", summary="检查工作簿：一次列出全部错误，不登记")
def check_import(caller: TheCaller, service: TheService, file: TheFile, enterprise: TheEnterprise = "") -> Response:
    """Judge a workbook and keep nothing."""
    return told(service.check_import(caller, enterprise or caller.organisation, file.file.read()))


@router.post("/imports", summary="登记工作簿：全部登记或全部不登记；同一文件再次提交不改变任何内容", status_code=201)
def commit_import(caller: TheCaller, service: TheService, file: TheFile, enterprise: TheEnterprise = "") -> Response:
    """Check a workbook and record all of it, or nothing; the answer holds all errors, and what waits for a partner."""
    report = service.commit_import(caller, enterprise or caller.organisation, file.file.read())
    response = told(report)
    response.status_code = 201 if report.committed else 422
    return response


def told(report: ImportReport) -> Response:
    """A report as JSON."""
    return answer(report.model_dump(mode="json") | {"good": report.good})


@router.get("/exports/template.xlsx", summary="填报模板")
def get_template(_: TheCaller, service: TheService) -> Response:
    """The empty template, with dropdowns and notes."""
    return download(service.template(), "环流填报模板.xlsx", XLSX)


class Span(Asked):
    """Whose ledger, over which days."""

    enterprise: Annotated[str, Field(description="单位信用代码，不填为本单位")] = ""
    first: Annotated[date | None, Field(description="自")] = None
    last: Annotated[date | None, Field(description="至")] = None

    @property
    def period(self) -> Period | None:
        """The days, or all."""
        if self.first is None and self.last is None:
            return None
        return Period(self.first or date(1990, 1, 1), self.last or date(2100, 12, 31))


@router.get("/exports/workbook.xlsx", summary="单位台账，按模板填好，可再导入")
def get_workbook(sight: TheSight, service: TheService, span: Annotated[Span, Query()]) -> Response:
    """An enterprise's own facts in the form of the template; regulators read those in their charge."""
    enterprise = span.enterprise or sight.caller.organisation
    if not sight.holds(enterprise):
        raise Forbidden("figures-own-only")
    body = service.workbook(enterprise, span.period)
    return download(body, f"环流台账-{enterprise}.xlsx", XLSX)


def download(body: bytes, name: str, media_type: str) -> Response:
    """A file to keep, under a name in Chinese."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(body, headers=headers, media_type=media_type)
