"""The command line: every command works on the installation's own ledger, beside a running server."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from api import origins, outline, terminal
from api.bench.rows import Name
from api.commands.audit import audit, rebuild
from api.commands.backup import backup, restore
from api.commands.corrections import agree, correct, corrections, decline
from api.commands.differences import diff
from api.commands.exports import export
from api.commands.imports import columns_app, import_file
from api.commands.printing import REFUSED, WRONG_USE, AsOfOption, JsonOption, err, opened, out, print_json, tell_file
from api.rest.asking import check_filters
from api.rest.batches import Printing
from api.rest.readings import Wanted
from api.service import Service
from api.serving import serve as serve_pages
from api.serving import serve_many
from api.settings import WORKERS_MOST, Settings
from flows.access import Caller
from flows.errors import Malformed, Problem
from flows.events import LegalStatus
from flows.indicators import Level
from flows.times import earliest_us, latest_us, parse_time
from graph.figures import By
from graph.tracing import Filter


class Telling(TyperGroup):
    """Commands whose problems are told in words, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what makes no sense is wrong use, what a rule says no to is refused."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            err.print(f"[bold red]{problem.title['zh']}[/] {escape(problem.text('zh'))}", highlight=False)
            err.print(f"{problem.title['en']}: {escape(problem.text('en'))}", style="dim", highlight=False)
            raise typer.Exit(WRONG_USE if isinstance(problem, Malformed) else REFUSED) from None


app = typer.Typer(
    name="huanliu",
    cls=Telling,
    help="环流：有色金属固体废物物质流追溯 · material flow and solid-waste traceability",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
key_app = typer.Typer(help="密钥：新建、列出、撤销 · keys", no_args_is_help=True)
app.add_typer(key_app, name="key")
app.command("import")(import_file)
app.add_typer(columns_app, name="columns")
app.command()(audit)
app.command()(diff)
app.command()(export)
app.command()(rebuild)
app.command()(backup)
app.command()(restore)
for _command in (correct, corrections, agree, decline):
    app.command()(_command)

Group = StrEnum("Group", list(get_args(By)))
"""How figures are grouped: typer lists enumerations, not literals."""
Status = StrEnum("Status", list(get_args(LegalStatus)))
Reach = StrEnum("Reach", list(get_args(Level)))
AtOption = Annotated[str | None, typer.Option(help="截至此日或此刻已发生的 · what had happened by then")]


def main() -> None:
    """Run a command."""
    origins.check()
    app()


def operator() -> Caller:
    """Who sits at the machine: sees what an auditor sees, and states nothing."""
    return Caller("000000000000000000", "auditor")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址 · address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="端口 · port")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=WORKERS_MOST, help="进程数，共用一个端口 · processes on one port")
    ] = None,
) -> None:
    """启动网页与接口 · Serve pages and REST."""
    asked = {"host": host, "port": port, "workers": workers}
    settings = Settings.read(**{name: value for name, value in asked.items() if value is not None})
    if settings.workers > 1:
        serve_many(settings, out)
    else:
        serve_pages(Service.open(settings), out)


@key_app.command("create")
def create_key(
    organisation: Annotated[str, typer.Argument(help="统一社会信用代码 · unified social credit code")],
    role: Annotated[
        str, typer.Option(help="member driver reader administrator regulator auditor operator")
    ] = "administrator",
    division: Annotated[str, typer.Option(help="监管的行政区划代码前缀，如 51、5101 · a regulator's division")] = "",
    name: Annotated[str, typer.Option(help="备注 · a note")] = "",
    json: JsonOption = False,
) -> None:
    """新建密钥，只显示这一次 · Create a key, told this once."""
    with opened() as service:
        key, kept = service.keys.create(organisation, role, division=division, name=name)
    if json:
        print_json({"key": key, "key_id": kept.key_id, "organisation": kept.organisation, "role": kept.role})
    else:
        out.print(f"密钥（只显示这一次，请妥善保存）· key, shown once:\n{key}", highlight=False)


@key_app.command("list")
def list_keys(*, json: JsonOption = False) -> None:
    """列出密钥（不含密钥本身）· List keys, never the keys themselves."""
    with opened() as service:
        kept = service.keys.all()
    if json:
        print_json([each.model_dump(exclude={"digest"}) for each in kept])
        return
    table = Table("密钥号", "单位", "角色", "区划", "备注")
    for each in kept:
        table.add_row(each.key_id, each.organisation, each.role, each.division, escape(each.name))
    out.print(table)


