"""Who may say and see what: the whole matrix, mandates by their days, and strangers who hear nothing."""

from datetime import date, timedelta
from typing import Any, get_args

import pytest

from flows.access import ROLES_ZH, Caller, CallerRole, Sight, check_may_state, speaks_for
from flows.codes import uscc_with_check
from flows.errors import Forbidden, Unknown
from flows.events import (
    ApprovalGranted,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    FigureDeclared,
    MandateEnded,
    PermitAmended,
    PermitRevoked,
)
from flows.indicators import Level
from tests.flows.stories import (
    BUREAU,
    CARRIER,
    DAY,
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
    say,
    settled,
    shipped,
    submitted,
)

ROLES: tuple[CallerRole, ...] = get_args(CallerRole)
PROVINCE = Caller(BUREAU, "regulator", "51")
CHENGDU = Caller(BUREAU, "regulator", "5101")
ZIGONG = Caller(BUREAU, "regulator", "5103")
KUNMING = Caller(BUREAU, "regulator", "53")
AUDITOR = Caller(BUREAU, "auditor")
OPERATOR = Caller(SMELTER, "operator")
FIGURE: dict[str, Any] = {
    "figure": "ten_metals_output", "period_from": date(2025, 1, 1), "period_to": date(2025, 12, 31),
    "mass_g": 1, "source": "统计公报",
}  # fmt: skip
AUTHORITY: dict[str, Event] = {
    "enterprise_confirmed": say(EnterpriseConfirmed, BUREAU, confirmed=SMELTER),
    "permit_granted": permitted(number="新"),
    "permit_amended": say(PermitAmended, BUREAU, permit=permit()),
    "permit_revoked": say(PermitRevoked, BUREAU, permit_no=PERMIT, reason="x"),
    "approval_granted": approved(),
    "figure_declared": say(FigureDeclared, BUREAU, division="510100", **FIGURE),
}


@pytest.fixture
def house() -> House:
    return settled()


def forbidden(house: House, caller: Caller, event: Event, day: date = DAY) -> str | None:
    """The key of what the caller hears, or None when it may say it."""
    try:
        check_may_state(caller, event, house.book, day)
    except (Forbidden, Unknown) as problem:
        assert problem.text("zh")
        assert problem.text("en")
        return problem.key
    return None


# saying ----------------------------------------------------------------------------------------------------------

_OWN = {"member": None, "administrator": None, "driver": "driver-only-loads", "reader": "role-states-nothing"}
_OTHERS = {
    "regulator": "authority-states-other",
    "auditor": "authority-states-other",
    "operator": "role-states-nothing",
}


@pytest.mark.parametrize(("role", "heard"), [*_OWN.items(), *_OTHERS.items()])
def test_an_enterprises_fact_is_stated_by_its_members(house: House, role: CallerRole, heard: str | None) -> None:
    assert forbidden(house, Caller(SMELTER, role, "51"), generated()) == heard


@pytest.mark.parametrize("role", ROLES)
def test_nobody_states_a_strangers_fact(house: House, role: CallerRole) -> None:
    assert forbidden(house, Caller(STRANGER, role, "51"), generated()) is not None


@pytest.mark.parametrize("role", ["member", "administrator", "driver"])
def test_a_loading_is_stated_by_members_and_drivers(house: House, role: CallerRole) -> None:
    assert forbidden(house, Caller(CARRIER, role), loaded({"B1": "1 t"}, by=CARRIER, of=SMELTER)) is None
    assert forbidden(house, Caller(CARRIER, role), loaded({"B1": "1 t"})) == "not-your-enterprise"


@pytest.mark.parametrize("kind", AUTHORITY)
@pytest.mark.parametrize("role", ROLES)
def test_an_authoritys_fact_is_an_authoritys(house: House, role: CallerRole, kind: str) -> None:
    expected = {
        "regulator": None,
        "auditor": None if kind == "figure_declared" else "authority-states-other",
        "reader": "role-states-nothing",
        "operator": "role-states-nothing",
        "driver": "driver-only-loads",
    }.get(role, "authority-only")

    assert forbidden(house, Caller(BUREAU, role, "51"), AUTHORITY[kind]) == expected


