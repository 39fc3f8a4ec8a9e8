"""How far a long command is, on a terminal; to a pipe nothing is said."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.imports import Watch
from api.workbook.report import Progress as Phase

WORDS: Final[dict[Phase, str]] = {
    "reading": "读取 · reading",
    "checking": "检查 · checking",
    "recording": "登记 · recording",
}


@contextmanager
def watched(console: Console) -> Generator[Watch]:
    """A bar for each phase of an import; it goes when the import ends."""
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*bars, console=console, transient=True, disable=not console.is_terminal) as shown:
        tasks = {phase: shown.add_task(words, total=None, start=False) for phase, words in WORDS.items()}

        def hear(phase: Phase, done: int, total: int) -> None:
            shown.start_task(tasks[phase])
            shown.update(tasks[phase], completed=done, total=total)

        yield hear
