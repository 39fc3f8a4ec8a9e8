"""`huanliu backup` and `huanliu restore`: a live ledger copied and checked, and a copy put in its place."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from api.commands.printing import REFUSED, JsonOption, err, out, print_json
from api.rest.answers import finding_json
from api.settings import Settings
from flows.errors import Malformed
from flows.times import SHANGHAI
from graph.sqlite_backup import Copied, Progress, back_up, check
from graph.sqlite_restore import Restored
from graph.sqlite_restore import restore as restore_file
from graph.sqlite_store import SqliteStore
from graph.store_problems import StoreProblem


def backup(
    file: Annotated[
        Path | None, typer.Argument(help="写到此文件，或按日期命名写入此文件夹 · file to write, or a folder")
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="只核对此备份 · check this backup and write nothing")] = False,
    json: JsonOption = False,
) -> None:
    """在线备份台账，不影响登记；写完先核对再命名 · Back up the live ledger: copied, checked, and only then named."""
    if file is None:
        raise Malformed("backup-needs-name")
    if check:
        _tell_check(file, json=json)
        return
    settings = Settings.read()
    _check_embedded(settings)
    if not settings.file.exists():
        raise StoreProblem("backup-nothing", path=str(settings.file))
    target = _target(file)
    store = SqliteStore(settings.file)
    try:
        with _shown() as progress:
            copied = back_up(store, target, progress)
    finally:
        store.close()
    if json:
        print_json(_told(copied))
        return
    out.print(f"[green]✓ 备份完成，已核对 · backed up and checked[/]  {escape(str(copied.file))}", highlight=False)
    _print_end(copied)
    out.print(
        "请把位置和摘要另存他处：日后可证明台账只增未改 · keep position and digest elsewhere: they prove later that the "
        f"ledger only grew\n  huanliu audit --since {copied.head.position} --digest {copied.head.digest}",
        style="dim",
        highlight=False,
    )


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 · the backup")],
    *,
    force: Annotated[
        bool,
        typer.Option("--force", help="现有台账有备份之外的条目也恢复，现有文件改名保留 · also over entries it lacks"),
    ] = False,
    json: JsonOption = False,
) -> None:
    """由备份恢复台账；现有文件改名保留，从不删除 · Restore a backup; what is there moves aside and is never deleted."""
    settings = Settings.read()
    _check_embedded(settings)
    restored = restore_file(file, settings.file, force=force, now=_now())
    if json:
        aside = str(restored.aside) if restored.aside else None
        before = restored.before.position if restored.before else None
        more = {"aside": aside, "position_before": before, "left_out": restored.left_out}
        print_json({**_told(restored.backup), "file": str(settings.file), **more})
        return
    out.print(f"[green]✓ 已恢复 · restored[/]  {escape(str(settings.file))}", highlight=False)
    _print_end(restored.backup)
    _print_aside(restored)


def _print_aside(restored: Restored) -> None:
    if restored.aside is None:
        return
    out.print(f"原文件保留在 · what was there lies at  {escape(str(restored.aside))}", highlight=False)
    if restored.left_out and restored.before:
        first, last = restored.backup.head.position + 1, restored.before.position
        out.print(
            f"第 {first} 至 {last} 条不在备份中，需重新登记 · entries {first} to {last} are not in the backup; "
            "state them anew",
            style="yellow",
            highlight=False,
        )


def _tell_check(file: Path, *, json: bool) -> None:
    copied = check(file)
    if json:
        print_json(_told(copied))
    else:
        for each in copied.faults:
            out.print(f"[red]✗[/] {escape(str(finding_json(each, 'zh')['detail']))}", highlight=False)
            out.print(f"  {escape(str(finding_json(each, 'en')['detail']))}", style="dim", highlight=False)
        if not copied.sealed:
            out.print(
                "此文件没有封签（旧版本所做，或不是备份）：未使用的字节和工作台未核对 · not sealed: what no entry rests on "
                "was not checked",
                style="yellow",
                highlight=False,
            )
        good = "[green]✓ 完整 · whole[/]" if not copied.faults else f"[red]发现 {len(copied.faults)} 处 · faults[/]"
        out.print(f"{good}  {escape(str(file))}", highlight=False)
        _print_end(copied)
    raise typer.Exit(REFUSED if copied.faults else 0)


def _print_end(copied: Copied) -> None:
    recorded = f"{copied.recorded:%Y-%m-%d %H:%M:%S}" if copied.recorded else "—"
    out.print(
        f"条目 entries {copied.head.position}  末条登记 last recorded {recorded}  "
        f"结构版本 schema {copied.schema}  {copied.size_b / 1e6:,.1f} MB\n摘要 digest {copied.head.digest}",
        highlight=False,
    )


def _told(copied: Copied) -> Mapping[str, object]:
    return {
        "file": str(copied.file),
        "position": copied.head.position,
        "digest": copied.head.digest,
        "recorded": copied.recorded.isoformat() if copied.recorded else None,
        "schema": copied.schema,
        "size_b": copied.size_b,
        "sealed": copied.sealed,
        "faults": [finding_json(each, "zh") for each in copied.faults],
    }


def _check_embedded(settings: Settings) -> None:
    """Neo4j is copied by its own means: its files hold the graph and the accounts too."""
    if not settings.embedded:
        raise StoreProblem("backup-of-neo4j", uri=settings.ledger, database=settings.neo4j_database)


def _target(file: Path) -> Path:
    """A file to be written. A folder, or a name without an ending that nothing bears yet, is one for dated files."""
    folder = file.is_dir() or not (file.exists() or file.suffix)
    return file / f"huanliu-{_now():%Y%m%d-%H%M%S}.db" if folder else file


@contextmanager
def _shown() -> Generator[Progress | None]:
    """A bar on a terminal; nothing where nobody looks."""
    if not err.is_terminal:
        yield None
        return
    with Bar(
        TextColumn("备份 · backup"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _now() -> datetime:
    return datetime.now(SHANGHAI)
