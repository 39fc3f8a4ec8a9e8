"""What a batch is made of, in whole grams by origin: drawn and mixed by proportion, and never a gram lost."""

from collections.abc import Iterable
from enum import IntFlag
from typing import Final, NamedTuple, TypeAlias

from flows.mass import share_out

NOTHING: Final = -1
"""No waste origin: the grams are scrap bought, metal, flux, or found between two scales."""


class Mark(IntFlag):
    """What has been counted of the grams, so that nothing counts twice."""

    FILED = 1
    """Used or disposed of, in the generator's filing."""
    CHARGED = 2
    """Charged to a process of use."""
    SUPPLIED = 4
    """Counted as secondary metal."""
    RELEASED = 8
    """Counted as a product of its maker."""


class Content(NamedTuple):
    """Whence some grams of a batch come: indices into the tables of origins and of metal sources.

    `origin` is the waste that they are part of now, `root` the first waste that they were, before any recoverer
    made another waste of it.
    """

    origin: int = NOTHING
    root: int = NOTHING
    metal: int = 0
    marks: int = 0


Contents: TypeAlias = dict[Content, int]


def total_g(contents: Contents) -> int:
    """All grams."""
    return sum(contents.values())


def take(held: Contents, mass_g: int) -> Contents:
    """Take grams out of a batch, each origin by its share of what is there."""
    if len(held) == 1:
        ((content, there_g),) = held.items()
        assert mass_g <= there_g, "more is taken than is there"
        _leave(held, content, there_g - mass_g)
        return {content: mass_g}
    if mass_g == total_g(held):
        taken = dict(held)
        held.clear()
        return taken
    parts = share_out(mass_g, list(held.values()))
    taken = {content: part_g for content, part_g in zip(list(held), parts, strict=True) if part_g}
    for content, part_g in taken.items():
        _leave(held, content, held[content] - part_g)
    return taken


def _leave(held: Contents, content: Content, left_g: int) -> None:
    assert left_g >= 0, "more is taken than is there"
    if left_g:
        held[content] = left_g
    else:
        del held[content]


def add(mix: Contents, more: Iterable[tuple[Content, int]]) -> None:
    """Put grams to others."""
    for content, mass_g in more:
        mix[content] = mix.get(content, 0) + mass_g


def marked(contents: Contents, mark: Mark) -> Contents:
    """The same grams, with a mark."""
    mix: Contents = {}
    add(mix, ((content._replace(marks=content.marks | mark), mass_g) for content, mass_g in contents.items()))
    return mix


def unmarked(contents: Contents, mark: Mark) -> Contents:
    """The same grams, without a mark."""
    mix: Contents = {}
    add(mix, ((content._replace(marks=content.marks & ~mark), mass_g) for content, mass_g in contents.items()))
    return mix
