"""The tables that ship: whole, said in two languages, each with its source, and only what somebody checked."""

import csv
import re
import string
from pathlib import Path

import pytest

from flows.errors import messages
from flows.materials import catalogue
from flows.rows import TABLES_FOLDER

TABLES = sorted(TABLES_FOLDER.glob("*.csv"))
METALS = ("al", "cu", "zn", "pb", "si", "v", "ti", "re", "li", "ni")
SOURCE = re.compile(r"GB|HJ|《.+》|本系统编列")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_says_what_it_is_and_where_it_is_from(table: Path) -> None:
    text = table.read_text("utf-8")
    chinese, english, head, *_ = text.splitlines()

    assert chinese.startswith("# ")
    assert CHINESE.search(chinese)
    assert english.startswith("# ")
    assert not CHINESE.search(english)
    assert {"source", "edition"} & set(head.split(",")) or SOURCE.search(chinese)
    assert "\r" not in text
    assert text.endswith("\n")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_cell_has_blanks_around_it_and_no_row_is_a_placeholder(table: Path) -> None:
    with table.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) if not row[0].startswith("#") for cell in row]

    assert [cell for cell in cells if cell != cell.strip()] == []
    assert [cell for cell in cells if "TBD" in cell or "�" in cell] == []


def test_only_what_was_checked_is_a_hazardous_code() -> None:
    hazardous = [waste for waste in catalogue().wastes.values() if waste.hazardous]

    assert all(waste.checked for waste in hazardous)
    assert all(waste.hazard_set for waste in hazardous if waste.code != "900-000-48")
    assert len([waste for waste in hazardous if waste.category == "HW48" and waste.code != "900-000-48"]) == 33


def test_the_serials_of_slag_and_tailings_are_left_open() -> None:
    """Nobody could compare them with the official text, so SW01 and SW05 stand as classes."""
    general = {waste.code for waste in catalogue().wastes.values() if not waste.hazardous}

    assert {"SW01", "SW05", "SW09"} <= general
    assert "SW08" not in general
    assert {code for code in general if code.endswith("S05")} == set()


def test_every_metal_of_the_province_has_residue_scrap_or_product() -> None:
    materials = catalogue().materials.values()

    for metal in METALS:
        groups = {material.group for material in materials if material.metal == metal}
        assert "residue" in groups, metal
        assert groups & {"product", "primary_metal", "secondary_metal", "alloy", "intermediate"}, metal


def test_two_materials_never_share_a_name() -> None:
    materials = catalogue().materials.values()

    assert len({material.name_zh for material in materials}) == len(materials)
    assert len({material.name_en for material in materials}) == len(materials)


def test_hazardous_waste_has_all_that_its_label_asks_for() -> None:
    for material in catalogue().materials.values():
        if material.legal_status == "hazardous_waste":
            assert all((material.form, material.components, material.harmful, material.precautions)), material.id


def test_the_names_of_a_process_are_one_name_each() -> None:
    processes = catalogue().processes.values()

    assert len({process.name_zh for process in processes}) == len(processes)
    assert all(process.name_en[0].isupper() for process in processes)


def test_all_provinces_and_all_prefectures_of_sichuan_stand_in_the_divisions() -> None:
    divisions = catalogue().divisions

    assert len([code for code in divisions if code.endswith("0000")]) == 31
    assert len([code for code in divisions if code.startswith("51") and not code.endswith("0000")]) == 21


def test_the_methods_are_those_of_the_standard_without_the_rest_of_basel() -> None:
    assert set(catalogue().methods) == {
        "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R15", "C1", "C2", "C3", "D1", "D9", "D10", "D16",
    }  # fmt: skip


def test_a_disposal_never_ends_as_use() -> None:
    uses = {"product", "material_use", "energy_use"}

    assert all((method.ending in uses) == (method.side == "utilization") for method in catalogue().methods.values())


@pytest.mark.parametrize("key", sorted(messages()))
def test_a_message_fills_the_same_figures_in_both_languages(key: str) -> None:
    text = messages()[key]

    assert placeholders(text["zh"]) == {name.removesuffix("_en") for name in placeholders(text["en"])}
