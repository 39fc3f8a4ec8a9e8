"""What was stated, position by position: whom a book asks for facts that a correction reads again."""

from dataclasses import dataclass, field
from typing import Protocol

from flows.events import Event
from flows.ids import EnterpriseId, EventId


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as it is read now, and when it was taken in; `event` is None once it was withdrawn."""

    event: Event | None
    record_time_us: int


class Facts(Protocol):
    """Who keeps what was stated: the ledger. A book asks it for facts that a correction reads again."""

    def told(self, position: int) -> Told:
        """The fact at a position, as stated."""
        ...

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> int | None:
        """The position of the fact that an enterprise stated under a name."""
        ...

    def keep(self, position: int, told: Told) -> None:
        """Take over a fact that the book has read; a ledger has it already."""
        ...


@dataclass
class KeptFacts:
    """Every fact in plain dicts: what a book without a ledger stands on."""

    facts: dict[int, Told] = field(default_factory=dict[int, Told])
    positions: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def told(self, position: int) -> Told:
        """The fact at a position."""
        return self.facts[position]

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> int | None:
        """Its position by its name."""
        return self.positions.get((enterprise, event_id))

    def keep(self, position: int, told: Told) -> None:
        """Keep a fact."""
        self.facts[position] = told
        if told.event is not None:
            self.positions[told.event.enterprise, told.event.event_id] = position
