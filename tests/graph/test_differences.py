"""What changed between two states is what a blind comparison finds, and the facts named for it lie between them."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.book import Book
from tests.graph.histories import World, histories
from tests.graph.mending import Mended, corrections

laws = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


@laws
@given(histories(), st.data())
def test_what_layers_say_changed_is_what_differs_and_by_facts_between(world: World, data: st.DataObject) -> None:
    mended = Mended(world)
    for _ in range(data.draw(st.integers(0, 4), "corrections")):
        mended.request(corrections(data, world.book))
    book = world.book
    after = data.draw(st.integers(0, book.position), "after")
    until = data.draw(st.integers(after, book.position), "until")
    earlier, later = book.known_at(after), book.known_at(until)

    for name in ("batches", "manifests", "sites", "enterprises"):
        layer = getattr(book, name)
        told = layer.changes(after, until)
        keys = set(layer.keys())
        blind = {key for key in keys if getattr(earlier, name).get(key) != getattr(later, name).get(key)}
        assert blind <= told.keys()
        for key, positions in told.items():
            assert positions
            assert all(after < position <= until for position in positions)
            assert all(_did(book, name, key, position) for position in positions)


def _did(book: Book, name: str, key: object, position: int) -> bool:
    """Is the value of a key another, or newly written, by the entry at a position?"""
    layer = getattr(book, name)
    told = [
        [each for each in zip(versions.positions, versions.values, strict=True) if each[0] <= known]
        for known in (position - 1, position)
        for versions in (layer.past(key, known),)
    ]
    return told[0] != told[1]
