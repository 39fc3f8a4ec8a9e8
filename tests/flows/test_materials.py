"""The catalogue: what it answers, what it says of what it does not know, and how an installation lays its own over."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flows.errors import Malformed, Unknown
from flows.materials import Catalogue, catalogue
from flows.rows import TABLES_FOLDER


@pytest.fixture
def ours() -> Catalogue:
    return catalogue()


def lay_over(folder: Path, name: str, change: Callable[[list[list[str]]], object]) -> Path:
    """A copy of our table in an installation's folder, changed row by row; row 0 is the head, remarks are dropped."""
    with (TABLES_FOLDER / name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if not row[0].startswith("#")]
    change(rows)
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (folder / name).write_text(text.getvalue(), "utf-8")
    return folder


def refused(folder: Path) -> Malformed:
    with pytest.raises(Malformed) as caught:
        Catalogue.load(folder)
    assert caught.value.text("zh")
    assert caught.value.text("en")
    return caught.value


# what it answers


def test_a_dross_is_bound_to_its_process_and_carries_its_code_and_hazards(ours: Catalogue) -> None:
    primary, remelt = ours.material("primary-dross"), ours.material("remelt-dross")
    of_primary, of_remelt = primary.waste(ours), remelt.waste(ours)

    assert of_primary is not None
    assert of_remelt is not None
    assert (of_primary.code, of_primary.hazards, of_primary.hazard_set) == ("321-024-48", "R,T", {"R", "T"})
    assert (of_remelt.code, of_remelt.hazards, of_remelt.hazard_set) == ("321-026-48", "R", {"R"})
    assert primary.process != remelt.process
    assert of_primary.edition == "2021"


def test_one_everyday_name_from_two_processes_is_two_rows_with_two_codes(ours: Catalogue) -> None:
    codes = {name: ours.material(name).waste_code for name in ("primary-salt-slag", "remelt-salt-slag")}

    assert codes == {"primary-salt-slag": "321-024-48", "remelt-salt-slag": "321-026-48"}
    assert ours.material("copper-acid-sludge").waste_code == "321-031-48"
    assert ours.material("lead-zinc-acid-sludge").waste_code == "321-033-29"


def test_a_waste_knows_its_category_and_whether_it_is_hazardous(ours: Catalogue) -> None:
    assert ours.waste("３２１０２４４８").category == "HW48"
    assert ours.waste("321-024-48").hazardous
    assert ours.waste("900-002-S17").category == "SW17"
    assert not ours.waste("900-002-S17").hazardous
    assert not ours.waste("900-002-S17").is_class
    assert ours.waste("sw01").is_class
    assert ours.waste("sw01").hazard_set == frozenset()


def test_or_between_hazards_is_kept_as_printed_and_read_as_a_set(ours: Catalogue) -> None:
    assert ours.waste("900-041-49").hazards == "T/In"
    assert ours.waste("900-041-49").hazard_set == {"T", "In"}
    assert ours.waste("900-042-49").hazard_set == {"T", "C", "I", "R", "In"}


def test_a_slag_whose_item_is_open_stands_under_its_class(ours: Catalogue) -> None:
    waste = ours.material("copper-smelting-slag").waste(ours)

    assert waste is not None
    assert waste.is_class
    assert waste.code == "SW01"


def test_what_is_no_waste_has_no_code(ours: Catalogue) -> None:
    assert ours.material("recycled-copper").waste(ours) is None
    assert ours.material("recycled-copper").standard == "GB/T 38471-2023"
    assert ours.material("zinc-oxide").waste(ours) is None


def test_every_kind_has_a_name_in_both_languages(ours: Catalogue) -> None:
    assert ours.material("spent-potlining").name() == "电解铝大修渣"
    assert ours.material("spent-potlining").name("en") == "Spent potlining (overhaul slag)"
    assert ours.method("R4").name("en") == "Recycling of metals and metal compounds"


def test_a_moisture_is_assumed_only_where_somebody_gave_one(ours: Catalogue) -> None:
    assert ours.material("zinc-leach-residue").moisture_ppm == 227_000
    assert ours.material("primary-dross").moisture_ppm is None