@pytest.mark.parametrize(
    ("kind", "caller", "heard"),
    [
        ("enterprise_confirmed", CHENGDU, None),
        ("enterprise_confirmed", ZIGONG, "enterprise-unknown"),
        ("permit_granted", ZIGONG, None),
        ("permit_granted", CHENGDU, "enterprise-unknown"),
        ("permit_amended", ZIGONG, None),
        ("permit_amended", CHENGDU, "permit-unknown"),
        ("permit_revoked", ZIGONG, None),
        ("permit_revoked", CHENGDU, "permit-unknown"),
        ("approval_granted", CHENGDU, None),
        ("approval_granted", ZIGONG, "enterprise-unknown"),
        ("figure_declared", CHENGDU, None),
        ("figure_declared", ZIGONG, "outside-your-division"),
        ("figure_declared", KUNMING, "outside-your-division"),
    ],
)
def test_a_regulator_speaks_within_its_division(house: House, kind: str, caller: Caller, heard: str | None) -> None:
    """What lies in another division answers like what was never recorded."""
    assert forbidden(house, caller, AUTHORITY[kind]) == heard


def test_a_permit_is_not_amended_from_next_door(house: House) -> None:
    """Neither the division of the holder that stands, nor that of the holder that is written in, may be another."""
    drawn_over = say(PermitAmended, BUREAU, permit=permit(SMELTER))

    assert forbidden(house, CHENGDU, drawn_over) == "permit-unknown"
    assert forbidden(house, ZIGONG, drawn_over) == "enterprise-unknown"


@pytest.mark.parametrize("kind", AUTHORITY)
def test_a_regulator_without_a_division_is_in_charge_of_nothing(house: House, kind: str) -> None:
    caller = Caller(BUREAU, "regulator")

    assert forbidden(house, caller, AUTHORITY[kind]) in {
        "outside-your-division",
        "enterprise-unknown",
        "permit-unknown",
    }
    assert not Sight.of(caller, house.book, DAY).holds(SMELTER)


def test_an_authority_speaks_in_its_own_name(house: House) -> None:
    other = AUTHORITY["permit_granted"].model_copy(update={"enterprise": STRANGER})

    assert forbidden(house, PROVINCE, other) == "not-your-enterprise"


def test_an_enterprise_enters_itself(house: House) -> None:
    fact = say(EnterpriseRegistered, SMELTER, name="x", division="510100", roles=("generator",))

    assert forbidden(house, Caller(SMELTER, "member"), fact) is None
    assert forbidden(house, Caller(STRANGER, "member"), fact) == "not-your-enterprise"
    assert forbidden(house, PROVINCE, fact) == "authority-states-other"


def test_the_words_of_who_may_not(house: House) -> None:
    def words(caller: Caller, event: Event) -> tuple[str, str]:
        with pytest.raises((Forbidden, Unknown)) as caught:
            check_may_state(caller, event, house.book, DAY)
        return caught.value.text("zh"), caught.value.text("en")

    assert words(Caller(SMELTER, "reader"), generated()) == (
        "“只读”只能查看，不能登记；请使用成员或管理员的密钥",
        "the role “reader” may look, not record; use a member's or an administrator's key",
    )
    assert words(Caller(SMELTER, "driver"), generated()) == (
        "司机只能登记装车；其他事实请由本单位成员登记",
        "a driver records loading only; leave other facts to a member of the enterprise",
    )
    assert words(Caller(STRANGER, "member"), generated()) == (
        f"您的密钥不能代表单位 {SMELTER} 登记；请使用该单位的密钥，或先取得委托",
        f"your key does not speak for {SMELTER}; use that enterprise's key, or obtain a mandate first",
    )
    assert words(ZIGONG, AUTHORITY["figure_declared"]) == (
        "行政区划 510100 不在您的管辖范围（5103）内",
        "division 510100 is outside your charge (5103)",
    )
    assert set(ROLES_ZH) == set(ROLES)


