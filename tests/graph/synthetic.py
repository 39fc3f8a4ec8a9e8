"""A large made-up ledger for measuring by hand: ``python -m tests.graph.synthetic [batches]`` prints milliseconds.

It is told to the lineage as changes of the book, without rules or store: what is measured is the index alone.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from statistics import median
from time import perf_counter
from typing import cast

import numpy as np

from flows.balance import Boundary, Draw, Flow, Make, Movement
from flows.book import Change
from flows.entries import Entry
from flows.events import Disposed, Generated, Transformed
from flows.materials import catalogue
from graph.cone import downstream
from graph.fate import fate, fates, provenance
from graph.lineage import Lineage
from graph.prefix import Prefix
from graph.tracing import trace
from tests.graph.histories import ENTERPRISES, SITES

NO_ENTRY = cast("Entry", None)
ARISING_SHARE, ENDING_SHARE = 0.3, 0.1
OPEN_MAX = 400


def changes(batches: int, seed: int = 7) -> Iterator[Change]:
    """Facts that make about so many batches: some arise, some end, most are one to three made into one to three."""
    random = Random(seed)
    open_g: dict[str, int] = {}
    made = position = 0
    while made < batches:
        position += 1
        chance = random.random()
        if chance < ARISING_SHARE or len(open_g) < 3:
            movement, kind = _arising(made, random, open_g), Generated
        elif chance < ARISING_SHARE + ENDING_SHARE or len(open_g) > OPEN_MAX:
            movement, kind = _ending(random, open_g), Disposed
        else:
            movement, kind = _making(made, random, open_g), Transformed
        made += len(movement.makes)
        own = {"event_id": f"e{position}", "enterprise": ENTERPRISES[0], "event_time": date(2026, 3, 1)}
        event = kind.model_construct(**own, site_id=SITES[0], process="remelt")
        yield Change(event, position, position, (movement,), ())


def _name(number: int) -> str:
    return f"{ENTERPRISES[0]}.B{number}"


def _made(number: int, mass_g: int, open_g: dict[str, int]) -> Make:
    open_g[_name(number)] = mass_g
    return Make(_name(number), "copper-tailings", mass_g, ENTERPRISES[number % 3], SITES[number % 3], "made")


def _arising(made: int, random: Random, open_g: dict[str, int]) -> Movement:
    mass_g = random.randint(10_000, 30_000_000)
    return Movement(sources=(Flow(Boundary.GENERATION, mass_g),), makes=(_made(made, mass_g, open_g),))


def _drawn(random: Random, open_g: dict[str, int]) -> tuple[Draw, ...]:
    draws: list[Draw] = []
    for name in random.sample(list(open_g), random.randint(1, 3)):
        mass_g = open_g[name] if random.random() < 0.6 else max(1, open_g[name] // 2)
        open_g[name] -= mass_g
        if not open_g[name]:
            del open_g[name]
        draws.append(Draw(name, mass_g, mass_g))
    return tuple(draws)


def _ending(random: Random, open_g: dict[str, int]) -> Movement:
    draws = _drawn(random, open_g)
    return Movement(draws=draws, ends=(Flow(Boundary.DISPOSAL, sum(draw.weighed_g for draw in draws), "D1"),))


def _making(made: int, random: Random, open_g: dict[str, int]) -> Movement:
    draws = _drawn(random, open_g)
    through_g = sum(draw.weighed_g for draw in draws)
    count = min(through_g, random.randint(1, 3))
    loss_g = through_g // 50
    parts = [(through_g - loss_g) // count] * count
    parts[0] += through_g - loss_g - sum(parts)
    makes = tuple(_made(made + n, mass_g, open_g) for n, mass_g in enumerate(parts) if mass_g)
    return Movement(draws=draws, makes=makes, ends=(Flow(Boundary.LOSS, loss_g, "dust"),) if loss_g else ())


def synthetic(batches: int, seed: int = 7) -> Lineage:
    """A lineage of about so many batches."""
    lineage = Lineage(catalogue())
    for change in changes(batches, seed):
        lineage.read(NO_ENTRY, change)
    return lineage


def _ms(question: Callable[[], object], times: int = 7) -> float:
    taken: list[float] = []
    for _ in range(times):
        start = perf_counter()
        question()
        taken.append(1000 * (perf_counter() - start))
    return median(taken)


def measure(batches: int) -> Iterator[str]:
    """What one asks most, with the milliseconds it takes."""
    start = perf_counter()
    lineage = synthetic(batches)
    yield f"read {len(lineage.batch_ids)} batches, {lineage.draws.batch.size} draws: {perf_counter() - start:.2f} s"
    prefix = Prefix(lineage)
    yield f"levels: {int(prefix.level.max())}"
    sizes = {rank: len(downstream(prefix, np.array([rank])).ranks) for rank in range(0, batches // 3, batches // 60)}
    order = sorted(sizes, key=lambda rank: sizes[rank])
    last = len(lineage.batch_ids) - 1
    for rank in (order[len(order) // 10], order[-1]):
        yield f"trace down, cone of {sizes[rank]}: {_ms(lambda rank=rank: trace(lineage, rank, 'down')):.2f} ms"
        yield f"  three deep: {_ms(lambda rank=rank: trace(lineage, rank, 'down', depth_max=3)):.2f} ms"
        yield f"fate of it: {_ms(lambda rank=rank: fate(lineage, rank)):.2f} ms"
        yield f"fate of it, dry: {_ms(lambda rank=rank: fate(lineage, rank, basis='dry')):.2f} ms"
    yield f"trace up of the last: {_ms(lambda: trace(lineage, last, 'up')):.2f} ms"
    yield f"provenance of the last: {_ms(lambda: provenance(lineage, last)):.2f} ms"
    yield f"all fates: {_ms(lambda: fates(lineage)):.2f} ms"
    yield f"all fates, dry: {_ms(lambda: fates(lineage, basis='dry')):.2f} ms"


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000):
        print(line)  # noqa: T201 - measured by hand
