"""Where a manifest stands: read off the facts about it, in their order."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from flows.events import Arrived, Cancelled, Decided, DecidedLine, Loaded, LoadedLine, ManifestLine, Submitted
from flows.ids import ManifestId


class State(StrEnum):
    """联单状态."""

    SUBMITTED = "submitted"
    LOADED = "loaded"
    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


STATES_ZH = {
    State.SUBMITTED: "已提交",
    State.LOADED: "已装车",
    State.ARRIVED: "已运抵",
    State.ACCEPTED: "已接受",
    State.PARTLY_ACCEPTED: "部分接受",
    State.REJECTED: "已拒收",
    State.CANCELLED: "已撤销",
}

ManifestFact: TypeAlias = Submitted | Loaded | Arrived | Decided | Cancelled


@dataclass(frozen=True, slots=True)
class Manifest:
    """转移联单. What was stated about one transfer; `positions` and `effective_us` go with `history`."""

    history: tuple[ManifestFact, ...]
    positions: tuple[int, ...]
    effective_us: int

    @property
    def submitted(self) -> Submitted:
        """The consignor's declaration, which every history begins with."""
        first = self.history[0]
        assert isinstance(first, Submitted)
        return first

    @property
    def manifest_id(self) -> ManifestId:
        """Its id."""
        return self.submitted.manifest_id

    @property
    def state(self) -> State:
        """Where it stands."""
        return state(self.history)

    @property
    def loaded(self) -> Loaded | None:
        """The loading, once it was stated."""
        return next((fact for fact in self.history if isinstance(fact, Loaded)), None)

    @property
    def arrived(self) -> Arrived | None:
        """The arrival, once it was stated."""
        return next((fact for fact in self.history if isinstance(fact, Arrived)), None)

    @property
    def decided(self) -> Decided | None:
        """The consignee's decision, once it was stated."""
        return next((fact for fact in self.history if isinstance(fact, Decided)), None)

    @property
    def parties(self) -> frozenset[str]:
        """Consignor, consignee and the carriers on the platform."""
        submitted = self.submitted
        carriers = {leg.carrier for leg in submitted.legs if leg.carrier}
        return frozenset({submitted.enterprise, submitted.consignee} | carriers)

    @property
    def closed(self) -> bool:
        """Nothing more can happen to it."""
        return self.state not in {State.SUBMITTED, State.LOADED, State.ARRIVED}

    def planned_line(self, line: int) -> ManifestLine | None:
        """A line as submitted."""
        return next((planned for planned in self.submitted.lines if planned.line == line), None)

    def loaded_line(self, line: int) -> LoadedLine | None:
        """A line as loaded."""
        loaded = self.loaded
        return next((each for each in loaded.lines if each.line == line), None) if loaded else None

    def arrived_g(self, line: int) -> int | None:
        """What the consignee's scale read for a line."""
        arrived = self.arrived
        return next((each.mass_g for each in arrived.lines if each.line == line), None) if arrived else None

    def decided_line(self, line: int) -> DecidedLine | None:
        """A line as decided."""
        decided = self.decided
        return next((each for each in decided.lines if each.line == line), None) if decided else None

    def then(self, fact: ManifestFact, position: int, effective_us: int) -> "Manifest":
        """The manifest after one more fact."""
        return Manifest((*self.history, fact), (*self.positions, position), max(self.effective_us, effective_us))


def state(history: tuple[ManifestFact, ...]) -> State:
    """Where a manifest stands after these facts."""
    match history:
        case [*_, Submitted()]:
            return State.SUBMITTED
        case [*_, Loaded()]:
            return State.LOADED
        case [*_, Arrived()]:
            return State.ARRIVED
        case [*_, Cancelled()]:
            return State.CANCELLED
        case [*_, Decided(lines=lines)] if all(line.rejected is None for line in lines):
            return State.ACCEPTED
        case [*_, Decided(lines=lines)] if all(line.accepted is None for line in lines):
            return State.REJECTED
        case [*_, Decided()]:
            return State.PARTLY_ACCEPTED
        case _:
            raise AssertionError(history)
