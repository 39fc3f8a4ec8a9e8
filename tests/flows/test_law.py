"""The law refuses what can still be stopped; what has happened is admitted, and the breach stands as a finding."""

from datetime import date
from typing import Any

import pytest

from flows.audit import findings
from flows.enterprises import Permit, PermitLine, Plan, PlanLine
from flows.events import Disposed, Event, PermitAmended, PermitRevoked, Portion, StatusChanged
from flows.law import AgainstTheLaw, Finding
from flows.mass import grams
from tests.flows.stories import (
    BUREAU,
    CARRIER,
    DAY,
    NOON,
    PERMIT,
    RECOVERER,
    SLAG,
    SMELTER,
    STRANGER,
    YUNNAN,
    House,
    approved,
    arrived,
    at,
    decided,
    generated,
    loaded,
    own,
    permit,
    permitted,
    planned,
    portion,
    product,
    registered,
    say,
    settled,
    shipped,
    site,
    submitted,
    transformed,
)

EXCEEDED_ZH = (
    "许可证 川环危510300001 的 HW48 年经营规模 100 t，连同本次 {asked} 将超过其 120%"
    "（国务院令第408号第十一条）；请减量或更换接受人"
)
EXCEEDED_EN = (
    "permit 川环危510300001 allows 100 t of HW48 a year; with {asked} more it would pass 120 % "
    "(Order 408, article 11); send less or elsewhere"
)


@pytest.fixture
def house() -> House:
    return settled()


def _bare(*facts: Event) -> House:
    """Everybody registered, and nothing of the law but what is told."""
    house = House()
    for enterprise in (SMELTER, RECOVERER, YUNNAN, STRANGER, CARRIER):
        house.tell(*registered(enterprise))
    if facts:
        house.tell(*facts)
    return house


def _received(house: House, mass: str, number: str) -> list[Finding]:
    """A whole transfer of a fresh batch; what was found in its decision."""
    house.tell(generated(f"B{number}", mass))
    house.tell(submitted({f"B{number}": mass}, f"M{number}"))
    house.tell(loaded({f"B{number}": mass}, f"M{number}"))
    house.tell(arrived([mass], f"M{number}"))
    return house.found(decided([(mass, None)], f"M{number}"))


# the permit ------------------------------------------------------------------------------------------------------


def test_the_consignee_needs_a_permit_that_covers_code_and_method() -> None:
    house = _bare(planned())
    house.tell(generated())

    fact = submitted({"B1": "1 t"})
    assert isinstance(house.refusal(fact), AgainstTheLaw)
    house.says_no(
        fact,
        "permit-not-covering",
        f"接受人 {RECOVERER} 在 2026-03-09 没有覆盖 321-004-48、方式 R4 的危险废物经营许可证；请更换接受人或方式",
        f"on 2026-03-09 the consignee {RECOVERER} has no permit covering 321-004-48 by R4; choose another consignee or method",
    )
    house.tell(permitted())
    house.tell(fact)


@pytest.mark.parametrize(
    "wrong",
    [
        {"waste": "HW29"},
        {"waste": "321-031-48"},
        {"mode": "dispose"},
        {"mode": "collect"},
        {"begin": date(2024, 1, 1), "end": date(2025, 12, 31)},
        {"holder": STRANGER},
    ],
)
def test_a_permit_for_something_else_does_not_cover(wrong: dict[str, Any]) -> None:
    house = _bare(planned(), permitted(**wrong))
    house.tell(generated())

    assert house.refusal(submitted({"B1": "1 t"})).key == "permit-not-covering"


@pytest.mark.parametrize("waste", ["HW48", "321-004-48"])
def test_a_line_names_a_code_or_its_category(waste: str) -> None:
    house = _bare(planned(), permitted(waste=waste))
    house.tell(generated())

    assert house.found(submitted({"B1": "1 t"})) == []


