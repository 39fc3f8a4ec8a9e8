"""Serving: which port, what is said about it, and uvicorn in this process or in several until it is told to stop."""

import os
import signal
import socket
import sys
from contextlib import closing
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as EventType
from tempfile import TemporaryDirectory
from threading import Thread
from types import FrameType
from typing import Final

import uvicorn
from rich.console import Console

from api import metrics
from api.app import create_app
from api.cache_keeper import CacheKeeper
from api.manners import settle_memory
from api.service import Service
from api.settings import DEFAULT_PORT, Settings
from api.supervising import Supervisor
from api.wall_clock import behind, words
from flows.errors import Problem

PORTS_TRIED: Final = 50
QUEUE: Final = 2048
"""Connections that may wait to be taken, as uvicorn itself has it; the system may keep fewer."""

GRACE_S: Final = 5
"""How long answers under way may take when a process is told to end."""
REFUSED: Final = 1
"""How a process ends that could not open the ledger."""
SHARED_METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where processes lay down what they count, by the name that prometheus-client has for it."""


class PortTaken(Problem):
    """The port that was asked for is in use."""

    title = {"zh": "端口被占用", "en": "Port taken"}


def listening(host: str, asked: int | None) -> socket.socket:
    """A socket that listens on the asked port, or on 8000, or on the next free one when none was asked for.

    Who is told its address may connect at once: what comes before the first answer waits in its queue. It is a socket of
    TCP by name: of one that is so by default asyncio does not know it, and lets each answer wait 40 ms for its last part.

    Raises:
        PortTaken: the asked port is in use, or each that was tried.
    """
    first = asked or DEFAULT_PORT
    for port in range(first, first + (1 if asked else PORTS_TRIED)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, port))
            found.listen(QUEUE)
        except OSError:
            found.close()
        else:
            return found
    raise PortTaken("port-taken", port=first, host=host)


def serve(service: Service, console: Console) -> None:
    """Serve REST and pages in this process until stopped.

    Raises:
        Problem: the port is taken, or nothing could be written to the ledger: said now, and not to the first client.
    """
    settings = service.settings
    _check_writable(service)
    if service.caching is not None and service.caching.due(service.recording.position):
        service.caching.write(service.recording)  # now nobody waits
    settle_memory()
    with listening(settings.host, settings.port) as held:
        port = int(held.getsockname()[1])
        _tell_first(service, port, console)
        _tell_where(settings, port, console)
        _answer(service, held, port)


def serve_many(settings: Settings, console: Console) -> None:
    """Serve in as many processes as are set, on one socket, until stopped; each has a book and an index of its own.

    This one answers nothing: it starts them, and starts anew what dies. Raises as `serve` does.
    """
    context = get_context("spawn")  # threads and connections to a store do not bear to be forked
    with listening(settings.host, settings.port) as held, TemporaryDirectory(prefix="huanliu-metrics-") as folder:
        port = int(held.getsockname()[1])
        service = Service.open_unread(settings)
        with closing(service):
            _check_writable(service)
            _tell_first(service, port, console)
        os.environ[SHARED_METRICS] = folder  # before a process imports the library that reads it
        ready, told = context.Event(), list[int]()

        def start(number: int) -> BaseProcess:
            process = context.Process(target=_work, args=(settings, held, port, number, ready), name=f"worker {number}")
            process.start()
            return process

        def look() -> None:
            if ready.is_set() and not told:
                told.append(port)
                _tell_where(settings, port, console)

        Supervisor(settings.workers, start, console, lambda pid: metrics.forget(pid, folder), look).run()


def _work(settings: Settings, held: socket.socket, port: int, number: int, ready: EventType) -> None:
    """One of several processes: reads the ledger, then answers on the socket that all share, until it is told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the one that watches says when to end
    signal.signal(signal.SIGTERM, _leave)
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        service = Service.open(settings)
    except Problem as problem:
        sys.stderr.write(f"{problem.text('zh')}\n{problem.text('en')}\n")
        raise SystemExit(REFUSED) from None
    settle_memory()
    ready.set()
    _answer(service, held, port, number)


def _answer(service: Service, held: socket.socket, port: int, number: int = 1) -> None:
    app = create_app(service, port, number)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_S)
    with CacheKeeper(service, writes=number == 1):  # what one process writes, the next start of each begins with
        uvicorn.Server(config).run(sockets=[held])


def _leave(_: int, __: FrameType | None) -> None:
    """Before it answers, and when all is answered, a process ends at once: whatever it did is durable, or was never told.

    An exception could be lost where the interpreter was interrupted, in a collection of garbage for one.
    """
    os._exit(0)


def _end_with_parent() -> None:
    """Whoever watches was killed: nobody would ever stop this process."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _check_writable(service: Service) -> None:
    with service.ledger.turn():  # an empty one
        pass


def _tell_first(service: Service, port: int, console: Console) -> None:
    """What the operator should know first."""
    settings = service.settings
    if settings.port is None and port != DEFAULT_PORT:
        console.print(f"端口 {DEFAULT_PORT} 已被占用，改用 {port} · port {DEFAULT_PORT} is taken, using {port}")
    if settings.public_url is None:
        console.print(
            "未设置 HUANLIU_PUBLIC_URL：打印的二维码只在本机有效 · codes resolve on this machine only",
            style="yellow",
        )
    if (found := behind(service.ledger.head(), service.clock())) is not None:
        console.print(f"{words(found, 'zh')}\n{words(found, 'en')}", style="yellow", highlight=False, markup=False)


def _tell_where(settings: Settings, port: int, console: Console) -> None:
    """Where the service is reached: who reads this may connect at once."""
    many = f"{settings.workers} 个进程 · {settings.workers} processes；" if settings.workers > 1 else ""
    console.print(f"环流已就绪 · serving at {settings.local_url(port)}  （{many}Ctrl+C 结束）")
