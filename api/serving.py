"""Serving: which port, what is said about it, and one uvicorn server until it is told to stop."""

import socket
from typing import Final

import uvicorn
from rich.console import Console

from api.app import create_app
from api.cache_keeper import CacheKeeper
from api.manners import settle_memory
from api.service import Service
from api.settings import DEFAULT_PORT
from api.wall_clock import behind, words
from flows.errors import Problem

PORTS_TRIED: Final = 50


class PortTaken(Problem):
    """The port that was asked for is in use."""

    title = {"zh": "端口被占用", "en": "Port taken"}


def free_port(host: str, asked: int | None) -> int:
    """The asked port, or 8000, or the next free one when none was asked for.

    Raises:
        PortTaken: the asked port is in use.
    """
    first = asked or DEFAULT_PORT
    for port in range(first, first + (1 if asked else PORTS_TRIED)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise PortTaken("port-taken", port=first, host=host)


def serve(service: Service, console: Console) -> None:
    """Serve REST and pages until stopped.

    Raises:
        Problem: the port is taken, or nothing could be written to the ledger: said now, and not to the first client.
    """
    settings = service.settings
    with service.ledger.turn():  # an empty one
        pass
    if service.caching is not None and service.caching.due(service.recording.position):
        service.caching.write(service.recording)  # now nobody waits
    settle_memory()
    port = free_port(settings.host, settings.port)
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
    with CacheKeeper(service):
        uvicorn.run(
            create_app(service, port),
            host=settings.host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=5,
        )