# mandates --------------------------------------------------------------------------------------------------------

BEGIN, END = date(2026, 3, 1), date(2026, 3, 31)
ONE_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "valid"), [(BEGIN - ONE_DAY, False), (BEGIN, True), (DAY, True), (END, True), (END + ONE_DAY, False)]
)
def test_a_mandate_holds_from_its_first_day_to_its_last(house: House, day: date, *, valid: bool) -> None:
    house.tell(mandated(SMELTER, STRANGER, BEGIN, END), generated())
    delegate = Caller(STRANGER, "member")
    batch = house.book.batch(own(SMELTER, "B1"))

    assert forbidden(house, delegate, generated(), day) == (None if valid else "not-your-enterprise")
    assert Sight.of(delegate, house.book, day).sees_batch(batch) is valid


def test_a_mandate_that_ended_holds_no_more(house: House) -> None:
    house.tell(mandated(SMELTER, STRANGER, BEGIN, END))
    house.tell(say(MandateEnded, SMELTER, mandate_id=own(SMELTER, "MANDATE")))

    assert speaks_for(Caller(STRANGER, "member"), house.book, DAY) == {STRANGER}


@pytest.mark.parametrize(
    ("role", "heard"),
    [("member", None), ("driver", "driver-only-loads"), ("reader", "role-states-nothing")],
)
def test_a_delegate_may_do_for_another_what_it_may_do_at_home(
    house: House, role: CallerRole, heard: str | None
) -> None:
    house.tell(mandated(SMELTER, STRANGER, BEGIN, END))

    assert forbidden(house, Caller(STRANGER, role), generated()) == heard
    assert SMELTER in speaks_for(Caller(STRANGER, role), house.book, DAY)


@pytest.mark.parametrize("role", ["regulator", "auditor", "operator"])
def test_a_mandate_gives_nothing_to_who_has_no_matters_of_its_own(house: House, role: CallerRole) -> None:
    house.tell(mandated(SMELTER, STRANGER, BEGIN, END))

    assert speaks_for(Caller(STRANGER, role), house.book, DAY) == frozenset()


def test_a_delegate_neither_passes_on_nor_prolongs_its_mandate(house: House) -> None:
    house.tell(mandated(SMELTER, STRANGER, BEGIN, END))
    delegate = Caller(STRANGER, "administrator")
    given = mandated(SMELTER, CARRIER, BEGIN, END + ONE_DAY)
    ended = say(MandateEnded, SMELTER, mandate_id=own(SMELTER, "MANDATE"))

    assert forbidden(house, delegate, given) == "mandate-not-passed-on"
    assert forbidden(house, delegate, ended) == "mandate-not-passed-on"
    assert forbidden(house, Caller(SMELTER, "administrator"), given) is None
    assert forbidden(house, Caller(SMELTER, "administrator"), ended) is None


def test_a_mandate_is_not_mutual_and_does_not_chain(house: House) -> None:
    house.tell(mandated(SMELTER, CARRIER, BEGIN, END), mandated(CARRIER, STRANGER, BEGIN, END))

    assert speaks_for(Caller(STRANGER, "member"), house.book, DAY) == {STRANGER, CARRIER}
    assert speaks_for(Caller(SMELTER, "member"), house.book, DAY) == {SMELTER}


# seeing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def park() -> House:
    """One transfer from Chengdu to Zigong, partly accepted; one within Yunnan's eyes; one batch at home."""
    house = shipped(settled())
    house.tell(arrived(["10 t"]), decided([("6 t", "4 t")]))
    house.tell(generated("HOME", "1 t"), generated("OUT", "5 t", material=SLAG))
    house.tell(submitted({"OUT": "5 t"}, "M2", to=YUNNAN, when=at(10)))
    return house