def test_a_permit_is_valid_from_its_first_day_to_its_last() -> None:
    house = _bare(planned(), permitted(begin=date(2026, 3, 10)))
    house.tell(generated())

    house.says_no(
        submitted({"B1": "1 t"}),
        "permit-not-valid",
        "许可证 川环危510300001 有效期为 2026-03-10 至 2030-12-31，2026-03-09 不在其内；请更换接受人或待其换证",
        "permit 川环危510300001 is valid from 2026-03-10 to 2030-12-31, not on 2026-03-09; choose another consignee or wait for its renewal",
    )
    house.tell(say(PermitAmended, BUREAU, permit=permit(begin=date(2026, 3, 9), end=date(2026, 3, 9))))
    house.tell(submitted({"B1": "1 t"}))


def test_a_renewed_permit_serves_when_the_old_one_has_ended() -> None:
    old = permitted(mass="500 t", number="旧", begin=date(2021, 3, 1), end=date(2026, 2, 28))
    house = _bare(planned(), old, permitted(number="新", begin=date(2026, 3, 1)))
    house.tell(generated())

    assert house.found(submitted({"B1": "1 t"})) == []


def test_a_full_permit_does_not_hide_one_with_room() -> None:
    house = _bare(planned(), permitted(mass="1 t", number="A"), permitted(mass="50 t", number="B"))
    house.tell(generated(mass="20 t"))

    assert house.found(submitted({"B1": "20 t"})) == []


def test_a_revoked_permit_covers_nothing(house: House) -> None:
    house.tell(generated())
    house.tell(say(PermitRevoked, BUREAU, permit_no=PERMIT, reason="停产"))

    assert house.refusal(submitted({"B1": "1 t"})).key == "permit-not-covering"


def test_the_exemption_list_frees_the_utilization_of_dross() -> None:
    house = _bare(planned(waste="321-024-48"))
    house.tell(generated(material="primary-dross"))

    assert house.found(submitted({"B1": "1 t"})) == []
    assert house.refusal(submitted({"B1": "1 t"}, "M2", method="D1")).key == "permit-not-covering"


def test_general_waste_needs_nothing() -> None:
    house = _bare()
    house.tell(generated(material=SLAG))

    assert house.found(submitted({"B1": "1 t"})) == []


def test_waste_that_was_found_not_to_be_hazardous_needs_nothing() -> None:
    house = _bare()
    house.tell(generated())
    house.tell(
        say(StatusChanged, SMELTER, at(8, 30), batch_id=own(SMELTER, "B1"), status="general_waste", basis="鉴别")
    )

    assert house.found(submitted({"B1": "1 t"})) == []


# its scale -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("39.999999 t", None),
        ("40 t", "permit-scale-reached"),
        ("60 t", "permit-scale-reached"),
        ("60.000001 t", "permit-scale-exceeded"),
    ],
)
def test_the_annual_scale_warns_at_a_hundred_percent_and_refuses_above_a_hundred_and_twenty(
    house: House, asked: str, key: str | None
) -> None:
    assert _received(house, "60 t", "1") == []
    house.tell(generated("B2", "100 t"))

    fact = submitted({"B2": asked}, "M2")
    if key == "permit-scale-exceeded":
        house.says_no(fact, key, EXCEEDED_ZH.format(asked=asked), EXCEEDED_EN.format(asked=asked))
        house.tell(submitted({"B2": "1 t"}, "M3"))
    else:
        assert house.found(fact, loaded({"B2": asked}, "M2")) == []
        house.tell(arrived([asked], "M2"))
        assert [found.key for found in house.found(decided([(asked, None)], "M2"))] == ([key] if key else [])


