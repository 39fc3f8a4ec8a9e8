"""Corrections judged on a draft while others write: what they write meanwhile is not taken for the draft's own."""

import pytest

from flows.errors import Problem
from flows.events import Amendment, CorrectionRequested
from flows.mass import grams
from flows.rehearsal import Trial, rehearse
from tests.flows.stories import SMELTER, at, generated, portion, product, settled, transformed


def test_a_neighbours_fact_at_a_position_of_the_draft_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.rehearsal.HELD_S", 0.0)  # one record to a hold, so that somebody comes between
    house = settled()
    made = generated()
    house.tell(made)
    smaller = made.model_copy(update={"product": made.product.model_copy(update={"mass_g": grams("3 t")})})
    correction = CorrectionRequested(
        event_id="GZ", enterprise=SMELTER, event_time=at(10), reason="过磅单录错",
        changes=(Amendment(stated_by=SMELTER, corrects=made.event_id, was=made, becomes=smaller),),
    )  # fmt: skip
    draws = transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")])
    trials = [Trial([each]) for each in (generated("B7"), correction, draws)]

    steps = rehearse(trials, house.recording)
    assert next(steps) == 1
    house.tell(transformed([portion("B1", "6 t")], [product(SMELTER, "B9", "6 t")]))
    _ = [*steps]

    assert [trial.place for trial in trials] == [0, 1, None]
    refusal = trials[2].statement.answer
    assert isinstance(refusal, Problem)
    assert (refusal.key, refusal.figures["left"]) == ("overdrawn", "3 t")
