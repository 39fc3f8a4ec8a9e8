"""Imports whose process died, wherever it ran, are gone on with by one that lives."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from api.import_jobs import SILENT_S
from api.service import Service

_LOG: Final = logging.getLogger(__name__)


@contextmanager
def finishing(service: Service) -> Generator[None]:
    """At the start, and now and then as long as this lasts. What is under way when it ends is finished by the next."""
    ended = Event()
    Thread(target=_finish, args=(service, ended), name="unfinished imports", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _finish(service: Service, ended: Event) -> None:
    noted: dict[str, int] = {}
    while not ended.is_set():
        try:
            service.finish_imports(noted)
            noted = service.imports.noted()
        except Exception:  # noqa: BLE001 - the store may be away for the moment; the imports wait on the desk
            if not ended.is_set():  # else it was closed
                _LOG.exception("unfinished imports are looked at again")
        ended.wait(SILENT_S)
