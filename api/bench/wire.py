"""A trace over HTTP: a real server on a free port of this machine, asked in columns by a client of the library."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Final

import orjson
import uvicorn

from api.app import create_app
from api.bench.kernels import cones
from api.bench.rows import Name, Row, medians_ms, row
from api.bench.story import PLANT
from api.bench.writing import opened
from api.service import Service
from graph.tracing import trace

LOOPBACK: Final = "127.0.0.1"
STARTED_SECONDS: Final = 0.01
"""Between two looks whether the server has started."""


def trace_over_http(folder: Path) -> Row:
    """The largest trace of an imported story, whole and in columns; the peer is the same trace in this process."""
    service = opened(folder / "data")
    lineage = service.lineage
    root = cones(lineage).large
    key, _ = service.keys.create(PLANT, "auditor")
    path = f"/api/v1/batches/{lineage.batch_ids[root]}/trace?form=columns"
    with served(service) as port:
        connection = HTTPConnection(LOOPBACK, port)

        def ask() -> bytes:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            return connection.getresponse().read()

        body = ask()
        found = trace(lineage, root, "down")
        told = orjson.loads(body)
        assert told["nodes"]["batch_id"] == [lineage.batch_ids[rank] for rank in found.nodes.rank.tolist()], "other"
        assert len(told["edges"]["from"]) == len(found.edges), "the answer has other edges"
        ours, inside = medians_ms(ask, lambda: trace(lineage, root, "down"))
        connection.close()
    note = f"{len(found.nodes):,} 批 batches, {len(body):,} B"
    return row(
        Name.WIRE, "HTTP 列式追踪 · trace over HTTP, columns", "ms", ours, ("the same trace in process", inside), note
    )


@contextmanager
def served(service: Service) -> Generator[int]:
    """The port of a server that runs in a thread, and closes the service when it ends."""
    listening = socket.create_server((LOOPBACK, 0))
    port = int(listening.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(create_app(service, port), log_level="warning"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            sleep(STARTED_SECONDS)
        yield port
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
