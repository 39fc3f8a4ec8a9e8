"""What a batch is made of, in whole grams by origin: drawn and mixed by proportion, and never a gram lost."""

import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, MutableMapping
from enum import IntFlag
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from flows.ids import BatchId
from flows.mass import share_out
from graph.keeping import Found, Keeping
from graph.values import PLAIN, codec_of

LAST: Final = sys.maxsize
"""Behind every entry."""

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


Made: TypeAlias = tuple[tuple[Content, int], ...]
"""The contents of a batch when it was made, in their order."""


_CONTENTS: Final = codec_of(Contents)
_MADE: Final = codec_of(Made)
_DRAWN: Final = codec_of(list[tuple[int, int]])


class Holdings:
    """What every batch was made of, what was drawn on it by which entry, and so what it holds at any entry."""

    def __init__(self) -> None:
        self.now: MutableMapping[BatchId, Contents] = {}
        """The contents of each open batch."""
        self._made: MutableMapping[BatchId, Made] = {}
        self._drawn: MutableMapping[BatchId, list[tuple[int, int]]] = {}
        self._reached: dict[BatchId, tuple[int, Contents]] = {}

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it."""
        keeping.table("columns.contents.now", self.now, PLAIN, _CONTENTS)
        keeping.table("columns.contents.made", self._made, PLAIN, _MADE)
        keeping.table("columns.contents.drawn", self._drawn, PLAIN, _DRAWN)

    @classmethod
    def found(cls, found: Found) -> "Holdings":
        """The contents that were kept."""
        own = cls()
        own.now = found.table("columns.contents.now", PLAIN, _CONTENTS)
        own._made = found.table("columns.contents.made", PLAIN, _MADE)
        own._drawn = found.table("columns.contents.drawn", PLAIN, _DRAWN)
        return own

    def make(self, batch_id: BatchId, contents: Contents) -> None:
        """A batch comes to be, of these grams."""
        self._made[batch_id] = tuple(contents.items())
        self.now[batch_id] = contents

    def draw(self, batch_id: BatchId, position: int, mass_g: int) -> Contents:
        """An entry takes grams out of a batch, each origin by its share."""
        held = self.now[batch_id]
        taken = take(held, mass_g)
        insort(self._drawn.setdefault(batch_id, []), (position, mass_g), key=itemgetter(0))
        if not held:
            del self.now[batch_id]
        return taken

    def made(self, batch_id: BatchId) -> Made:
        """What a batch was made of; nothing for one that is not there."""
        return self._made.get(batch_id, ())

    def drawn_behind(self, batch_id: BatchId, position: int) -> set[int]:
        """The entries behind one that draw on a batch."""
        drawn = self._drawn.get(batch_id, ())
        return {each for each, _ in drawn[bisect_right(drawn, position, key=itemgetter(0)) :]}

    # going back -------------------------------------------------------------------------------------------------

    def go_back(self, batch_id: BatchId, position: int) -> None:
        """Let a batch hold again what it held before an entry; entries are gone back to in order."""
        reached, held = self._reached.get(batch_id, (0, dict(self.made(batch_id))))
        drawn = self._drawn.get(batch_id, [])
        begin = bisect_left(drawn, reached, key=itemgetter(0))
        for _, mass_g in drawn[begin : bisect_left(drawn, position, key=itemgetter(0))]:
            _ = take(held, mass_g)
        self._reached[batch_id] = position, dict(held)
        if held:
            self.now[batch_id] = held
        else:
            _ = self.now.pop(batch_id, None)

    def undo(self, position: int, drawn: Iterable[BatchId], made: Iterable[BatchId]) -> None:
        """An entry has not drawn, and has not made."""
        for batch_id in drawn:
            self._drawn[batch_id] = [each for each in self._drawn[batch_id] if each[0] != position]
        for batch_id in made:
            _ = self._made.pop(batch_id, None)
            _ = self.now.pop(batch_id, None)

    def come_back(self, batch_ids: Iterable[BatchId]) -> None:
        """These batches hold again what the last entry left of them."""
        for batch_id in batch_ids:
            self.go_back(batch_id, LAST)
        self._reached.clear()
