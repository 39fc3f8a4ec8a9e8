"""A batch is drawn on by its holder, to the gram, once: each refusal with its words and its way out."""

import pytest

from flows.errors import Conflict
from flows.events import (
    Assayed,
    Disposed,
    LoadedLine,
    ManifestLine,
    Packed,
    Packing,
    StatusChanged,
    TakenOut,
)
from flows.rules import OutOfTurn, Overdrawn
from tests.flows.stories import (
    RECOVERER,
    SMELTER,
    STRANGER,
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
    yard,
)

NOBODY = "91510100MA69999N4R"


@pytest.fixture
def house() -> House:
    return settled()


def test_a_batch_is_never_overdrawn(house: House) -> None:
    house.tell(generated(mass="10 t"))
    house.tell(transformed([portion("B1", "9.15 t")], [product(SMELTER, "B2", "9.15 t")]))

    fact = transformed([portion("B1", "900 kg")], [product(SMELTER, "B3", "900 kg")])
    assert isinstance(house.refusal(fact), Overdrawn)
    house.says_no(
        fact,
        "overdrawn",
        f"批次 {SMELTER}.B1：要用 0.9 t，只剩 0.85 t；请减少用量，或选“全部剩余”",
        f"batch {SMELTER}.B1: 0.9 t asked, 0.85 t left; ask for less, or take “the rest”",
    )
    a_gram_more = transformed([portion("B1", "850001 g")], [product(SMELTER, "B3", "850001 g")])
    assert house.refusal(a_gram_more).key == "overdrawn"
    house.tell(transformed([portion("B1", "0.85 t")], [product(SMELTER, "B3", "0.85 t")]))


def test_two_portions_of_one_batch_are_one_demand(house: House) -> None:
    house.tell(generated(mass="10 t"))
    twice = [portion("B1", "6 t"), portion("B1", "6 t")]

    problem = house.refusal(transformed(twice, [product(SMELTER, "B2", "12 t")]))

    assert (problem.key, problem.figures["asked"], problem.figures["left"]) == ("overdrawn", "12 t", "10 t")
    assert house.refusal(submitted({"B1": "6 t"}).model_copy(update={"lines": _lines("6 t", "6 t")})).key == "overdrawn"


def _lines(*masses: str) -> tuple[ManifestLine, ...]:
    one = submitted(dict.fromkeys(["B1"], masses[0])).lines[0]
    return tuple(one.model_copy(update={"line": number}) for number, _ in enumerate(masses, 1))


def test_nothing_is_taken_of_a_batch_that_is_used_up(house: House) -> None:
    house.tell(generated(mass="10 t"))
    house.tell(transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "10 t")]))

    house.says_no(
        stored("B1", when=at(10)),
        "batch-used-up",
        f"批次 {SMELTER}.B1 已无剩余；请改用其他批次，并核对此前的使用记录",
        f"nothing is left of batch {SMELTER}.B1; use another batch, and check what used it before",
    )
    house.tell(stored("B2", when=at(10)))


def test_what_moves_no_mass_may_still_be_said_of_a_batch_that_is_used_up(house: House) -> None:
    house.tell(generated(mass="10 t"))
    house.tell(transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "10 t")]))

    house.tell(say(Assayed, SMELTER, at(10), batch_id=own(SMELTER, "B1"), moisture_ppm=1))
    house.tell(say(Packed, SMELTER, at(10), batch_id=own(SMELTER, "B1"), packing=Packing(code="P")))
    house.tell(say(StatusChanged, SMELTER, at(10), batch_id=own(SMELTER, "B1"), status="product", basis="x"))
    assert house.refusal(say(Assayed, STRANGER, at(10), batch_id=own(SMELTER, "B1"))).key == "batch-unknown"


def test_a_batch_id_is_used_once(house: House) -> None:
    house.tell(generated())

    fact = generated(mass="11 t")
    assert isinstance(house.refusal(fact), Conflict)
    house.says_no(
        fact,
        "batch-id-used",
        f"批次编号 {SMELTER}.B1 已用过；每个编号只能用一次，请换一个编号",
        f"batch id {SMELTER}.B1 is used already; each id is used once, choose another",
    )
    house.tell(generated("B2", mass="11 t"))


