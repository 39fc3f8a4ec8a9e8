"""`huanliu rebuild --graph` and `huanliu export --to-neo4j`: the graph for people, drawn anew, or beside an embedded ledger."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.commands.printing import err, out, print_json
from api.manners import giving_way
from api.settings import NEO4J, Settings
from api.stores import neo4j_address, open_graph, open_stores
from flows.entries import Head
from flows.errors import Malformed, messages
from flows.materials import Catalogue
from flows.ports import Ledger
from graph.following import check_same, follow
from graph.neo4j_graph import BEING_MADE, Neo4jGraph

Bar: TypeAlias = Callable[[int, int | None], None]
"""Hears how many of how many; None: nobody knows."""


class Drawn(NamedTuple):
    """A graph that was drawn: where, how far it goes, how many entries were taken in, and in what time."""

    uri: str
    head: Head
    entries: int
    seconds: float


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
        print_drawn(_draw(graph, ledger, tables, anew=True), json=json)


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
        print_drawn(_draw(graph, ledger, tables, anew=graph.head().position == BEING_MADE), json=json)


def bring_up(settings: Settings, ledger: Ledger) -> Drawn | None:
    """Bring the graph that stands with a ledger up to its end; None: there is none, or it is to be drawn anew first, as is said."""
    tables = Catalogue.load(settings.tables)
    graph = open_graph(settings, tables)
    if graph is not None and graph.head().position == BEING_MADE:
        graph.close()
        told = messages()["audit-graph-unfinished"]
        err.print(f"{told['zh']}\n{told['en']}", style="yellow", highlight=False)
        return None
    return None if graph is None else _draw(graph, ledger, tables, anew=False)


@contextmanager
def _opened(settings: Settings) -> Generator[Ledger]:
    ledger, desk = open_stores(settings)
    try:
        yield ledger
    finally:
        ledger.close()
        desk.close()


def _draw(graph: Neo4jGraph, ledger: Ledger, tables: Catalogue, *, anew: bool) -> Drawn:
    begun = time.monotonic()
    try:
        if anew:
            with _bar("清除 · clearing") as tell:
                graph.clear(lambda done: tell(done, None))
        before = check_same(graph, ledger).position
        with _bar("绘图 · drawing") as tell, giving_way():
            follow(graph, ledger, tables, tell)
        head = graph.head()
        return Drawn(graph.address.uri, head, head.position - before, time.monotonic() - begun)
    finally:
        graph.close()


def print_drawn(drawn: Drawn, *, json: bool) -> None:
    """How far the graph goes."""
    position = drawn.head.position
    if json:
        print_json({"uri": drawn.uri, "position": position, "digest": drawn.head.digest, "entries": drawn.entries})
        return
    out.print(
        f"[green]✓[/] 图到第 {position} 条，本次绘入 {drawn.entries} 条，用时 {drawn.seconds:.1f} 秒 · the graph goes to "
        f"entry {position}, {drawn.entries} of them drawn now  {escape(drawn.uri)}",
        highlight=False,
    )


@contextmanager
def _bar(words: str) -> Generator[Bar]:
    """A bar on a terminal; nothing where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(words, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
