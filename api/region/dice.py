"""The region's chance: one seeded stream for each name, so that one plant's luck never moves another's."""

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

Choice = TypeVar("Choice")

WIDEST: Final = 2.5
"""Draws stop at two and a half standard deviations: a plant's log holds no wonders."""


class Dice:
    """A stream of draws that depends on the seed and on its own name, and on nothing else."""

    def __init__(self, *names: object) -> None:
        self._names = names
        self._random = Random("/".join(map(str, names)))  # noqa: S311 - the same facts for the same seed is the point

    def named(self, *names: object) -> "Dice":
        """Another stream, under a longer name."""
        return Dice(*self._names, *names)

    def error(self) -> float:
        """A standard normal draw, within bounds."""
        return max(-WIDEST, min(WIDEST, self._random.gauss(0, 1)))

    def near(self, middle: float, spread: float) -> float:
        """A draw around `middle`; `spread` is the standard deviation as a share of it."""
        return middle * (1 + spread * self.error())

    def between(self, least: float, most: float) -> float:
        """Anything in between, equally likely."""
        return self._random.uniform(least, most)

    def chance(self, share: float) -> bool:
        """Does it happen, this once?"""
        return self._random.random() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of them."""
        return choices[int(self._random.random() * len(choices))]