def test_a_batch_id_is_used_once_within_a_fact_and_after_it_was_used_up(house: House) -> None:
    house.tell(generated(mass="10 t"))
    halves = [product(SMELTER, "B2", "5 t"), product(SMELTER, "B2", "5 t")]
    assert house.refusal(transformed([portion("B1", "10 t")], halves, process="split")).key == "batch-id-used"

    house.tell(transformed([portion("B1", "10 t")], [product(SMELTER, "B2", "10 t")]))
    assert house.refusal(generated("B1", "1 t", when=at(10))).key == "batch-id-used"


def test_a_rest_stands_alone_for_its_batch(house: House) -> None:
    house.tell(generated(mass="10 t"), generated("B2", "10 t"))

    house.says_no(
        transformed([portion("B1", "1 t"), portion("B1", "9 t", rest=True)], [product(SMELTER, "B3", "10 t")]),
        "rest-with-portion",
        f"批次 {SMELTER}.B1 在同一事实中既取一部分又取全部剩余；请合并为一行",
        f"batch {SMELTER}.B1 is drawn twice in one fact, once as the rest; make it one line",
    )
    both = [portion("B1", "1 t"), portion("B1", "2 t"), portion("B2", "10 t", rest=True)]
    house.tell(transformed(both, [product(SMELTER, "B3", "13 t")]))
    assert (house.left_t("B1"), house.left_t("B2")) == (7, 0)


@pytest.mark.parametrize(("weighed", "gap_g"), [("9.8 t", 200_000), ("10.3 t", -300_000)])
def test_a_rest_closes_its_batch_whatever_it_weighs(house: House, weighed: str, gap_g: int) -> None:
    from flows.balance import Boundary, movements, postings

    house.tell(generated(mass="10 t"))
    fact = transformed([portion("B1", weighed, rest=True)], [product(SMELTER, "B2", weighed)])
    lines = postings(movements(fact, house.book))
    house.tell(fact)

    assert house.left_t("B1") == 0
    assert [line.mass_g for line in lines if line.account == Boundary.UNACCOUNTED] == [gap_g]
    assert sum(line.mass_g for line in lines) == 0


def test_a_batch_on_the_road_waits_for_the_decision(house: House) -> None:
    shipped(house)
    load = portion("M1-L1", "1 t")

    fact = say(Disposed, SMELTER, at(10), site_id=site(SMELTER), portions=(load,), method="D1")
    assert isinstance(house.refusal(fact), OutOfTurn)
    house.says_no(
        fact,
        "batch-on-the-road",
        f"批次 {SMELTER}.M1-L1 在运输途中，须由接受人确认后才能使用",
        f"batch {SMELTER}.M1-L1 is on the road; it can be used after the consignee has decided",
    )
    assert house.refusal(stored("M1-L1", when=at(10))).key == "batch-on-the-road"
    house.tell(arrived(["10 t"]), decided([("10 t", None)]))
    house.tell(
        say(
            Disposed, RECOVERER, at(11, 45), site_id=site(RECOVERER),
            portions=(portion("M1-A1", "1 t", RECOVERER),), method="D1",
        )
    )  # fmt: skip


def test_a_rejected_batch_needs_an_onward_manifest_or_a_return(house: House) -> None:
    shipped(house)
    house.tell(arrived(["10 t"]))
    house.tell(decided([("4 t", "6 t")]))
    gate = portion("M1-R1", "1 t", RECOVERER)

    house.says_no(
        say(Disposed, SMELTER, at(11, 45), site_id=site(SMELTER), portions=(gate,), method="D1"),
        "batch-at-the-gate",
        f"批次 {RECOVERER}.M1-R1 已被拒收，仍在接受人门口；请提交新的转移联单，或登记退回入库",
        f"batch {RECOVERER}.M1-R1 was rejected and stands at the consignee's gate; submit an onward manifest, or put it back into storage",
    )
    batch = house.book.batch(own(RECOVERER, "M1-R1"))
    assert (batch.holder, batch.place, batch.site_id) == (SMELTER, "gate", site(RECOVERER))


def _rejected(house: House) -> str:
    shipped(house)
    house.tell(arrived(["10 t"]))
    house.tell(decided([(None, "10 t")]))
    return own(RECOVERER, "M1-R1")


