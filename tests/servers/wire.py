"""A wire between a client and a server of this machine, that is cut at a chosen moment."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Final, Literal, TypeAlias

COMMIT: Final = b"\x00\x02\xb0\x12\x00\x00"
"""Bolt's message COMMIT: a chunk of two bytes, a structure without fields, its end."""
BLOCK: Final = 65_536
Cut: TypeAlias = Literal["never", "before the commit", "after the commit"]


@dataclass
class Wire:
    """Listens on a free port and passes bytes on to another. `cut` says when the next connection breaks, once."""

    to: int
    cut: Cut = "never"
    down: bool = False
    """Whether nobody gets through."""
    was_cut: Event = field(default_factory=Event)
    _open: set[socket.socket] = field(default_factory=set[socket.socket])
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    def cut_now(self, *, down: bool = False) -> None:
        """Break every connection; `down`: and let nobody through until it is set back."""
        self.down = down
        with self._lock:
            for each in self._open:
                _close(each)
            self._open.clear()

    def close(self) -> None:
        """End."""
        self.cut_now(down=True)
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                _close(client)
                continue
            server = socket.create_connection(("127.0.0.1", self.to))
            with self._lock:
                self._open |= {client, server}
            answered = Event()
            Thread(target=self._pass, args=(client, server, self._asks(answered)), daemon=True).start()
            Thread(target=self._pass, args=(server, client, self._answers(answered)), daemon=True).start()

    def _asks(self, committing: Event) -> Callable[[bytes], bool]:
        """What the client sends: whether it goes on to the server."""

        def passes(block: bytes) -> bool:
            if COMMIT not in block or self.cut == "never":
                return True
            if self.cut == "before the commit":
                self._broken()
                return False
            committing.set()
            return True

        return passes

    def _answers(self, committing: Event) -> Callable[[bytes], bool]:
        """What the server answers: whether the client hears it."""

        def passes(_: bytes) -> bool:
            if committing.is_set() and self.cut == "after the commit":
                self._broken()
                return False
            return True

        return passes

    def _broken(self) -> None:
        self.cut = "never"
        self.was_cut.set()

    def _pass(self, one: socket.socket, other: socket.socket, passes: Callable[[bytes], bool]) -> None:
        with suppress(OSError):
            while (block := one.recv(BLOCK)) and passes(block):
                other.sendall(block)
        for each in (one, other):
            _close(each)


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
