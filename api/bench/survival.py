"""How long writers wait while the ledger is copied: eight clients, a backup in a process of its own, and the same without it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Final

import numpy as np

from api.bench.rows import MS, Name, Row, row, timed
from api.bench.story import DAY, MATERIAL, PLANT, SITE
from api.bench.writing import opened
from api.manners import settle_memory, unsettle_memory
from api.service import Service
from flows.events import Generated, Product

CLIENTS: Final = 8
LEAST_SECONDS: Final = 3.0
"""Of each measurement: a small ledger is copied before anybody has waited."""
LOOK_SECONDS: Final = 0.05
BACKUP: Final = "from api.cli import main; main()"


def backup_beside(folder: Path) -> Row:
    """The longest wait of a single fact while an imported story is backed up; the peer is the same load alone."""
    service = opened(folder / "data")
    settle_memory()
    try:
        alone = waits_ms(service, "ALONE", lambda: None)
        seconds, beside = timed(lambda: waits_ms(service, "BESIDE", lambda: _back_up(folder)))
        entries = service.ledger.head().position
    finally:
        unsettle_memory()
        service.close()
    p50, p99, p999 = np.percentile(beside, (50, 99, 99.9)).tolist()
    quiet50, quiet99, quiet999 = np.percentile(alone, (50, 99, 99.9)).tolist()
    note = (
        f"{entries:,} 条 entries, {seconds:.0f} s; p50 {p50:.1f} p99 {p99:.1f} p99.9 {p999:.1f} ms, "
        f"单独 alone {quiet50:.1f} {quiet99:.1f} {quiet999:.1f}"
    )
    what = f"在线备份时 {CLIENTS} 个客户端的最长等待 · longest wait of {CLIENTS} writers during a backup"
    return row(Name.BACKUP, what, "ms", max(beside), ("the same writers alone", max(alone)), note)


def _back_up(folder: Path) -> None:
    target = folder / "copy.db"
    environment = {**os.environ, "HUANLIU_DATA": str(folder / "data")}
    command = [sys.executable, "-P", "-c", BACKUP, "backup", str(target), "--json"]
    subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 - our own command


def waits_ms(service: Service, name: str, meanwhile: Callable[[], object]) -> list[float]:
    """Eight clients: milliseconds that each single fact waited until it was durable, while something else goes on."""
    stop = Event()
    taken: list[list[float]] = [[] for _ in range(CLIENTS)]

    def client(own: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            fact = Generated(
                event_id=f"{name}-{own}-{number}", enterprise=PLANT, event_time=DAY, site_id=SITE,
                product=Product(batch_id=f"{PLANT}.{name}-{own}-{number}", material=MATERIAL, mass_g=1_000),
            )  # fmt: skip
            seconds, _ = timed(lambda fact=fact: service.recording.record([fact], PLANT))
            taken[own].append(MS * seconds)

    threads = [Thread(target=client, args=(own,)) for own in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        seconds, _ = timed(meanwhile)
        while seconds < LEAST_SECONDS:
            sleep(LOOK_SECONDS)
            seconds += LOOK_SECONDS
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return [wait for own in taken for wait in own]
