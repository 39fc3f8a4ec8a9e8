"""Where a manifest stands is read off what happened to it."""

import pytest

from flows.events import Cancelled, Event, Leg
from flows.manifests import STATES_ZH, Manifest, State, state
from tests.flows.stories import CARRIER, RECOVERER, SMELTER, arrived, at, decided, loaded, own, say, submitted

FIRST = submitted({"B1": "10 t", "B2": "5 t"})
LOADED = loaded({"B1": "10 t", "B2": "5 t"})
ARRIVED = arrived(["10 t", "5 t"])
CANCELLED = say(Cancelled, SMELTER, at(9, 10), manifest_id=own(SMELTER, "M1"), reason="x")


def _decided(*parts: tuple[str | None, str | None]) -> Event:
    return decided(list(parts))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([FIRST], State.SUBMITTED),
        ([FIRST, LOADED], State.LOADED),
        ([FIRST, LOADED, ARRIVED], State.ARRIVED),
        ([FIRST, CANCELLED], State.CANCELLED),
        ([FIRST, LOADED, ARRIVED, _decided(("10 t", None), ("5 t", None))], State.ACCEPTED),
        ([FIRST, LOADED, ARRIVED, _decided(("9 t", "1 t"), ("5 t", None))], State.PARTLY_ACCEPTED),
        ([FIRST, LOADED, ARRIVED, _decided(("10 t", None), (None, "5 t"))], State.PARTLY_ACCEPTED),
        ([FIRST, LOADED, ARRIVED, _decided((None, "10 t"), (None, "5 t"))], State.REJECTED),
    ],
)
def test_the_state_is_read_off_the_facts(history: list[Event], expected: State) -> None:
    manifest = Manifest((FIRST,), (1,), 0)
    for position, fact in enumerate(history[1:], 2):
        manifest = manifest.then(fact, position, position * 10)  # pyright: ignore[reportArgumentType]

    assert state(manifest.history) == manifest.state == expected
    assert manifest.closed is (expected not in {State.SUBMITTED, State.LOADED, State.ARRIVED})
    assert manifest.positions == tuple(range(1, len(history) + 1))
    assert manifest.effective_us == (len(history) * 10 if len(history) > 1 else 0)


def test_a_history_begins_with_a_submission() -> None:
    with pytest.raises(AssertionError):
        state(())


def test_a_step_that_was_told_late_does_not_set_the_clock_back() -> None:
    assert Manifest((FIRST,), (1,), 50).then(LOADED, 2, 40).effective_us == 50


def test_lines_are_found_in_each_step() -> None:
    manifest = Manifest((FIRST,), (1,), 0)
    assert (manifest.loaded, manifest.arrived, manifest.decided) == (None, None, None)
    assert (manifest.loaded_line(1), manifest.arrived_g(1), manifest.decided_line(1)) == (None, None, None)

    verdict = decided([("9 t", "1 t"), ("5 t", None)])
    whole = manifest.then(LOADED, 2, 0).then(ARRIVED, 3, 0).then(verdict, 4, 0)
    planned, load, line = whole.planned_line(2), whole.loaded_line(2), whole.decided_line(2)
    assert planned is not None
    assert load is not None
    assert line is not None
    assert (planned.batch_id, load.load_id, whole.arrived_g(2)) == (
        own(SMELTER, "B2"),
        own(SMELTER, "M1-L2"),
        5_000_000,
    )
    assert (whole.planned_line(3), whole.loaded_line(3), whole.arrived_g(3), whole.decided_line(3)) == (None,) * 4


def test_the_parties_are_consignor_consignee_and_carriers_on_the_platform() -> None:
    legs = (Leg(carrier=CARRIER), Leg(carrier_name="外地车队"))
    manifest = Manifest((submitted({"B1": "1 t"}, legs=legs),), (1,), 0)

    assert manifest.parties == {SMELTER, RECOVERER, CARRIER}
    assert manifest.manifest_id == own(SMELTER, "M1")


def test_every_state_has_its_chinese() -> None:
    assert set(STATES_ZH) == set(State)
