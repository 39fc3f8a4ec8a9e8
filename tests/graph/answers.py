"""Everything that readings can be asked, as plain values: two readings that answer the same are the same to whoever asks."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from flows.errors import Problem
from flows.events import Mending
from flows.indicators import Boundary, Question
from flows.layers import Layer
from flows.rules import admit
from flows.touches import touched
from graph.fate import fates, provenance
from graph.figures import figures, parts
from graph.lineage import Horizon, Lineage
from graph.readings import Readings
from graph.tracing import trace
from tests.graph.asking import YEAR
from tests.graph.figures_oracle import NAMES


def answers(readings: Readings, positions: Sequence[int]) -> dict[str, Any]:
    """Book, lineage, figures and codes: now, as of positions, and before them."""
    told: dict[str, Any] = {
        "now": _book(readings, None),
        "pasts": dict(_pasts(readings)),
        "touches": _touches(readings),
    }
    told |= {"lineage": _lineage(readings.editions.now, Horizon()), "figures": _figures(readings, None)}
    told |= {"codes": _codes(readings), "findings": list(_findings(readings))}
    for position in positions:
        told[f"as of {position}"] = _book(readings, readings.book.as_of(position))
        told[f"before {position}"] = _book(readings, readings.book.before(position))
        told[f"changes {position}"] = [
            (name, sorted(layer.changes(position, until).items(), key=repr))
            for name, layer in readings.book.registers()
            for until in (position + 2, readings.book.position)
        ]
        told[f"lineage {position}"] = _lineage(readings.editions.as_of(position), Horizon(position))
        told[f"figures {position}"] = _figures(readings, position)
    return told


def _book(readings: Readings, book: Any) -> dict[str, Any]:
    book = readings.book if book is None else book
    layers: dict[str, Layer[Any, Any]] = dict(book.registers())
    return {
        name: (
            dict(layer.items()),
            sorted(layer.values(), key=repr),
            {key: layer.get(key) for key in layer.keys()},  # noqa: SIM118 - a layer is no mapping
        )
        for name, layer in layers.items()
    }


def _pasts(readings: Readings) -> Iterator[tuple[Any, Any]]:
    for name, layer in readings.book.registers():
        every: Layer[Any, Any] = layer
        for key in every.keys():  # noqa: SIM118 - a layer is no mapping
            past = every.past(key)
            yield (name, key), (list(past.positions), list(past.values), every.rewritten(key))


def _touches(readings: Readings) -> list[Any]:
    book = readings.book
    names = set[Any]()
    for position in range(1, book.position + 1):
        for told in (book.told(position).event, book.fact(position).event):
            if told is not None:
                names |= touched(told, book.before(position))
    return [(name, book.touches(name), book.touches(name, 3, 9)) for name in sorted(names, key=repr)]


def _findings(readings: Readings) -> Iterator[Any]:
    book = readings.book
    for position in range(1, book.position + 1):
        told = book.fact(position)
        if told.event is not None and not isinstance(told.event, Mending):
            yield from (
                (position, each.key, each.figures)
                for each in admit(told.event, book.before(position), told.record_time_us)
            )


def _lineage(lineage: Lineage, horizon: Horizon) -> list[Any]:
    told: list[Any] = [fates(lineage, horizon).round(9).tolist(), list(lineage.batch_ids), list(lineage.codes)]
    for rank, batch_id in enumerate(lineage.batch_ids):
        assert lineage.find_rank(batch_id) == (rank if rank < lineage.lengths.batches else None)
        try:
            told.append(_plain(trace(lineage, rank, "both", horizon=horizon)))
            told.append(_plain(provenance(lineage, rank, horizon)))
        except Problem as problem:
            told.append(problem.key)
    return told


def _figures(readings: Readings, as_of: int | None) -> list[Any]:
    told: list[Any] = []
    for boundary in (Boundary(), Boundary("prefecture", "5101")):
        for value in figures(NAMES, Question(YEAR, boundary, as_of), readings.columns, ["code"]):
            behind = [(each.part, each.position, each.mass_g) for each in parts(value, readings.columns)]
            told.append((value.definition.id, value.reason, value.parts, value.completeness, behind))
    return told


def _codes(readings: Readings) -> list[Any]:
    batches = sorted(readings.book.batches.every(), key=lambda batch: batch.batch_id)
    codes = [readings.containers.code_of(batch) for batch in batches]
    return [(code, readings.containers.find(code) if code else None) for code in codes]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array: np.ndarray[Any, Any] = value
        return array.round(9).tolist() if array.dtype.kind == "f" else array.tolist()
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value  # pyright: ignore[reportUnknownVariableType]
