"""`huanliu rebuild --graph` and `huanliu export --to-neo4j`: the graph for people, drawn anew, or beside an embedded ledger."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.commands.printing import err, out, print_json
from api.settings import NEO4J, Settings
from api.stores import neo4j_address, open_graph, open_stores
from flows.errors import Malformed
from flows.materials import Catalogue
from flows.ports import Ledger
from graph.following import check_same, follow
from graph.neo4j_graph import BEING_MADE, Neo4jGraph

Bar: TypeAlias = Callable[[int, int | None], None]
"""Hears how many of how many; None: nobody knows."""


def redraw(settings: Settings, *, json: bool) -> None:
    """Take the ledger's graph away and draw it from its entries.

    Raises:
        Malformed: the ledger is embedded, and has no graph.
    """
    tables = Catalogue.load(settings.tables)
    if settings.embedded:
        raise Malformed("graph-address-needed")
    with _opened(settings) as ledger:
        graph = open_graph(settings, tables)
        assert graph is not None
        _draw(graph, ledger, tables, anew=True, json=json)


def draw_beside(settings: Settings, uri: str, *, json: bool) -> None:
    """Draw a graph of the ledger in a Neo4j of its own, or bring the one that is there up to the ledger's end.

    Raises:
        Malformed: no address of a Neo4j.
        StoreProblem: it cannot be used, or holds the graph of another ledger; the words say what to do.
    """
    if not NEO4J.fullmatch(uri):
        raise Malformed("graph-export-address", read=uri)
    tables = Catalogue.load(settings.tables)
    with _opened(settings) as ledger:
        graph = Neo4jGraph(neo4j_address(settings, uri), tables, beside=True)
        _draw(graph, ledger, tables, anew=graph.head().position == BEING_MADE, json=json)


@contextmanager
def _opened(settings: Settings) -> Generator[Ledger]:
    ledger, desk = open_stores(settings)
    try:
        yield ledger
    finally:
        ledger.close()
        desk.close()


def _draw(graph: Neo4jGraph, ledger: Ledger, tables: Catalogue, *, anew: bool, json: bool) -> None:
    begun = time.monotonic()
    try:
        if anew:
            with _bar("清除 · clearing") as tell:
                graph.clear(lambda done: tell(done, None))
        before = check_same(graph, ledger).position
        with _bar("绘图 · drawing") as tell:
            follow(graph, ledger, tables, tell)
        _tell(graph, before, time.monotonic() - begun, json=json)
    finally:
        graph.close()


def _tell(graph: Neo4jGraph, before: int, seconds: float, *, json: bool) -> None:
    head = graph.head()
    if json:
        print_json({
            "uri": graph.address.uri, "position": head.position, "digest": head.digest, "entries": head.position - before,
        })  # fmt: skip
        return
    out.print(
        f"[green]✓[/] 图到第 {head.position} 条，本次绘入 {head.position - before} 条，用时 {seconds:.1f} 秒 · the graph goes to "
        f"entry {head.position}, {head.position - before} of them drawn now  {escape(graph.address.uri)}",
        highlight=False,
    )


@contextmanager
def _bar(words: str) -> Generator[Bar]:
    """A bar on a terminal; nothing where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(words, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
