"""The fictional region: admitted whole, the same for the same seed, physically plausible, and honest about its faults."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.region import Region, region
from flows import codes
from flows.access import Caller, check_may_state
from flows.balance import Boundary
from flows.book import Book, Change
from flows.entries import Entry
from flows.events import (
    Arrived,
    Assayed,
    Delivered,
    Disposed,
    Event,
    FigureDeclared,
    Generated,
    Loaded,
    Submitted,
    Tapped,
    Transformed,
    VehicleRegistered,
)
from flows.ids import own_id
from flows.mass import GRAMS_PER_TONNE
from flows.materials import catalogue
from flows.recording import Recording
from flows.times import day_of, latest_us
from graph.memory_ledger import MemoryLedger
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore

NOW = datetime(2026, 11, 3, 1, tzinfo=UTC)
TRUCK_STEP_G = 20_000
YEAR = 2025


@dataclass
class Kept:
    """What each fact did, in order."""

    changes: list[Change] = field(default_factory=list[Change])

    def read(self, entry: Entry, change: Change) -> None:
        self.changes.append(change)


@dataclass
class Recorded:
    recording: Recording
    kept: Kept
    findings: Counter[str]


@pytest.fixture(scope="module")
def whole() -> Region:
    return region(1)


@pytest.fixture(scope="module")
def recorded(whole: Region) -> Recorded:
    """The region told to a ledger in memory, each author saying only what they may."""
    kept = Kept()
    recording = Recording(MemoryLedger(), Book(catalogue()), lambda: NOW, [kept])
    findings = Counter[str]()
    for author, facts in whole.statements():
        organisation = whole.organisations[author]
        regulator = organisation.role == "regulator"
        caller = Caller(author, organisation.role, organisation.division if regulator else "")
        for event in facts:
            check_may_state(caller, event, recording.book, day_of(latest_us(event.event_time)))
        statement = recording.record(facts, author)
        findings.update(finding.key for finding in statement.findings)
    return Recorded(recording, kept, findings)


def _stated(whole: Region, kind: type[Event]) -> Iterator[Event]:
    return (event for event, _ in whole.facts if isinstance(event, kind))


def _truth(whole: Region, kind: str) -> dict:
    return next(truth for truth in whole.truth if truth["kind"] == kind)


def _made_g(whole: Region, material: str, *kinds: type[Event]) -> int:
    """What arose, or was made, of a material; splits, merges and repacking make nothing."""
    total_g = 0
    for event, _ in whole.facts:
        if isinstance(event, kinds) and isinstance(event, Tapped | Generated):
            total_g += event.product.mass_g if event.product.material == material else 0
        elif isinstance(event, kinds) and isinstance(event, Transformed):
            changes = catalogue().process(event.process).changes_substance
            total_g += sum(each.mass_g for each in event.outputs if changes and each.material == material)
    return total_g


# the whole -----------------------------------------------------------------------------------------------------------


def test_every_fact_is_admitted_and_there_are_thousands_of_batches(whole: Region, recorded: Recorded) -> None:
    made = [made for change in recorded.kept.changes for movement in change.movements for made in movement.makes]

    assert recorded.recording.book.position == len(whole.facts)
    assert 3_000 <= len(made) <= 5_000


def test_a_file_holds_the_same_chain(whole: Region, recorded: Recorded, tmp_path: Path) -> None:
    ledger = SqliteLedger(SqliteStore(tmp_path / "region.sqlite"))
    recording = Recording(ledger, Book(catalogue()), lambda: NOW)
    for author, facts in whole.statements():
        recording.record(facts, author)

    assert ledger.head() == recorded.recording.ledger.head()
    ledger.close()


def test_the_same_seed_gives_the_same_region(whole: Region) -> None:
    again = region(1)

    assert again.facts == whole.facts
    assert again.truth == whole.truth
    assert again.stories == whole.stories


@pytest.mark.parametrize("seed", [2, 3])
def test_another_seed_gives_another_region_that_is_admitted_too(whole: Region, seed: int) -> None:
    other = region(seed)
    recording = Recording(MemoryLedger(), Book(catalogue()), lambda: NOW)
    for author, facts in other.statements():
        recording.record(facts, author)

    assert other.facts != whole.facts
    assert recording.book.position == len(other.facts)


def test_all_official_numbers_have_their_check_digits(whole: Region) -> None:
    for enterprise, organisation in whole.organisations.items():
        assert codes.uscc(enterprise) == enterprise
        assert (organisation.role == "regulator") == enterprise.startswith("11")
        assert enterprise[2:8].startswith(organisation.division)
    for event in _stated(whole, VehicleRegistered):
        assert codes.plate(event.vehicle.plate) == event.vehicle.plate
    for event in _stated(whole, Submitted):
        if event.official_no:
            division = whole.organisations[event.enterprise].division
            assert codes.manifest_number(event.official_no, division) == event.official_no


def test_official_numbers_of_manifests_stand_once(whole: Region) -> None:
    numbers = Counter(event.official_no for event in _stated(whole, Submitted) if event.official_no)

    assert numbers.most_common(1)[0][1] == 1


def test_statements_hold_what_one_author_may_say_in_one_turn(whole: Region) -> None:
    told = [(event, author) for author, facts in whole.statements() for event in facts]

    assert told == whole.facts
    assert max(len(facts) for _, facts in whole.statements()) <= 500


def test_the_workbooks_enterprise_states_its_workbook_and_nobody_else_does(whole: Region) -> None:
    assert {event.enterprise for event, _ in whole.workbook_facts} == {whole.workbook_enterprise}
    moved = [
        event for event, _ in whole.facts_before + whole.facts_after if event.enterprise == whole.workbook_enterprise
    ]
    assert {event.kind for event in moved} <= {
        "enterprise_registered", "site_registered", "facility_registered", "storage_registered", "scale_registered",
        "plan_filed",
    }  # fmt: skip
    assert {event.kind for event, _ in whole.workbook_facts} == {
        "stock_declared", "generated", "stored", "taken_out", "assayed", "transformed", "submitted", "loaded",
        "arrived", "decided", "delivered",
    }  # fmt: skip


# mass ----------------------------------------------------------------------------------------------------------------


def test_what_came_in_is_held_or_has_ended_to_the_gram(recorded: Recorded) -> None:
    came = Counter[str]()
    ended = Counter[str]()
    for change in recorded.kept.changes:
        for movement in change.movements:
            for source in movement.sources:
                came[source.boundary] += source.mass_g
            for end in movement.ends:
                ended[end.boundary] += end.mass_g
            for draw in movement.draws:
                gap_g = draw.mass_g - draw.weighed_g
                (ended if gap_g > 0 else came)[movement.gap] += abs(gap_g)
    held_g = sum(batch.left_g for batch in recorded.recording.book.batches.values())

    assert sum(came.values()) == held_g + sum(ended.values())
    for boundary in (Boundary.DELIVERY, Boundary.DISPOSAL, Boundary.LOSS, Boundary.LEFT, Boundary.SCALE_DIFFERENCE):
        assert ended[boundary] > 0, boundary
    assert ended[Boundary.UNACCOUNTED] < sum(came.values()) // 200


def test_lorries_are_weighed_in_twenties_of_kilograms(whole: Region) -> None:
    scales = {scale for event in _stated(whole, Arrived) for line in event.lines if (scale := line.scale_id)}
    read = [line.mass_g for event in _stated(whole, Arrived) for line in event.lines]

    assert len(scales) > 5
    assert sum(mass_g % TRUCK_STEP_G == 0 for mass_g in read) > len(read) * 0.8
    assert any(mass_g % TRUCK_STEP_G for mass_g in read), "bundled metal goes over a floor scale"


def test_the_figures_contain_what_the_plants_tapped(whole: Region) -> None:
    tapped_g = sum(
        event.product.mass_g
        for event in _stated(whole, Tapped)
        if event.product.material == "molten-primary-aluminium" and event.event_time.year == YEAR
    )
    figures = [event for event in _stated(whole, FigureDeclared) if event.period_from.year == YEAR]
    primary_g = sum(event.mass_g for event in figures if (event.figure, event.metal) == ("primary_output", "al"))
    refined_g = sum(event.mass_g for event in figures if event.figure == "refined_output")
    ten_g = sum(event.mass_g for event in figures if event.figure == "ten_metals_output")

    assert tapped_g < primary_g < tapped_g * 1.2
    assert primary_g + refined_g < ten_g < (primary_g + refined_g) * 1.05


# plausibility: ranges of published plants --------------------------------------------------------------------------------


def _per(whole: Region, numerator: str, denominator: str, *, of: type[Event]) -> float:
    return _made_g(whole, numerator, Generated, Transformed) / _made_g(whole, denominator, of)


@pytest.mark.parametrize(
    ("residue", "metal", "of", "least", "most"),
    [
        ("primary-dross", "molten-primary-aluminium", Tapped, 0.008, 0.015),
        ("remelt-dross", "secondary-aluminium-alloy", Transformed, 0.055, 0.075),
        ("zinc-leach-residue", "primary-zinc-ingot", Tapped, 0.65 / 0.773, 0.88 / 0.773),
        ("copper-smelting-slag", "primary-copper-cathode", Tapped, 2.2, 3.0),
        ("copper-white-dust", "primary-copper-cathode", Tapped, 0.010, 0.025),
        ("copper-acid-sludge", "primary-copper-cathode", Tapped, 0.001, 0.003),
        ("carbon-residue", "molten-primary-aluminium", Tapped, 0.003, 0.010),
    ],
)
def test_residues_arise_as_in_published_plants(
    whole: Region, residue: str, metal: str, of: type[Event], least: float, most: float
) -> None:
    assert least <= _per(whole, residue, metal, of=of) <= most


def test_a_third_of_the_dross_becomes_metal(whole: Region) -> None:
    charged_g = recovered_g = 0
    for event in _stated(whole, Transformed):
        if event.process == "dross-rotary-furnace":
            charged_g += sum(portion.mass_g for portion in event.inputs)
            recovered_g += sum(each.mass_g for each in event.outputs if each.material == "recovered-aluminium")

    assert 0.28 <= recovered_g / charged_g <= 0.36


def test_nine_tenths_of_the_molten_metal_is_alloyed_directly(whole: Region, recorded: Recorded) -> None:
    book = recorded.recording.book
    charged_g = Counter[str]()
    for event in _stated(whole, Transformed):
        for portion in event.inputs:
            if book.batch(portion.batch_id).material == "molten-primary-aluminium":
                charged_g[event.process] += portion.mass_g

    assert 0.90 <= charged_g["direct-alloying"] / charged_g.total() <= 0.95


def test_most_hazardous_waste_is_used_and_some_is_not(whole: Region, recorded: Recorded) -> None:
    book, tables = recorded.recording.book, catalogue()
    arose_g = used_g = disposed_g = 0
    for event, _ in whole.facts:
        if isinstance(event, Generated):
            arose_g += event.product.mass_g if _hazardous(event.product.material) else 0
        elif isinstance(event, Transformed) and tables.process(event.process).changes_substance:
            arose_g += sum(each.mass_g for each in event.outputs if _hazardous(each.material))
            used_g += sum(each.mass_g for each in event.inputs if _hazardous(book.batch(each.batch_id).material))
        elif isinstance(event, Disposed):
            disposed_g += sum(each.mass_g for each in event.portions if _hazardous(book.batch(each.batch_id).material))

    assert 0.40 <= used_g / arose_g <= 0.95
    assert 0.03 <= disposed_g / arose_g <= 0.15


def _hazardous(material: str) -> bool:
    return catalogue().material(material).legal_status == "hazardous_waste"


def test_recycled_metal_is_about_a_quarter_of_the_ten_metals(whole: Region) -> None:
    made_g = sum(
        product.mass_g
        for event in _stated(whole, Transformed)
        if event.event_time.year == YEAR and catalogue().process(event.process).changes_substance
        for product in event.outputs
        if catalogue().material(product.material).group == "secondary_metal"
    )
    ten_g = sum(
        event.mass_g
        for event in _stated(whole, FigureDeclared)
        if event.figure == "ten_metals_output" and event.period_from.year == YEAR
    )

    assert 0.18 <= made_g / ten_g <= 0.28


# truth ---------------------------------------------------------------------------------------------------------------


def test_every_kind_of_fault_is_planted_once(whole: Region) -> None:
    kinds = Counter(truth["kind"] for truth in whole.truth)

    assert kinds == Counter(
        {
            "scale-bias": 1, "under-reported": 1, "landfilled-as-product": 1, "booked-twice": 1, "old-stock": 1,
            "dry-for-wet": 1, "assay-slip": 1, "closed-loop": 1, "year-end-transit": 2, "expired-permit": 1,
            "outside-plan-late": 1,
        }
    )  # fmt: skip
    assert len({truth["id"] for truth in whole.truth}) == len(whole.truth)
    assert all(truth["size_g"] > 0 for truth in whole.truth)


def test_what_a_truth_names_is_in_the_ledger(whole: Region, recorded: Recorded) -> None:
    book = recorded.recording.book
    for truth in whole.truth:
        assert all(enterprise in whole.organisations for enterprise in truth["enterprises"])
        assert all(book.find_batch(batch_id) for batch_id in truth["batches"])
        assert all(book.find_manifest(manifest_id) for manifest_id in truth["manifests"])
        assert truth["batches"] or truth["manifests"]


def test_the_hidden_dross_is_what_the_furnace_made_and_nobody_stated(whole: Region, recorded: Recorded) -> None:
    truth = _truth(whole, "under-reported")
    stated_g = sum(recorded.recording.book.batch(batch_id).mass_g for batch_id in truth["batches"])
    physical_g = sum(whole.physical[batch_id] for batch_id in truth["batches"])

    assert truth["size_g"] == pytest.approx(physical_g - stated_g, rel=0.02)
    assert truth["size_g"] == pytest.approx(physical_g * 0.08, rel=0.001)


def test_the_biased_scale_reads_what_its_truth_says(whole: Region) -> None:
    truth = _truth(whole, "scale-bias")
    manifests = set(truth["manifests"])
    loaded = {event.manifest_id: event for event in _stated(whole, Loaded) if event.manifest_id in manifests}
    gained_g = sum(
        line.mass_g - loaded[event.manifest_id].lines[at].portion.mass_g
        for event in _stated(whole, Arrived)
        if event.manifest_id in manifests
        for at, line in enumerate(event.lines)
    )

    assert gained_g == pytest.approx(truth["size_g"], rel=0.25)


def test_the_second_manifest_of_the_same_lot_moves_nothing(whole: Region, recorded: Recorded) -> None:
    truth = _truth(whole, "booked-twice")
    first, second = truth["batches"]
    book = recorded.recording.book
    plates = {event.plate for event in _stated(whole, Loaded) if event.manifest_id in truth["manifests"]}

    assert whole.physical[first] > 0 == whole.physical[second]
    assert book.batch(first).mass_g == book.batch(second).mass_g == truth["size_g"]
    assert len(plates) == 1


def test_the_closed_loop_weighs_the_same_to_the_gram_each_time(whole: Region, recorded: Recorded) -> None:
    truth = _truth(whole, "closed-loop")
    masses = {recorded.recording.book.batch(batch_id).mass_g for batch_id in truth["batches"]}

    assert len(truth["manifests"]) == 4
    assert len(masses) == 1


def test_last_years_ingots_are_all_from_last_year(whole: Region, recorded: Recorded) -> None:
    truth = _truth(whole, "old-stock")
    (repacked,) = [event for event in _stated(whole, Transformed) if event.process == "repack"]
    made = [recorded.recording.book.batch(portion.batch_id).made_us for portion in repacked.inputs]

    assert [product.batch_id for product in repacked.outputs] == truth["batches"]
    assert {day_of(each).year for each in made} <= {2024, 2025}
    assert truth["size_g"] > 500 * GRAMS_PER_TONNE


def test_dry_mass_was_stated_for_wet(whole: Region, recorded: Recorded) -> None:
    truth = _truth(whole, "dry-for-wet")
    stated_g = sum(recorded.recording.book.batch(batch_id).mass_g for batch_id in truth["batches"])
    physical_g = sum(whole.physical[batch_id] for batch_id in truth["batches"])

    assert truth["size_g"] == physical_g - stated_g
    assert 0.18 <= truth["size_g"] / physical_g <= 0.27


def test_one_assay_finds_silver_a_thousand_times_too_rich(whole: Region) -> None:
    truth = _truth(whole, "assay-slip")
    silver = {
        event.batch_id: grade.ppm
        for event in _stated(whole, Assayed)
        for grade in event.grades
        if grade.element == "Ag" and grade.ppm > 50_000
    }

    assert list(silver) == truth["batches"]


def test_the_residue_booked_as_aggregate_has_no_receiver(whole: Region) -> None:
    truth = _truth(whole, "landfilled-as-product")
    sold = [event for event in _stated(whole, Delivered) if [truth["enterprises"][0]] == [event.enterprise]]

    assert truth["size_g"] == sum(portion.mass_g for event in sold for portion in event.portions)
    assert {event.receiver for event in sold} == {""}


def test_breaches_of_law_are_found_where_they_were_planted(recorded: Recorded) -> None:
    assert recorded.findings["permit-not-valid"] > 0
    assert recorded.findings["plan-without-code"] > 0
    assert recorded.findings["permit-not-covering"] == recorded.findings["approval-missing"] == 0


# stories -------------------------------------------------------------------------------------------------------------


def test_the_story_is_a_dross_load_of_which_nothing_lies_anywhere_any_more(whole: Region, recorded: Recorded) -> None:
    book = recorded.recording.book
    dross, load = book.batch(whole.stories["dross"]), book.batch(whole.stories["load"])
    manifest = book.manifest(whole.stories["manifest"])

    assert (dross.material, dross.left_g, load.left_g) == ("primary-dross", 0, 0)
    assert manifest.submitted.consignee == whole.workbook_enterprise
    assert load.manifest_id == manifest.manifest_id
    assert manifest.closed
    assert book.batch(whole.stories["label"]).left_g > 0
    assert book.batch(whole.stories["label"]).packing is not None


def test_masses_are_told_in_tonnes_that_a_plant_would_have(recorded: Recorded) -> None:
    largest = max(made.mass_g for change in recorded.kept.changes for move in change.movements for made in move.makes)

    assert largest < 400_000 * GRAMS_PER_TONNE


def test_the_workbooks_ids_are_those_that_its_rows_would_derive(whole: Region) -> None:
    own = whole.workbook_enterprise
    for event, _ in whole.workbook_facts:
        products = event.outputs if isinstance(event, Transformed) else ()
        products = (event.product,) if isinstance(event, Generated) else products
        for product in products:
            container = product.packing.code if product.packing else ""
            assert product.batch_id == own_id(own, "batch", "001", product.code or "", container)
        if isinstance(event, Submitted):
            assert len(event.lines) <= 2
            assert event.manifest_id == own_id(own, "manifest", "001", event.official_no or event.internal_no)
