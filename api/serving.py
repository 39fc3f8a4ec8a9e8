"""Serving: which port, what is said about it, and one uvicorn server until it is told to stop."""

import socket
from typing import Final

import uvicorn
from rich.console import Console

from api.app import create_app
from api.manners import settle_memory
from api.service import Service
from api.settings import DEFAULT_PORT
from api.wall_clock import behind, words
from flows.errors import Problem

PORTS_TRIED: Final = 50
QUEUE: Final = 2048
"""Connections that may wait to be taken, as uvicorn itself has it; the system may keep fewer."""


class PortTaken(Problem):
    """The port that was asked for is in use."""

    title = {"zh": "端口被占用", "en": "Port taken"}


def listening(host: str, asked: int | None) -> socket.socket:
    """A socket that listens on the asked port, or on 8000, or on the next free one when none was asked for.

    Who is told its address may connect at once: what comes before the first answer waits in its queue.

    Raises:
        PortTaken: the asked port is in use, or each that was tried.
    """
    first = asked or DEFAULT_PORT
    for port in range(first, first + (1 if asked else PORTS_TRIED)):
        found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
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
    """Serve REST and pages until stopped.

    Raises:
        Problem: the port is taken, or nothing could be written to the ledger: said now, and not to the first client.
    """
    settings = service.settings
    with service.ledger.turn():  # an empty one
        pass
    settle_memory()
    with listening(settings.host, settings.port) as held:
        port = int(held.getsockname()[1])
        _tell_where(service, port, console)
        config = uvicorn.Config(create_app(service, port), log_level="warning", timeout_graceful_shutdown=5)
        uvicorn.Server(config).run(sockets=[held])


def _tell_where(service: Service, port: int, console: Console) -> None:
    """Where the service is reached, and what its operator should know of it first."""
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
    console.print(f"环流已就绪 · serving at {settings.local_url(port)}  （Ctrl+C 结束）")
