"""What was found in a statement, kept on the desk, so that a retry hears all of the first answer again."""

import hashlib
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter

from flows.errors import Figure
from flows.ports import Clock, Desk
from flows.recording import Statement
from flows.rules import Finding
from flows.times import instant_us

KIND: Final = "found"
KEPT: Final = timedelta(days=30)
"""A phone that was without a network for a month states anew by hand."""

_FOUND: Final = TypeAdapter(list[tuple[str, dict[str, Figure]]])


def remember(statement: Statement, desk: Desk, clock: Clock) -> None:
    """Keep what was found the first time; put it back into a statement that was made before."""
    key, now_us = _key(statement), instant_us(clock())
    if statement.findings:
        body = _FOUND.dump_json([(each.key, each.figures) for each in statement.findings])
        expires_us = now_us + KEPT // timedelta(microseconds=1)
        desk.put(KIND, key, body, version=0, now_us=now_us, expires_us=expires_us)
        return
    kept = desk.get(KIND, key, now_us=now_us)
    if kept is not None:
        statement.findings += [Finding(name, figures) for name, figures in _FOUND.validate_json(kept.body)]


def _key(statement: Statement) -> str:
    names = "\x1f".join(f"{event.enterprise}/{event.event_id}" for event in statement.facts)
    return hashlib.sha256(names.encode()).hexdigest()
