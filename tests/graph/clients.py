"""Clients of one ledger: threads of this process, or processes of their own, that all ask at the same instant."""

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier, Thread
from typing import Any

from flows.errors import Problem
from flows.events import Disposed
from flows.recording import Recording
from tests.flows.stories import SMELTER, House, at, generated, portion, registered, say, site
from tests.graph.stores import STORES

Answers = Counter[str]
"""How often a client heard what: `admitted`, or the key of a problem."""


def asks(client: str, mass: str) -> Disposed:
    """A client's demand on the one batch."""
    words: dict[str, Any] = {"site_id": site(SMELTER), "portions": (portion("B1", mass),), "method": "D1"}
    return say(Disposed, SMELTER, at(10), event_id=client, **words)


def prepared(house: House) -> House:
    """A batch of ten tonnes."""
    house.tell(*registered(SMELTER), generated(mass="10 t"))
    return house


def together(recordings: Sequence[Recording], mass: str, clients: int, prefix: str = "c") -> Answers:
    """Threads that ask at once, spread over recordings."""
    start, heard = Barrier(clients), SimpleQueue[str]()

    def one(number: int) -> None:
        start.wait()
        try:
            recordings[number % len(recordings)].record([asks(f"{prefix}-{number}", mass)], "client")
        except Problem as problem:
            heard.put(problem.key)
        except BaseException as fault:  # noqa: BLE001 - the test shows it
            heard.put(repr(fault))
        else:
            heard.put("admitted")

    threads = [Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(heard.get() for _ in range(clients))


def in_processes(store: str, folder: Path, mass: str, processes: int, clients: int) -> Answers:
    """Processes of their own, each with `clients` threads, that ask at once."""
    context = multiprocessing.get_context("spawn")
    start, heard = context.Barrier(processes), context.SimpleQueue()
    children = [
        context.Process(target=_child, args=(store, folder, mass, clients, f"p{number}", start, heard))
        for number in range(processes)
    ]
    for child in children:
        child.start()
    answers = Answers()
    for _ in children:
        answers += heard.get()
    for child in children:
        child.join()
    return answers


def _child(store: str, folder: Path, mass: str, clients: int, prefix: str, start: ProcessBarrier, heard: Any) -> None:
    try:
        ledger = STORES[store].ledger(folder)
        house = House(ledger)
        start.wait()
        heard.put(together([house.recording], mass, clients, prefix))
        ledger.close()
    except BaseException as fault:
        heard.put(Answers({repr(fault): clients}))
        raise
