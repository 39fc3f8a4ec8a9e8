"""What every command begins and prints with: the installation, two consoles, JSON, and how a command ends."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from api.service import Service
from api.settings import Settings

REFUSED: Final = 1
"""Refused, or found wanting."""
WRONG_USE: Final = 2
PIPED_COLUMNS: Final = 160
"""As wide as the widest table: what is not a terminal has no width to keep to."""

out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_COLUMNS)
err = Console(stderr=True, soft_wrap=True)

JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]
AsOfOption = Annotated[
    str | None, typer.Option(help="截至此台账位置、此日或此刻已登记的 · what was known: a position or a record time")
]


@contextmanager
def opened() -> Generator[Service]:
    """The installation that the environment names."""
    service = Service.open(Settings.read())
    try:
        yield service
    finally:
        service.close()


def tell_file(what: str, path: Path, *, json: bool) -> None:
    """Which file was written."""
    if json:
        print_json({"file": str(path)})
    else:
        out.print(f"{what}: {escape(str(path))}", highlight=False)


def print_json(body: object) -> None:
    """JSON on standard output, one document."""
    sys.stdout.write(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