def test_reaching_the_scale_has_its_words(house: House) -> None:
    from flows.errors import messages

    house.tell(generated(mass="110 t"))
    assert house.found(submitted({"B1": "110 t"}), loaded({"B1": "110 t"})) == []
    house.tell(arrived(["110 t"]))
    (found,) = house.found(decided([("110 t", None)]))

    texts = messages()[found.key]
    assert texts["zh"].format(**found.figures) == (
        "许可证 川环危510300001 的 HW48 年经营规模 100 t，连同本次 110 t 已达到规模；超过 120% 将不予登记"
    )
    assert texts["en"].format(**found.figures) == (
        "permit 川环危510300001 allows 100 t of HW48 a year; 110 t more reach it; above 120 % is refused"
    )


def test_two_batches_of_one_code_are_one_demand_on_the_scale(house: House) -> None:
    house.tell(generated("B1", "61 t"), generated("B2", "61 t"))

    assert house.refusal(submitted({"B1": "61 t", "B2": "60 t"})).figures["asked"] == "121 t"


def test_two_codes_of_one_category_are_one_demand_on_its_line(house: House) -> None:
    codes = ("321-004-48", "321-005-48")
    lines = tuple(PlanLine(waste=code, generated_g=1) for code in codes)
    house.tell(planned().model_copy(update={"event_id": "both", "plan": _plan(lines)}))
    house.tell(generated("B1", "61 t"), generated("B2", "61 t", material="jarosite-residue"))

    assert house.refusal(submitted({"B1": "61 t", "B2": "60 t"})).figures["asked"] == "121 t"
    house.tell(submitted({"B1": "61 t", "B2": "59 t"}), loaded({"B1": "61 t", "B2": "59 t"}), arrived(["61 t", "59 t"]))
    found = house.found(decided([("61 t", None), ("59 t", None)]))
    assert [each.key for each in found] == ["permit-scale-reached"]


def _plan(lines: tuple[PlanLine, ...]) -> Plan:
    return planned().plan.model_copy(update={"lines": lines})


def test_the_scale_is_counted_by_year_and_line(house: House) -> None:
    _received(house, "60 t", "1")

    assert dict(house.book.permit_used_g.items()) == {(RECOVERER, PERMIT, "HW48", "utilize", 2026): 60_000_000}


def test_general_waste_uses_no_scale_of_the_same_number() -> None:
    """Class 09 of general waste is not category 09 of hazardous waste."""
    house = _bare(permitted(waste="HW09"))
    house.tell(generated(material="red-mud"))
    house.tell(submitted({"B1": "10 t"}), loaded({"B1": "10 t"}), arrived(["10 t"]), decided([("10 t", None)]))

    assert list(house.book.permit_used_g.items()) == []


def test_what_is_rejected_uses_no_scale(house: House) -> None:
    house.tell(generated(), submitted({"B1": "10 t"}), loaded({"B1": "10 t"}), arrived(["10 t"]))
    house.tell(decided([("4 t", "6 t")]))

    assert [used_g for _, used_g in house.book.permit_used_g.items()] == [4_000_000]


def test_what_arrives_above_the_scale_is_admitted_and_found(house: House) -> None:
    """Two loads were on the road together: each was within the scale, both are not."""
    for number in ("1", "2"):
        house.tell(generated(f"B{number}", "70 t"), submitted({f"B{number}": "70 t"}, f"M{number}"))
        house.tell(loaded({f"B{number}": "70 t"}, f"M{number}"), arrived(["70 t"], f"M{number}"))

    assert house.found(decided([("70 t", None)], "M1")) == []
    (found,) = house.found(decided([("70 t", None)], "M2"))
    assert (found.key, found.figures["asked"]) == ("permit-scale-exceeded", "70 t")


def test_what_a_consignee_accepted_from_others_is_told_to_no_consignor(house: House) -> None:
    assert _received(house, "60 t", "1") == []
    house.tell(generated("B2", "100 t"))

    assert "60 t" not in str(house.refusal(submitted({"B2": "61 t"}, "M2")).figures)


