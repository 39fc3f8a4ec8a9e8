"""Eight clients over HTTP: single facts, several together, manifests, corrections, and now and then the same once more."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from random import Random
from typing import Final, TypeAlias

from flows.entries import event_json
from flows.events import CorrectionRequested, Disposed, Event, Stated
from flows.mass import grams
from tests.flows.stories import (
    ELEVEN,
    RECOVERER,
    SLAG,
    SMELTER,
    arrived,
    decided,
    generated,
    loaded,
    portion,
    product,
    say,
    site,
    submitted,
    transformed,
)

CLIENTS: Final = 8
AGAIN_SHARE: Final = 0.1
"""How often a client states once more what was acknowledged: a phone that missed the answer."""
ANSWER_SECONDS: Final = 30.0
RECORDED: Final = 201
AWAY: Final = 503

Statement: TypeAlias = Sequence[Event]
Kept: TypeAlias = list[tuple[int, str]]
"""Position and digest of each entry that an answer named."""


def stated_by(number: int, prefix: str) -> Iterator[Statement]:
    """What a client states, one statement after the other: each may use what those before it made."""
    for turn in count(1):
        yield from KINDS[number % len(KINDS)](f"{prefix}{number}-{turn}")


def _arising(name: str) -> Iterator[Statement]:
    yield [generated(name, "1 t", material=SLAG)]


def _making(name: str) -> Iterator[Statement]:
    """Arising, making and ending, each a statement of its own."""
    yield [generated(f"{name}A", "3 t", material=SLAG)]
    yield [transformed([portion(f"{name}A", "3 t")], [product(SMELTER, f"{name}B", "3 t", SLAG)], process="shred")]
    words = {"site_id": site(SMELTER), "portions": (portion(f"{name}B", "3 t"),), "method": "D1"}
    yield [say(Disposed, SMELTER, ELEVEN, **words)]


def _together(name: str) -> Iterator[Statement]:
    """Three facts that are kept together or not at all."""
    portions = [portion(f"{name}A", "2 t"), portion(f"{name}B", "1 t")]
    yield [
        generated(f"{name}A", "2 t", material=SLAG),
        generated(f"{name}B", "1 t", material=SLAG),
        transformed(portions, [product(SMELTER, f"{name}C", "3 t", SLAG)], process="shred"),
    ]


def _moving(name: str) -> Iterator[Statement]:
    """A batch on its way, from the smelter's yard to the recoverer's."""
    yield [generated(name, "10 t", material=SLAG)]
    yield [submitted({name: "10 t"}, f"M{name}"), loaded({name: "10 t"}, f"M{name}")]
    yield [arrived(["10 t"], f"M{name}")]
    yield [decided([("10 t", None)], f"M{name}")]


def _mending(name: str) -> Iterator[Statement]:
    """A batch whose mass is stated wrongly and mended, after something was made of it; and one that is withdrawn."""
    first = generated(f"{name}A", "3 t", material=SLAG)
    yield [first]
    yield [transformed([portion(f"{name}A", "1 t")], [product(SMELTER, f"{name}B", "1 t", SLAG)], process="shred")]
    second = first.model_copy(update={"product": first.product.model_copy(update={"mass_g": grams("2 t")})})
    yield [corrected(first, second)]
    slip = generated(f"{name}C", "1 t", material=SLAG)
    yield [slip]
    yield [corrected(slip, None), corrected(second, first)]


def corrected(was: Stated, becomes: Stated | None) -> CorrectionRequested:
    """A fact of one's own is to be read as another, or as never stated."""
    words = {
        "stated_by": was.enterprise,
        "corrects": was.event_id,
        "was": was,
        "becomes": becomes,
        "reason": "typed wrongly",
    }
    return say(CorrectionRequested, was.enterprise, ELEVEN, **words)


KINDS: Final = (_mending, _arising, _making, _together, _moving)
"""What clients do, one after the other: two of eight mend."""


@dataclass
class Client:
    """One who states and remembers what was acknowledged; what got no answer is stated again after the restart."""

    number: int
    prefix: str
    keys: dict[str, str]
    random: Random
    bears_away: bool = False
    """Whether the store itself is killed now and then: what hears so is no answer, and is stated again."""
    acknowledged: list[tuple[Statement, Kept]] = field(default_factory=list[tuple[Statement, Kept]])
    again: int = 0
    """Statements that were made once more and heard the first answer."""
    astray: list[str] = field(default_factory=list[str])
    """Answers that nobody expected."""
    pending: Statement | None = None

    def __post_init__(self) -> None:
        self._statements = stated_by(self.number, self.prefix)

    def state_until_killed(self, port: int) -> None:
        """State one thing after the other over one connection, until the server is gone."""
        connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            while not self.astray:
                self._state_next(connection)
        except (OSError, HTTPException, json.JSONDecodeError):
            return  # no whole answer came: nothing was acknowledged
        except Exception as fault:  # noqa: BLE001 - the run shows it and ends
            self.astray.append(repr(fault))
        finally:
            connection.close()

    def _state_next(self, connection: HTTPConnection) -> None:
        if self.acknowledged and self.random.random() < AGAIN_SHARE:
            statement, first = self.random.choice(self.acknowledged)
            if self._asked(connection, statement) != first:
                self.astray.append(f"another answer to a retry of {statement[0].event_id}")
            self.again += 1
        self.pending = self.pending or next(self._statements)
        kept = self._asked(connection, self.pending)
        self.acknowledged.append((self.pending, kept))
        self.pending = None

    def _asked(self, connection: HTTPConnection, statement: Statement) -> Kept:
        body = json.dumps({"facts": [event_json(event) for event in statement]})
        headers = {"Authorization": f"Bearer {self.keys[statement[0].enterprise]}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/facts", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status == AWAY and self.bears_away:
            raise ConnectionError(str(told.get("detail")))
        if answer.status != RECORDED:
            self.astray.append(f"{answer.status} {told.get('detail')}")
            return []
        return [(entry["position"], entry["digest"]) for entry in told["entries"]]


STATING: Final = (SMELTER, RECOVERER)
"""Who needs a key."""
