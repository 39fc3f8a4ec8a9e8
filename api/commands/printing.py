"""What every command prints with: two consoles, JSON, and how a command ends."""

import sys
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console

REFUSED: Final = 1
"""Refused, or found wanting."""
WRONG_USE: Final = 2
PIPED_COLUMNS: Final = 160
"""As wide as the widest table: what is not a terminal has no width to keep to."""

out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_COLUMNS)
err = Console(stderr=True, soft_wrap=True)

JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]


def print_json(body: object) -> None:
    """JSON on standard output, one document."""
    sys.stdout.write(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
