"""The difference of two dates: what is told otherwise, and by which fact; to each as they may see it."""

from typing import Any

import pytest

from tests.api.world import DROSS, INGOT, LAID, LOAD, M1, RECYCLER, SMELTER, TAKEN, TONNE, World, mend


def told(world: World, seat: str, since: object, **asked: Any) -> Any:
    answer = world.get(seat, "differences", **{"from": since}, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fields(row: dict[str, Any]) -> dict[str, tuple[object, object]]:
    return {each["field"]: (each["was"], each["now"]) for each in row["fields"]}


def test_what_a_correction_changed_is_told_with_its_reason(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    found = told(fresh, "auditor", position)

    assert found["earlier"]["position"] == position
    assert found["later"]["position"] == fresh.service.recording.position
    batches = {each["id"]: each for each in found["batches"]}
    assert set(batches) == {DROSS, LAID}
    assert fields(batches[DROSS]) == {
        "mass_g": (30 * TONNE, 29 * TONNE), "left_g": (10 * TONNE, 9 * TONNE)
    }  # fmt: skip
    (fact,) = batches[DROSS]["because"]
    assert (fact["kind"], fact["enterprise"], fact["reason"]) == ("correction_requested", SMELTER, "过磅单录错")
    assert fact["position"] == position + 1
    assert set(fields(batches[LAID])) == {"left_g", "used"}
    (manifest,) = found["manifests"]
    assert fields(manifest) == {"loaded.plate": (None, "川A99999")}
    assert [each["kind"] for each in manifest["because"]] == ["correction_agreed"]


def test_a_figure_that_differs_names_the_facts_and_the_grams(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    found = told(fresh, "smelter", position, first="2026-01-01", last="2026-12-31")

    rows = {each["definition"].partition("@")[0]: each for each in found["figures"]}
    stock = rows["stock-hazardous"]
    assert stock["numerator_difference_g"] == -TONNE
    assert [each["position"] for each in stock["because"]] == [position + 1]
    assert stock["now"]["numerator_g"] - stock["was"]["numerator_g"] == -TONNE


def test_what_was_recorded_between_is_told_as_made(world: World) -> None:
    first = world.get("province", f"batches/{DROSS}").json()["position"]
    found = {each["id"]: each for each in told(world, "auditor", first)["batches"]}

    assert found[LOAD]["change"] == "made"
    assert found[DROSS]["change"] == "changed"
    assert {each["kind"] for each in found[DROSS]["because"]} == {"loaded"}
    assert fields(found[DROSS])["left_g"] == (30 * TONNE, 10 * TONNE)


def test_two_instants_are_compared_as_known_now(world: World) -> None:
    found = told(world, "auditor", "", from_at="2026-09-02", to_at="2026-09-03")
    batches = {each["id"]: each for each in found["batches"]}

    assert batches[INGOT]["change"] == "made"
    assert fields(batches[TAKEN])["left_g"] == (17_900_000, 0)
    assert {each["kind"] for each in batches[TAKEN]["because"]} == {"transformed"}
    assert DROSS not in batches
    assert found["manifests"] == []


def test_nothing_differs_from_itself(world: World) -> None:
    position = world.service.recording.position
    found = told(world, "auditor", position)

    assert found["totals"] == {"batches": 0, "manifests": 0, "figures": 0}


@pytest.mark.parametrize("seat", ["stranger", "ganzi", "carrier"])
def test_strangers_see_no_batch_and_no_figure_of_others(fresh: World, seat: str) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    found = told(fresh, seat, position)

    assert found["batches"] == []
    assert found["figures"] == []
    assert [each["id"] for each in found["manifests"]] == ([M1] if seat == "carrier" else [])
    absent = fresh.get("stranger", "differences", **{"from": position}, batch=DROSS)
    assert (absent.status_code, absent.json()["code"]) == (404, "batch-unknown")


def test_one_enterprise_or_one_batch_may_be_asked_for(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    own = told(fresh, "auditor", position, enterprise=SMELTER)
    one = told(fresh, "auditor", position, batch=LAID)

    assert [each["id"] for each in own["batches"]] == [DROSS]
    assert [each["id"] for each in one["batches"]] == [LAID]
    assert one["manifests"] == one["figures"] == []
    assert fresh.get("smelter", "differences", **{"from": position}, enterprise=RECYCLER).status_code == 403


def test_pages_hold_all_rows_once_and_stay_at_their_position(fresh: World) -> None:
    whole = told(fresh, "auditor", 1)
    first = fresh.get("auditor", "differences", **{"from": 1}, limit=3)
    rows = first.json()["batches"]
    mend(fresh)
    link = first.headers.get("link")
    while link:
        path = link.partition("<")[2].partition(">")[0]
        answer = fresh.client.get(path, headers=fresh.headers("auditor"))
        rows += answer.json()["batches"]
        link = answer.headers.get("link")

    assert rows == whole["batches"]


def test_dates_that_cannot_be_compared_are_told_in_words(world: World) -> None:
    for asked, code in (
        ({}, "difference-needs-two"),
        ({"from": 9, "to": 5}, "difference-backwards"),
        ({"from": 9_999}, "as-of-beyond-end"),
        ({"from": 3, "to": "2031-01-01"}, "as-of-to-come"),
        ({"from_at": "soon"}, "time-unreadable"),
    ):
        answer = world.get("auditor", "differences", **asked)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_what_is_listed_is_what_a_blind_comparison_finds(fresh: World) -> None:
    """For any two positions: every batch and manifest that stands otherwise, nothing else, by entries between the two."""
    mend(fresh)
    end = fresh.service.recording.position
    for first in range(1, end, 4):
        for second in range(first, end + 1, 5):
            found = told(fresh, "auditor", first, to=second, limit=1000, only="stock-hazardous")
            books = [fresh.service.known(position).book for position in (first, second)]
            for kind, layers in (
                ("batches", [book.batches for book in books]),
                ("manifests", [book.manifests for book in books]),
            ):
                every = dict.fromkeys(key for layer in layers for key in list(layer.keys()))
                blind = {key for key in every if layers[0].get(key) != layers[1].get(key)}
                assert {each["id"] for each in found[kind]} == blind, (first, second)
                facts = [fact for each in found[kind] for fact in each["because"]]
                assert all(each["because"] for each in found[kind])
                assert all(first < fact["position"] <= second for fact in facts)


def test_a_figure_differs_by_just_the_facts_that_are_named(fresh: World) -> None:
    """Of each figure the masses are those told on either side, and every fact named lies between the two."""
    mend(fresh)
    end = fresh.service.recording.position
    span = {"first": "2026-01-01", "last": "2026-12-31"}
    for first in range(8, end, 6):
        sides = [
            {_figure(each): each for each in fresh.get("auditor", "indicators", as_of=at, **span).json()["rows"]}
            for at in (first, end)
        ]
        rows = told(fresh, "auditor", first, to=end, **span)["figures"]
        found = {_figure(each["now"]): each for each in rows}
        for name, now in sides[1].items():
            was = sides[0][name]
            differs = (was["parts"], was["reason"]) != (now["parts"], now["reason"])
            assert (name in found) == differs, name
            if differs:
                assert found[name]["was"] == was
                assert found[name]["now"] == now
                assert all(first < fact["position"] <= end for fact in found[name]["because"])


def _figure(value: dict[str, Any]) -> tuple[str, str | None]:
    """One definition may be told for each metal."""
    return value["definition"], value["boundary"]["metal"]
