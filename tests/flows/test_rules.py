"""Who may say what in whose name, and what is made of what: each refusal with its words and its way out."""

from datetime import date
from typing import Any

import pytest

from flows.enterprises import Facility, Mandate, Plan, Scale, Site, StorageArea, Vehicle
from flows.errors import Malformed
from flows.events import (
    Addition,
    Collected,
    DecidedLine,
    Delivered,
    Disposed,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    Generated,
    Left,
    Leg,
    LoadedLine,
    Loss,
    MandateEnded,
    MandateGiven,
    Part,
    PermitAmended,
    PermitRevoked,
    PlanFiled,
    ScaleRegistered,
    SiteRegistered,
    StockDeclared,
    StockTaken,
    StorageRegistered,
    Tapped,
    VehicleRegistered,
)
from flows.mass import grams, tonnes
from flows.rules import NotYours, Unbalanced
from tests.flows.stories import (
    BUREAU,
    CARRIER,
    DAY,
    LONG_AGO,
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
    mandated,
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

NOBODY = "91510100MA69999N4R"


@pytest.fixture
def house() -> House:
    return settled()


def test_an_enterprise_that_is_not_registered_states_nothing() -> None:
    house = House()

    house.says_no(
        generated(),
        "enterprise-unknown",
        f"单位 {SMELTER} 尚未登记；请先登记单位信息",
        f"enterprise {SMELTER} is not registered; register it first",
    )
    house.tell(*registered(SMELTER))
    house.tell(generated())


def test_a_wrong_check_digit_is_no_enterprise() -> None:
    wrong = SMELTER[:-1] + ("0" if SMELTER[-1] != "0" else "1")

    problem = House().refusal(say(EnterpriseRegistered, wrong, name="x", division="510100", roles=("generator",)))

    assert (type(problem), problem.key) == (Malformed, "uscc-check")


def test_names_stand_in_the_stating_enterprises_namespace(house: House) -> None:
    fact = say(Generated, SMELTER, site_id=site(SMELTER), product=product(STRANGER, "B1", "1 t"))

    assert isinstance(house.refusal(fact), NotYours)
    house.says_no(
        fact,
        "id-not-yours",
        f"编号 {STRANGER}.B1 必须以贵单位信用代码加点开头，例如 {SMELTER}.HWCS20260309001",
        f"the id {STRANGER}.B1 must begin with your credit code and a dot, such as {SMELTER}.HWCS20260309001",
    )
    house.tell(generated("B1"))


FOREIGN = own(STRANGER, "X")


def _naming(house: House) -> list[Event]:
    """Every kind that brings a name into use, here a stranger's."""
    shipped(house)
    house.tell(generated("B2"), submitted({"B2": "1 t"}, "M2"))
    house.tell(arrived(["10 t"]))
    arising: dict[str, Any] = {"site_id": site(SMELTER), "product": product(STRANGER, "X", "1 t")}
    facility = Facility(facility_id=FOREIGN, site_id=site(SMELTER), code="F", name="f", purpose="generate")
    area = StorageArea(storage_id=FOREIGN, site_id=site(SMELTER), code="Y", name="y")
    scale = Scale(
        scale_id=FOREIGN, site_id=site(SMELTER), code="W", interval_g=1, uncertainty_g=1,
        calibrated_on=LONG_AGO, calibrated_until=DAY,
    )  # fmt: skip
    load = LoadedLine(line=1, portion=portion("B2", "1 t"), load_id=FOREIGN)
    line = DecidedLine(line=1, load_id=own(SMELTER, "M1-L1"), accepted=Part(batch_id=FOREIGN, mass_g=10_000_000))
    mandate = Mandate(mandate_id=FOREIGN, delegate=CARRIER, valid_from=LONG_AGO, valid_to=DAY)
    return [
        say(SiteRegistered, SMELTER, site=Site(site_id=FOREIGN, code="S", name="s", division="510100")),
        say(FacilityRegistered, SMELTER, facility=facility),
        say(StorageRegistered, SMELTER, storage=area),
        say(ScaleRegistered, SMELTER, scale=scale),
        say(MandateGiven, SMELTER, mandate=mandate),
        say(PlanFiled, SMELTER, plan=Plan(plan_id=FOREIGN, site_id=site(SMELTER), year=2026, lines=())),
        say(StockDeclared, SMELTER, **arising),
        say(Generated, SMELTER, **arising),
        say(Collected, SMELTER, scrap="old", **arising),
        say(Tapped, SMELTER, **arising),
        transformed([portion("B2", "1 t")], [product(STRANGER, "X", "1 t")]),
        submitted({"B2": "1 t"}, "M3", manifest_id=FOREIGN),
        loaded({"B2": "1 t"}, "M2").model_copy(update={"lines": (load,)}),
        decided([("10 t", None)]).model_copy(update={"lines": (line,)}),
    ]


@pytest.mark.parametrize("number", range(14))
def test_every_kind_that_names_something_new_does_so_in_its_own_name(number: int) -> None:
    house = settled()

    assert house.refusal(_naming(house)[number]).key == "id-not-yours"


def test_another_enterprises_site_is_no_site_of_yours(house: House) -> None:
    house.says_no(
        say(Generated, SMELTER, site_id=site(STRANGER), product=product(SMELTER, "B1", "1 t")),
        "site-unknown",
        f"场所 {STRANGER}.SITE 未登记在该单位名下；请先登记场所",
        f"site {STRANGER}.SITE is not registered for this enterprise; register it first",
    )


def test_an_amendment_changes_a_permit_but_not_its_holder(house: House) -> None:
    house.says_no(
        say(PermitAmended, BUREAU, permit=permit(STRANGER)),
        "permit-other-holder",
        f"许可证 {PERMIT} 属于另一单位；变更不能改变持证单位，请为新单位另行颁发",
        f"permit {PERMIT} is another enterprise's; an amendment cannot change its holder, grant a new one",
    )
    house.tell(say(PermitAmended, BUREAU, permit=permit(RECOVERER, "50 t")))

    assert [line.annual_g for each in house.book.permits_of(RECOVERER) for line in each.lines] == [50_000_000]


def test_a_permit_number_is_granted_once(house: House) -> None:
    house.says_no(
        permitted(STRANGER),
        "permit-number-used",
        f"许可证编号 {PERMIT} 已登记；变更请用“许可证变更”",
        f"permit number {PERMIT} is registered already; to change it, record an amendment",
    )


@pytest.mark.parametrize("kind", ["amended", "revoked"])
def test_only_a_permit_that_stands_is_changed(house: House, kind: str) -> None:
    facts = {
        "amended": say(PermitAmended, BUREAU, permit=permit(number="无此号")),
        "revoked": say(PermitRevoked, BUREAU, permit_no="无此号", reason="x"),
    }

    house.says_no(
        facts[kind],
        "permit-unknown",
        "许可证 无此号 未登记；请核对编号",
        "permit 无此号 is not registered; check its number",
    )


def test_an_approval_number_is_used_once(house: House) -> None:
    house.tell(approved())

    house.says_no(
        approved("20 t"),
        "approval-number-used",
        "批准文号 川环跨2026-001 已登记",
        "approval number 川环跨2026-001 is registered already",
    )


def test_an_approval_names_a_method_that_there_is(house: House) -> None:
    assert house.refusal(approved(method="R99")).key == "method-unknown"


PLATE_ZH = "车牌号“川012345”无法识别；应形如 川A12345、川A1234挂、川AD12345（新能源），不使用字母 I、O"
PLATE_EN = (
    "plate “川012345” cannot be read; write it like 川A12345, 川A1234挂 or 川AD12345 (new energy), without I and O"
)


def test_a_plate_is_one_that_could_be_issued(house: House) -> None:
    house.tell(generated(), submitted({"B1": "1 t"}, "M9"))
    registered_as = say(VehicleRegistered, CARRIER, vehicle=Vehicle(plate="川012345"))
    by_leg = submitted({"B1": "1 t"}, legs=(Leg(carrier_name="外地车队", plate="川012345"),))
    on_loading = loaded({"B1": "1 t"}, "M9").model_copy(update={"plate": "川012345"})

    for fact in (registered_as, by_leg, on_loading):
        house.says_no(fact, "plate-unreadable", PLATE_ZH, PLATE_EN)
    house.tell(on_loading.model_copy(update={"plate": "川AD12345"}))


def test_a_mandate_and_an_approval_name_credit_codes_that_check(house: House) -> None:
    wrong = YUNNAN[:-1] + ("0" if YUNNAN[-1] != "0" else "1")
    zh = f"统一社会信用代码“{wrong}”校验不符：末位为 {wrong[-1]}，按前 17 位应为 {YUNNAN[-1]}；请逐位核对"
    en = (
        f"credit code “{wrong}” fails its check: the last character is {wrong[-1]}, "
        f"the first 17 ask for {YUNNAN[-1]}; compare each character"
    )

    house.says_no(mandated(SMELTER, wrong, LONG_AGO, DAY), "uscc-check", zh, en)
    house.says_no(approved(consignee=wrong), "uscc-check", zh, en)
    assert house.refusal(approved(consignor=wrong)).key == "enterprise-unknown"
    house.tell(mandated(SMELTER, YUNNAN, LONG_AGO, DAY))


def test_an_official_number_is_of_the_place_that_the_waste_leaves(house: House) -> None:
    house.tell(generated())

    house.says_no(
        submitted({"B1": "1 t"}, official_no="20265103000123"),
        "manifest-number-elsewhere",
        "联单编号“20265103000123”中的地区为 5103，而移出地为 5101；请核对编号或移出单位",
        "manifest number “20265103000123” is of 5103, but the waste leaves from 5101; check the number or the consignor",
    )
    assert house.refusal(submitted({"B1": "1 t"}, official_no="19995101000123")).key == "manifest-number-unreadable"
    house.tell(submitted({"B1": "1 t"}, official_no="20265101000123"))


def test_periods_run_forwards(house: House) -> None:
    backwards = {"begin": date(2026, 5, 1), "end": date(2026, 4, 30)}

    for fact in (
        permitted(number="新", **backwards),
        approved(valid_from=backwards["begin"], valid_to=backwards["end"]),
    ):
        house.says_no(
            fact,
            "period-backwards",
            "起止日期颠倒：2026-05-01 至 2026-04-30；请对调",
            "the period runs backwards: 2026-05-01 to 2026-04-30; swap the dates",
        )
    house.tell(approved())


def test_a_plan_filed_anew_replaces_the_old_one(house: House) -> None:
    house.tell(planned(waste="321-031-48"))

    plan = house.book.plans.get((site(SMELTER), 2026))
    assert plan is not None
    assert [line.waste for line in plan.lines] == ["321-031-48"]


def test_a_plan_names_wastes_by_codes_that_could_be(house: House) -> None:
    """Our tables hold a part of the national catalogue: what they lack is a code all the same."""
    house.tell(planned(waste="321-999-48"))
    assert house.refusal(planned(waste="铝灰")).key == "waste-code-unreadable"


def test_only_waste_is_generated_and_only_waste_is_collected(house: House) -> None:
    ingot = product(SMELTER, "N", "3 t", "secondary-zinc-ingot")
    house.says_no(
        say(Generated, SMELTER, site_id=site(SMELTER), product=ingot),
        "material-does-not-arise",
        "“再生锌锭”不是固体废物，不能登记为“产生”；加工产出请登记“加工”，原生金属请登记“出铝、出炉”",
        "“再生锌锭” is no waste and is not generated; record what a process makes as made, primary metal as tapped",
    )
    house.says_no(
        say(Collected, SMELTER, site_id=site(SMELTER), scrap="old", product=ingot),
        "material-not-collected",
        "“再生锌锭”不是废料或废物，不能登记为“回收”",
        "“再生锌锭” is no scrap or waste and is not collected",
    )


def test_a_site_does_not_move_to_another_division(house: House) -> None:
    here = house.book.sites.get(site(SMELTER))
    assert here is not None
    away = here.model_copy(update={"division": "500000"})
    house.says_no(
        say(SiteRegistered, SMELTER, site=away),
        "site-division-fixed",
        f"场所 {here.site_id} 已登记在 {here.division}，不能改到 500000；迁址请登记新场所",
        f"site {here.site_id} is registered in {here.division} and cannot move to 500000; register a new site for a new place",
    )
    house.tell(say(SiteRegistered, SMELTER, site=here.model_copy(update={"name": "新名"})))


def test_a_mandate_that_does_not_stand_is_not_ended(house: House) -> None:
    house.says_no(
        say(MandateEnded, SMELTER, mandate_id=own(SMELTER, "NONE")),
        "mandate-unknown",
        f"委托 {SMELTER}.NONE 不存在或已终止",
        f"mandate {SMELTER}.NONE does not exist or has ended",
    )


def test_only_a_registered_enterprise_is_confirmed_and_moving_away_ends_it(house: House) -> None:
    assert house.refusal(say(EnterpriseConfirmed, BUREAU, confirmed=NOBODY)).key == "enterprise-unknown"

    house.tell(say(EnterpriseConfirmed, BUREAU, confirmed=SMELTER))
    again = say(EnterpriseRegistered, SMELTER, name="new name", division="510100", roles=("generator",))
    house.tell(again)
    assert _confirmed_by(house) == BUREAU

    house.tell(say(EnterpriseRegistered, SMELTER, name="elsewhere", division="110000", roles=("generator",)))
    assert _confirmed_by(house) is None


def _confirmed_by(house: House) -> str | None:
    enterprise = house.book.enterprises.get(SMELTER)
    assert enterprise is not None
    return enterprise.confirmed_by


def test_a_vehicle_is_registered_as_it_comes(house: House) -> None:
    house.tell(say(VehicleRegistered, CARRIER, vehicle=Vehicle(plate="川A12345", emission_stage="国六")))

    assert house.book.vehicles.get((CARRIER, "川A12345")) is not None


def test_only_primary_metal_is_tapped(house: House) -> None:
    house.says_no(
        say(Tapped, SMELTER, site_id=site(SMELTER), product=product(SMELTER, "B1", "1 t")),
        "material-not-primary",
        "“锌浸出渣（常规浸出）”不是原生金属，不能登记为出铝、出炉；废物请登记“产生”，废料请登记“回收”",
        "“锌浸出渣（常规浸出）” is no primary metal and cannot be tapped; record waste as generated, scrap as collected",
    )
    house.tell(say(Tapped, SMELTER, site_id=site(SMELTER), product=product(SMELTER, "B1", "1 t", "primary-zinc-ingot")))


def test_disposal_takes_a_method_of_disposal(house: House) -> None:
    house.tell(generated())
    words = {"site_id": site(SMELTER), "portions": (portion("B1", "1 t"),)}

    house.says_no(
        say(Disposed, SMELTER, at(9), method="R4", **words),
        "method-not-disposal",
        "方式 R4（再循环/再利用金属和金属化合物）是利用方式，不能用于处置；请填 D1、D9、D10、D16 或 C1",
        "method R4 (再循环/再利用金属和金属化合物) is a way of utilization; disposal takes D1, D9, D10, D16 or C1",
    )
    house.tell(say(Disposed, SMELTER, at(9), method="D1", **words))


def test_a_split_changes_no_substance(house: House) -> None:
    house.tell(generated(), generated("C1", "1 t", material=SLAG))

    house.says_no(
        transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t", "zinc-oxide")], process="split"),
        "process-changes-nothing",
        "工序 split 不改变物质，投入与产出须为同一物料且无添加物；本次涉及：zinc-leach-residue, zinc-oxide",
        "process split changes no substance: one material in, the same out, no additions; here: zinc-leach-residue, zinc-oxide",
    )
    with_water = transformed(
        [portion("B1", "1 t")],
        [product(SMELTER, "B2", "1.1 t")],
        process="split",
        additions=(Addition(material="water", mass_g=100_000),),
    )
    assert house.refusal(with_water).key == "process-changes-nothing"
    both = [portion("B1", "1 t"), portion("C1", "1 t")]
    assert house.refusal(transformed(both, [product(SMELTER, "B2", "2 t")], process="merge")).key == (
        "process-changes-nothing"
    )
    house.tell(transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")], process="split"))


def test_a_gap_beyond_the_tolerance_needs_a_reason(house: House) -> None:
    house.tell(generated(mass="10 t"))
    fact = transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "9 t")], process="remelt")

    assert isinstance(house.refusal(fact), Unbalanced)
    house.says_no(
        fact,
        "gap-unexplained",
        "投入 10 t，产出与损耗 9 t，差额 1 t 超出该工序允许的 2%；请核对重量，或填写差额原因",
        "10 t went in, 9 t came out or was lost: the gap of 1 t is beyond the 2 % of this process; check the masses, or state a reason",
    )
    house.tell(fact.model_copy(update={"gap_reason": "炉衬吸收"}))


