"""台账条目. A fact with its position, record time and digest; the hashed bytes are kept and never written anew."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from flows.errors import Problem
from flows.events import EVENT, Event
from flows.ids import EnterpriseId
from flows.times import instant_us, moment_of

NO_DIGEST: Final = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True)
class Entry:
    """One fact in the ledger. `body` is the canonical JSON that `digest` (SHA-256, hex) was taken over.

    The body names the digest before it, so a changed byte anywhere breaks the chain from there on.
    """

    position: int
    record_time_us: int
    enterprise: EnterpriseId
    event_id: str
    body: bytes
    digest: str

    @cached_property
    def event(self) -> Event:
        """The fact as stated."""
        return EVENT.validate_python(json.loads(self.body)["event"])

    @property
    def record_time(self) -> datetime:
        """When it was taken in, Shanghai time."""
        return moment_of(self.record_time_us)

    @cached_property
    def recorded_by(self) -> str:
        """Whose key it came in with."""
        return str(json.loads(self.body)["recorded_by"])

    @cached_property
    def previous(self) -> str:
        """The digest of the entry before."""
        return str(json.loads(self.body)["previous"])


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the ledger: the position and digest of its last entry."""

    position: int = 0
    digest: str = NO_DIGEST
    record_time_us: int = 0


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no blanks, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def event_json(event: Event) -> dict[str, object]:
    """A fact as plain JSON values, what is absent left out."""
    return event.model_dump(mode="json", exclude_none=True)


def digest_of(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def next_entry(head: Head, event: Event, record_time_us: int, recorded_by: str) -> Entry:
    """The entry that follows `head`. Record time never runs backwards, whatever the clock does."""
    record_time_us = max(record_time_us, head.record_time_us)
    position = head.position + 1
    body = canonical(
        {
            "position": position,
            "previous": head.digest,
            "record_time": moment_of(record_time_us).isoformat(timespec="microseconds"),
            "recorded_by": recorded_by,
            "event": event_json(event),
        }
    )
    entry = Entry(position, record_time_us, event.enterprise, event.event_id, body, digest_of(body))
    entry.__dict__["event"] = event  # it was just validated: readers need not parse it again
    return entry


def read_entry(body: bytes, digest: str) -> Entry:
    """An entry from its kept bytes; whether they fit the digest is the audit's question."""
    content = json.loads(body)
    event = content["event"]
    recorded_us = instant_us(datetime.fromisoformat(content["record_time"]))
    return Entry(content["position"], recorded_us, event["enterprise"], event["event_id"], body, digest)


def head_of(entry: Entry | None) -> Head:
    """The head after an entry, or the empty ledger's."""
    return Head() if entry is None else Head(entry.position, entry.digest, entry.record_time_us)


def chain_faults(entries: Iterable[Entry], head: Head | None = None) -> Iterable[tuple[int, str]]:
    """Where a chain does not hold: (position, message key), all of them."""
    last = head or Head()
    for entry in entries:
        expected = last.position + 1
        if entry.position != expected:
            yield expected, "audit-position-missing"
        if digest_of(entry.body) != entry.digest:
            yield entry.position, "audit-digest-wrong"
        try:
            content = json.loads(entry.body)
            stated = content["position"], content["previous"]
            columns = content["event"]["enterprise"], content["event"]["event_id"]
            if instant_us(datetime.fromisoformat(content["record_time"])) != entry.record_time_us:
                yield entry.position, "audit-columns-differ"
            _ = EVENT.validate_python(content["event"])
        except (ValueError, KeyError, TypeError, Problem):
            yield entry.position, "audit-body-unreadable"
        else:
            if stated != (entry.position, last.digest):
                yield entry.position, "audit-chain-broken"
            if columns != (entry.enterprise, entry.event_id):
                yield entry.position, "audit-columns-differ"
        last = head_of(entry)
