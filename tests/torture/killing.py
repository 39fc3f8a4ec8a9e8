"""A real `huanliu serve` is killed at any instant, started again, and its ledger held against what was acknowledged.

Over a Neo4j, that is killed too: the service goes on by itself once it is back.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from threading import Thread
from time import monotonic, sleep
from typing import Final

from api.service import Service
from api.settings import Settings
from api.stores import open_stores
from flows.audit import audit
from flows.book import Book
from flows.entries import Entry, Head, chain_faults, head_of
from flows.events import CorrectionRequested
from tests.flows.stories import CARRIER, RECOVERER, SMELTER, registered
from tests.servers.neo4j_server import Neo4jServer, empty
from tests.torture.clients import CLIENTS, STATING, Client

HUANLIU: Final = Path(sys.executable).with_name("huanliu")
READY_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.01
LOAD_SECONDS: Final = 0.35
"""The longest that clients write before the kill."""
STARTING_SHARE: Final = 0.1
"""How often the kill falls into the start, while the ledger is being opened and read."""
SERVED_LOAD_SECONDS: Final = 3.0
"""The same where each answer waits for another server, and a round takes its restart."""
DATABASE_SHARE: Final = 0.3
"""How often Neo4j is killed under the load, before the service is."""
LEDGER_KILLS: Final = 50
"""After so many a new ledger begins: the start reads all entries, and a run is to spend its time on kills."""


@dataclass
class Tally:
    """What a run saw."""

    kills: int = 0
    kills_starting: int = 0
    kills_database: int = 0
    acknowledged: int = 0
    found: int = 0
    unanswered: int = 0
    """Entries that were kept while their answer was lost; a retry hears of them."""
    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    torn: int = 0
    """Statements of several facts of which some were kept and some not."""
    again: int = 0
    corrections: int = 0
    """Acknowledged; each was the last word on its fact, or a later one took its place."""
    in_force: int = 0
    faults: list[str] = field(default_factory=list[str])
    restart_ms: list[float] = field(default_factory=list[float])

    @property
    def whole(self) -> bool:
        """Whether nothing was lost, doubled, torn or astray."""
        astray = self.lost or self.doubled or self.gaps or self.torn or self.faults
        return not astray and self.corrections == self.in_force


def torture(kills: int, folder: Path, seed: int, database: Neo4jServer | None = None) -> Iterator[Tally]:
    """Kill so many times; the tally after each kill. The ledger is a file, or stands in a database that was started."""
    tally = Tally()
    random = Random(seed)
    while tally.kills < kills and tally.whole:
        seconds = LOAD_SECONDS if database is None else SERVED_LOAD_SECONDS
        ledger = Installation(folder / f"ledger-{tally.kills}", random, tally, database, seconds)
        ledger.prepare()
        for _ in range(min(LEDGER_KILLS, kills - tally.kills)):
            ledger.kill_once()
            yield tally
            if not tally.whole:
                return
        ledger.finish()
        yield tally


@dataclass
class Installation:
    """One ledger that is written to, killed and checked, again and again."""

    folder: Path
    random: Random
    tally: Tally
    database: Neo4jServer | None = None
    load_seconds: float = LOAD_SECONDS
    clients: list[Client] = field(default_factory=list[Client])
    _end: Head = field(default_factory=Head)
    _names: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    _held: list[int] = field(default_factory=lambda: [0] * CLIENTS)
    """How many of a client's acknowledged statements were already held against the ledger."""

    @property
    def settings(self) -> Settings:
        """Where the ledger stands."""
        if self.database is None:
            return Settings(data=self.folder)
        where = self.database.address
        return Settings(data=self.folder, ledger=where.uri, neo4j_user=where.user, neo4j_password=where.password)

    def prepare(self) -> None:
        """Enterprises, and a key for each that states."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.database is not None:
            empty(self.database.address)
        service = Service.open(self.settings)
        for enterprise in (SMELTER, RECOVERER, CARRIER):
            service.recording.record(registered(enterprise), enterprise)
        keys = {enterprise: service.keys.create(enterprise, "administrator")[0] for enterprise in STATING}
        service.close()
        bears = self.database is not None
        self.clients = [Client(number, "C", keys, self.random, bears) for number in range(CLIENTS)]

    def kill_once(self) -> None:
        """Start, write, kill; or kill while it starts."""
        with self._served() as (server, port, begun):
            if self.random.random() < STARTING_SHARE:
                sleep(self.random.uniform(0, self._start_seconds()))
                self.tally.kills_starting += 1
            elif self._wait_ready(server, port):
                self.tally.restart_ms.append(1000 * (monotonic() - begun))
                self._write(server, port)
            server.send_signal(signal.SIGKILL)
        self.tally.kills += 1
        self.hold()

    def _write(self, server: "subprocess.Popen[bytes]", port: int) -> None:
        threads = [Thread(target=client.state_until_killed, args=(port,)) for client in self.clients]
        for thread in threads:
            thread.start()
        sleep(self.random.uniform(0, self.load_seconds))
        if self.database is not None and self.random.random() < DATABASE_SHARE:
            self.database.kill()
            self.tally.kills_database += 1
            self.database.start()
            sleep(self.random.uniform(0, self.load_seconds))  # the service goes on by itself
        server.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()

    def finish(self) -> None:
        """A whole audit at the end, and every correction held against what is read now."""
        ledger, _ = open_stores(self.settings)
        self.tally.faults += [f"audit: {finding.key}" for finding in audit(ledger)]
        entries = list(ledger.entries())
        ledger.close()
        service = Service.open(self.settings)
        self.hold_corrections(entries, service.book)
        service.close()
        self.tally.again += sum(client.again for client in self.clients)

    def hold_corrections(self, entries: list[Entry], book: Book) -> None:
        """Each that was acknowledged is in force, and each corrected fact reads as the last of its corrections says."""
        for client in self.clients:
            told = [event for statement, _ in client.acknowledged for event in statement]
            asked = [event for event in told if isinstance(event, CorrectionRequested)]
            requests = [book.requests.get((each.enterprise, each.event_id)) for each in asked]
            self.tally.corrections += len(requests)
            self.tally.in_force += sum(request is not None and request.state == "in_force" for request in requests)
        kept = [entry.event for entry in entries]
        last = {each.corrects: each for each in kept if isinstance(each, CorrectionRequested)}
        for name, request in last.items():
            position = book.find_fact(request.stated_by, name)
            if position is None or book.fact(position).event != request.becomes:
                self.tally.faults.append(f"read otherwise than corrected: {name}")

    def hold(self) -> None:
        """Hold the ledger against all that was acknowledged since the kill before: opening mends what the kill left."""
        ledger, _ = open_stores(self.settings)
        with ledger.turn():  # a server may still be about what the killed one had handed over
            pass
        entries = list(ledger.entries(after=self._end.position))
        self._read(entries)
        if ledger.head() != self._end:
            self.tally.gaps += 1
        ledger.close()
        for number, client in enumerate(self.clients):
            for statement, kept in client.acknowledged[self._held[number] :]:
                found = [self._names.get(event.event_id) for event in statement]
                self.tally.acknowledged += len(statement)
                self.tally.found += sum(each is not None for each in found)
                self.tally.lost += sum(each is None for each in found)
                self.tally.doubled += sum(each != told for each, told in zip(found, kept, strict=True) if each)
            self._held[number] = len(client.acknowledged)
            self.tally.faults += client.astray
            if client.pending is not None:
                found = [self._names.get(event.event_id) for event in client.pending]
                self.tally.unanswered += sum(each is not None for each in found)
                self.tally.torn += any(found) and not all(found)

    def _read(self, entries: list[Entry]) -> None:
        for position, fault in chain_faults(entries, self._end):
            self.tally.gaps += fault == "audit-position-missing"
            self.tally.faults.append(f"entry {position}: {fault}")
        for entry in entries:
            self.tally.doubled += entry.event_id in self._names
            self._names[entry.event_id] = entry.position, entry.digest
        self._end = head_of(entries[-1]) if entries else self._end

    @property
    def _environment(self) -> dict[str, str]:
        told = {"HUANLIU_DATA": str(self.folder)}
        if self.database is not None:
            where = self.database.address
            named = {"HUANLIU_NEO4J_USER": where.user, "HUANLIU_NEO4J_PASSWORD": where.password}
            told |= {"HUANLIU_LEDGER": where.uri, **named}
        return told

    def _start_seconds(self) -> float:
        return self.tally.restart_ms[-1] / 1000 if self.tally.restart_ms else 1.0

    @contextmanager
    def _served(self) -> "Generator[tuple[subprocess.Popen[bytes], int, float]]":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        environment = {**os.environ, **self._environment, "HUANLIU_PORT": str(port)}
        log = self.folder / "server.log"
        with log.open("ab") as told:
            begun = monotonic()
            server = subprocess.Popen([HUANLIU, "serve"], env=environment, stdout=told, stderr=told)
            try:
                yield server, port, begun
            finally:
                server.kill()
                server.wait()

    def _wait_ready(self, server: "subprocess.Popen[bytes]", port: int) -> bool:
        """Whether it answers; what ends by itself, or never answers, is a fault."""
        until = monotonic() + READY_SECONDS
        while monotonic() < until and server.poll() is None:
            connection = HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
            try:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return True
            except (OSError, HTTPException):
                sleep(LOOK_SECONDS)
            finally:
                connection.close()
        self.tally.faults.append(f"no start: {(self.folder / 'server.log').read_text('utf-8')[-500:]}")
        return False
