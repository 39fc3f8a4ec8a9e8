"""Official numbers: published examples, every check digit, and nothing but `Malformed` for what cannot be read."""

import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import codes
from flows.codes import BatchCode, BatchKind, DigitalCode
from flows.errors import Malformed

HBIS = "91130200699229617X"
DAYS = st.dates(min_value=date(1, 1, 1))
PLACES = st.from_regex(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}", fullmatch=True)
BODIES = st.text(codes.CREDIT_LETTERS, min_size=8, max_size=8)
CREDIT_CODES = st.builds(codes.uscc_with_check, PLACES, BODIES)
HAZARDOUS_CODES = st.builds("{:03d}-{:03d}-{:02d}".format, st.integers(0, 999), st.integers(0, 999), st.integers(1, 50))


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def refused(read: Callable[[], object]) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read()
    assert caught.value.text("zh")
    assert caught.value.text("en")
    return caught.value


# credit codes


@pytest.mark.parametrize("text", [HBIS, "91350100M000100Y43", "91510000621601108W"])
def test_a_published_credit_code_is_read(text: str) -> None:
    assert codes.uscc(text) == text
    assert codes.uscc_with_check(text[:8], text[8:16]) == text


def test_a_wrong_last_digit_names_the_right_one() -> None:
    problem = refused(lambda: codes.uscc("11330102MB1234567A"))

    assert problem.key == "uscc-check"
    assert problem.figures["expected"] == "B"


def test_a_remainder_of_zero_gives_the_digit_zero() -> None:
    """91510100713018096 leaves remainder 0, yet its organisation code asks for another digit: the second check sees it."""
    assert codes._credit_check("91510100713018096") == "0"
    problem = refused(lambda: codes.uscc("915101007130180960"))

    assert problem.key == "uscc-organisation-check"
    assert (problem.figures["found"], problem.figures["expected"]) == ("6", "1")


def test_a_whole_code_may_end_in_zero_or_in_y() -> None:
    ends = {codes.uscc_with_check("91510100", f"{i:08d}")[-1] for i in range(400)}

    assert ends == set(codes.CREDIT_LETTERS)


def test_an_organisation_digit_of_ten_is_x_and_of_eleven_is_zero() -> None:
    assert {codes.uscc_with_check("91510100", f"{i:08d}")[16] for i in range(40)} == set("0123456789X")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (HBIS[:-1], "uscc-length"),
        (HBIS + "0", "uscc-length"),
        ("", "uscc-length"),
        ("9113020069922961IX", "uscc-letter"),
        ("9113020069922961川X", "uscc-letter"),
        ("91A3020069922961XX", "uscc-division"),
    ],
)
def test_a_credit_code_that_cannot_be_one_is_refused(text: str, key: str) -> None:
    assert refused(lambda: codes.uscc(text)).key == key


@pytest.mark.parametrize("text", [HBIS.lower(), full_width(HBIS), f" {HBIS[:9]} {HBIS[9:]}\n", "91130200-699229617-X"])
def test_a_credit_code_is_read_as_people_write_it(text: str) -> None:
    assert codes.uscc(text) == HBIS


@given(code=CREDIT_CODES, position=st.integers(0, 17), letter=st.sampled_from(codes.CREDIT_LETTERS))
def test_one_wrong_character_is_always_caught(code: str, position: int, letter: str) -> None:
    """The weights are units modulo the prime 31, so a single change always moves the last digit."""
    changed = code[:position] + letter + code[position + 1 :]

    if changed == code:
        assert codes.uscc(changed) == code
    else:
        refused(lambda: codes.uscc(changed))


@given(code=CREDIT_CODES, position=st.integers(0, 16))
def test_two_neighbours_that_changed_places_are_caught(code: str, position: int) -> None:
    """Neighbouring weights never differ by a multiple of 31."""
    changed = code[:position] + code[position + 1] + code[position] + code[position + 2 :]

    if changed != code and changed[2:8].isdecimal():
        refused(lambda: codes.uscc(changed))


# plates, permits, manifests


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("川A12345", "川A12345"),
        ("川a·1234b", "川A1234B"),
        ("川A 12345", "川A12345"),
        ("川Ａ１２３４５", "川A12345"),
        ("川A1234挂", "川A1234挂"),
        ("川AD12345", "川AD12345"),
        ("川AF1234 5", "川AF12345"),
        ("川A12345D", "川A12345D"),
        ("渝D·9Z9Z9", "渝D9Z9Z9"),
    ],
)
def test_a_plate_is_read_with_its_trailer_or_new_energy_form(text: str, read: str) -> None:
    assert codes.plate(text) == read


