"""Masses in whole grams: read once at the door, shared out without a gram lost, shown exactly."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from flows.errors import Malformed

GRAMS_PER_TONNE: Final = 1_000_000
LARGEST_G: Final = 10**15
"""A thousand million tonnes: more than the province's yearly waste, so a larger mass is a slip of the unit."""

Grams: TypeAlias = Annotated[int, Field(gt=0, le=LARGEST_G, strict=True)]

_UNITS: Final = {
    "t": 1_000_000, "吨": 1_000_000, "kg": 1_000, "公斤": 1_000, "千克": 1_000, "g": 1, "克": 1,
}  # fmt: skip
_MASS: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>t|吨|kg|公斤|千克|g|克)?", re.IGNORECASE)


def grams(text: str, *, unit: str | None = None) -> int:
    """Whole grams of a mass as people write it: ``"12.5 t"`` is 12 500 000, full-width digits are digits.

    `unit` is what a bare number is in (a column headed 吨); without it a bare number is refused.

    Raises:
        Malformed: no number, a decimal comma, an unknown unit, finer than a gram, not above zero, or too large.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if "," in plain or "、" in plain:
        raise Malformed("mass-comma", read=text)
    match = _MASS.fullmatch(plain)
    if match is None:
        raise Malformed("mass-unreadable", read=text)
    named = (match["unit"] or unit or "").lower()
    if named not in _UNITS:
        raise Malformed("mass-unit-missing", read=text)
    exact = Decimal(match["number"]) * _UNITS[named]
    if exact != exact.to_integral_value():
        raise Malformed("mass-finer-than-gram", read=text)
    if not 0 < exact <= LARGEST_G:
        raise Malformed("mass-out-of-range", read=text)
    return int(exact)


def tonnes(mass_g: int) -> str:
    """A mass in tonnes, exactly, with a unit: ``12500000`` is ``"12.5 t"``. For messages and pages."""
    return f"{plain_tonnes(mass_g)} t"


def plain_tonnes(mass_g: int) -> str:
    """A mass in tonnes, exactly and without a unit, grouped by thousands with thin spaces left out."""
    sign = "-" if mass_g < 0 else ""
    whole, rest = divmod(abs(mass_g), GRAMS_PER_TONNE)
    return f"{sign}{whole}.{rest:06d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"


def share_out(total_g: int, weights: Sequence[int]) -> list[int]:
    """Share out a mass by weight. The parts sum to the whole, to the gram.

    The grams that rounding leaves over go to the largest remainders, the earlier part first.
    """
    whole = sum(weights)
    assert whole > 0, "nothing to share by"
    parts = [total_g * weight // whole for weight in weights]
    remainders = [total_g * weight % whole for weight in weights]
    for i in sorted(range(len(parts)), key=lambda i: -remainders[i])[: total_g - sum(parts)]:
        parts[i] += 1
    return parts