@pytest.mark.parametrize(
    ("code", "side", "ending"),
    [
        ("R4", "utilization", "product"),
        ("r1", "utilization", "energy_use"),
        ("C2", "utilization", "material_use"),
        ("C1", "disposal", "other_disposal"),
        ("D1", "disposal", "landfilled"),
        ("Ｄ１０", "disposal", "incinerated"),
    ],
)
def test_a_method_says_its_side_and_how_it_ends(ours: Catalogue, code: str, side: str, ending: str) -> None:
    assert (ours.method(code).side, ours.method(code).ending) == (side, ending)


@pytest.mark.parametrize("code", ["R10", "R14", "D2", "D8", "D15"])
def test_the_codes_of_the_basel_convention_that_china_does_not_use_are_unknown(ours: Catalogue, code: str) -> None:
    with pytest.raises(Unknown) as caught:
        ours.method(code)

    assert caught.value.figures["nearest"] in {*ours.methods, "—"}


@pytest.mark.parametrize(
    ("code", "name"), [("51", "四川省"), ("510100", "成都市"), ("510182", "成都市"), ("500101", "重庆市")]
)
def test_a_code_finds_the_smallest_division_that_it_lies_in(ours: Catalogue, code: str, name: str) -> None:
    assert ours.division(code).name_zh == name


@pytest.mark.parametrize("code", ["510200", "511200", "513100", "720000"])
def test_a_prefecture_that_is_not_in_use_is_unknown(ours: Catalogue, code: str) -> None:
    with pytest.raises(Unknown):
        ours.division(code)


def test_the_exemption_list_frees_a_step_and_only_that(ours: Catalogue) -> None:
    (dross,) = ours.exemptions_for("321-024-48")

    assert (dross.item, dross.step, dross.condition_zh) == (22, "utilization", "回收金属铝")
    assert ours.exemptions_for("321-024-48", "transport") == ()
    assert [e.step for e in ours.exemptions_for("900-052-31")] == ["transport"]


@pytest.mark.parametrize("code", ["321-023-48", "321-034-48", "900-002-S17"])
def test_nothing_frees_what_the_list_does_not_name(ours: Catalogue, code: str) -> None:
    """Item 32 stands in the table, and yet frees nothing without a scheme of the province."""
    assert ours.exemptions_for(code) == ()
    assert ours.exemptions["32:*"].code == "*"


def test_an_item_for_a_category_is_found_by_each_of_its_codes(ours: Catalogue) -> None:
    assert [e.item for e in ours.exemptions_for("900-300-34")] == [20]


def test_a_citation_is_of_the_law_in_force_on_the_day(ours: Catalogue) -> None:
    manifest, monitoring, permit = (ours.citations[duty] for duty in ("manifest", "monitoring", "discharge-permit"))

    assert manifest.text(date(2026, 8, 14)) == "《固体废物污染环境防治法》（2020）第82条"
    assert manifest.text(date(2026, 8, 15)) == "《生态环境法典》第536条"
    assert manifest.text(date(2026, 8, 15), "en") == "Ecological Environment Code, Art. 536"
    assert monitoring.text(date(2026, 8, 14)) is None
    assert permit.text(date(2026, 8, 15), "en") == "Ecological Environment Code, Art. 176, 491"


def test_both_letters_of_chengdu_lead_to_it(ours: Catalogue) -> None:
    assert {ours.plates[prefix].division for prefix in ("川A", "川G")} == {"510100"}
    assert len({plate.division for plate in ours.plates.values()}) == 21


# what it does not know