@pytest.mark.parametrize(
    ("out_g", "admitted"), [(9_800_000, True), (9_799_999, False), (10_200_000, True), (10_200_001, False)]
)
def test_the_tolerance_holds_to_the_gram(house: House, out_g: int, *, admitted: bool) -> None:
    house.tell(generated(mass="10 t"))
    made = product(SMELTER, "B2", "1 t").model_copy(update={"mass_g": out_g})
    fact = transformed([portion("B1", "10 t")], [made], process="remelt")

    if admitted:
        house.tell(fact)
    else:
        assert house.refusal(fact).key == "gap-unexplained"


def test_declared_losses_and_additions_count(house: House) -> None:
    house.tell(generated(mass="10 t"))
    house.tell(
        transformed(
            [portion("B1", "10 t")],
            [product(SMELTER, "B2", "9 t")],
            process="remelt",
            additions=(Addition(material="flux-salt", mass_g=500_000),),
            losses=(Loss(kind="moisture", mass_g=1_500_000),),
        )
    )


@pytest.mark.parametrize(
    ("fact", "key"),
    [
        (generated(material="no-such"), "material-unknown"),
        (transformed([portion("B1", "1 t")], [], process="no-such"), "process-unknown"),
        (transformed([portion("B1", "1 t")], [], method="R99"), "method-unknown"),
        (
            transformed([portion("B1", "1 t")], [], additions=(Addition(material="no-such", mass_g=1),)),
            "material-unknown",
        ),
        (submitted({"B1": "1 t"}, method="R99"), "method-unknown"),
        (say(StockTaken, SMELTER, site_id=site(SMELTER), material="no-such", counted_g=0), "material-unknown"),
        (
            say(EnterpriseRegistered, SMELTER, name="x", division="999999", roles=("generator",)),
            "division-unreadable",
        ),
    ],
)
def test_what_is_named_stands_in_the_catalogue(house: House, fact: Event, key: str) -> None:
    if not isinstance(fact, Generated):
        house.tell(generated())

    assert house.refusal(fact).key == key