def test_a_decision_is_judged_by_the_method_that_it_names(house: House) -> None:
    house.tell(generated(), submitted({"B1": "10 t"}), loaded({"B1": "10 t"}), arrived(["10 t"]))
    fact = decided([("10 t", None)])
    lines = tuple(line.model_copy(update={"method": "D1"}) for line in fact.lines)

    assert [found.key for found in house.found(fact.model_copy(update={"lines": lines}))] == ["permit-not-covering"]


# the plan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [{"waste": "321-031-48"}, {"year": 2025}])
def test_the_consignor_sites_plan_holds_the_code(other: dict[str, Any]) -> None:
    house = _bare(permitted(), planned(**other))
    house.tell(generated())

    house.says_no(
        submitted({"B1": "1 t"}),
        "plan-without-code",
        "移出场所 2026 年管理计划没有 321-004-48；请先备案或变更管理计划",
        "the consignor site's plan for 2026 does not hold 321-004-48; file or amend the plan first",
    )
    house.tell(planned())
    house.tell(submitted({"B1": "1 t"}))


def test_a_plan_may_write_its_code_without_hyphens() -> None:
    house = _bare(permitted(), planned(waste="32100448"))
    house.tell(generated())

    assert house.found(submitted({"B1": "1 t"})) == []


# the approval ----------------------------------------------------------------------------------------------------


def _over_the_border(mass: str = "1 t", number: str = "M1", **fields: Any) -> Event:
    return submitted({"B1": mass}, number, to=YUNNAN, **{"approval_no": "川环跨2026-001", **fields})


def test_another_province_needs_an_approval(house: House) -> None:
    house.tell(generated())

    house.says_no(
        _over_the_border(),
        "approval-missing",
        "321-004-48 跨省转移在 2026-03-09 没有有效的批准；请填写批准文号，或先申请",
        "no valid approval for moving 321-004-48 to another province on 2026-03-09; name the approval, or apply first",
    )
    house.tell(approved())
    assert house.refusal(_over_the_border(approval_no=None)).key == "approval-missing"
    house.tell(_over_the_border())


@pytest.mark.parametrize(
    "wrong",
    [
        {"consignor": STRANGER},
        {"consignee": RECOVERER},
        {"waste_code": "321-031-48"},
        {"method": "R5"},
        {"valid_to": date(2026, 3, 8)},
        {"valid_from": date(2026, 3, 10)},
    ],
)
def test_an_approval_is_for_its_parties_waste_method_and_days(house: House, wrong: dict[str, Any]) -> None:
    house.tell(generated(), approved(**wrong))

    assert house.refusal(_over_the_border()).key == "approval-missing"


def test_an_approval_is_used_up_by_what_is_loaded(house: House) -> None:
    house.tell(generated(mass="20 t"), approved("10 t"))
    house.tell(_over_the_border("8 t"), _over_the_border("2 t", "M2"))
    house.tell(loaded({"B1": "8 t"}))

    house.says_no(
        _over_the_border("2.5 t", "M3"),
        "approval-exceeded",
        "批准 川环跨2026-001 只剩 2 t，本次 2.5 t；请减量或另行申请",
        "approval 川环跨2026-001 has 2 t left, 2.5 t asked; send less or apply anew",
    )
    house.tell(loaded({"B1": "2 t"}, "M2"))
    assert house.refusal(_over_the_border("1 g", "M3")).figures["left"] == "0 t"


def test_nobody_uses_up_anothers_approval(house: House) -> None:
    """A late loading is admitted with its breach, and the approval it wrongly names stays whole."""
    house.tell(approved("10 t"), generated("B1", "10 t", by=STRANGER, when=date(2026, 2, 1)))
    house.tell(submitted({"B1": "9 t"}, by=STRANGER, to=YUNNAN, approval_no="川环跨2026-001", when=date(2026, 2, 1)))
    house.tell(loaded({"B1": "9 t"}, by=STRANGER, when=date(2026, 2, 1)))

    assert list(house.book.approval_used_g.items()) == []


