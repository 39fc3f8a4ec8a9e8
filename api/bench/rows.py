"""One measured row: ours beside a peer, called in turn, as medians; and how rows are printed."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import log10
from statistics import median
from time import perf_counter
from typing import Final, Literal, TypeAlias, TypeVar

from rich.console import Console
from rich.table import Table

Unit: TypeAlias = Literal["ms", "/s"]

SECONDS_EACH: Final = 1.5
"""For ours and its peers together: the whole table stays within a minute."""
ROUNDS: Final = (3, 31)
"""At least so many, however slow; no more, however fast."""
MS: Final = 1000.0
_DIGITS: Final = 3

Answer = TypeVar("Answer")


class Name(StrEnum):
    """What may be measured alone, in the order in which it is shown."""

    TRACE = "trace"
    FATE = "fate"
    FATES = "fates"
    GROWTH = "growth"
    MENDED = "mended"
    IMPORT = "import"
    START = "start"
    TURNS = "turns"
    NEO4J = "neo4j"
    WIRE = "wire"
    BACKUP = "backup"
    WORKBOOK = "workbook"
    BESIDE = "beside"
    LABEL = "label"
    SHEET = "sheet"
    QR = "qr"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured. `ratio` is how many times better ours is than the peer: below one the peer wins."""

    name: Name
    what: str
    unit: Unit
    """``ms``: less is better; ``/s``: more is better."""
    ours: float
    peer: str = ""
    """Empty where nothing that we depend on answers the same question."""
    theirs: float | None = None
    ratio: float | None = None
    note: str = ""


def row(name: Name, what: str, unit: Unit, ours: float, theirs: tuple[str, float] | None = None, note: str = "") -> Row:
    """A row with its ratio."""
    if theirs is None:
        return Row(name, what, unit, ours, note=note)
    peer, value = theirs
    return Row(name, what, unit, ours, peer, value, value / ours if unit == "ms" else ours / value, note)


def medians_ms(*questions: Callable[[], object], seconds: float = SECONDS_EACH) -> list[float]:
    """The median milliseconds of each question. They are asked in turn, so that what slows one slows all."""
    taken: list[list[float]] = [[] for _ in questions]
    until = perf_counter() + seconds
    least, most = ROUNDS
    for done in range(most):
        if done >= least and perf_counter() > until:
            break
        for question, own in zip(questions, taken, strict=True):
            begin = perf_counter()
            question()
            own.append(MS * (perf_counter() - begin))
    return [median(own) for own in taken]


def timed(question: Callable[[], Answer]) -> tuple[float, Answer]:
    """The seconds of one call, and its answer."""
    begin = perf_counter()
    answer = question()
    return perf_counter() - begin, answer


def as_json(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Rows as plain values."""
    return [asdict(each) for each in rows]


def print_rows(rows: Iterable[Row], out: Console) -> None:
    """A table: what, ours, the peer's, how many times better."""
    table = Table("测项 · what", "环流 · ours", "对照 · peer", "倍数 · ratio", "备注 · note")
    for each in rows:
        theirs = "—" if each.theirs is None else f"{_figure(each.theirs, each.unit)}\n[dim]{each.peer}[/]"
        colour = "" if each.ratio is None else "green" if each.ratio >= 1 else "yellow"
        ratio = "—" if each.ratio is None else f"[{colour}]{_short(each.ratio)}×[/]"
        table.add_row(f"{each.what}\n[dim]{each.name}[/]", _figure(each.ours, each.unit), theirs, ratio, each.note)
    out.print(table)


def _figure(value: float, unit: Unit) -> str:
    return f"{_short(value)} {unit}" if unit == "ms" else f"{_short(value)}{unit}"


def _short(value: float) -> str:
    """Three digits that count, never with an exponent."""
    if value <= 0:
        return "0"
    places = max(0, _DIGITS - 1 - int(log10(value))) if value >= 1 else _DIGITS
    return f"{value:,.{places}f}"
