"""缓存. Readings that begin with a cache and read the tail are those that were read from the first entry on."""

from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from flows.entries import head_of
from flows.materials import catalogue
from flows.recording import LedgerFacts
from graph.cache import Cache
from graph.collected import differing
from graph.memory_ledger import MemoryLedger
from graph.readings import Readings
from tests.graph.answers import answers
from tests.graph.histories import World, histories
from tests.graph.mending import Mended, corrections
from tests.graph.stores import unread

laws = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


@laws
@given(histories(), st.data())
def test_a_cached_start_and_the_tail_are_the_same_as_reading_from_the_first_entry(
    world: World, data: st.DataObject
) -> None:
    ledger = _mended(world, data)
    end = ledger.head().position
    cuts = sorted(data.draw(st.lists(st.integers(1, end), min_size=1, max_size=3), "cuts"))
    asked = sorted({*data.draw(st.lists(st.integers(0, end), max_size=2), "asked"), cuts[0]})
    note("\n".join(f"{entry.position}: {entry.event!r}" for entry in ledger.entries()))
    straight = Readings.anew(catalogue(), ledger, end)
    with TemporaryDirectory() as folder, ExitStack() as opened:
        cache = Cache(Path(folder))
        own = Readings.empty(catalogue(), LedgerFacts(ledger))
        for cut in cuts:  # each cache is made of the one before it and what came since
            own.read_on(ledger, cut)
            if data.draw(st.booleans(), "asked in between"):
                _ = answers(own, asked[:1])
            assert cache.write(own, head_of(next(ledger.entries(after=cut - 1, until=cut)))) is not None
            found = cache.find(catalogue(), ledger)
            assert found is not None
            own = opened.enter_context(closing(found))
            assert own.book.position == cut
        own.read_on(ledger, end)
        assert answers(own, asked) == answers(straight, asked)
        assert list(differing(own, straight)) == []


def _mended(world: World, data: st.DataObject) -> MemoryLedger:
    """A ledger of the history, and of corrections of it."""
    mended = Mended(world)
    for _ in range(data.draw(st.integers(0, 4), "corrections")):
        mended.request(corrections(data, mended.book))
    ledger = MemoryLedger()
    with ledger.turn() as turn:
        turn.append(unread(world.entries))
    return ledger
