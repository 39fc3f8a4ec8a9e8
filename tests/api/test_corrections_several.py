"""Several facts in one request, over the wire: the weight of a receipt end to end, what is named, and who sees which part."""

from typing import Any

import pytest

from api.rest.corrections import CorrectionAnswer, OutlookAnswer, Requested
from tests.api.test_corrections import ask, ask_for, reply
from tests.api.world import DROSS, M1, RECYCLER, SMELTER, TAKEN, TONNE, World, read_as


def reweighed(world: World, mass_g: int) -> dict[int, dict[str, Any]]:
    """Arrival and decision of the load, weighed otherwise; what was rejected stays."""
    at, arrived = read_as(world, M1, "arrived")
    by, decided = read_as(world, M1, "decided")
    line = decided["lines"][0]
    accepted_g = mass_g - line["rejected"]["mass_g"]
    taken = {**line, "accepted": {**line["accepted"], "mass_g": accepted_g}}
    return {
        at: {**arrived, "lines": [{**arrived["lines"][0], "mass_g": mass_g}]},
        by: {**decided, "lines": [taken]},
    }


def test_the_weight_of_a_receipt_is_checked_asked_for_agreed_to_and_read_everywhere(fresh: World) -> None:
    becoming = reweighed(fresh, 19_800_000)
    at, by = becoming
    assert ask(fresh, "recycler", at, becoming[at], check=True).json()["code"] == "correction-breaks"
    before = fresh.get("recycler", f"batches/{TAKEN}").json()["mass_g"]

    checked = ask_for(fresh, "recycler", becoming, check=True)
    OutlookAnswer.model_validate_json(checked.content)
    assert (checked.json()["in_force"], checked.json()["others"]) == (False, [SMELTER])
    told = ask_for(fresh, "recycler", becoming)
    Requested.model_validate_json(told.content)
    assert [each["entry"] for each in told.json()["correction"]["changes"]] == [at, by]
    [waiting] = fresh.get("smelter", "corrections", mine="to_answer").json()["rows"]
    CorrectionAnswer.model_validate(waiting)
    assert [each["kind"] for each in waiting["changes"]] == ["arrived", "decided"]
    assert [value["path"] for each in waiting["changes"] for value in each["altered"]] == [
        "lines.0.mass_g", "lines.0.accepted.mass_g",
    ]  # fmt: skip
    assert fresh.get("recycler", f"batches/{TAKEN}").json()["mass_g"] == before
    assert reply(fresh, "smelter", waiting["request"], "agree", RECYCLER).status_code == 201

    assert fresh.get("recycler", f"batches/{TAKEN}").json()["mass_g"] == before - 100_000
    assert fresh.get("smelter", f"manifests/{M1}").json()["lines"][0]["arrived_g"] == 19_800_000
    for position in becoming:
        entry = fresh.get("smelter", f"entries/{position}").json()
        assert (entry["version"], entry["reads"]) == (2, becoming[position])
        assert [each["request"] for each in entry["corrections"]] == [waiting["request"]]


def test_a_refusal_names_the_change_and_a_retry_is_answered_once(fresh: World) -> None:
    becoming = reweighed(fresh, 19_800_000)
    at, by = becoming
    wrong = ask_for(fresh, "recycler", {at: becoming[at], by: reweighed(fresh, 19_700_000)[by]}, check=True)
    assert (wrong.json()["code"], wrong.json()["where"]) == ("decided-not-arrived", "changes[1].becomes")
    nowhere = ask_for(fresh, "recycler", {at: becoming[at], 10_000: None})
    assert (nowhere.status_code, nowhere.json()["where"]) == (404, "changes[1].entry")
    twice = fresh.client.post(
        "/api/v1/corrections", headers=fresh.headers("recycler"),
        json={"changes": [{"entry": at, "becomes": becoming[at]}] * 2, "reason": "x"},
    )  # fmt: skip
    assert (twice.json()["code"], twice.json()["where"]) == ("correction-twice", "changes[1]")

    first, again = (ask_for(fresh, "recycler", becoming, event_id="GZ-OWN") for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize("changes", [[], [{"entry": 1, "becomes": None}] * 101])
def test_a_request_of_nothing_or_of_too_much_has_the_wrong_shape(world: World, changes: list[Any]) -> None:
    told = world.client.post(
        "/api/v1/corrections/check", json={"changes": changes, "reason": "x"}, headers=world.headers("smelter")
    )

    assert told.status_code == 422
    assert told.json()["errors"][0]["where"] == "changes"


def test_facts_that_nothing_links_are_no_one_request(fresh: World) -> None:
    position, generated = read_as(fresh, DROSS, "generated")
    registered = fresh.get("smelter", "entries/1").json()["event"]
    assert registered["enterprise"] == SMELTER
    said = fresh.say(
        "smelter", "stock_taken", "2026-09-20", site_id=generated["site_id"], material="primary-dross", counted_g=0
    )
    counted = said["entries"][0]["position"]

    told = ask_for(fresh, "smelter", {position: {**generated, "note": "复核"}, counted: None})

    assert (told.status_code, told.json()["code"]) == (422, "correction-unrelated"), told.text


def test_who_has_to_agree_sees_the_askers_own_facts_and_a_carrier_only_its_load(fresh: World) -> None:
    """The dross weighed less, and so did what was planned and loaded of it."""
    made, generated = read_as(fresh, DROSS, "generated")
    at, loaded = read_as(fresh, M1, "loaded")
    lighter = {**generated, "product": {**generated["product"], "mass_g": 29 * TONNE}}
    becoming = {made: lighter, at: {**loaded, "plate": "川A99999"}}
    name = ask_for(fresh, "smelter", becoming).json()["correction"]["request"]
    asked = fresh.service.recording.position

    def seen(seat: str) -> tuple[list[int], int]:
        [row] = fresh.get(seat, "corrections").json()["rows"]
        return [each["entry"] for each in row["changes"]], row["hidden"]

    assert seen("smelter") == ([made, at], 0)
    assert seen("recycler") == ([made, at], 0)
    assert seen("carrier") == ([at], 1)
    raw = fresh.get("carrier", f"entries/{asked}").json()["event"]
    assert [each["corrects"] for each in raw["changes"]] == [loaded["event_id"]]
    assert str(30 * TONNE) not in fresh.get("carrier", f"entries/{asked}").text
    page = fresh.get("carrier", "/corrections").text
    assert "同一申请另有 1 条登记" in page
    assert "30 t" not in page
    assert fresh.get("landfill", "corrections").json() == {"rows": []}
    assert reply(fresh, "recycler", name, "agree").status_code == 201
    assert fresh.get("smelter", f"batches/{DROSS}").json()["mass_g"] == 29 * TONNE


def test_what_breaks_is_listed_with_what_is_not_corrected_itself(fresh: World) -> None:
    made, generated = read_as(fresh, DROSS, "generated")
    planned, submitted = read_as(fresh, M1, "submitted")
    lighter = {**generated, "product": {**generated["product"], "mass_g": 15 * TONNE}}
    less = {**submitted, "lines": [{**submitted["lines"][0], "mass_g": 15 * TONNE}]}

    refused = ask_for(fresh, "smelter", {made: lighter, planned: less}, check=True)

    assert refused.json()["code"] == "correction-breaks", refused.text
    assert [each["kind"] for each in refused.json()["later"]] == ["loaded"]