@pytest.mark.parametrize(
    "text", ["", "A12345", "川I12345", "川A1234O", "川A123", "川A12345挂", "川A12345E", "川A1234567"]
)
def test_a_plate_of_no_form_is_refused(text: str) -> None:
    assert refused(lambda: codes.plate(text)).key == "plate-unreadable"


def test_a_discharge_permit_is_a_credit_code_with_a_site_and_a_letter() -> None:
    assert codes.discharge_permit("91130200699229617x001p") == "91130200699229617X001P"
    assert refused(lambda: codes.discharge_permit("91130200699229617X001")).key == "discharge-permit-unreadable"
    assert refused(lambda: codes.discharge_permit("911302006992296170001P")).key == "uscc-check"


def test_a_manifest_number_is_of_the_prefecture_that_the_waste_leaves() -> None:
    assert codes.manifest_number("2026 5101 000123") == "20265101000123"
    assert codes.manifest_number("20265101000123", "510100") == "20265101000123"
    assert codes.manifest_number("20265101000123", "510182") == "20265101000123"
    assert codes.manifest_number("20265101000123", "510000") == "20265101000123"
    problem = refused(lambda: codes.manifest_number("20265101000123", "510400"))
    assert problem.key == "manifest-number-elsewhere"
    assert (problem.figures["found"], problem.figures["expected"]) == ("5101", "5104")


@pytest.mark.parametrize("text", ["", "2026510100123", "19995101000123", "202651010001234", "2026510100012A"])
def test_a_number_that_the_state_never_issues_is_refused(text: str) -> None:
    assert refused(lambda: codes.manifest_number(text)).key == "manifest-number-unreadable"


# batch codes and digital codes


@pytest.mark.parametrize("kind", BatchKind)
def test_a_batch_code_is_of_its_longest_prefix(kind: BatchKind) -> None:
    """HWCK begins HWCKLY and HWCKCZ: what leaves for abroad is not what leaves the store."""
    assert codes.batch_code(f"{kind}20211031001") == BatchCode(kind, date(2021, 10, 31), 1)


@given(kind=st.sampled_from(BatchKind), day=DAYS, serial=st.integers(0, 999))
def test_a_batch_code_comes_back_as_it_was_written(kind: BatchKind, day: date, serial: int) -> None:
    code = BatchCode(kind, day, serial)

    assert codes.batch_code(full_width(str(code)).lower()) == code


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("HWXX20211031001", "batch-code-unreadable"),
        ("HWCKL20211031001", "batch-code-unreadable"),
        ("HWCS2021103101", "batch-code-unreadable"),
        ("HWCS20210229001", "code-day-impossible"),
        ("HWCS00000101001", "code-day-impossible"),
    ],
)
def test_a_batch_code_of_no_form_or_no_day_is_refused(text: str, key: str) -> None:
    assert refused(lambda: codes.batch_code(text)).key == key


@given(uscc=CREDIT_CODES, waste=HAZARDOUS_CODES, day=DAYS, serial=st.integers(1, 999))
def test_a_digital_code_has_37_characters_and_comes_back(uscc: str, waste: str, day: date, serial: int) -> None:
    text = codes.digital_code(uscc, waste, day, serial)

    assert len(text) == codes.DIGITAL_CODE_LENGTH == 37
    assert codes.parse_digital_code(full_width(text)) == DigitalCode(uscc, waste, day, serial)


def test_a_digital_code_names_maker_waste_day_and_container() -> None:
    assert codes.digital_code(HBIS, "321-024-48", date(2026, 11, 2), 7) == HBIS + "32102448" + "20261102" + "007"


@pytest.mark.parametrize(
    ("waste", "serial", "key"),
    [
        ("321-024-48", 0, "digital-code-serial"),
        ("321-024-48", 1000, "digital-code-serial"),
        ("900-002-S17", 1, "digital-code-not-hazardous"),
        ("SW01", 1, "digital-code-not-hazardous"),
    ],
)
def test_a_container_that_has_no_digital_code_is_refused(waste: str, serial: int, key: str) -> None:
    assert refused(lambda: codes.digital_code(HBIS, waste, date(2026, 11, 2), serial)).key == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (HBIS + "32102448" + "20261102" + "07", "digital-code-unreadable"),
        (HBIS + "32102448" + "20261302" + "007", "code-day-impossible"),
        (HBIS + "32102448" + "20261102" + "000", "digital-code-serial"),
        (HBIS + "32102499" + "20261102" + "007", "waste-category-absent"),
        (HBIS[:-1] + "0" + "32102448" + "20261102" + "007", "uscc-check"),
    ],
)
def test_a_digital_code_is_refused_by_the_part_that_is_wrong(text: str, key: str) -> None:
    assert refused(lambda: codes.parse_digital_code(text)).key == key


