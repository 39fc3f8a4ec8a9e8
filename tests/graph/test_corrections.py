"""更正. A corrected history reads as one that was written right from the start; what was known before stays known."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from flows.book import Book, Change
from flows.errors import Problem
from flows.events import Mending
from flows.indicators import Boundary, Question
from flows.layers import Layer
from flows.materials import catalogue
from flows.mending import Breaks
from flows.reading import read
from graph.columns import Columns
from graph.editions import Editions
from graph.figures import figures, parts
from graph.lineage import EVERYTHING, Horizon, Lineage
from graph.prefix import Prefix
from tests.graph.asking import YEAR
from tests.graph.figures_oracle import NAMES
from tests.graph.histories import World, histories
from tests.graph.mending import NOW_US, Mended, Straight, replacements

laws = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)
OF_MENDING = {"requests", "disputed", "replaced"}


def _shown(book: Book) -> dict[str, Any]:
    """All that a book knows, but for how it came to know it."""
    told: dict[str, Any] = {}
    for name, layer in book.registers():
        if name not in OF_MENDING:
            every: Layer[Any, Any] = layer
            told[name] = {key: value for key in every.keys() if (value := every.get(key)) is not None}  # noqa: SIM118 - a layer is no mapping
    return told


def _table(lineage: Lineage, horizon: Horizon = EVERYTHING) -> dict[str, Any]:
    """All columns of an index in words: numbers of names differ with the order in which they came."""
    prefix = Prefix(lineage, horizon)
    sizes = prefix.lengths

    def named(column: Any, names: list[str]) -> list[str]:
        return [names[number] for number in column.tolist()]

    flows = {
        f"{name}.{each}": getattr(getattr(lineage, name), each).view(size).tolist()
        for name, size in (("sources", sizes.sources), ("ends", sizes.ends))
        for each in ("movement", "boundary", "fate", "mass_g")
    }
    moves = {
        each: getattr(lineage.movements, each).view(sizes.movements).tolist()
        for each in ("position", "effective_us", "through_g", "kind", "gap")
    }
    return {
        "ids": lineage.batch_ids[: sizes.batches],
        "codes": lineage.codes[: sizes.batches],
        "mass_g": prefix.mass_g.tolist(),
        "made_us": prefix.made_us.tolist(),
        "made_by": prefix.made_by.tolist(),
        "origin": prefix.origin.tolist(),
        "holder": named(prefix.holder, lineage.holders.names),
        "material": named(prefix.material, lineage.materials.names),
        "site": named(prefix.site, lineage.sites.names),
        "status": prefix.status.tolist(),
        "moisture": prefix.moistures.ppm.tolist(),
        "left_g": prefix.left_g(prefix.ranks).tolist(),
        "draws": [
            getattr(prefix, f"draw_{name}").tolist() for name in ("movement", "batch", "mass_g", "weighed_g")
        ],
        "draws_on": [prefix.draws_on(np.array([rank])).tolist() for rank in prefix.ranks.tolist()],
        **moves, **flows,
    }  # fmt: skip


def _figures(columns: Columns, as_of: int | None = None) -> list[Any]:
    told: list[Any] = []
    for boundary in (Boundary(), Boundary("prefecture", "5101")):
        for value in figures(NAMES, Question(YEAR, boundary, as_of), columns):
            behind = [(each.part, each.position, each.mass_g) for each in parts(value, columns)]
            plain = (value.definition.id, value.reason, value.numerator_g, value.denominator_g, value.parts)
            told.append((plain, value.completeness, behind))
    return told


def _contents(columns: Columns) -> dict[str, Any]:
    """What batches are made of, by the words behind the numbers."""
    return {name: sorted(contents.values()) for name, contents in columns.recognition.contents().items()}


def _check_levels(lineage: Lineage) -> None:
    prefix = Prefix(lineage)
    assert (prefix.level[prefix.made_by[prefix.draw_batch]] < prefix.level[prefix.draw_movement]).all()


def _mend(mended: Mended, data: st.DataObject) -> tuple[Change | Problem, int, Any]:
    stated = [entry.position for entry in mended.world.entries if not isinstance(entry.event, Mending)]
    position = data.draw(st.sampled_from(stated), "position")
    now, told = mended.book.fact(position).event, mended.book.told(position).event
    becomes: Any = replacements(data, now) if now is not None else told  # pyright: ignore[reportArgumentType]
    return mended.request(position, becomes), position, becomes


@laws
@given(histories(), st.data())
def test_a_corrected_history_reads_as_one_written_right_from_the_start(world: World, data: st.DataObject) -> None:
    mended = Mended(world)
    for _ in range(data.draw(st.integers(1, 4), "corrections")):
        _, position, becomes = _mend(mended, data)
        note(f"{position}: {mended.book.told(position).event!r} -> {becomes!r}; {mended.refused}")
    straight = Straight.of(mended)

    assert _shown(mended.book) == _shown(straight.book)
    _check_levels(mended.editions.now)
    assert _table(mended.editions.now) == _table(straight.editions.now)
    assert _figures(mended.columns) == _figures(straight.columns)
    assert _contents(mended.columns) == _contents(straight.columns)


@laws
@given(histories(), st.data())
def test_what_was_known_before_a_correction_stays_known(world: World, data: st.DataObject) -> None:
    """As of any position the book, the index and the figures are those of a ledger that ended there."""
    mended = Mended(world)
    for _ in range(data.draw(st.integers(1, 4), "corrections")):
        _mend(mended, data)
    as_of = data.draw(st.integers(0, len(world.entries)), "as of")
    book, editions, columns = Book(catalogue()), Editions(catalogue()), Columns(catalogue())
    for entry in world.entries[:as_of]:
        change = read(book, entry.event, entry.position, NOW_US)
        editions.read(entry, change)
        columns.read(entry, change)

    assert _shown(mended.book.as_of(as_of)) == _shown(book)
    assert _table(mended.editions.as_of(as_of), Horizon(as_of)) == _table(editions.now)
    assert _figures(mended.columns, as_of) == _figures(columns)
    for position in range(1, as_of + 1):
        assert mended.book.as_of(as_of).fact(position) == book.fact(position)


@laws
@given(histories(), st.data())
def test_a_correction_is_refused_just_when_the_history_could_not_have_been_written(
    world: World, data: st.DataObject
) -> None:
    mended = Mended(world)
    answer, position, becomes = _mend(mended, data)
    if isinstance(answer, Problem) and answer.key in {"correction-changes-nothing", "correction-renames"}:
        return
    straight, refused = Straight(), list[int]()
    for entry in world.entries:
        event = becomes if entry.position == position else entry.event
        if event is None or isinstance(event, Mending):
            continue
        try:
            straight.tell(entry, event)
        except Problem:
            refused.append(entry.position)
            break

    assert bool(refused) == isinstance(answer, Problem)
    if isinstance(answer, Breaks) and answer.later:
        assert refused[0] <= answer.later[0][0]


@laws
@given(histories(), st.data())
def test_a_correction_that_is_refused_leaves_everything_as_it_was(world: World, data: st.DataObject) -> None:
    mended = Mended(world)
    before = _shown(mended.book), _table(mended.editions.now), _figures(mended.columns)
    answer, _, _ = _mend(mended, data)
    if isinstance(answer, Problem):
        assert (_shown(mended.book), _table(mended.editions.now), _figures(mended.columns)) == before
