"""`huanliu audit` and `huanliu rebuild`: is the ledger what it was, and is what is read from it what it says?"""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from api import audits
from api.commands.graph import redraw
from api.commands.printing import REFUSED, JsonOption, err, out, print_json
from api.rest.answers import finding_json
from api.rest.asking import COUNT_MOST
from api.service import Service
from api.settings import Settings
from flows.audit import growth_faults
from flows.entries import Head
from flows.errors import Malformed
from flows.law import Finding
from flows.times import moment_of

READINGS = {
    "book": "账面 · book",
    "lineage": "谱系索引 · lineage",
    "columns": "指标计数 · columns",
    "containers": "数字识别码 · containers",
    "cache": "缓存 · cache",
}


def audit(
    since: Annotated[
        int | None, typer.Option(min=0, max=COUNT_MOST, help="当时保存的台账位置 · a position that somebody kept")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="当时该位置的摘要 · the digest there, as it was then")] = None,
    *,
    head: Annotated[
        bool, typer.Option("--head", help="只显示当前位置与摘要，供保存 · only print today's position and digest")
    ] = False,
    json: JsonOption = False,
) -> None:
    """核对台账（字节、摘要链、分录）、缓存与工作台；--since 证明台账只增未改 · Audit ledger, readings and desk.

    加 --since 与 --digest，证明自当时起台账只有增加 · With --since and --digest: proves that the ledger only grew.
    """
    if (since is None) is not (digest is None):
        raise Malformed("audit-since-needs-digest")
    service = Service.open_unread(Settings.read())
    try:
        if head:
            _tell(service.ledger.head(), [], json=json, audited=False)
            return
        grown = [] if since is None or digest is None else growth_faults(service.ledger, since, digest)
        found = audits.audit(service)
        faults = [*found.faults, *(each for each in grown if each not in found.faults)]
        _tell(found.head, faults, json=json, since=None if since is None else (since, not grown))
    finally:
        service.close()
    raise typer.Exit(REFUSED if faults else 0)


def _tell(
    head: Head,
    faults: Sequence[Finding],
    *,
    json: bool,
    since: tuple[int, bool] | None = None,
    audited: bool = True,
) -> None:
    recorded = moment_of(head.record_time_us).isoformat() if head.position else None
    if json:
        told: dict[str, object] = {"position": head.position, "digest": head.digest, "record_time": recorded}
        if audited:
            told["faults"] = [finding_json(each, "zh") | {"detail_en": _english(each)} for each in faults]
        if since is not None:
            told |= {"since": since[0], "only_grew": since[1]}
        print_json(told)
        return
    for each in faults:
        out.print(f"[red]✗[/] {escape(str(finding_json(each, 'zh')['detail']))}", highlight=False)
        out.print(f"  {escape(_english(each))}", style="dim", highlight=False)
    if since is not None and since[1]:
        grown = head.position - since[0]
        out.print(
            f"[green]✓[/] 自第 {since[0]} 条起台账只有增加（{grown} 条）· since entry {since[0]} the ledger only grew, by {grown}",
            highlight=False,
        )
    if audited:
        good = (
            "[green]✓ 台账完整，缓存与工作台相符 · ledger, readings and desk are sound[/]"
            if not faults
            else f"[red]发现 {len(faults)} 处 · found: {len(faults)}[/]"
        )
        out.print(good, highlight=False)
    out.print(f"条目 · position {head.position}  摘要 · digest {head.digest}", highlight=False)
    if not faults and head.position:
        err.print(
            f"请保存以上两项，日后可证明台账只增未改 · keep these two, and prove later that the ledger only grew:\n"
            f"  huanliu audit --since {head.position} --digest {head.digest}",
            style="dim",
            highlight=False,
        )


def _english(finding: Finding) -> str:
    return str(finding_json(finding, "en")["detail"])


def rebuild(
    *,
    cache: Annotated[bool, typer.Option("--cache", help="只由台账重写缓存 · only write the cache anew")] = False,
    onward: Annotated[
        bool,
        typer.Option("--onward", help="--cache：由现有缓存续读 · from the cache that is there"),
    ] = False,
    graph: Annotated[
        bool, typer.Option("--graph", help="只由台账重绘 Neo4j 中的图 · only draw the graph in Neo4j anew")
    ] = False,
    json: JsonOption = False,
) -> None:
    """由台账重新读出全部账面与索引，与在用的和缓存逐项比较，并重写缓存 · Read everything anew, compare, and write the cache.

    台账之外的一切都可由台账重建；两者一致即证明读数全部由台账得出 · All but the ledger can be made anew from it: that both agree
    proves that the readings follow from the entries.
    """
    if cache and graph:
        raise Malformed("rebuild-choose-one")
    if onward and not cache:
        raise Malformed("rebuild-onward-alone")
    if graph:
        redraw(Settings.read(), json=json)
        return
    service = Service.open(Settings.read()) if onward or not cache else Service.open_unread(Settings.read())
    try:
        good = _write_cache(service, json=json) if cache else _rebuild(service, json=json)
    finally:
        service.close()
    raise typer.Exit(0 if good else REFUSED)


def _write_cache(service: Service, *, json: bool) -> bool:
    """Write the cache from the entries, or from the cache that is there and what came since."""
    service.recording.catch_up()
    assert service.caching is not None, "an opened installation has a cache"
    told = service.caching.write(service.recording)
    written = told.key == "cache-written"
    if json:
        print_json({"written": written, **told.figures})
    else:
        out.print(escape(f"{told.text('zh')}\n{told.text('en')}"), highlight=False)
    return written


def _rebuild(service: Service, *, json: bool) -> bool:
    found = audits.compared(service)
    assert service.caching is not None, "an opened installation has a cache"
    replaced = service.caching.replaced(found.fresh)
    agree = {name: not differing for name, differing in found.differing.items()}
    if json:
        told = {"position": found.position, "batches": found.batches, "agree": agree, "differing": found.differing}
        print_json(told | {"cache": {"written": replaced.key == "cache-written", **replaced.figures}})
        return all(agree.values())
    for name, differing in found.differing.items():
        parts = f"：{'、'.join(differing)}" if differing else ""
        out.print(f"{'[red]✗[/]' if differing else '[green]✓[/]'} {READINGS[name]}{parts}")
    out.print(
        f"已由 {found.position} 条台账重新读出 {found.batches} 个批次 · "
        f"{found.batches} batches read anew from {found.position} entries"
    )
    out.print(escape(f"{replaced.text('zh')}\n{replaced.text('en')}"), highlight=False)
    return all(agree.values())
