"""`huanliu export`: a template, an enterprise's workbook, facts, the whole ledger with its digests, or a graph of it."""

from pathlib import Path
from typing import Annotated

import typer

from api import terminal
from api.commands.graph import draw_beside
from api.commands.moves import DeskOption, export_ledger
from api.commands.printing import AsOfOption, JsonOption, opened, tell_file
from api.settings import Settings
from flows.errors import Malformed


def export(  # noqa: PLR0913 - one parameter for each option
    to: Annotated[Path | None, typer.Argument(help="写到此文件 · file to write")] = None,
    *,
    template: Annotated[bool, typer.Option("--template", help="空白模板 · the empty template")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="全部事实 .jsonl · all facts")] = False,
    enterprise: Annotated[str, typer.Option("--of", help="哪个单位的台账（信用代码）· whose ledger")] = "",
    ledger: Annotated[
        bool,
        typer.Option(
            "--ledger", help="整个台账，逐条带摘要，可迁往另一存储 · the whole ledger with its digests, to move it"
        ),
    ] = False,
    desk: DeskOption = None,
    to_neo4j: Annotated[
        str,
        typer.Option("--to-neo4j", help="在此 Neo4j 旁绘一张图，如 bolt://localhost:7687 · a graph beside the ledger"),
    ] = "",
    effective: Annotated[bool, typer.Option("--effective", help="--facts：更正后的事实 · facts as corrected")] = False,
    begin: Annotated[str | None, typer.Option("--from", help="--of：起始日 · first day")] = None,
    end: Annotated[str | None, typer.Option("--to", help="--of：结束日 · last day")] = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """导出模板、单位台账工作簿、事实、整个台账或图 · Export the template, a workbook, facts, the ledger, or a graph."""
    if template + facts + bool(enterprise) + ledger + bool(to_neo4j) != 1:
        raise Malformed("export-choose-one")
    if desk is not None and not ledger:
        raise Malformed("desk-needs-ledger", command="export")
    if ledger:
        export_ledger(to, desk, json=json)
        return
    if to_neo4j:
        draw_beside(Settings.read(), to_neo4j, json=json)
        return
    with opened() as service:
        known, span = terminal.known(service, as_of), terminal.period(begin, end)
        written = terminal.export(known, to, enterprise, span, template=template, effective=effective)
    tell_file("已写出 · written", written, json=json)
