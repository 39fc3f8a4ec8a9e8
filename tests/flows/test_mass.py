"""Masses: exact grams from what people write, and not a gram lost when they are shared out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import Malformed
from flows.mass import GRAMS_PER_TONNE, LARGEST_G, grams, plain_tonnes, share_out, tonnes


@pytest.mark.parametrize(
    ("text", "mass_g"),
    [
        ("12.5 t", 12_500_000),
        ("12.5t", 12_500_000),
        ("12.5 吨", 12_500_000),
        ("１２．５吨", 12_500_000),
        ("12.5 T", 12_500_000),
        ("800 kg", 800_000),
        ("800KG", 800_000),
        ("0.5 公斤", 500),
        ("0.5 千克", 500),
        ("350 g", 350),
        ("350克", 350),
        ("0.000001 t", 1),
        (" 1\u3000t ", 1_000_000),
        ("1000000000 t", LARGEST_G),
    ],
)
def test_a_mass_is_read_as_people_write_it(text: str, mass_g: int) -> None:
    assert grams(text) == mass_g


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("12,5 t", "mass-comma"),
        ("12，5 t", "mass-comma"),
        ("12、5 t", "mass-comma"),
        ("1,200 kg", "mass-comma"),
        ("0.5 g", "mass-finer-than-gram"),
        ("0.0000001 t", "mass-finer-than-gram"),
        ("12.5", "mass-unit-missing"),
        ("", "mass-unreadable"),
        ("t", "mass-unreadable"),
        ("-1 t", "mass-unreadable"),
        ("1e3 t", "mass-unreadable"),
        ("1.2.3 t", "mass-unreadable"),
        ("12 lb", "mass-unreadable"),
        ("nan t", "mass-unreadable"),
        ("0 t", "mass-out-of-range"),
        ("1000000001 t", "mass-out-of-range"),
    ],
)
def test_a_mass_that_is_none_or_may_be_two_is_refused(text: str, key: str) -> None:
    with pytest.raises(Malformed) as caught:
        grams(text)

    assert caught.value.key == key
    assert text in caught.value.text("zh")


def test_a_bare_number_takes_the_unit_of_its_column_and_a_named_unit_wins() -> None:
    assert grams("12.5", unit="吨") == 12_500_000
    assert grams("12.5 kg", unit="t") == 12_500


@given(mass_g=st.integers(1, LARGEST_G))
def test_a_mass_shown_in_tonnes_is_read_back_to_the_gram(mass_g: int) -> None:
    assert grams(tonnes(mass_g)) == mass_g
    assert grams(plain_tonnes(mass_g), unit="t") == mass_g


@given(mass_g=st.integers(-LARGEST_G, LARGEST_G))
def test_tonnes_are_exact_with_a_sign(mass_g: int) -> None:
    assert Decimal(plain_tonnes(mass_g)) * GRAMS_PER_TONNE == mass_g


@given(text=st.text() | st.text("0123456789.,tkgT吨公斤克千 ０９²", max_size=12))
def test_any_text_is_a_mass_within_the_range_or_refused(text: str) -> None:
    try:
        mass_g = grams(text)
    except Malformed as problem:
        words = [problem.text("zh"), problem.text("en")]
        assert all(words)
    else:
        assert 0 < mass_g <= LARGEST_G


@given(total_g=st.integers(0, 10**12), weights=st.lists(st.integers(0, 100), min_size=1).filter(any))
def test_the_parts_of_a_mass_sum_to_the_whole(total_g: int, weights: list[int]) -> None:
    parts = share_out(total_g, weights)

    assert sum(parts) == total_g
    assert all(
        abs(part * sum(weights) - total_g * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


def test_the_gram_that_rounding_leaves_goes_to_the_earlier_of_equal_parts() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [1, 2]) == [3, 7]