# waste codes, methods, divisions


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("321-024-48", "321-024-48"),
        ("32102448", "321-024-48"),
        ("３２１－０２４－４８", "321-024-48"),
        ("321–024–48", "321-024-48"),
        ("HW48 321-024-48", "321-024-48"),
        ("hw48-32102448", "321-024-48"),
        ("900-002-s17", "900-002-S17"),
        ("900002s17", "900-002-S17"),
        ("SW17 900-002-S17", "900-002-S17"),
        ("sw01", "SW01"),
        ("ＳＷ１", "SW01"),
    ],
)
def test_a_waste_code_has_one_form(text: str, read: str) -> None:
    assert codes.waste_code(text) == read
    assert codes.waste_code(read) == read


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("HW48", "waste-code-unreadable"),
        ("321-024", "waste-code-unreadable"),
        ("3210244", "waste-code-unreadable"),
        ("900-000-S17", "waste-code-unreadable"),
        ("900-100-S17", "waste-code-unreadable"),
        ("321-024-00", "waste-category-absent"),
        ("321-024-51", "waste-category-absent"),
        ("900-001-S08", "waste-category-absent"),
        ("SW08", "waste-category-absent"),
        ("HW29 321-024-48", "waste-code-category"),
    ],
)
def test_a_waste_code_of_no_catalogue_is_refused(text: str, key: str) -> None:
    assert refused(lambda: codes.waste_code(text)).key == key


@pytest.mark.parametrize(("text", "read"), [("hw48", "HW48"), ("HW8", "HW08"), ("ＨＷ４８", "HW48"), ("s1", "SW01")])
def test_a_category_has_one_form(text: str, read: str) -> None:
    assert codes.waste_category(text) == read


def test_a_category_that_is_none_is_refused() -> None:
    assert refused(lambda: codes.waste_category("48")).key == "waste-category-unreadable"
    assert refused(lambda: codes.waste_category("HW51")).key == "waste-category-absent"


@pytest.mark.parametrize(("text", "read"), [("r4", "R4"), ("R04", "R4"), ("Ｄ１０", "D10"), (" c 1", "C1")])
def test_a_method_code_has_one_form(text: str, read: str) -> None:
    assert codes.method_code(text) == read


@pytest.mark.parametrize("text", ["", "R", "4", "R0", "R100", "回收"])
def test_a_method_code_of_no_form_is_refused(text: str) -> None:
    assert refused(lambda: codes.method_code(text)).key == "method-code-unreadable"


def test_a_division_code_is_filled_up_to_six_digits() -> None:
    assert [codes.division(text) for text in ("51", "5101", "510100", "５１０１")] == [
        "510000", "510100", "510100", "510100",
    ]  # fmt: skip
    for text in ("", "5", "510", "910000", "四川"):
        assert refused(lambda text=text: codes.division(text)).key == "division-unreadable"


def test_the_prefix_of_a_division_loses_pairs_of_zeros_and_no_single_one() -> None:
    assert [codes.division_prefix(code) for code in ("510000", "510100", "511000", "500000", "510182")] == [
        "51", "5101", "5110", "50", "510182",
    ]  # fmt: skip


# all of them

READERS = [
    codes.uscc,
    codes.plate,
    codes.discharge_permit,
    codes.manifest_number,
    codes.batch_code,
    codes.parse_digital_code,
    codes.waste_code,
    codes.waste_category,
    codes.method_code,
    codes.division,
]
NEAR_MISSES = st.text("0123456789ABCDHKLORSTWXYZ川挂-·０９Ａ² ٣", max_size=40)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(text=st.text() | NEAR_MISSES)
def test_any_text_is_read_to_a_fixed_point_or_refused_in_words(read: Callable[[str], object], text: str) -> None:
    try:
        plain = str(read(text))
    except Malformed as problem:
        words = [problem.text("zh"), problem.text("en")]
        assert all(words)
    else:
        assert str(read(plain)) == plain
        assert plain == unicodedata.normalize("NFKC", plain)


def test_the_nearest_is_offered_only_when_it_is_near() -> None:
    assert codes.nearest("321-024-49", ["321-024-48", "900-052-31"]) == "321-024-48"
    assert codes.nearest("铝", ["321-024-48"]) is None
    assert codes.nearest("R4", []) is None