_SEERS: dict[str, Caller] = {
    "smelter": Caller(SMELTER, "member"),
    "smelter's reader": Caller(SMELTER, "reader"),
    "smelter's driver": Caller(SMELTER, "driver"),
    "recoverer": Caller(RECOVERER, "member"),
    "carrier": Caller(CARRIER, "driver"),
    "yunnan": Caller(YUNNAN, "member"),
    "stranger": Caller(STRANGER, "administrator"),
    "province": PROVINCE,
    "chengdu": CHENGDU,
    "zigong": ZIGONG,
    "kunming": KUNMING,
    "auditor": AUDITOR,
    "operator": OPERATOR,
}
_SMELTER = {"smelter", "smelter's reader", "smelter's driver"}
_PARTIES = _SMELTER | {"recoverer", "carrier", "province", "chengdu", "zigong", "auditor"}
_SEEN = {
    own(SMELTER, "HOME"): _SMELTER | {"province", "chengdu", "auditor"},
    own(SMELTER, "B1"): _SMELTER | {"province", "chengdu", "auditor"},
    own(SMELTER, "M1-L1"): _PARTIES,
    own(RECOVERER, "M1-A1"): _PARTIES,
    own(RECOVERER, "M1-R1"): _PARTIES,
}


@pytest.mark.parametrize("seer", _SEERS)
@pytest.mark.parametrize("batch_id", _SEEN)
def test_who_sees_a_batch(park: House, batch_id: str, seer: str) -> None:
    sight = Sight.of(_SEERS[seer], park.book, DAY)

    if seer in _SEEN[batch_id]:
        assert sight.batch(batch_id).batch_id == batch_id
    else:
        _unseen(lambda: sight.batch(batch_id), lambda: sight.batch(own(SMELTER, "NONE")), batch_id)


@pytest.mark.parametrize("seer", _SEERS)
@pytest.mark.parametrize(
    ("number", "seers"),
    [("M1", _PARTIES), ("M2", _SMELTER | {"yunnan", "carrier", "province", "chengdu", "kunming", "auditor"})],
)
def test_who_sees_a_manifest(park: House, number: str, seers: set[str], seer: str) -> None:
    sight = Sight.of(_SEERS[seer], park.book, DAY)
    manifest_id = own(SMELTER, number)

    if seer in seers:
        assert sight.manifest(manifest_id).manifest_id == manifest_id
    else:
        _unseen(lambda: sight.manifest(manifest_id), lambda: sight.manifest(own(SMELTER, "NONE")), manifest_id)


def _unseen(real: Any, none: Any, named: str) -> None:
    """What is there and may not be seen answers, byte for byte, like what is not there."""
    heard: list[tuple[str, str, str]] = []
    for ask in (real, none):
        with pytest.raises(Unknown) as caught:
            ask()
        problem = caught.value
        texts = (problem.text("zh"), problem.text("en"))
        heard.append((problem.key, *(text.replace(named, "…").replace(own(SMELTER, "NONE"), "…") for text in texts)))
    assert heard[0] == heard[1]


@pytest.mark.parametrize(
    ("seer", "enterprise", "seen"),
    [
        ("smelter", SMELTER, True),
        ("smelter", RECOVERER, False),
        ("province", SMELTER, True),
        ("province", YUNNAN, False),
        ("chengdu", SMELTER, True),
        ("chengdu", RECOVERER, False),
        ("auditor", YUNNAN, True),
        ("operator", SMELTER, False),
    ],
)
def test_who_has_an_enterprise_in_charge(park: House, seer: str, enterprise: str, *, seen: bool) -> None:
    sight = Sight.of(_SEERS[seer], park.book, DAY)

    assert sight.holds(enterprise) is seen
    assert sight.sees_enterprise(enterprise, frozenset({enterprise})) is True
    assert sight.sees_enterprise(enterprise, frozenset()) is seen


@pytest.mark.parametrize(
    ("seer", "region"), [("province", True), ("auditor", True), ("smelter", False), ("operator", False)]
)
def test_who_sees_the_regions_figures(park: House, seer: str, *, region: bool) -> None:
    assert Sight.of(_SEERS[seer], park.book, DAY).region is region