def test_a_rest_far_off_the_book_needs_a_reason(house: House) -> None:
    fact = transformed([portion("B1", "9 t", rest=True)], [product(SMELTER, "N", "9 t")])
    house.tell(generated("B1", "10 t"))

    house.says_no(
        fact,
        "rest-gap-unexplained",
        f"批次 {own(SMELTER, 'B1')} 账面剩余 10 t，过磅 9 t，差额超出允许的 5%；请核对重量，或填写差额原因",
        f"batch {own(SMELTER, 'B1')}: 10 t left by the book, 9 t weighed, more than 5 % apart; "
        "check the masses, or state a reason",
    )
    house.tell(fact.model_copy(update={"gap_reason": "雨后过磅"}))


def endings(name: str, mass: str, **fields: Any) -> list[Event]:
    """Each kind of fact that takes of a batch without making anything of it; the rest, as weighed."""
    rest = {"site_id": site(SMELTER), "portions": (portion(name, mass, rest=True),), **fields}
    load = loaded({name: mass}, when=at(10), rest=True)
    return [
        load.model_copy(update=fields),
        say(Disposed, SMELTER, at(10), method="D1", **rest),
        say(Delivered, SMELTER, at(10), use="product", **rest),
        say(Left, SMELTER, at(10), receiver="外地单位", **rest),
    ]


