"""Whatever judging and reading a fact asks the book about is among what the fact touches; else a correction would miss it."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from flows.book import Book
from flows.errors import Problem
from flows.events import Event, Mending
from flows.layers import Layer
from flows.reading import read
from flows.rules import admit
from flows.times import instant_us
from flows.touches import Touch, touched
from tests.flows.proposals import crowds
from tests.flows.stories import NOON, House, settled
from tests.flows.test_fact_story import story

NOW_US = instant_us(NOON)
OF_MENDING = {"requests", "disputed", "replaced"}


class Listening(Layer[Any, Any]):
    """A layer that remembers what it was asked for."""

    asked: set[Any]

    def get(self, key: Any) -> Any:
        self.asked.add(key)
        return super().get(key)


def _listening(book: Book) -> Book:
    draft = book.overlay()
    for name, layer in book.registers():
        heard = Listening(layer, listed=layer._listed)
        heard.asked = set()
        setattr(draft, name, heard)
    return draft


def _asked(draft: Book) -> set[Touch]:
    """What was asked, as it is touched: of enterprises, sites and storage areas little is asked."""
    found: set[Touch] = set()
    for name, layer in draft.registers():
        if name in OF_MENDING:
            continue
        assert isinstance(layer, Listening)
        for key in layer.asked:
            match name:
                case "permit_used_g":
                    found.add(Touch("permits", key[0]))
                case "approval_used_g":
                    found.add(Touch("approvals", key))
                case _:
                    found.add(Touch(name, key))
    return found


def _check(event: Event, book: Book, now_us: int) -> None:
    """Judge and read a fact, and hold what that asked against what it touches."""
    draft = _listening(book)
    try:
        admit(event, draft, now_us)
    except Problem:
        return
    read(draft, event, book.position + 1, now_us)
    touches = touched(event, book)
    known = {Touch(each.register.removeprefix("known_"), each.name) for each in touches}
    assert _asked(draft) - known == set(), event


def test_the_facts_of_the_documents_touch_all_that_they_ask() -> None:
    house = House()
    for event in story():
        if not isinstance(event, Mending):
            _check(event, house.book, NOW_US + 10**14)
        read(house.book, event, house.book.position + 1, NOW_US)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(crowds())
def test_any_fact_touches_all_that_it_asks(facts: list[Event]) -> None:
    house = settled()
    for event in facts:
        if isinstance(event, Mending):
            continue
        _check(event, house.book, NOW_US)
        try:
            house.tell(event)
        except Problem:
            continue