@key_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="密钥号，见 key list · its number, see key list")],
    *,
    json: JsonOption = False,
) -> None:
    """撤销密钥，其会话同时失效 · Revoke a key and its sessions."""
    with opened() as service:
        service.keys.revoke(key_id)
    if json:
        print_json({"revoked": key_id})
    else:
        out.print(f"已撤销 · revoked {key_id}")


@app.command()
def label(
    batch: Annotated[str, typer.Argument(help="批次编号、数字识别码或扫码内容")],
    to: Annotated[Path | None, typer.Option("--to", help="写到此文件 · file to write")] = None,
    size_mm: Annotated[Literal["100", "150", "200"], typer.Option(help="边长，毫米 · side in mm")] = "100",
    form: Annotated[
        Literal["svg", "png", "pdf"] | None, typer.Option(help="文件格式，默认随文件名，否则 pdf · file form")
    ] = None,
    black_only: Annotated[bool, typer.Option("--black-only", help="仅黑色，用于预印标签纸 · black only")] = False,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """打印批次标签 · Print a batch's label."""
    with opened() as service:
        printing = Printing.model_validate({"size_mm": size_mm, "black_only": black_only})
        known = terminal.known(service, as_of)
        written = terminal.write_label(known, operator(), batch, to, terminal.label_form(form, to), printing)
        terminal.warn_of_address(service, err)
    tell_file("标签 · label", written, json=json)


@app.command()
def manifest(
    manifest_id: Annotated[
        str, typer.Argument(help="联单编号、国家或内部编号、扫码内容 · id, official or internal number, scanned link")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="写到此 PDF · PDF to write")] = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """查看并打印转移联单 · Show and print a manifest."""
    with opened() as service:
        known = terminal.known(service, as_of)
        if json:
            told = terminal.manifest(known, operator(), manifest_id)
            if to is not None:
                told["file"] = str(terminal.write_sheet(known, operator(), manifest_id, to))
            print_json(told)
            return
        terminal.print_manifest(known, operator(), manifest_id, out)
        written = terminal.write_sheet(known, operator(), manifest_id, to)
        terminal.warn_of_address(service, err)
    out.print(f"联单 · sheet: {written}", highlight=False)


@app.command()
def trace(  # noqa: PLR0913, PLR0917 - one parameter for each option
    batch: Annotated[str, typer.Argument(help="批次编号、数字识别码或扫码内容")],
    up: Annotated[bool, typer.Option("--up", help="溯源（默认为追踪去向）· upstream")] = False,
    both: Annotated[bool, typer.Option("--both", help="溯源与去向 · up and down")] = False,
    material: Annotated[list[str] | None, typer.Option(help="只显示此物料，可重复 · only this material")] = None,
    status: Annotated[list[Status] | None, typer.Option(help="只显示此属性，可重复 · only this legal status")] = None,
    code: Annotated[list[str] | None, typer.Option(help="只显示此废物代码，可重复 · only this waste code")] = None,
    enterprise: Annotated[list[str] | None, typer.Option(help="只显示此单位，可重复 · only this enterprise")] = None,
    division: Annotated[str, typer.Option(help="只显示此行政区划前缀 · only this division")] = "",
    begin: Annotated[str | None, typer.Option("--from", help="自此日产生 · made from this day")] = None,
    end: Annotated[str | None, typer.Option("--to", help="至此日产生 · made until this day")] = None,
    whole: Annotated[bool, typer.Option("--all", help="列出全部批次 · print every batch")] = False,
    depth: Annotated[int | None, typer.Option(min=0, help="层数 · depth")] = None,
    graph: Annotated[
        Literal["graphml", "node-link"] | None, typer.Option(help="导出 GraphML 或 node-link JSON")
    ] = None,
    at: AtOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """追踪去向或溯源 · Trace a batch down, or up."""
    with opened() as service:
        when = terminal.horizon(service, at, as_of)
        direction = "both" if both else "up" if up else "down"
        check_filters(service.catalogue, material or (), code or ())
        first, last = (parse_time(text) if text else None for text in (begin, end))
        only = Filter(
            frozenset(material) if material else None,
            frozenset(cast("LegalStatus", each.value) for each in status) if status else None,
            frozenset(code) if code else None,
            frozenset(enterprise) if enterprise else None,
            division,
            earliest_us(first) if first else None,
            latest_us(last) + 1 if last else None,
        )
        shown = print_json if json else None
        if graph is not None:
            sys.stdout.write(outline.export_graph(service, operator(), batch, direction, depth, when, graph, only))
        else:
            outline.print_trace(service, operator(), batch, direction, depth, when, out, shown, only, whole=whole)


@app.command()
def fate(
    batch: Annotated[str, typer.Argument(help="批次编号、数字识别码或扫码内容")],
    dry: Annotated[bool, typer.Option("--dry", help="按干重 · on dry mass")] = False,
    at: AtOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """最终去向，逐克 · Where a batch ended, to the gram."""
    with opened() as service:
        when = terminal.horizon(service, at, as_of)
        terminal.fate(service, operator(), batch, "dry" if dry else "weighed", when, out, print_json if json else None)


@app.command()
def indicators(  # noqa: PLR0913, PLR0917 - one parameter for each option
    begin: Annotated[str | None, typer.Option("--from", help="起始日 · first day")] = None,
    end: Annotated[str | None, typer.Option("--to", help="结束日 · last day")] = None,
    by: Annotated[list[Group] | None, typer.Option(help="分组，可重复 · group by, may be repeated")] = None,
    only: Annotated[list[str] | None, typer.Option(help="指标编号，可重复 · indicator id")] = None,
    level: Annotated[Reach | None, typer.Option(help="范围 · whose figures")] = None,
    key: Annotated[str, typer.Option(help="范围编号：信用代码或行政区划前缀 · its credit code or division")] = "",
    code: Annotated[str | None, typer.Option(help="废物代码或类别 · waste code or category")] = None,
    material: Annotated[str | None, typer.Option(help="物料编号 · material")] = None,
    metal: Annotated[str | None, typer.Option(help="金属 · metal")] = None,
    parts: Annotated[str | None, typer.Option(help="列出此指标各分量背后的事实 · the facts behind a figure")] = None,
    at: AtOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """指标，附定义与分子分母 · Indicators with their definitions and parts."""
    with opened() as service:
        when = terminal.horizon(service, at, as_of)
        reach = cast("Level", level.value) if level else None
        first, last = terminal.day(begin), terminal.day(end)
        wanted = Wanted(first=first, last=last, level=reach, key=key, code=code, material=material, metal=metal)
        if parts is not None:
            terminal.parts(service, operator(), wanted, parts, when, out, print_json if json else None)
            return
        terminal.indicators(
            service,
            operator(),
            wanted,
            [cast("By", each.value) for each in by or ()],
            only or (),
            when,
            out,
            print_json if json else None,
        )


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="示例数据文件夹 · folder of the demo")] = Path("var/demo"),
    seed: Annotated[int, typer.Option(help="随机种子 · seed")] = 1,
    keep: Annotated[bool, typer.Option("--no-serve", help="结束后不启动网页 · do not serve afterwards")] = False,
) -> None:
    """示例区域：建立、追踪、计算、出单，然后打开网页 · The demo region from start to finish."""
    from api.demo import run_demo  # the region's generator is needed by no other command

    service = run_demo(folder, seed, out)
    try:
        if sys.stdout.isatty() and not keep:
            serve_pages(service, out)
    finally:
        service.close()


@app.command()
def bench(
    batches: Annotated[int, typer.Option(min=100, help="批次数 · batches of the ledger that is made up")] = 10_000,
    only: Annotated[list[Name] | None, typer.Option(help="只测这一项，可重复 · only this, may be repeated")] = None,
    neo4j: Annotated[
        str | None, typer.Option(help="空的 Neo4j 地址，也在其上测量 · an empty one to measure on, bolt://…")
    ] = None,
    json: JsonOption = False,
) -> None:
    """测量：读数、登记、单据，与所依赖的产品并排 · Measure readings, writing and documents beside products we depend on."""
    from api.bench import running  # what it measures with is needed by no other command

    rows = running.run(batches, frozenset(only or ()), err, neo4j)
    if json:
        print_json(running.as_document(batches, rows))
    else:
        running.print_run(batches, rows, out)