@pytest.mark.parametrize("ending", range(4))
@pytest.mark.parametrize("weighed", ["10.300001 t", "9.699999 t", "50 t"])
def test_whatever_takes_a_rest_far_off_the_book_needs_a_reason_and_is_found(
    house: House, ending: int, weighed: str
) -> None:
    house.tell(generated("B1", "10 t"), submitted({"B1": "10 t"}))
    told, name = tonnes(grams(weighed)), own(SMELTER, "B1")

    house.says_no(
        endings("B1", weighed)[ending],
        "rest-gap-unexplained",
        f"批次 {name} 账面剩余 10 t，过磅 {told}，差额超出允许的 3%；请核对重量，或填写差额原因",
        f"batch {name}: 10 t left by the book, {told} weighed, more than 3 % apart; check the masses, or state a reason",
    )
    found = house.found(endings("B1", weighed, gap_reason="雨后过磅")[ending])[0]
    assert (found.key, found.figures) == (
        "rest-gap-found",
        {"batch": name, "book": "10 t", "weighed": told, "percent": "3", "reason": "雨后过磅"},
    )
    assert house.left_t("B1") == 0


@pytest.mark.parametrize("ending", range(4))
@pytest.mark.parametrize("weighed", ["10.3 t", "9.7 t"])
def test_a_rest_within_the_tolerance_of_weighing_needs_no_reason(house: House, ending: int, weighed: str) -> None:
    house.tell(generated("B1", "10 t"), submitted({"B1": "10 t"}))

    assert house.found(endings("B1", weighed)[ending]) == []


def test_a_carrier_does_not_hear_what_the_book_has_of_a_rest(house: House) -> None:
    house.tell(generated("B1", "10 t"), submitted({"B1": "10 t"}))
    fact = loaded({"B1": "9 t"}, by=CARRIER, of=SMELTER, rest=True)
    name = own(SMELTER, "B1")

    house.says_no(
        fact,
        "rest-gap-unexplained-of-another",
        f"批次 {name} 作为全部剩余过磅 9 t，与账面相差超出允许的 3%；请核对重量，或填写差额原因",
        f"batch {name}: 9 t weighed as the rest, more than 3 % off the book; check the mass, or state a reason",
    )
    (found,) = house.found(fact.model_copy(update={"gap_reason": "雨后过磅"}))
    assert (found.key, "book" in found.figures) == ("rest-gap-found-of-another", False)
