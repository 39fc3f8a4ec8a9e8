"""QR codes as squares: the matrix, its quiet zone, and the same squares as SVG and PNG."""

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final, Literal, TypeAlias

import qrcode
from PIL import Image
from qrcode.exceptions import DataOverflowError

from flows.errors import Malformed

Level: TypeAlias = Literal["L", "M", "Q", "H"]
Matrix: TypeAlias = tuple[tuple[bool, ...], ...]

QUIET_MODULES: Final = 4
"""The white border a reader needs, in modules (ISO/IEC 18004)."""

MODULE_MM: Final = 0.7
"""The smallest module that a dirty drum, printed at 203 dpi and photographed at arm's length, still gives back."""

_MASK: Final = 2
"""Always the same mask: the search for the best one is most of the work, and readers read all eight."""

_LEVELS: Final = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}


@lru_cache(maxsize=256)
def matrix(text: str, *, level: Level = "Q") -> Matrix:
    """The dark modules of the smallest code that holds `text`, row by row, without the quiet zone.

    Upper-case links take the alphanumeric mode, all else the byte mode; one segment either way.

    Raises:
        Malformed: nothing to encode, or more than any code holds.
    """
    if not text:
        raise Malformed("qr-empty")
    code = qrcode.QRCode(error_correction=_LEVELS[level], border=0, mask_pattern=_MASK)
    code.add_data(text, optimize=0)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):  # a version above 40 is the one, or the other, by length
        raise Malformed("qr-too-long", length=len(text)) from None
    return tuple(tuple(bool(dark) for dark in row) for row in code.modules)


def side_modules(squares: Matrix) -> int:
    """The side of a code with its quiet zone, in modules."""
    return len(squares) + 2 * QUIET_MODULES


def runs(squares: Matrix) -> Iterator[tuple[int, int, int]]:
    """The dark modules as (x, y, length) along each row, counted from the corner of the quiet zone."""
    for y, row in enumerate(squares, start=QUIET_MODULES):
        x = QUIET_MODULES
        for dark, modules in groupby(row):
            length = len(list(modules))
            if dark:
                yield x, y, length
            x += length


def path(squares: Matrix) -> str:
    """The dark modules as one SVG path: in one path no seams show between the rows."""
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(squares))


def svg(text: str, *, module_mm: float = MODULE_MM, level: Level = "Q") -> bytes:
    """The code on its white patch, to scale."""
    squares = matrix(text, level=level)
    side = side_modules(squares)
    size = f"{side * module_mm:.4g}mm"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{path(squares)}"/></svg>'
    ).encode()


def png(text: str, *, module_px: int = 8, level: Level = "Q") -> bytes:
    """The code on its white patch, `module_px` pixels to a module, in two colours."""
    squares = matrix(text, level=level)
    side = side_modules(squares)
    image = Image.new("1", (side, side), 1)
    for x, y, length in runs(squares):
        image.paste(0, (x, y, x + length, y + 1))
    file = io.BytesIO()
    image.resize((side * module_px, side * module_px), Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()