@pytest.mark.parametrize(
    ("ask", "nearest"),
    [
        (lambda c: c.material("remelt-dros"), "remelt-dross"),
        (lambda c: c.material("电解铝大修渣（干）"), "spent-potlining"),
        (lambda c: c.process("remelting"), "remelt"),
        (lambda c: c.process("合金化工序"), "alloying"),
        (lambda c: c.waste("321-024-49"), "321-024-48"),
        (lambda c: c.method("D11"), "D1"),
        (lambda c: c.tolerance_ppm("remelting", date(2026, 1, 1)), "remelt"),
        (lambda c: c.material("zzzz"), "—"),
    ],
)
def test_what_is_unknown_is_told_with_its_nearest(
    ours: Catalogue, ask: Callable[[Catalogue], object], nearest: str
) -> None:
    with pytest.raises(Unknown) as caught:
        ask(ours)

    found = str(caught.value.figures["nearest"])
    assert found == nearest
    assert found in caught.value.text("zh")


def test_a_code_of_the_official_catalogue_that_is_not_ours_can_be_looked_for(ours: Catalogue) -> None:
    assert ours.find_waste("900-402-06") is None
    assert ours.find_waste("32102448") is ours.waste("321-024-48")
    with pytest.raises(Malformed):
        ours.find_waste("铝灰")


# tolerances


def test_what_changes_no_substance_loses_no_gram(ours: Catalogue) -> None:
    idle = [process.id for process in ours.processes.values() if not process.changes_substance]

    assert sorted(idle) == ["merge", "repack", "split"]
    assert [ours.tolerance_ppm(process, date(2026, 1, 1)) for process in idle] == [0, 0, 0]


def test_a_tolerance_holds_from_its_day_on_and_the_first_one_before(tmp_path: Path) -> None:
    lay_over(tmp_path, "tolerances.csv", lambda rows: rows.append(["remelt", "2027-01-01", "5000", "新", "new", "own"]))
    theirs = Catalogue.load(tmp_path)

    days = (date(2019, 1, 1), date(2026, 12, 31), date(2027, 1, 1), date(2030, 1, 1))
    assert [theirs.tolerance_ppm("remelt", day) for day in days] == [20_000, 20_000, 5_000, 5_000]


def test_a_tolerance_that_is_missing_doubled_or_idle_is_refused(tmp_path: Path) -> None:
    lay_over(tmp_path, "tolerances.csv", lambda rows: rows.remove(next(r for r in rows if r[0] == "remelt")))
    assert refused(tmp_path).key == "table-tolerance-missing"
    lay_over(tmp_path, "tolerances.csv", lambda rows: rows.append(next(r for r in rows if r[0] == "remelt")))
    assert refused(tmp_path).key == "table-tolerance-twice"
    lay_over(tmp_path, "tolerances.csv", lambda rows: rows.append(["split", "2027-01-01", "1", "", "", ""]))
    assert refused(tmp_path).key == "table-tolerance-idle"


# an installation's folder


def test_an_empty_folder_changes_nothing(tmp_path: Path, ours: Catalogue) -> None:
    assert Catalogue.load(tmp_path) == ours


def test_a_file_of_theirs_replaces_ours_with_columns_in_any_order(tmp_path: Path, ours: Catalogue) -> None:
    def turn_round(rows: list[list[str]]) -> None:
        rows.append(["900-402-06", "废有机溶剂", "Waste solvents", "T,I", "2025", "1", "own copy"])
        rows[:] = [row[::-1] for row in rows]

    lay_over(tmp_path, "wastes.csv", turn_round)
    text = (tmp_path / "wastes.csv").read_text("utf-8")
    (tmp_path / "wastes.csv").write_text(f"# ours and one more\n\n{text}", "utf-8-sig")
    theirs = Catalogue.load(tmp_path)

    assert theirs.waste("900-402-06").edition == "2025"
    assert theirs.materials == ours.materials
    assert len(theirs.wastes) == len(ours.wastes) + 1


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "tables").key == "tables-folder-absent"


def test_a_file_that_replaces_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "waste.csv").write_text("code\n", "utf-8")

    assert refused(tmp_path).figures["file"] == "waste.csv"


