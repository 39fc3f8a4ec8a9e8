"""Before its cause, after now, on the same day: what times refuse, and what they only find."""

from datetime import date
from typing import Any

import pytest

from flows.errors import Malformed, Refusal, Unknown
from flows.events import (
    Assayed,
    Cancelled,
    DecidedLine,
    Delivered,
    Disposed,
    Event,
    Left,
    LoadedLine,
    ManifestLine,
    Packed,
    Packing,
    Part,
    StatusChanged,
    TakenOut,
)
from flows.rules import BeforeItsCause, Finding, InTheFuture, NotYours, OutOfTurn, Overdrawn, Unbalanced
from flows.times import instant_us
from tests.flows.stories import (
    CARRIER,
    DAY,
    MORNING,
    RESIDUE,
    SLAG,
    SMELTER,
    STRANGER,
    YUNNAN,
    House,
    arrived,
    at,
    decided,
    generated,
    loaded,
    own,
    portion,
    product,
    say,
    settled,
    shipped,
    site,
    stored,
    submitted,
    transformed,
)

NOBODY = "91510100MA69999N4R"


@pytest.fixture
def house() -> House:
    return settled()


def test_the_future_is_refused_beyond_what_clocks_disagree(house: House) -> None:
    assert house.found(generated("B1", when=at(12))) == []
    assert house.found(generated("B2", when=at(12, 30))) == [
        Finding.of("clock-ahead", told="2026-03-09 12:30", now="2026-03-09 12:00")
    ]
    late = generated("B3", when=at(12, 30).replace(second=1))
    assert isinstance(house.refusal(late), InTheFuture)
    house.says_no(
        late,
        "time-in-future",
        "发生时间 2026-03-09 12:30 晚于现在 2026-03-09 12:00 超过 30 分钟；请核对时间",
        "the event time 2026-03-09 12:30 is more than 30 minutes after now, 2026-03-09 12:00; check it",
    )


def test_today_is_not_the_future_and_tomorrow_is(house: House) -> None:
    assert house.found(generated("B1", when=DAY)) == []
    house.clock.now = at(23, 45)
    assert house.refusal(generated("B2", when=date(2026, 3, 10))).key == "time-in-future"


def test_a_fact_is_not_dated_before_what_it_uses(house: House) -> None:
    house.tell(generated(when=at(9)))
    made = [product(SMELTER, "B2", "1 t")]

    fact = transformed([portion("B1", "1 t")], made, when=at(8, 29))
    assert isinstance(house.refusal(fact), BeforeItsCause)
    house.says_no(
        fact,
        "time-before-cause",
        f"发生时间 2026-03-09 08:29 早于所用 {SMELTER}.B1 的时间 2026-03-09 09:00；请核对先后",
        f"the event time 2026-03-09 08:29 is before that of what it uses, {SMELTER}.B1 at 2026-03-09 09:00; check the order",
    )
    words = {"told": "2026-03-09 08:30", "cause": own(SMELTER, "B1"), "cause_time": "2026-03-09 09:00"}
    assert house.found(transformed([portion("B1", "1 t")], made, when=at(8, 30))) == [
        Finding.of("clock-behind", **words)
    ]


