"""The examples of docs/facts.md, one after the other, are one story that the house admits."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.access import Caller, check_may_state
from flows.audit import audit
from flows.events import EVENT, KINDS, Event
from flows.times import SHANGHAI, latest_us, moment_of
from tests.flows.stories import Clock, House

FACTS = Path(__file__).parents[2] / "docs" / "facts.md"
BLOCK = re.compile(r"^```json\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
AUTHORITIES = {
    "enterprise_confirmed", "permit_granted", "permit_amended", "permit_revoked", "approval_granted", "figure_declared",
}  # fmt: skip


def story() -> list[Event]:
    """All facts of the page, in order, also those that stand in a list."""
    told: list[Any] = []
    for match in BLOCK.finditer(FACTS.read_text("utf-8")):
        block = json.loads(match["text"])
        told += block if isinstance(block, list) else [block]
    return [EVENT.validate_python(fact) for fact in told]


@pytest.fixture(scope="module")
def house() -> House:
    """The park when the story is told as it happens, each fact by a caller who may say it."""
    house = House(clock=Clock(datetime(2026, 1, 1, tzinfo=SHANGHAI)))
    for fact in story():
        house.clock.now = max(house.clock.now, moment_of(latest_us(fact.event_time)))
        role = "regulator" if fact.kind in AUTHORITIES else "member"
        check_may_state(Caller(fact.enterprise, role, "51"), fact, house.book, house.clock.now.date())
        assert house.found(fact) == [], fact.event_id
    return house


def test_the_story_is_admitted_and_nothing_is_found(house: House) -> None:
    assert [entry.event for entry in house.entries] == story()
    assert audit(house.ledger) == []


def test_every_kind_of_fact_appears(house: House) -> None:
    assert {entry.event.kind for entry in house.entries} == set(KINDS)


def test_the_story_ends_as_it_says(house: House) -> None:
    left = {batch.batch_id.partition(".")[2]: (batch.left_g, batch.place) for batch in house.book.batches.values()}

    assert left == {
        "QC001": (4_000_000, "site"),
        "HWCS20260302001": (2_000_000, "site"),
        "LY0302": (42_000_000, "site"),
        "HS001": (4_000_000, "site"),
        "JS001-T": (980_000, "gate"),
        "ER001": (3_000_000, "site"),
    }