def test_only_the_lines_of_its_waste_use_an_approval(house: House) -> None:
    house.tell(approved("10 t"), generated("B1", "10 t"), generated("B2", "10 t", material=SLAG))
    house.tell(submitted({"B1": "1 t", "B2": "5 t"}, to=YUNNAN, approval_no="川环跨2026-001"))
    house.tell(loaded({"B1": "1 t", "B2": "5 t"}))

    assert dict(house.book.approval_used_g.items()) == {"川环跨2026-001": 1_000_000}


# what can still be stopped ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "stopped"),
    [
        (NOON, True),
        (DAY, True),
        (at(12, days=-1), True),
        (at(11, 59, days=-1), False),
        (date(2026, 3, 8), True),
        (date(2026, 3, 7), False),
    ],
)
def test_a_breach_is_refused_within_a_day_and_found_afterwards(when: date, *, stopped: bool) -> None:
    house = _bare()
    house.tell(generated(when=date(2026, 3, 1)))
    fact = submitted({"B1": "1 t"}, when=when)

    if stopped:
        assert isinstance(house.refusal(fact), AgainstTheLaw)
    else:
        assert [found.key for found in house.found(fact)] == ["permit-not-covering", "plan-without-code", "told-late"]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (NOON, None),
        (at(12, days=-1), None),
        (at(11, 59, days=-1), ("2026-03-08 11:59", 24, "1.0")),
        (date(2026, 3, 8), None),
        (date(2026, 3, 7), ("2026-03-07", 36, "1.5")),
        (date(2024, 3, 9), ("2024-03-09", 17_508, "729.5")),
    ],
)
def test_a_lawful_step_that_is_told_after_a_day_is_found_late(when: date, told: tuple[str, int, str] | None) -> None:
    """A day told alone may have been its last minute: lateness counts from there."""
    house = _bare(planned(), planned(year=2024), permitted(begin=date(2021, 1, 1)))
    house.tell(generated(when=date(2024, 3, 1)))
    late = house.found(submitted({"B1": "1 t"}, when=when)), house.found(loaded({"B1": "1 t"}, when=when))

    if told is None:
        assert late == ([], [])
        return
    happened, hours, days = told
    for found, step, step_en in zip(late, ("提交", "装车"), ("submitted", "loaded"), strict=True):
        words = {"step": step, "step_en": step_en, "happened": happened, "hours": hours, "days": days}
        assert [(each.key, each.figures) for each in found] == [
            ("told-late", {"manifest": f"{SMELTER}.M1", "told": "2026-03-09 12:00"} | words)
        ]


def test_an_arrival_told_late_could_never_be_stopped(house: House) -> None:
    house.tell(generated())
    house.tell(submitted({"B1": "1 t"}))
    house.tell(loaded({"B1": "1 t"}))
    house.clock.now = at(12, days=3)

    assert house.found(arrived(["1 t"], when=NOON)) == []
    assert house.found(decided([("1 t", None)], when=NOON)) == []


def test_a_loading_is_judged_anew(house: House) -> None:
    """What was lawful when it was submitted may be so no more when it is loaded."""
    house.tell(generated())
    house.tell(submitted({"B1": "1 t"}))
    house.tell(say(PermitRevoked, BUREAU, permit_no=PERMIT, reason="停产"))

    assert house.refusal(loaded({"B1": "1 t"})).key == "permit-not-covering"
    house.clock.now = at(12, days=3)
    assert [found.key for found in house.found(loaded({"B1": "1 t"}))] == ["permit-not-covering", "told-late"]


def test_the_audit_finds_again_what_was_found_when_it_was_recorded() -> None:
    house = _bare()
    house.tell(generated(when=date(2026, 3, 1)))
    statement = house.tell(submitted({"B1": "1 t"}, when=date(2026, 3, 2)))

    told = [(statement.entries[0].position, found) for found in statement.findings]
    assert [found.key for _, found in told] == ["permit-not-covering", "plan-without-code", "told-late"]
    assert list(findings(house.entries)) == told


