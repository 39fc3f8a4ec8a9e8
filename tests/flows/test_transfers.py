"""The steps of a manifest, in turn and by the right party: each refusal with its words and its way out."""

from datetime import date
from typing import Any

import pytest

from flows.events import (
    Cancelled,
    FigureDeclared,
    Leg,
    LoadedLine,
)
from tests.flows.stories import (
    BUREAU,
    CARRIER,
    RECOVERER,
    SMELTER,
    House,
    arrived,
    at,
    decided,
    generated,
    loaded,
    own,
    portion,
    say,
    settled,
    shipped,
    submitted,
    transformed,
)

NOBODY = "91510100MA69999N4R"


@pytest.fixture
def house() -> House:
    return settled()


def test_a_manifest_goes_its_way_once(house: House) -> None:
    shipped(house)

    house.says_no(
        loaded({"B1": "1 t"}, when=at(10)),
        "manifest-state",
        f"联单 {SMELTER}.M1 现为“已装车”，这一步须在“已提交”时办理",
        f"manifest {SMELTER}.M1 is loaded; this step needs it to be submitted",
    )
    assert house.refusal(decided([("10 t", None)])).key == "manifest-state"
    assert house.refusal(say(Cancelled, SMELTER, at(10), manifest_id=own(SMELTER, "M1"), reason="x")).key == (
        "manifest-state"
    )
    house.tell(arrived(["10 t"]))
    house.tell(decided([("10 t", None)]))
    assert house.refusal(arrived(["10 t"], when=at(11, 50))).key == "manifest-state"


def test_a_manifest_is_cancelled_before_loading(house: House) -> None:
    house.tell(generated())
    house.tell(submitted({"B1": "10 t"}))
    house.tell(say(Cancelled, SMELTER, at(9, 10), manifest_id=own(SMELTER, "M1"), reason="车辆故障"))

    assert house.refusal(loaded({"B1": "10 t"})).figures["state_en"] == "cancelled"
    assert house.left_t("B1") == 10


def test_a_manifest_id_is_used_once(house: House) -> None:
    shipped(house)
    house.tell(generated("B2"))

    house.says_no(
        submitted({"B2": "1 t"}),
        "manifest-id-used",
        f"联单编号 {SMELTER}.M1 已用过；请换一个编号",
        f"manifest id {SMELTER}.M1 is used already; choose another",
    )
    house.tell(submitted({"B2": "1 t"}, "M2"))


def test_each_step_is_its_partys(house: House) -> None:
    house.tell(generated())
    house.tell(submitted({"B1": "10 t"}))
    manifest = f"{SMELTER}.M1"

    house.says_no(
        loaded({"B1": "10 t"}, by=RECOVERER, of=SMELTER),
        "manifest-not-loader",
        f"联单 {manifest} 的装车须由移出人或承运人登记",
        f"the loading of manifest {manifest} is the consignor's or the carrier's to state",
    )
    house.says_no(
        say(Cancelled, RECOVERER, at(9, 30), manifest_id=manifest, reason="x"),
        "manifest-not-consignor",
        f"联单 {manifest} 的这一步须由移出人办理",
        f"this step of manifest {manifest} is the consignor's",
    )
    house.tell(loaded({"B1": "10 t"}, by=CARRIER, of=SMELTER))
    house.says_no(
        arrived(["10 t"], by=CARRIER),
        "manifest-not-consignee",
        f"联单 {manifest} 的这一步须由接受人办理",
        f"this step of manifest {manifest} is the consignee's",
    )
    batch = house.book.batch(own(CARRIER, "M1-L1"))
    assert (batch.holder, batch.place) == (SMELTER, "road")


def test_a_manifest_goes_to_somebody_else(house: House) -> None:
    house.tell(generated())

    house.says_no(
        submitted({"B1": "1 t"}, to=SMELTER),
        "manifest-to-self",
        "接受人与移出人相同；本单位内部转移请登记出入库或加工",
        "consignor and consignee are the same; record a move within one enterprise as storing or making",
    )


def test_a_carrier_on_the_platform_is_registered(house: House) -> None:
    house.tell(generated())

    assert house.refusal(submitted({"B1": "1 t"}, legs=(Leg(carrier=NOBODY),))).key == "enterprise-unknown"
    house.tell(submitted({"B1": "1 t"}, legs=(Leg(carrier_name="外地车队", plate="川A12345"),)))


