"""Names stand in their owner's namespace, and the same words give the same name everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from flows.ids import EventId, Id, derived, own_id, owner
from tests.flows.stories import SMELTER, STRANGER

ID: TypeAdapter[str] = TypeAdapter(Id)
EVENT_ID: TypeAdapter[str] = TypeAdapter(EventId)
words = st.lists(st.text(st.characters(exclude_characters="\x1f"), max_size=8), min_size=1, max_size=3)


@given(words)
def test_a_derived_name_is_an_id_of_its_owner(names: list[str]) -> None:
    made = own_id(SMELTER, "batch", *names)

    assert ID.validate_python(made) == made
    assert owner(made) == SMELTER
    assert own_id(SMELTER, "batch", *names) == made


@given(words, words)
def test_other_words_give_another_name(one: list[str], other: list[str]) -> None:
    assert (derived(*one) == derived(*other)) is (one == other)


def test_kind_and_enterprise_are_part_of_the_name() -> None:
    made = {
        own_id(who, kind, "HWCS1").partition(".")[2] for who in (SMELTER, STRANGER) for kind in ("batch", "manifest")
    }

    assert len(made) == 4


def test_a_derived_name_stays_what_it_was() -> None:
    """Names that were printed on labels must come out the same for ever."""
    assert derived("batch", "HWCS20260309001") == "A8FGN70X97JZ6W02EVFF"


@pytest.mark.parametrize(
    "text",
    ["", SMELTER, f"{SMELTER}.", f"{SMELTER}.a", f"{SMELTER}.A B", f"{SMELTER}.A\n", f"x{SMELTER}.A", f"{SMELTER}.{'A' * 46}", f"{SMELTER[:-1]}O.A"],
)  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(text)


@pytest.mark.parametrize("text", ["", " ", ".a", "a b", "a\n", "批", "a" * 65])
def test_what_is_no_event_id(text: str) -> None:
    with pytest.raises(ValidationError):
        EVENT_ID.validate_python(text)