def test_a_permit_has_several_lines() -> None:
    lines = (
        PermitLine(waste="HW29", mode="utilize", annual_g=grams("1 t")),
        PermitLine(waste="HW48", mode="utilize", annual_g=grams("1000 t")),
    )
    several = Permit(
        permit_no="多", holder=RECOVERER, lines=lines, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31)
    )
    house = _bare(planned(), permitted().model_copy(update={"permit": several}))
    house.tell(generated())

    assert house.found(submitted({"B1": "10 t"})) == []


# what has happened and is found ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weighed", "found"), [("9.7 t", 0), ("9.699999 t", 1), ("10.3 t", 0), ("10.300001 t", 1)])
def test_an_arrival_far_from_what_was_loaded_is_found(house: House, weighed: str, found: int) -> None:
    from flows.errors import messages

    shipped(house, "10 t")
    told = house.found(arrived([weighed]))

    assert [each.key for each in told] == ["arrival-differs"] * found
    for each in told:
        texts, name = messages()[each.key], own(SMELTER, "M1")
        assert texts["zh"].format(**each.figures) == (
            f"联单 {name} 第 1 行装车 10 t，运抵 {weighed}，相差超出允许的 3%；请与移出人核对磅单"
        )
        assert texts["en"].format(**each.figures) == (
            f"manifest {name}, line 1: 10 t loaded, {weighed} arrived, more than 3 % apart; "
            "compare the weighing notes with the consignor"
        )


def _treated(name: str, by: str) -> list[Event]:
    """Used, and disposed of, by a method."""
    return [
        transformed([portion(name, "1 t", by)], [], by=by, when=NOON, method="R4", gap_reason="试"),
        say(Disposed, by, NOON, site_id=site(by), portions=(portion(name, "1 t", by),), method="D1"),
    ]


def test_treating_the_waste_of_others_without_a_permit_is_found_and_ones_own_is_free(house: House) -> None:
    shipped(house, "10 t")
    house.tell(arrived(["10 t"]))
    house.tell(decided([("10 t", None)]))
    house.tell(generated("OWN", by=RECOVERER))
    used, disposed = _treated("M1-A1", RECOVERER)

    assert house.found(used) == []
    (found,) = house.found(disposed)
    assert (found.key, found.figures) == (
        "permit-not-covering",
        {"consignee": RECOVERER, "code": "321-004-48", "method": "D1", "day": "2026-03-09"},
    )
    assert house.found(*_treated("OWN", RECOVERER)) == []
    house.tell(say(PermitRevoked, BUREAU, permit_no=PERMIT, reason="停产"))
    assert [each.key for each in house.found(used.model_copy(update={"event_id": "again"}))] == ["permit-not-covering"]


def test_the_waste_of_others_stays_theirs_when_it_is_split_and_merged_and_not_when_it_became_another(
    house: House,
) -> None:
    shipped(house, "10 t")
    house.tell(arrived(["10 t"]))
    house.tell(decided([("10 t", None)]))
    house.tell(generated("OWN", by=RECOVERER))

    def made(name: str, process: str, *inputs: Portion) -> Event:
        outputs = [product(RECOVERER, name, "4 t")]
        return transformed(inputs, outputs, by=RECOVERER, process=process, when=NOON, gap_reason="试")

    house.tell(made("PART", "split", portion("M1-A1", "4 t", RECOVERER)))
    house.tell(made("MIX", "merge", portion("PART", "2 t", RECOVERER), portion("OWN", "2 t", RECOVERER)))
    house.tell(made("NEW", "leaching", portion("M1-A1", "4 t", RECOVERER)))

    def found(name: str) -> list[str]:
        _, disposed = _treated(name, RECOVERER)
        return [each.key for each in house.found(disposed)]

    assert [found(name) for name in ("PART", "MIX", "NEW", "OWN")] == [["permit-not-covering"]] * 2 + [[], []]