def change_cell(line: int, column: str, text: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[line - 1][rows[0].index(column)] = text

    return change


@pytest.mark.parametrize(
    ("name", "column", "text", "expected"),
    [
        ("wastes.csv", "code", "321-024-4", "321-024-48 | 900-002-S17 | SW01"),
        ("wastes.csv", "hazards", "R;T", "T | C | I | R | In | R,T | T/C"),
        ("wastes.csv", "checked", "yes", "0 | 1"),
        ("wastes.csv", "name_zh", "", "…"),
        ("materials.csv", "id", "Primary Dross", "remelt-dross"),
        ("materials.csv", "waste_code", "321-024-49", "321-024-48"),
        ("materials.csv", "legal_status", "waste", "hazardous_waste | general_waste | recycled_raw_material | product"),
        ("materials.csv", "moisture_ppm", "22.7%", "0 … 1000000"),
        ("materials.csv", "moisture_ppm", "1000001", "0 … 1000000"),
        ("materials.csv", "standard", "GB/T 1197", "GB/T 1196"),
        ("materials.csv", "process", "", "…"),
        ("methods.csv", "side", "use", "utilization | disposal"),
        ("processes.csv", "method", "R44", "R4"),
        ("tolerances.csv", "since", "2026/01/01", "2026-01-31"),
        ("tolerances.csv", "process", "splitt", "split"),
        ("divisions.csv", "code", "5", "510100"),
        ("plates.csv", "division", "510200", "51"),
        ("exemptions.csv", "code", "HW99", "HW"),
        ("exemptions.csv", "item", "22a", "22"),
        ("legal.csv", "since", "", "2026-01-31"),
    ],
)
def test_a_cell_that_will_not_do_is_named_with_file_row_and_what_would(
    tmp_path: Path, name: str, column: str, text: str, expected: str
) -> None:
    problem = refused(lay_over(tmp_path, name, change_cell(2, column, text)))

    assert problem.key == "table-cell"
    assert (problem.figures["file"], problem.figures["row"]) == (name, 2)
    assert (problem.figures["column"], problem.figures["read"]) == (column, text)
    assert str(problem.figures["expected"]).startswith(expected)


def test_an_unknown_a_missing_and_a_doubled_column_are_refused(tmp_path: Path) -> None:
    problem = refused(lay_over(tmp_path, "methods.csv", change_cell(1, "ending", "endings")))
    assert (problem.key, problem.figures["expected"]) == ("table-column-unknown", "ending")
    problem = refused(lay_over(tmp_path, "methods.csv", lambda rows: [row.pop() for row in rows]))
    assert (problem.key, problem.figures["column"]) == ("table-column-missing", "note")
    problem = refused(lay_over(tmp_path, "methods.csv", lambda rows: [row.append(row[-1]) for row in rows]))
    assert (problem.key, problem.figures["count"]) == ("table-column-missing", 2)
    (tmp_path / "methods.csv").write_text("", "utf-8")
    assert refused(tmp_path).key == "table-column-missing"


def test_a_key_twice_and_a_row_that_is_too_long_are_refused_with_their_rows(tmp_path: Path) -> None:
    problem = refused(lay_over(tmp_path, "methods.csv", lambda rows: rows.append(rows[1])))
    assert (problem.key, problem.figures["key"], problem.figures["row"]) == ("table-key-twice", "R1", 19)
    problem = refused(lay_over(tmp_path, "methods.csv", lambda rows: rows[3].append("…")))
    assert (problem.key, problem.figures["row"]) == ("table-row-length", 4)


def test_a_table_that_is_no_csv_in_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "methods.csv").write_bytes("code,名称\n".encode("gbk"))
    assert refused(tmp_path).key == "table-unreadable"
    (tmp_path / "methods.csv").write_text('code,"name\n', "utf-8")
    assert refused(tmp_path).key == "table-unreadable"


@pytest.mark.parametrize(
    ("status", "code"),
    [("hazardous_waste", ""), ("hazardous_waste", "SW01"), ("general_waste", "321-024-48"), ("product", "SW01")],
)
def test_a_status_that_does_not_fit_its_code_is_refused(tmp_path: Path, status: str, code: str) -> None:
    def change(rows: list[list[str]]) -> None:
        change_cell(2, "legal_status", status)(rows)
        change_cell(2, "waste_code", code)(rows)

    assert refused(lay_over(tmp_path, "materials.csv", change)).key == "material-status"
