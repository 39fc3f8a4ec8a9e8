"""Figures on small histories, worked by hand."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from flows.events import (
    Addition,
    Assayed,
    Collected,
    Delivered,
    Disposed,
    Generated,
    Left,
    StockDeclared,
    Tapped,
)
from flows.indicators import Boundary, Period, Question, definitions
from flows.materials import catalogue
from graph.columns import Columns
from graph.figures import figures, parts
from tests.graph.asking import (
    ALLOY,
    APRIL,
    DROSS,
    HAZARDOUS,
    MARCH,
    MOLTEN,
    PROVINCE,
    YEAR,
    Telling,
    day,
    enterprise,
    own_id,
)
from tests.graph.histories import ENTERPRISES


@pytest.fixture
def told() -> Telling:
    return Telling()


# waste ----------------------------------------------------------------------------------------------------------


def test_filed_rates_count_for_the_generator_at_acceptance(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 10_000)
    told.move(0, 1, day(3, 4), "D", 8_000, "R", accepted_g=7_000, rejected_g=900)

    value = told.value(HAZARDOUS, MARCH, enterprise(0))

    assert (value.numerator_g, value.denominator_g, value.shown()) == (7_000, 10_000, "70.00 %")
    assert value.parts["gap"] == 100
    assert value.parts["stored"] == value.parts["stock"] == 10_000 - 8_000 + 900
    assert told.value(HAZARDOUS, MARCH, enterprise(1)).reason == "no-data"  # it neither generated nor used its own
    assert told.value("disposal-hazardous", MARCH).numerator_g == 0


def test_a_recoverers_residue_is_new_gross_and_the_first_generators_net(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 10_000)
    told.move(0, 1, day(3, 4), "D", 10_000, "R")
    told.make(1, day(3, 5), "dross-rotary-furnace", {"R": 10_000},
              {"A": ("recovered-aluminium", 5_000), "S": ("primary-secondary-dross", 5_000)})  # fmt: skip
    told.end(Delivered, 1, day(3, 6), "A", 4_000, use="product")
    told.end(Disposed, 1, day(3, 6), "S", 1_000, method="D1")

    gross, net = told.value(HAZARDOUS), told.value(f"{HAZARDOUS}-net")

    assert (gross.numerator_g, gross.denominator_g) == (10_000 + 1_000, 10_000 + 5_000)
    assert (net.numerator_g, net.denominator_g) == (4_000 + 1_000, 10_000)
    assert told.value(HAZARDOUS, boundary=enterprise(1)).exact == Fraction(1_000, 5_000)
    assert told.value("fate-utilization-hazardous").exact == Fraction(4_000, 10_000)


def test_what_a_scale_finds_more_follows_the_generator_past_100_percent(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 10_000)
    told.move(0, 1, day(3, 4), "D", 10_000, "R", accepted_g=10_200)

    value = told.value(HAZARDOUS)

    assert value.exact == Fraction(10_200, 10_000)
    assert (value.note, value.shown()) == ("rate-over-one", "102.00 %")
    assert value.parts["gap"] == -200


def test_own_use_counts_when_charged_and_only_with_a_method(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "W", "copper-tailings", 1_000)
    told.make(0, day(3, 3), "drying", {"W": 600}, {"D": ("copper-tailings", 600)})

    assert told.value("utilization-general").numerator_g == 0  # only dried, and no new generation
    assert told.value("utilization-general").denominator_g == 1_000

    told.make(0, day(3, 4), "brick-making", {"D": 500}, {"B": ("slag-brick", 500)})
    assert told.value("utilization-general").numerator_g == 500
    assert told.value("utilization-general-charged").numerator_g == 500
    assert told.value("utilization-general-released").numerator_g == 0

    told.end(Delivered, 0, day(4, 1), "B", 200, use="building_material")
    told.end(Delivered, 0, day(4, 1), "D", 50, use="backfill")
    assert told.value("utilization-general", MARCH).numerator_g == 500
    assert told.value("utilization-general", APRIL).numerator_g == 50
    assert told.value("utilization-general-released").numerator_g == 250
    assert told.value("utilization-general-net").numerator_g == 250


def test_merged_waste_is_attributed_in_proportion_also_to_earlier_months(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "OLD", DROSS, 600)
    told.arise(Generated, 0, day(4, 2), "NEW", DROSS, 400)
    told.make(0, day(4, 3), "merge", {"OLD": 600, "NEW": 400}, {"ALL": (DROSS, 1_000)})
    told.move(0, 1, day(4, 4), "ALL", 500, "R")

    value = told.value(HAZARDOUS, APRIL)

    assert value.parts["utilized_prior"] == 300
    assert value.exact == Fraction(500, 400 + 300)


def test_opening_stock_is_prior_and_no_generation(told: Telling) -> None:
    told.arise(StockDeclared, 0, day(3, 1), "OLD", DROSS, 500)
    told.end(Disposed, 0, day(3, 9), "OLD", 200, method="D1")

    value = told.value("disposal-hazardous", MARCH)

    assert (value.parts["opening"], value.parts["generated"]) == (500, 0)
    assert value.exact == Fraction(200, 200)
    assert told.value("stock-hazardous", MARCH).numerator_g == 300
    assert told.value("stored-hazardous", MARCH).numerator_g == 0


def test_waste_that_leaves_visibility_is_never_utilized(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    told.end(Left, 0, day(3, 9), "D", 40, receiver="elsewhere")

    value = told.value(HAZARDOUS)

    assert (value.exact, value.parts["left"], value.parts["stock"]) == (0, 40, 60)


def test_bought_scrap_is_nobodys_generation_also_when_sorted(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "mixed-nonferrous-scrap", 100, scrap="old")
    told.make(0, day(3, 3), "sort", {"S": 100}, {"A": ("aluminium-scrap", 60), "C": ("copper-scrap", 40)})

    assert told.value("utilization-general").reason == "no-data"


def test_a_month_without_data_and_a_zero_denominator_are_different_answers(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)

    assert told.value(HAZARDOUS, APRIL).reason == "no-data"
    assert told.value("stock-hazardous", APRIL).numerator_g == 100  # a level stays
    assert told.value("generation-intensity", MARCH).reason == "zero-denominator"
    assert told.value("utilization-general", MARCH).reason == "no-data"


def test_intensity_is_waste_to_product_of_its_maker(told: Telling) -> None:
    told.arise(Tapped, 0, day(3, 2), "M", "primary-aluminium-ingot", 50_000)
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 600)
    told.move(0, 1, day(3, 4), "M", 40_000, "T")
    told.end(Delivered, 1, day(3, 5), "T", 40_000, use="product")  # a trader makes nothing

    assert told.value("generation-intensity").shown(1) == "15.0 kg/t"
    assert told.value("generation-intensity", boundary=Boundary(code="321-024-48")).shown(1) == "15.0 kg/t"
    assert told.value("generation-intensity", boundary=Boundary(code="HW48")).shown(1) == "15.0 kg/t"
    assert told.value("generation-intensity", boundary=enterprise(1)).reason == "no-data"


def test_a_fabricators_product_counts_for_the_fabricator_too(told: Telling) -> None:
    told.arise(Tapped, 0, day(3, 2), "M", "primary-aluminium-ingot", 1_000)
    told.move(0, 1, day(3, 4), "M", 1_000, "T")
    told.make(1, day(3, 5), "rolling-extrusion", {"T": 1_000}, {"B": ("aluminium-billet", 1_000)})
    told.arise(Generated, 1, day(3, 5), "D", DROSS, 9)
    told.end(Delivered, 1, day(3, 6), "B", 900, use="product")

    assert told.value("generation-intensity", boundary=enterprise(1)).shown(1) == "10.0 kg/t"


def test_waste_that_a_method_gives_back_is_a_new_generation(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    told.make(0, day(3, 3), "dross-milling", {"D": 100}, {"E": (DROSS, 100)})

    assert told.value(HAZARDOUS).exact == Fraction(100, 200)
    assert told.value(f"{HAZARDOUS}-net").exact == Fraction(0, 100)


# metal ----------------------------------------------------------------------------------------------------------


def test_secondary_metal_counts_once_and_less_its_primary_share(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 600, scrap="old")
    told.arise(Tapped, 0, day(3, 2), "P", "primary-aluminium-ingot", 400)
    told.make(0, day(3, 3), "remelt", {"S": 600, "P": 400}, {"A": (ALLOY, 1_000)})
    told.move(0, 1, day(3, 4), "A", 500, "B")
    told.end(Delivered, 1, day(3, 5), "B", 500, use="product")
    told.end(Delivered, 0, day(4, 5), "A", 100, use="product")
    told.declare("primary_output", "al", YEAR, 2_400)

    assert told.value("supply-ratio-al", boundary=PROVINCE).exact == Fraction(300 + 60, 2_400)
    assert told.value("recycled-share", boundary=enterprise(0)).exact == Fraction(360, 400 + 360)
    assert told.value("recycled-share", boundary=enterprise(1)).reason == "no-data"


def test_flux_carries_no_metal_and_bought_metal_was_counted_elsewhere(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 600, scrap="old")
    additions = (Addition(material="lime", mass_g=100), Addition(material="remelt-aluminium-ingot", mass_g=200))
    told.make(0, day(3, 3), "remelt", {"S": 600}, {"A": (ALLOY, 800)}, additions=additions, loose=True)
    told.end(Delivered, 0, day(3, 5), "A", 800, use="product")

    assert told.value("recycled-share", boundary=enterprise(0)).parts["secondary"] == 600


def test_a_residue_that_comes_home_is_a_loop_and_one_that_does_not_is_supply(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 1_000)
    told.move(0, 1, day(3, 3), "D", 1_000, "R")
    told.make(1, day(3, 4), "dross-rotary-furnace", {"R": 1_000}, {"A": ("recovered-aluminium", 1_000)})
    told.move(1, 0, day(3, 5), "A", 400, "BACK")
    assert told.value("recycled-share", boundary=enterprise(1)).parts["secondary"] == 0

    told.move(1, 2, day(3, 6), "A", 600, "ON")
    assert told.value("recycled-share", boundary=enterprise(1)).parts["secondary"] == 600


def test_metal_that_was_counted_is_not_counted_again_as_new_scrap(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 1_000, scrap="old")
    told.make(0, day(3, 3), "remelt", {"S": 1_000}, {"A": (ALLOY, 1_000)})
    told.move(0, 1, day(3, 4), "A", 1_000, "B")
    told.make(1, day(3, 5), "rolling-extrusion", {"B": 1_000},
              {"P": ("aluminium-billet", 700), "N": ("aluminium-scrap", 300)})  # fmt: skip
    told.move(1, 2, day(3, 6), "N", 300, "N2")
    told.make(2, day(3, 7), "remelt", {"N2": 300}, {"A2": (ALLOY, 300)})
    told.end(Delivered, 2, day(3, 8), "A2", 300, use="product")

    assert told.value("recycled-share", boundary=enterprise(0)).parts["secondary"] == 1_000
    assert told.value("recycled-share", boundary=enterprise(2)).parts["secondary"] == 0
    assert told.value("utilization-general").exact == 1  # the new scrap is a fabricator's waste, and was used


def test_only_potroom_metal_that_becomes_alloy_is_direct(told: Telling) -> None:
    told.arise(Tapped, 0, day(3, 2), "M", MOLTEN, 1_000)
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 100, scrap="new")
    silicon = (Addition(material="industrial-silicon", mass_g=50),)
    told.make(0, day(3, 3), "direct-alloying", {"M": 700, "S": 100}, {"A": ("direct-aluminium-alloy", 850)},
              additions=silicon)  # fmt: skip
    told.make(0, day(3, 3), "casting", {"M": 100}, {"I": ("primary-aluminium-ingot", 100)})
    told.move(0, 1, day(3, 4), "M", 200, "LADLE")
    told.make(1, day(3, 4), "alloying", {"LADLE": 200}, {"B": ("aluminium-billet", 200)})

    value = told.value("direct-alloying")

    assert (value.numerator_g, value.denominator_g, value.verdict) == (900, 1_000, "met")
    assert told.value("direct-alloying", boundary=enterprise(0)).exact == Fraction(9, 10)  # whoever tapped it
    assert told.value("direct-alloying", boundary=enterprise(1)).reason == "no-data"


def test_a_division_needs_declarations_that_cover_the_period(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 240, scrap="old")
    told.make(0, day(3, 3), "remelt", {"S": 240}, {"A": (ALLOY, 240)})
    told.end(Delivered, 0, day(3, 5), "A", 240, use="product")
    ten = "ten_metals_output"
    told.declare(ten, "all", Period.quarter(2026, 1), 400)
    told.declare(ten, "all", Period(day(4, 1), day(11, 30)), 500)
    assert told.value("supply-share", boundary=PROVINCE).reason == "figure-not-declared"

    told.declare(ten, "all", Period.month(2026, 12), 99)
    told.declare(ten, "all", Period.month(2026, 12), 100)  # the later word
    told.declare(ten, "all", Period.year(2026), 7, division="510100")

    value = told.value("supply-share", boundary=PROVINCE)
    assert (value.exact, value.verdict) == (Fraction(240, 1_000), "met")
    assert told.value("supply-share", Period.quarter(2026, 1), PROVINCE).denominator_g == 400
    assert told.value("supply-share", boundary=Boundary("prefecture", "5101")).denominator_g == 7
    assert told.value("supply-share").denominator_g == 1_000  # the region is its provinces
    assert told.value("supply-share", boundary=enterprise(0)).reason == "not-for-enterprise"

    told.declare(ten, "all", Period.year(2026), 960)  # one piece rather than three
    assert told.value("supply-share", boundary=PROVINCE).exact == Fraction(1, 4)


def test_the_share_of_supply_is_always_shown_beside(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 240, scrap="old")
    told.make(0, day(3, 3), "remelt", {"S": 240}, {"A": (ALLOY, 240)})
    told.end(Delivered, 0, day(3, 5), "A", 240, use="product")
    told.declare("ten_metals_output", "all", YEAR, 1_000)
    told.declare("primary_output", "al", YEAR, 700)
    told.declare("primary_output", "zn", YEAR, 60)

    share, beside = figures(["supply-share"], Question(YEAR, PROVINCE), told.columns)

    assert share.exact == Fraction(24, 100)
    assert (beside.definition.id, beside.exact, beside.note) == (
        "recycled-share",
        Fraction(240, 1_000),
        "primary-by-metal",
    )


def test_a_companion_that_was_asked_for_itself_comes_once(told: Telling) -> None:
    question = Question(YEAR, PROVINCE)

    for ids in (["supply-share", "recycled-share"], ["recycled-share", "supply-share"]):
        assert sorted(each.definition.id for each in figures(ids, question, told.columns)) == sorted(ids)
    both = figures(["supply-ratio-al", "supply-share-cu"], question, told.columns)
    assert [each.boundary.metal for each in both] == ["al", "al", "cu", "cu"]


def test_a_filter_that_a_definition_cannot_honour_gives_no_figure(told: Telling) -> None:
    told.arise(Collected, 0, day(3, 2), "S", "aluminium-scrap", 240, scrap="old")
    told.make(0, day(3, 3), "remelt", {"S": 240}, {"A": (ALLOY, 240)})
    told.end(Delivered, 0, day(3, 5), "A", 240, use="product")
    told.declare("ten_metals_output", "all", YEAR, 1_000)
    told.declare("primary_output", "al", YEAR, 760)

    share, beside = figures(["supply-share"], Question(YEAR, replace(PROVINCE, metal="al")), told.columns)
    assert (share.reason, share.exact, share.boundary.metal) == ("metal-by-definition", None, "al")
    assert parts(share, told.columns) == []
    assert (beside.boundary.metal, beside.exact) == ("al", Fraction(240, 1_000))
    for boundary in (replace(PROVINCE, material=ALLOY), replace(PROVINCE, code="HW48")):
        for value in figures(["supply-share", "recycled-share"], Question(YEAR, boundary), told.columns):
            assert (value.reason, value.numerator_g) == ("filter-not-declared", None)
            assert parts(value, told.columns) == []


# horizons, groups, completeness ---------------------------------------------------------------------------------


def test_a_horizon_knows_less(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    before = told.columns.position
    told.move(0, 1, day(3, 20), "D", 50, "R")

    assert told.value(HAZARDOUS, as_of=before).exact == 0
    assert told.value(HAZARDOUS, at_us=Period(day(3, 1), day(3, 19)).end_us - 1).exact == 0
    assert told.value(HAZARDOUS).exact == Fraction(1, 2)


def test_no_group_reaches_beyond_what_was_asked(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    told.arise(Generated, 1, day(3, 2), "D", DROSS, 200)
    told.arise(Generated, 2, day(4, 2), "D", DROSS, 400)

    def generated(boundary: Boundary, *by: Any) -> dict[str, int]:
        values = figures([HAZARDOUS], Question(YEAR, boundary), told.columns, by)
        return {value.boundary.key: value.parts["generated"] for value in values}

    assert generated(enterprise(0), "prefecture") == generated(enterprise(0), "province")
    assert generated(enterprise(0), "prefecture") == {ENTERPRISES[0]: 100}
    assert generated(Boundary("prefecture", "5101"), "province") == {"5101": 300}
    assert generated(Boundary("prefecture", "5101"), "enterprise") == {ENTERPRISES[0]: 100, ENTERPRISES[1]: 200}
    assert generated(Boundary(), "prefecture") == {"5101": 300, "5103": 400}
    assert generated(Boundary(), "province") == {"51": 700}


def test_groups_add_up(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    told.arise(Generated, 1, day(4, 2), "Z", "zinc-leach-residue", 200)
    question = Question(YEAR)

    for by in (("code",), ("month",), ("quarter",), ("year",), ("enterprise", "month"), ("prefecture", "code")):
        values = figures([HAZARDOUS], question, told.columns, by)  # pyright: ignore[reportArgumentType] # drawn from By
        assert sum(value.parts["generated"] for value in values) == 300, by
    codes = figures([HAZARDOUS], question, told.columns, ("code",))
    assert [value.boundary.code for value in codes] == ["321-004-48", "321-024-48"]


def test_completeness_says_what_stands_behind(told: Telling) -> None:
    told.arise(Generated, 0, day(3, 2), "D", DROSS, 100)
    told.arise(Generated, 0, day(5, 2), "E", DROSS, 100)
    _ = told.world.tell(Assayed(**told.own(0, day(5, 3)), batch_id=own_id(0, "E"), moisture_ppm=10))
    told.move(0, 1, day(5, 4), "D", 50, "R")

    found = told.value(HAZARDOUS).completeness

    assert found is not None
    assert (found.batches, found.assayed, found.open_manifests, found.late_manifests) == (2, 1, 0, 1)
    assert (found.months, found.months_with_data) == (12, 2)


def test_an_empty_ledger_has_a_reason_for_everything() -> None:
    columns = Columns(catalogue())

    values = figures(list(definitions()), Question(YEAR), columns, ("month",))

    assert {value.reason for value in values} == {"no-data"}
    assert figures([HAZARDOUS], Question(YEAR), columns, ("enterprise",)) == []