def test_what_is_stated_of_an_approval_belongs_to_the_consignors_division(house: House) -> None:
    fact = approved(consignor=YUNNAN)

    assert isinstance(fact, ApprovalGranted)
    assert forbidden(house, PROVINCE, fact) == "enterprise-unknown"
    assert forbidden(house, KUNMING, fact) is None


def test_another_divisions_enterprise_answers_like_none(house: House) -> None:
    """Neither a permit number nor an enterprise next door is told from one that was never recorded."""
    nobody = say(EnterpriseConfirmed, BUREAU, confirmed=uscc_with_check("91510100", "MA69AAAA"))
    none = say(PermitRevoked, BUREAU, permit_no="川环危000000000", reason="x")

    assert forbidden(house, ZIGONG, AUTHORITY["enterprise_confirmed"]) == forbidden(house, ZIGONG, nobody)
    assert forbidden(house, CHENGDU, AUTHORITY["permit_revoked"]) == forbidden(house, CHENGDU, none)


# following a chain, figures, entries ------------------------------------------------------------------------------


@pytest.mark.parametrize("seer", _SEERS)
def test_a_carrier_sees_its_load_and_does_not_follow_it(park: House, seer: str) -> None:
    sight = Sight.of(_SEERS[seer], park.book, DAY)
    load = park.book.batch(own(SMELTER, "M1-L1"))

    assert sight.follows(load) is (seer in _PARTIES - {"carrier"})


@pytest.mark.parametrize(
    ("seer", "level", "key", "allowed"),
    [
        ("smelter", "enterprise", SMELTER, True),
        ("smelter", "enterprise", RECOVERER, False),
        ("smelter", "prefecture", "5101", False),
        ("smelter", "region", "", False),
        ("chengdu", "prefecture", "5101", True),
        ("chengdu", "prefecture", "510100", True),
        ("chengdu", "province", "51", False),
        ("chengdu", "enterprise", SMELTER, True),
        ("chengdu", "enterprise", RECOVERER, False),
        ("province", "province", "51", True),
        ("province", "prefecture", "5103", True),
        ("province", "province", "53", False),
        ("province", "region", "", False),
        ("auditor", "region", "", True),
        ("operator", "enterprise", SMELTER, False),
    ],
)
def test_whose_figures_are_seen(park: House, seer: str, level: Level, key: str, *, allowed: bool) -> None:
    sight = Sight.of(_SEERS[seer], park.book, DAY)
    try:
        sight.check_figures(level, key)
    except Forbidden as problem:
        assert (problem.key, allowed) == ("figures-own-only", False)
    else:
        assert allowed


def test_each_has_figures_of_its_own_to_begin_with(park: House) -> None:
    homes = {
        seer: Sight.of(_SEERS[seer], park.book, DAY).home() for seer in ("smelter", "chengdu", "province", "auditor")
    }

    assert homes == {
        "smelter": ("enterprise", SMELTER),
        "chengdu": ("prefecture", "5101"),
        "province": ("province", "51"),
        "auditor": ("region", ""),
    }


_ENTRIES: dict[str, tuple[Event, set[str]]] = {
    "at home": (generated("HOME", "1 t"), _SMELTER | {"province", "chengdu", "auditor"}),
    "submitted": (submitted({"B1": "10 t"}), _PARTIES),
    "arrived": (arrived(["10 t"]), _PARTIES),
    "permitted": (permitted(), {"recoverer", "province", "chengdu", "zigong", "kunming", "auditor"}),
    "approved": (approved(), _SMELTER | {"yunnan", "province", "chengdu", "zigong", "kunming", "auditor"}),
    "mandated": (mandated(SMELTER, CARRIER, BEGIN, END), _SMELTER | {"carrier", "province", "chengdu", "auditor"}),
}


@pytest.mark.parametrize("seer", _SEERS)
@pytest.mark.parametrize("what", _ENTRIES)
def test_who_sees_an_entry(park: House, what: str, seer: str) -> None:
    """An authority's facts are its own, whichever of its keys asks, and theirs whom they are about."""
    event, seers = _ENTRIES[what]

    assert Sight.of(_SEERS[seer], park.book, DAY).sees_entry(event) is (seer in seers)
