"""What to watch, for Prometheus: counted in each process, read off the ledger when asked, and told to no stranger."""

import os
import secrets
import shutil
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.observing import TurnTold
from api.problems import STATUS, UNCACHED, Unsigned
from api.service import Service
from flows.errors import Problem, Unknown

TURN_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
GROUP_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
WAL: Final = "-wal"
"""Of the file beside SQLite's that holds what is not in it yet."""
FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""What a proxy adds: behind one, every caller comes from this machine."""

FACTS: Final = Counter("huanliu_facts_recorded", "Facts recorded since the start, by kind", ["kind"])
REFUSED: Final = Counter(
    "huanliu_statements_refused", "Statements refused since the start, by the problem's key", ["key"]
)
TURNS: Final = Histogram(
    "huanliu_turn_seconds", "How long turns took, the durable commit included", buckets=TURN_BUCKETS_S
)
GROUPS: Final = Histogram("huanliu_turn_statements", "Statements that one turn took together", buckets=GROUP_BUCKETS)
POSITION: Final = Gauge(
    "huanliu_worker_position", "Position that a process has read", ["worker"], multiprocess_mode="livemax"
)
WHOLE: Final = Gauge(
    "huanliu_worker_whole", "1 while a process' readings may be used, 0 when they stopped", ["worker"],
    multiprocess_mode="livemin",
)  # fmt: skip


def hear(told: TurnTold) -> None:
    """Count a turn."""
    TURNS.observe(told.seconds)
    GROUPS.observe(told.statements)
    for kind, count in told.facts.items():
        FACTS.labels(kind).inc(count)
    for key, count in told.refused.items():
        REFUSED.labels(key).inc(count)


def stands(service: Service, worker: int) -> None:
    """Note how far a process has read, and whether its readings are whole."""
    POSITION.labels(str(worker)).set(service.recording.position)
    WHOLE.labels(str(worker)).set(service.recording.whole)


def answer(request: Request) -> Response:
    """All figures, of all processes, in Prometheus' text.

    Raises:
        Unsigned: a token is set, and this is another or none.
        HTTPException: no token is set, and the caller is not on this machine, or may not be.
    """
    service: Service = request.app.state.service
    _check_may_read(request, service)
    stands(service, request.app.state.worker)
    registry = CollectorRegistry()
    registry.register(LedgerFigures(service))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST, **UNCACHED})


def _check_may_read(request: Request, service: Service) -> None:
    settings = service.settings
    if settings.metrics_token is not None:
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        token = settings.metrics_token.get_secret_value().encode()
        if scheme.lower() != "bearer" or not secrets.compare_digest(told.strip().encode(), token):
            raise Unsigned("metrics-token-wrong")
    elif settings.public_url is not None or any(name in request.headers for name in FORWARDED) or not _is_near(request):
        raise HTTPException(int(STATUS[Unknown]))  # told as any address that leads nowhere


def _is_near(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def forget(pid: int, folder: str) -> None:
    """A process is no more: what it stood at says nothing; what it counted stays."""
    multiprocess.mark_process_dead(pid, folder)  # pyright: ignore[reportUnknownMemberType] # untyped in the library


class LedgerFigures(Collector):
    """What was counted, in this process or in all that share the work, and what the ledger and its desk say now."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Figures of the processes first, then the ledger's; what cannot be read is left out, and `up` is 0."""
        counted = [each for each in _counted() if each.name.startswith("huanliu_")]
        yield from counted
        try:
            found = [*self._ledger(counted), *self._desk()]
        except Problem:
            found = []
        yield from found
        yield _gauge("huanliu_store_up", "1 while ledger and desk can be read", int(bool(found)))
        yield from self._disk()

    def _ledger(self, counted: list[Metric]) -> Iterator[Metric]:
        head = self._service.ledger.head().position
        yield _gauge("huanliu_ledger_position", "Position of the ledger's last entry", head)
        lag = GaugeMetricFamily("huanliu_worker_lag", "Entries that a process has not read yet", labels=["worker"])
        for each in counted:
            for sample in each.samples if each.name == "huanliu_worker_position" else ():
                lag.add_metric([sample.labels["worker"]], max(0, head - sample.value))
        yield lag

    def _desk(self) -> Iterator[Metric]:
        service = self._service
        yield _gauge("huanliu_imports_under_way", "Imports that are not finished", service.imports.under_way())
        waiting = len(list(service.book.requests.items()))
        yield _gauge("huanliu_corrections_open", "Corrections that wait for the other side", waiting)

    def _disk(self) -> Iterator[Metric]:
        settings = self._service.settings
        try:
            free = shutil.disk_usage(settings.data).free
        except OSError:
            return
        yield _gauge("huanliu_disk_free_bytes", "Room left where the data lie", free)
        log = settings.file.with_name(settings.file.name + WAL)
        if settings.file.exists():
            size = log.stat().st_size if log.exists() else 0
            yield _gauge("huanliu_wal_bytes", "Bytes of the write-ahead log beside the SQLite file", size)


def _counted() -> Iterator[Metric]:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        yield from REGISTRY.collect()
        return
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)
    yield from shared.collect()


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