def test_a_fact_takes_effect_with_what_it_uses(house: House) -> None:
    """Made at 9 by one clock and used at 8:30 by another: what is made of it is not there before 9."""
    house.tell(generated(when=at(9)))
    house.tell(transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")], when=at(8, 30)))

    assert house.book.batch(own(SMELTER, "B2")).made_us == instant_us(at(9))


@pytest.mark.parametrize(
    ("made", "used", "admitted"),
    [
        (DAY, at(0, 1), True),
        (at(11), DAY, True),
        (DAY, DAY, True),
        (DAY, at(23, 20, days=-1), False),
        (at(11), date(2026, 3, 8), False),
        (DAY, date(2026, 3, 8), False),
    ],
)
def test_a_day_and_an_instant_compare_by_the_day(house: House, made: date, used: date, *, admitted: bool) -> None:
    house.tell(generated(when=made))
    fact = transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")], when=used)

    if admitted:
        assert house.found(fact) == []
    else:
        assert house.refusal(fact).key == "time-before-cause"


def test_a_rest_is_not_dated_before_a_use_of_its_batch(house: House) -> None:
    house.tell(generated())
    house.tell(transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")], when=at(10)))

    made = [product(SMELTER, "B3", "6 t")]
    house.says_no(
        transformed([portion("B1", "6 t", rest=True)], made, when=at(9, 59)),
        "rest-before-use",
        f"取“全部剩余”的时间 2026-03-09 09:59 早于批次 {SMELTER}.B1 最近一次使用 2026-03-09 10:00；请核对时间",
        f"“the rest” is taken at 2026-03-09 09:59, before batch {SMELTER}.B1 was last used at 2026-03-09 10:00; check the time",
    )
    house.tell(transformed([portion("B1", "6 t", rest=True)], made, when=at(10)))


def test_a_use_that_was_told_late_does_not_hide_a_later_one(house: House) -> None:
    house.tell(generated())
    house.tell(transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")], when=at(11)))
    house.tell(transformed([portion("B1", "4 t")], [product(SMELTER, "B3", "4 t")], when=at(9)))

    rest = transformed([portion("B1", "2 t", rest=True)], [product(SMELTER, "B4", "2 t")], when=at(10))
    assert house.refusal(rest).key == "rest-before-use"


def test_a_rest_of_a_batch_that_nobody_used_may_be_a_little_before_it(house: House) -> None:
    house.tell(generated(when=at(9)))
    fact = transformed([portion("B1", "10 t", rest=True)], [product(SMELTER, "B2", "10 t")], when=at(8, 50))

    assert [found.key for found in house.found(fact)] == ["clock-behind"]


@pytest.mark.parametrize(
    "fact",
    [
        say(Assayed, SMELTER, at(7), batch_id=own(SMELTER, "B1")),
        say(Packed, SMELTER, at(7), batch_id=own(SMELTER, "B1"), packing=Packing(code="P")),
        say(StatusChanged, SMELTER, at(7), batch_id=own(SMELTER, "B1"), status="product", basis="x"),
        stored("B1", when=at(7)),
        submitted({"B1": "1 t"}, when=at(7)),
        transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")], when=at(7)),
        say(Disposed, SMELTER, at(7), site_id=site(SMELTER), portions=(portion("B1", "1 t"),), method="D1"),
        say(Delivered, SMELTER, at(7), site_id=site(SMELTER), portions=(portion("B1", "1 t"),), use="product"),
        say(Left, SMELTER, at(7), site_id=site(SMELTER), portions=(portion("B1", "1 t"),), receiver="x"),
    ],
    ids=lambda fact: fact.kind,
)
def test_no_kind_of_fact_comes_before_its_batch(house: House, fact: Event) -> None:
    house.tell(generated())

    assert house.refusal(fact).key == "time-before-cause"


def test_no_step_of_a_manifest_comes_before_the_step_before(house: House) -> None:
    house.tell(generated())
    house.tell(submitted({"B1": "10 t"}, when=at(9)))
    assert house.refusal(loaded({"B1": "10 t"}, when=at(8, 20))).key == "time-before-cause"
    house.tell(loaded({"B1": "10 t"}, when=at(9, 30)))
    assert house.refusal(arrived(["10 t"], when=at(8, 50))).key == "time-before-cause"
    house.tell(arrived(["10 t"], when=at(11)))
    assert house.refusal(decided([("10 t", None)], when=at(10, 20))).key == "time-before-cause"


def _about(batch_id: str, manifest_id: str, load_id: str) -> list[Event]:
    """Every kind that names a batch or a manifest, from somebody whose it is not."""
    foreign = portion("X", "1 t").model_copy(update={"batch_id": batch_id})
    mine: dict[str, Any] = {"batch_id": batch_id}
    ending: dict[str, Any] = {"site_id": site(STRANGER), "portions": (foreign,)}
    load = LoadedLine(line=1, portion=foreign, load_id=own(STRANGER, "L"))
    line = ManifestLine(line=1, batch_id=batch_id, mass_g=1)
    verdict = DecidedLine(line=1, load_id=load_id, accepted=Part(batch_id=own(STRANGER, "A"), mass_g=1))
    return [
        say(Packed, STRANGER, at(10), packing=Packing(code="P"), **mine),
        say(TakenOut, STRANGER, at(10), **mine),
        say(Assayed, STRANGER, at(10), **mine),
        say(StatusChanged, STRANGER, at(10), status="product", basis="x", **mine),
        stored("X", STRANGER, at(10)).model_copy(update=mine),
        transformed([foreign], [product(STRANGER, "N", "1 t")], by=STRANGER, when=at(10)),
        say(Disposed, STRANGER, at(10), method="D1", **ending),
        say(Delivered, STRANGER, at(10), use="product", **ending),
        say(Left, STRANGER, at(10), receiver="x", **ending),
        submitted({"X": "1 t"}, "M9", by=STRANGER, when=at(10)).model_copy(update={"lines": (line,)}),
        loaded({"X": "1 t"}, by=STRANGER, when=at(10)).model_copy(
            update={"manifest_id": manifest_id, "lines": (load,)}
        ),
        arrived(["1 t"], by=STRANGER).model_copy(update={"manifest_id": manifest_id}),
        decided([("1 t", None)], by=STRANGER).model_copy(update={"manifest_id": manifest_id, "lines": (verdict,)}),
        say(Cancelled, STRANGER, at(10), manifest_id=manifest_id, reason="x"),
    ]


@pytest.mark.parametrize("number", range(14))
@pytest.mark.parametrize("state", ["open", "closed", "road"])
def test_a_stranger_hears_the_same_of_what_is_and_what_is_not(state: str, number: int) -> None:
    house = shipped(settled())
    house.tell(generated("B2"))
    names = {"open": "B2", "closed": "B1", "road": "M1-L1"}
    real = _about(own(SMELTER, names[state]), own(SMELTER, "M1"), own(SMELTER, "M1-L1"))[number]
    none = _about(own(SMELTER, "NONE"), own(SMELTER, "NONE"), own(SMELTER, "NONE"))[number]

    heard = [house.refusal(fact) for fact in (real, none)]

    assert isinstance(heard[0], Unknown)
    words = [
        (type(problem), problem.key, problem.where, _blinded(problem.text("zh")), _blinded(problem.text("en")))
        for problem in heard
    ]
    assert words[0] == words[1]


def _blinded(text: str) -> str:
    for name in ("B1", "B2", "M1-L1", "M1", "NONE"):
        text = text.replace(f"{SMELTER}.{name}", "…")
    return text


def test_a_second_manifest_does_not_help_a_stranger_to_a_batch(house: House) -> None:
    """A party to one manifest names, on it, only the batches that are on it."""
    shipped(house)
    house.tell(generated("B2"))
    house.tell(submitted({"B2": "1 t"}, "M2"))
    foreign = LoadedLine(line=1, portion=portion("B9", "1 t", STRANGER), load_id=own(CARRIER, "L"))
    fact = loaded({"B2": "1 t"}, "M2", by=CARRIER, of=SMELTER).model_copy(update={"lines": (foreign,)})

    assert house.refusal(fact).key == "manifest-other-batch"


def test_what_is_refused_is_a_problem_with_a_status_of_its_own() -> None:
    assert issubclass(NotYours, Malformed)
    assert all(issubclass(each, Refusal) for each in (Overdrawn, BeforeItsCause, InTheFuture, Unbalanced, OutOfTurn))
    assert YUNNAN[2:4] == "53"
    assert MORNING.hour == 8
    assert RESIDUE != SLAG