def test_lines_are_numbered_once_and_all_told(house: House) -> None:
    house.tell(generated(), generated("B2", "5 t"))
    twice = submitted({"B1": "1 t", "B2": "1 t"})
    same = tuple(line.model_copy(update={"line": 1}) for line in twice.lines)
    house.says_no(
        twice.model_copy(update={"lines": same}),
        "manifest-line-twice",
        "联单行号重复：1, 1",
        "a line number stands twice: 1, 1",
    )
    house.tell(twice)
    house.says_no(
        loaded({"B1": "1 t"}),
        "manifest-lines",
        "须逐行说明联单的每一行：应为第 1, 2 行，收到第 1 行",
        "each line of the manifest must be told once: expected 1, 2, got 1",
    )
    house.says_no(
        loaded({"B2": "1 t", "B1": "1 t"}),
        "manifest-other-batch",
        f"第 1 行装车的批次 {SMELTER}.B2 与联单不符；标签与联单不一致不得装车（第23号令第十三条）",
        f"line 1: the batch loaded, {SMELTER}.B2, is not the manifest's; no loading when labels and manifest differ (Order 23, article 13)",
    )
    house.tell(loaded({"B1": "1 t", "B2": "1 t"}))
    assert house.refusal(arrived(["1 t"])).key == "manifest-lines"
    house.tell(arrived(["1 t", "1 t"]))


def test_what_is_decided_is_what_arrived(house: House) -> None:
    shipped(house)
    house.tell(arrived(["9.9 t"]))

    house.says_no(
        decided([("9 t", "1 t")]),
        "decided-not-arrived",
        "第 1 行：接受与拒收合计 10 t，到场称重 9.9 t；两者须相等",
        "line 1: accepted and rejected make 10 t, but 9.9 t arrived; they must be equal",
    )
    for parts in (("9 t", "0.8 t"), ("9 t", None), (None, None)):
        assert house.refusal(decided([parts])).key == "decided-not-arrived"
    house.says_no(
        decided([("9 t", "0.9 t")], reason=""),
        "rejected-without-reason",
        "第 1 行有拒收重量，请填写拒收原因",
        "line 1 rejects mass; state the reason",
    )
    wrong = decided([("9.9 t", None)])
    line = wrong.lines[0].model_copy(update={"load_id": own(SMELTER, "OTHER")})
    house.says_no(
        wrong.model_copy(update={"lines": (line,)}),
        "manifest-other-load",
        f"第 1 行的在途批次 {SMELTER}.OTHER 与装车记录不符",
        f"line 1: {SMELTER}.OTHER is not what was loaded",
    )
    house.tell(decided([("9 t", "0.9 t")]))


def test_a_load_is_weighed_twice_and_the_difference_shows(house: House) -> None:
    from flows.balance import Boundary, movements, postings

    shipped(house)
    house.tell(arrived(["9.9 t"]))
    fact = decided([("9 t", "0.9 t")])

    lines = {line.account: line.mass_g for line in postings(movements(fact, house.book))}

    assert lines == {
        own(SMELTER, "M1-L1"): -10_000_000,
        own(RECOVERER, "M1-A1"): 9_000_000,
        own(RECOVERER, "M1-R1"): 900_000,
        Boundary.SCALE_DIFFERENCE: 100_000,
    }


def test_an_external_figure_has_one_amount(house: House) -> None:
    words: dict[str, Any] = {
        "figure": "ten_metals_output", "division": "510000", "period_from": date(2025, 1, 1),
        "period_to": date(2025, 12, 31), "source": "统计公报",
    }  # fmt: skip
    for amounts in ({}, {"mass_g": 1, "energy_kwh": 1}):
        house.says_no(
            say(FigureDeclared, BUREAU, **words, **amounts),
            "figure-one-amount",
            "外部数据须填重量或电量，且只填一项",
            "an external figure has a mass or an energy, exactly one",
        )
    house.tell(say(FigureDeclared, BUREAU, **words, mass_g=1))


def test_a_carrier_does_not_learn_what_is_left(house: House) -> None:
    house.tell(
        generated("B1", "10 t"), submitted({"B1": "8 t"}), transformed([portion("B1", "3 t")], [], gap_reason="试")
    )
    by_carrier = loaded({"B1": "8 t"}).model_copy(update={"enterprise": CARRIER, "lines": _own_loads(CARRIER)})

    house.says_no(
        by_carrier,
        "overdrawn-of-another",
        f"批次 {own(SMELTER, 'B1')}：要装 8 t，超过其剩余；请与移出人核对",
        f"batch {own(SMELTER, 'B1')}: 8 t asked, more than is left of it; check with the consignor",
    )


def _own_loads(carrier: str) -> tuple[LoadedLine, ...]:
    (line,) = loaded({"B1": "8 t"}).lines
    return (line.model_copy(update={"load_id": own(carrier, "L1")}),)
