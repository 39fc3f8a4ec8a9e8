"""`make torture N=1000`: kill a server so many times under the load of eight clients, and print what was lost."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.table import Table

from tests.servers.neo4j_server import Neo4jServer
from tests.torture.clients import CLIENTS
from tests.torture.killing import Tally, torture


def table(tally: Tally, seconds: float) -> Table:
    """What a run saw, a line each."""
    shown = Table("", "", title=f"kill -9 × {tally.kills}, {CLIENTS} clients, {seconds:.0f} s", show_header=False)
    starts = sorted(tally.restart_ms) or [0.0]
    for what, figure in (
        ("kills, of these while starting", f"{tally.kills}, {tally.kills_starting}"),
        ("kills of Neo4j itself besides", tally.kills_database),
        ("facts acknowledged", tally.acknowledged),
        ("of these found again", tally.found),
        ("lost", tally.lost),
        ("doubled, or at another position", tally.doubled),
        ("gaps in the positions", tally.gaps),
        ("statements kept in part", tally.torn),
        ("kept while the answer was lost", tally.unanswered),
        ("stated once more, first answer heard", tally.again),
        ("corrections acknowledged, of these in force", f"{tally.corrections}, {tally.in_force}"),
        ("faults of chain, audit, start or answer", len(tally.faults)),
        ("restart to first answer, ms: median", f"{starts[len(starts) // 2]:.0f}"),
        ("restart to first answer, ms: p99, longest", f"{starts[len(starts) * 99 // 100]:.0f}, {starts[-1]:.0f}"),
    ):
        shown.add_row(what, str(figure))
    return shown


@contextmanager
def started(folder: Path, store: str) -> Iterator[Neo4jServer | None]:
    """A Neo4j of the run's own, where the ledger is to stand in one."""
    if store == "sqlite":
        yield None
        return
    server = Neo4jServer(folder / "neo4j")
    try:
        server.start()
        yield server
    finally:
        server.stop()


def main() -> int:
    """Run, tell, and end with 0 when nothing was lost."""
    asked = ArgumentParser(prog="make torture")
    asked.add_argument("kills", type=int, nargs="?", default=1000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--store", choices=("sqlite", "neo4j"), default="sqlite")
    given = asked.parse_args()
    out = Console()
    begun = monotonic()
    tally = Tally()
    with (
        TemporaryDirectory(prefix="huanliu-torture-") as folder,
        started(Path(folder), given.store) as database,
        out.status("") as status,
    ):
        for tally in torture(given.kills, Path(folder), given.seed, database):
            status.update(f"{tally.kills} kills, {tally.acknowledged} acknowledged, {tally.lost} lost")
            if not out.is_terminal and tally.kills % 50 == 0:
                out.print(f"{tally.kills} kills, {tally.acknowledged} acknowledged, {tally.lost} lost")
    out.print(table(tally, monotonic() - begun))
    for fault in tally.faults:
        out.print(fault, style="red", markup=False)
    return 0 if tally.whole else 1


if __name__ == "__main__":
    sys.exit(main())
