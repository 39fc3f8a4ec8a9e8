"""`huanliu export --ledger` and `huanliu import --ledger`: a ledger on its way from one store to another."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api import desk_file
from api.commands.graph import Drawn, bring_up, print_drawn
from api.commands.printing import err, out, print_json
from api.desk_file import Carried
from api.service import Service
from api.settings import Settings
from flows.errors import Malformed
from graph import entry_file
from graph.entry_file import Moved, Told

DeskOption = Annotated[
    Path | None,
    typer.Option(
        "--desk",
        help="--ledger：密钥、列名对应、待对方登记等另存此文件 · keys, mapped columns and what waits, in this file",
    ),
]
_EXPORTED: Final = "已导出 · exported"
_IMPORTED: Final = "已导入 · imported"


def export_ledger(to: Path | None, desk: Path | None, *, json: bool) -> None:
    """Write the ledger, and the desk where that is asked for; an earlier file of this ledger is only added to."""
    if to is None:
        raise Malformed("export-needs-name")
    with closing(Service.open_unread(Settings.read())) as service, _shown() as bar:
        moved = entry_file.write(service.ledger, to, _told(bar, "导出 · exporting"))
        carried = desk_file.write(service.desk, service.clock, desk) if desk else None
    if json:
        _tell_json(to, moved, desk, carried)
    else:
        _tell(_EXPORTED, to, moved, desk, carried)
        _tell_left(desk, carried)


def import_ledger(file: Path, desk: Path | None, *, check: bool, json: bool) -> None:
    """Take in a ledger file, and a desk file: all of the file is checked first, then what is missing here is appended.

    On Neo4j the graph follows: it may be broken off, the entries stand.
    """
    settings = Settings.read()
    with closing(Service.open_unread(settings)) as service:
        with _shown() as bar:
            end = entry_file.check(file, _told(bar, "核对 · checking"))
            moved, carried = Moved(end, end), None
            if not check:
                moved = entry_file.take_in(file, service.ledger, _told(bar, "导入 · importing"))
                carried = desk_file.take_in(desk, service.desk, service.clock) if desk else None
        head = service.ledger.head()
        if not json:
            words = "文件完整，未导入 · the file is whole, nothing was taken in" if check else _IMPORTED
            _tell(words, file, moved, desk, carried)
        drawn = None if check else bring_up(settings, service.ledger)
    if json:
        _tell_json(file, moved, desk, carried, drawn)
    elif not check:
        if drawn is not None:
            print_drawn(drawn, json=False)
        if head.position > end.position:
            out.print(
                f"现有台账比文件多 {head.position - end.position} 条，未作改动 · the ledger here has more entries than the "
                "file; nothing was changed",
                style="yellow",
                highlight=False,
            )
        out.print("请再执行 huanliu audit 全面核对 · now run huanliu audit", style="dim", highlight=False)


def _tell_json(
    file: Path, moved: Moved, desk: Path | None, carried: Carried | None, drawn: Drawn | None = None
) -> None:
    graph = {} if drawn is None else {"graph": drawn.head.position}
    print_json({
        "file": str(file), "position": moved.after.position, "digest": moved.after.digest, "entries": moved.entries,
        "desk": None if carried is None else {"file": str(desk), **_counts(carried)}, **graph,
    })  # fmt: skip


def _tell(what: str, file: Path, moved: Moved, desk: Path | None, carried: Carried | None) -> None:
    out.print(f"[green]✓ {what}[/]  {escape(str(file))}", highlight=False)
    out.print(
        f"新增 added {moved.entries}  条目 position {moved.after.position}\n摘要 digest {moved.after.digest}",
        highlight=False,
    )
    if carried is not None:
        out.print(
            f"工作台 · desk {escape(str(desk))}：{carried.written} 件 documents，原已在 there already {carried.unchanged}，"
            f"与现有不同而保留现有 left as they stand here {carried.differing}",
            highlight=False,
        )


def _counts(carried: Carried) -> dict[str, int]:
    return {"written": carried.written, "unchanged": carried.unchanged, "differing": carried.differing}


def _tell_left(desk: Path | None, carried: Carried | None) -> None:
    if desk is None:
        words = "密钥、列名对应和待对方登记的行不在其中，需要时加 --desk 文件 · keys, mapped columns and rows that wait are not in it: --desk FILE"
    elif carried is not None and carried.imports_left:
        words = f"有 {carried.imports_left} 个导入正在办理，不在其中；请等其结束后再导出 · imports under way are not in it: export again when they are done"
    else:
        return
    out.print(words, style="yellow", highlight=False)


@contextmanager
def _shown() -> Generator[Progress]:
    """Bars on a terminal; nothing where nobody looks."""
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield bar


def _told(bar: Progress, words: str) -> Told:
    task = bar.add_task(words)
    return lambda done, total: bar.update(task, completed=done, total=total)
