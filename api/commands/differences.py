"""`huanliu diff`: what changed between two dates, and which fact did it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import typer
from rich.markup import escape
from rich.table import Table

from api.commands.printing import JsonOption, out, print_json
from api.rest.asking import PAGE_MOST
from api.rest.differences import Between, compare
from api.service import Service
from api.settings import Settings
from api.terminal import day
from flows.access import Caller
from flows.mass import plain_tonnes
from flows.times import parse_time, shown

Json: TypeAlias = dict[str, Any]
HOW_ZH: Final = {"made": "新增", "withdrawn": "不再存在", "changed": "变化"}
FIELDS_MOST: Final = 8
"""Values of one row that a table bears; `--json` has them all."""
_OPERATOR: Final = Caller("000000000000000000", "auditor")
"""Who sits at the machine: sees what an auditor sees."""


def diff(  # noqa: PLR0913 - one parameter for each option
    earlier: Annotated[str, typer.Argument(metavar="FROM", help="前：台账位置、日期或时刻 · position, day or instant")],
    later: Annotated[str, typer.Argument(metavar="[TO]", help="后，不填为现在 · now without it")] = "",
    *,
    by_time: Annotated[
        bool, typer.Option("--at", help="按发生时间比较（默认按登记时间）· compare by event time, as known now")
    ] = False,
    batch: Annotated[str, typer.Option(help="只看此批次 · this batch only")] = "",
    enterprise: Annotated[str, typer.Option(help="只看此单位（信用代码）· this enterprise only")] = "",
    figures: Annotated[bool, typer.Option("--figures", help="只看指标 · figures only")] = False,
    begin: Annotated[str | None, typer.Option("--from", help="指标期间的起始日 · first day of the figures")] = None,
    end: Annotated[str | None, typer.Option("--to", help="指标期间的结束日 · last day of the figures")] = None,
    json: JsonOption = False,
) -> None:
    """两个日期之间的差异：批次、联单、指标，及由哪条登记引起 · What changed between two dates, and which fact did it."""
    names = ("from_at", "to_at") if by_time else ("from", "to")
    asked: Json = {
        names[0]: earlier, names[1]: later, "batch": batch, "enterprise": enterprise, "limit": PAGE_MOST,
        "first": day(begin), "last": day(end),
    }  # fmt: skip
    between = Between.model_validate(asked)
    service = Service.open(Settings.read())
    try:
        told = compare(service, _OPERATOR, between)
    finally:
        service.close()
    if figures:
        told |= {"batches": [], "manifests": []}
    if json:
        print_json(told)
        return
    _print(told)


def _print(told: Json) -> None:
    sides = [
        f"第 {side['position']} 条（{_when(side['record_time'])} 登记）"
        + (f"，截至 {_when(side['at'])}" if side["at"] else "")
        for side in (told["earlier"], told["later"])
    ]
    out.print(f"[bold]{sides[0]} → {sides[1]}[/]", highlight=False)
    for title, key in (("批次 · batches", "batches"), ("联单 · manifests", "manifests")):
        rows = cast("list[Json]", told[key])
        if rows:
            _print_rows(title, rows, told["totals"][key])
    if told["figures"]:
        _print_figures(cast("list[Json]", told["figures"]))
    if not any(told[key] for key in ("batches", "manifests", "figures")):
        out.print("没有差异 · nothing differs")


def _print_rows(title: str, rows: Sequence[Json], total: int) -> None:
    table = Table(title, "变化", "原为 → 现为", "引起变化的登记")
    for row in rows:
        fields = [
            f"{each['field']}：{_value(each, 'was')} → {_value(each, 'now')}" for each in row["fields"][:FIELDS_MOST]
        ]
        left = len(row["fields"]) - len(fields)
        fields += [f"……另 {left} 项"] if left else []
        told = fields if row["change"] == "changed" else []
        table.add_row(escape(row["id"]), HOW_ZH[row["change"]], escape("\n".join(told)), _facts(row))
    out.print(table)
    if total > len(rows):
        out.print(f"……共 {total} 行 · {total} rows in all")


def _print_figures(rows: Sequence[Json]) -> None:
    table = Table("指标", "原为", "现为", "分子差 g", "分母差 g", "引起变化的登记")
    for row in rows:
        masses = [row["numerator_difference_g"], row["denominator_difference_g"]]
        table.add_row(
            escape(row["now"]["name_zh"]),
            row["was"]["shown"] or "—",
            row["now"]["shown"] or "—",
            *("—" if each is None else f"{each:+d}" for each in masses),
            _facts(row),
        )
    out.print(table)


def _facts(row: Json) -> str:
    told = [
        f"第 {each['position']} 条 {each['kind']} {_when(each['record_time'])}"
        + (f"（更正第 {'、'.join(map(str, each['corrects']))} 条：{each['reason']}）" if each["corrects"] else "")
        for each in row["because"]
    ]
    told += [f"……另 {row['others']} 条"] if row["others"] else []
    return escape("\n".join(told))


def _value(each: Json, side: str) -> str:
    value = each[side]
    if value is None:
        return "—"
    return f"{plain_tonnes(value)} t" if each["field"].endswith("_g") else str(value)


def _when(text: str) -> str:
    return shown(parse_time(text))
