"""Findings as people read them: many steps told late are one line with the latest of them, and a long list ends."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from api.workbook.report import ImportFinding
from flows.law import Finding

SHOWN_MOST: Final = 100
"""Lines of a list that somebody still reads; the machine-readable answer holds all."""


def gathered(findings: Iterable[ImportFinding]) -> list[ImportFinding]:
    """The same findings in their order; lateness told more than once is one line, where the latest of it stood."""
    found = list(findings)
    late = [each for each in found if each.key == "told-late"]
    if len(late) < 2:  # noqa: PLR2004 - one is told as it is
        return found
    latest = max(late, key=lambda each: int(each.figures["hours"] or 0))
    named = ("manifest", "step", "step_en", "happened", "days")
    figures = {name: latest.figures[name] for name in named}
    many = ImportFinding.of(Finding("many-told-late", {"count": len(late)} | figures), latest.place)
    return [many, *(each for each in found if each.key != "told-late")]


def lines(findings: Sequence[ImportFinding]) -> Iterator[tuple[str, str]]:
    """What stands on a terminal, in Chinese and English: each with its place, and how many more there are."""
    told = gathered(findings)
    for each in told[:SHOWN_MOST]:
        where = " ".join(part for part in (each.place.sheet, each.place.cell or str(each.place.row or "")) if part)
        yield (f"{where}：{each.zh}", f"{where}: {each.en}") if where else (each.zh, each.en)
    if len(told) > SHOWN_MOST:
        more = len(told) - SHOWN_MOST
        yield f"……另有 {more} 项，全部见 --json", f"… and {more} more, all with --json"


def print_kinds(findings: Sequence[ImportFinding], out: Console) -> None:
    """A line for each kind of finding, the most frequent first: how many there are, and one of them in words."""
    kinds = Counter(each.key for each in findings)
    told = gathered(findings)
    for key, count in kinds.most_common():
        one = next(each for each in told if each.key in {key, f"many-{key}"})
        alike = count > 1 and one.key == key
        out.print(f"[yellow]![/] {f'{count} 项，如：' if alike else ''}{escape(one.zh)}", highlight=False)
        out.print(f"  {f'{count}, such as: ' if alike else ''}{escape(one.en)}", style="dim", highlight=False)


def print_findings(findings: Sequence[ImportFinding], out: Console) -> None:
    """What was admitted and does not add up, in both languages."""
    for zh, en in lines(findings):
        out.print(f"[yellow]![/] {escape(zh)}", highlight=False)
        out.print(f"  {escape(en)}", style="dim", highlight=False)