def test_storing_a_rejected_batch_at_home_is_its_return(house: House) -> None:
    gate = _rejected(house)
    back = stored("X", when=at(11, 45)).model_copy(update={"batch_id": gate})
    house.tell(back)

    batch = house.book.batch(gate)
    assert (batch.place, batch.site_id, batch.storage_id) == ("storage", site(SMELTER), yard(SMELTER))
    house.tell(say(TakenOut, SMELTER, at(11, 50), batch_id=gate))
    assert house.book.batch(gate).place == "site"
    used = portion("M1-R1", "10 t", RECOVERER)
    house.tell(say(Disposed, SMELTER, at(11, 55), site_id=site(SMELTER), portions=(used,), method="D1"))


def test_a_rejected_batch_goes_onward_on_a_new_manifest(house: House) -> None:
    gate = _rejected(house)
    line = ManifestLine(line=1, batch_id=gate, mass_g=10_000_000)
    onward = submitted({"B1": "1 t"}, "M2", when=at(11, 40)).model_copy(update={"lines": (line,)})
    house.tell(onward)
    load = LoadedLine(line=1, portion=portion("M1-R1", "10 t", RECOVERER), load_id=own(SMELTER, "M2-L1"))
    house.tell(loaded({"B1": "1 t"}, "M2", when=at(11, 50)).model_copy(update={"lines": (load,)}))

    assert house.book.batch(own(SMELTER, "M2-L1")).place == "road"


def test_a_batch_is_taken_out_of_storage_that_it_lies_in(house: House) -> None:
    house.tell(generated())
    out = say(TakenOut, SMELTER, at(10), batch_id=own(SMELTER, "B1"))

    house.says_no(
        out,
        "batch-not-in-storage",
        f"批次 {SMELTER}.B1 不在库；请先登记入库",
        f"batch {SMELTER}.B1 is not in storage; record it as stored first",
    )
    house.tell(stored("B1"))
    early = say(TakenOut, SMELTER, at(8, 20), batch_id=own(SMELTER, "B1"))
    assert house.refusal(early).key == "time-before-cause"
    house.tell(out)


def test_a_storage_area_is_the_holders(house: House) -> None:
    house.tell(generated())

    house.says_no(
        stored("B1").model_copy(update={"storage_id": yard(STRANGER)}),
        "storage-unknown",
        f"贮存设施 {STRANGER}.YARD 未登记在贵单位名下；请先登记贮存设施",
        f"storage area {STRANGER}.YARD is not registered as yours; register it first",
    )
    house.tell(stored("B1"))


def test_a_changed_status_stays_with_the_material(house: House) -> None:
    """A split, a load and a receipt are of the same stuff; what is made of it is not."""
    house.tell(generated(mass="10 t"))
    house.tell(
        say(StatusChanged, SMELTER, at(8, 30), batch_id=own(SMELTER, "B1"), status="general_waste", basis="鉴别")
    )
    house.tell(
        transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")], process="split"),
        transformed([portion("B1", "1 t")], [product(SMELTER, "B3", "1 t", "zinc-oxide")]),
    )
    house.tell(submitted({"B2": "4 t"}))
    house.tell(loaded({"B2": "4 t"}), arrived(["4 t"]), decided([("3 t", "1 t")]))

    batch = house.book.batch
    names = [own(SMELTER, "B2"), own(SMELTER, "M1-L1"), own(RECOVERER, "M1-A1"), own(RECOVERER, "M1-R1")]
    assert [batch(name).status for name in names] == ["general_waste"] * 4
    assert batch(own(SMELTER, "B3")).status == "product"


@pytest.mark.parametrize("order", [("B1", "B2"), ("B2", "B1")])
def test_of_merged_batches_the_strictest_status_stays(house: House, order: tuple[str, str]) -> None:
    house.tell(generated("B1", "1 t"), generated("B2", "1 t"))
    house.tell(
        say(StatusChanged, SMELTER, at(8, 30), batch_id=own(SMELTER, "B1"), status="general_waste", basis="鉴别")
    )
    both = [portion(name, "1 t") for name in order]
    house.tell(transformed(both, [product(SMELTER, "B3", "2 t")], process="merge"))

    assert house.book.batch(own(SMELTER, "B3")).status == "hazardous_waste"
