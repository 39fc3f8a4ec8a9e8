"""一事. Which facts are one matter: they speak of one batch, one manifest, one place or permit, or others link them."""

from collections.abc import Iterable, Sequence
from typing import Final

from flows.book import Book, Revision
from flows.events import (
    Amendment,
    ApprovalGranted,
    Event,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
    PlanFiled,
    Stated,
)
from flows.touches import Touch, touched

_GRANTS: Final = (PermitGranted, PermitAmended, PermitRevoked, PlanFiled, ApprovalGranted)
_GRANTED: Final = frozenset({"permits", "plans", "approvals"})
"""What many transfers rest on that have nothing else in common: a matter only of the fact that grants it."""
_ASKED: Final = "known_"


def matters(forms: Sequence[Iterable[Stated]], book: Book) -> list[list[int]]:
    """Which facts belong together, each told in its forms: their numbers, every matter in the order of its first.

    A place or an enterprise links a fact that registers it with those that name it, never two that only name it.
    """
    names = [_names([*each], book) for each in forms]
    subjects = set[Touch]().union(*(own for own, _ in names))
    found: list[tuple[set[Touch], list[int]]] = []
    for number, (own, asked) in enumerate(names):
        linking, members = own | (asked & subjects), [number]
        for each in [each for each in found if not each[0].isdisjoint(linking)]:
            found.remove(each)
            linking, members = linking | each[0], each[1] + members
        found.append((linking, members))
    return sorted(sorted(members) for _, members in found)


def are_one(changes: Sequence[Amendment], revision: Revision, book: Book) -> bool:
    """Are these changes one matter, by themselves or by what does something else because of them?"""
    forms: list[tuple[Stated, ...]] = [change.forms for change in changes]
    if len(matters(forms, book)) == 1:
        return True
    between = [_told(reread.was, reread.now) for reread in revision.entries.values()]
    together = matters([*forms, *between], book)
    return any(set(range(len(changes))) <= set(each) for each in together)


def _told(*changes: object) -> tuple[Stated, ...]:
    events = (getattr(change, "event", None) for change in changes)
    return tuple(event for event in events if event is not None)


def _names(forms: Sequence[Event], book: Book) -> tuple[set[Touch], set[Touch]]:
    """What facts are about, and what they only ask for."""
    own, asked = set[Touch](), set[Touch]()
    for form in forms:
        for touch in touched(form, book):
            if touch.register.startswith(_ASKED):
                asked.add(Touch(touch.register.removeprefix(_ASKED), touch.name))
            elif touch.register in _GRANTED and not isinstance(form, _GRANTS):
                asked.add(touch)
            else:
                own.add(touch)
    return own, asked
