"""Corrections over the wire: asked for, checked, agreed to, declined; what breaks is named, strangers learn nothing."""

from collections.abc import Mapping
from typing import Any

import pytest
from httpx2 import Response

from api.rest.corrections import CorrectionAnswer, EntryAnswer, OutlookAnswer, Requested
from api.rest.shapes import ProblemAnswer
from tests.api.world import DROSS, LAID, LANDFILL, M1, RECYCLER, SMELTER, TAKEN, TONNE, World, read_as


def ask_for(world: World, seat: str, becoming: Mapping[int, Any], *, check: bool = False, **said: Any) -> Response:
    """Ask for entries, by their positions, to be read otherwise."""
    changes = [{"entry": position, "becomes": becomes} for position, becomes in becoming.items()]
    body = {"changes": changes, "reason": "过磅单录错", **said}
    path = f"/api/v1/corrections{'/check' if check else ''}"
    return world.client.post(path, json=body, headers=world.headers(seat))


def ask(world: World, seat: str, position: int, becomes: Any, *, check: bool = False, **said: Any) -> Response:
    """Ask for one."""
    return ask_for(world, seat, {position: becomes}, check=check, **said)


def reply(world: World, seat: str, request: str, how: str, requester: str = SMELTER, **said: Any) -> Response:
    path = f"/api/v1/corrections/{requester}/{request}/{how}"
    return world.client.post(path, json=said or None, headers=world.headers(seat))


def lighter(world: World, mass_g: int) -> tuple[int, dict[str, Any]]:
    position, generated = read_as(world, DROSS, "generated")
    return position, {**generated, "product": {**generated["product"], "mass_g": mass_g}}


def replated(world: World, plate: str = "川A99999") -> tuple[int, dict[str, Any]]:
    position, loaded = read_as(world, M1, "loaded")
    return position, {**loaded, "plate": plate}


def requested(world: World) -> str:
    position, becomes = replated(world)
    answer = ask(world, "smelter", position, becomes)
    assert answer.status_code == 201, answer.text
    return answer.json()["correction"]["request"]


# in force at once -------------------------------------------------------------------------------------------------


def test_ones_own_fact_is_corrected_at_once_and_shows_both_versions(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)

    told = ask(fresh, "smelter", position, becomes)

    assert told.status_code == 201
    Requested.model_validate_json(told.content)
    correction = told.json()["correction"]
    [change] = correction["changes"]
    assert (correction["state"], correction["others"], change["entry"]) == ("in_force", [], position)
    assert change["altered"] == [{"path": "product.mass_g", "was": 30 * TONNE, "becomes": 29 * TONNE}]
    entry = fresh.get("smelter", f"entries/{position}")
    EntryAnswer.model_validate_json(entry.content)
    body = entry.json()
    assert body["version"] == 2
    assert (body["event"]["product"]["mass_g"], body["reads"]["product"]["mass_g"]) == (30 * TONNE, 29 * TONNE)
    assert body["corrections"] == [correction]
    assert fresh.get("smelter", f"batches/{DROSS}").json()["mass_g"] == 29 * TONNE


def test_an_entry_as_of_before_its_correction_reads_as_it_did(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)
    end = fresh.service.recording.position
    before = fresh.get("smelter", f"entries/{position}").json()
    ask(fresh, "smelter", position, becomes)

    assert fresh.get("smelter", f"entries/{position}", as_of=end).json() == before
    assert fresh.get("smelter", "corrections", as_of=end).json() == {"rows": []}


def test_a_withdrawn_entry_stays_to_be_seen_and_can_be_stated_again(fresh: World) -> None:
    position, laid = read_as(fresh, LAID, "disposed")
    assert ask(fresh, "landfill", position, None).status_code == 201

    body = fresh.get("landfill", f"entries/{position}").json()
    assert (body["reads"], body["version"], body["event"]) == (None, 2, laid)
    again = ask(fresh, "landfill", position, laid)
    assert again.status_code == 201, again.text
    assert again.json()["correction"]["changes"][0]["was"] is None
    body = fresh.get("landfill", f"entries/{position}").json()
    assert (body["reads"], body["version"]) == (laid, 3)


def test_a_retry_of_a_request_is_answered_with_the_first(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)
    first = ask(fresh, "smelter", position, becomes, event_id="GZ-OWN")
    end = fresh.service.recording.position

    again = ask(fresh, "smelter", position, becomes, event_id="GZ-OWN")

    assert (again.status_code, again.json()) == (201, first.json())
    assert fresh.service.recording.position == end
    other = ask(fresh, "smelter", position, lighter(fresh, 28 * TONNE)[1], event_id="GZ-OWN")
    assert (other.status_code, other.json()["code"]) == (409, "event-id-differs")


def test_there_and_back_and_there_again_are_three_requests(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)
    back = lighter(fresh, 30 * TONNE)[1]

    for each in (becomes, back, becomes):
        assert ask(fresh, "smelter", position, each).status_code == 201

    assert fresh.get("smelter", f"entries/{position}").json()["version"] == 4


# what a check says ------------------------------------------------------------------------------------------------


def test_a_check_says_what_would_happen_and_keeps_nothing(fresh: World) -> None:
    end = fresh.service.recording.position
    position, becomes = lighter(fresh, 29 * TONNE)
    loaded, replating = replated(fresh)

    own, shared = (
        ask(fresh, "smelter", at, told, check=True) for at, told in ((position, becomes), (loaded, replating))
    )

    OutlookAnswer.model_validate_json(own.content)
    assert (own.json()["in_force"], own.json()["others"]) == (True, [])
    assert (shared.json()["in_force"], shared.json()["others"], shared.json()["manifest_ids"]) == (
        False,
        [RECYCLER],
        [M1],
    )
    assert fresh.service.recording.position == end


@pytest.mark.parametrize("check", [True, False])
def test_later_facts_that_would_break_are_listed_each_with_its_own_reason(fresh: World, check: bool) -> None:
    position, becomes = lighter(fresh, 15 * TONNE)

    refused = ask(fresh, "smelter", position, becomes, check=check)

    assert refused.status_code == 409
    ProblemAnswer.model_validate_json(refused.content)
    body = refused.json()
    assert body["code"] == "correction-breaks"
    assert [each["kind"] for each in body["later"]] == ["submitted", "loaded"]
    assert "where" not in body
    later = body["later"][1]
    assert (later["enterprise"], later["code"]) == (SMELTER, "overdrawn")
    assert later["position"] == read_as(fresh, M1, "loaded")[0]
    assert later["figures"] | {"batch": DROSS} == later["figures"]
    assert later["event_id"] in body["detail"]
    assert later["detail"] in body["detail"]
    english = fresh.client.post(
        "/api/v1/corrections/check",
        json={"changes": [{"entry": position, "becomes": becomes}], "reason": "slip"},
        headers={**fresh.headers("smelter"), "Accept-Language": "en"},
    ).json()
    assert "asked" in english["later"][0]["detail"]


def test_later_facts_of_others_are_counted_and_not_named(fresh: World) -> None:
    position, decided = read_as(fresh, M1, "decided")
    line = decided["lines"][0]
    rejected = {"batch_id": line["rejected"]["batch_id"], "mass_g": 19_900_000 - TONNE}
    less = {**line, "accepted": {**line["accepted"], "mass_g": TONNE}, "rejected": rejected}

    refused = ask(fresh, "smelter", position, {**decided, "lines": [less]}, check=True)

    body = refused.json()
    assert (refused.status_code, body["code"]) == (409, "correction-breaks-others"), body
    assert body["figures"]["others"] == body["figures"]["count"] - len(body["later"]) > 0
    own = set(fresh.service.book.manifest(M1).positions)
    assert {each["position"] for each in body["later"]} <= own
    assert TAKEN not in refused.text


@pytest.mark.parametrize(
    ("seat", "change", "code"),
    [
        ("smelter", {}, "correction-changes-nothing"),
        ("smelter", {"event_id": "OTHER"}, "correction-renames"),
        ("smelter", {"event_time": "2099-01-01"}, "time-in-future"),
        ("carrier", {"plate": "川A99999"}, "correction-not-a-side"),
        ("stranger", {"plate": "川A99999"}, "entry-unknown"),
        ("smelter's reader", {"plate": "川A99999"}, "role-states-nothing"),
        ("province", {"plate": "川A99999"}, "authority-states-other"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_reason(
    world: World, seat: str, change: dict[str, Any], code: str
) -> None:
    position, loaded = read_as(world, M1, "loaded")

    for check in (True, False):
        refused = ask(world, seat, position, {**loaded, **change}, check=check)
        assert refused.json()["code"] == code, refused.text


def test_all_faults_of_a_replacement_are_told_at_once_with_their_places(world: World) -> None:
    position, becomes = lighter(world, -5)
    becomes["event_time"] = "yesterday"

    refused = ask(world, "smelter", position, becomes, check=True)

    assert refused.status_code == 422
    assert {each["where"] for each in refused.json()["errors"]} >= {
        "changes[0].becomes.generated.product.mass_g", "changes[0].becomes.generated.event_time",
    }  # fmt: skip


def test_who_saw_another_value_than_is_read_now_is_told_so(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)
    seen = read_as(fresh, DROSS, "generated")[1]
    ask(fresh, "smelter", position, becomes)
    stale = {"entry": position, "becomes": lighter(fresh, 28 * TONNE)[1], "was": seen}

    refused = fresh.client.post(
        "/api/v1/corrections", json={"changes": [stale], "reason": "过磅单录错"}, headers=fresh.headers("smelter")
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "correction-outdated")
    assert refused.json()["where"] == "changes[0]"


# agreement --------------------------------------------------------------------------------------------------------


def test_a_load_is_corrected_when_the_other_side_agrees(fresh: World) -> None:
    name = requested(fresh)
    assert fresh.get("smelter", f"manifests/{M1}").json()["legs"][0]["plate"] == "川A12345"
    [mine] = fresh.get("recycler", "corrections", mine="to_answer").json()["rows"]
    CorrectionAnswer.model_validate(mine)
    assert (mine["request"], mine["answers"]) == (name, ["agree", "decline"])
    [waiting] = fresh.get("smelter", "corrections", mine="waiting").json()["rows"]
    assert waiting["answers"] == ["take_back"]

    agreed = reply(fresh, "recycler", name, "agree")

    assert agreed.status_code == 201, agreed.text
    correction = agreed.json()["correction"]
    assert (correction["state"], correction["settled"]["enterprise"]) == ("in_force", RECYCLER)
    position, _ = replated(fresh)
    entry = fresh.get("smelter", f"entries/{position}").json()
    assert (entry["reads"]["plate"], entry["version"]) == ("川A99999", 2)
    again = reply(fresh, "recycler", name, "agree")
    assert (again.status_code, again.json()) == (201, agreed.json())
    assert reply(fresh, "recycler", name, "decline", reason="不同意").json()["code"] == "correction-settled"


def test_a_declined_request_changes_nothing_and_keeps_its_reason(fresh: World) -> None:
    name = requested(fresh)

    declined = reply(fresh, "recycler", name, "decline", reason="我方记录的车牌是川A12345")

    assert declined.status_code == 201
    correction = declined.json()["correction"]
    assert (correction["state"], correction["settled"]["reason"]) == ("declined", "我方记录的车牌是川A12345")
    position, _ = replated(fresh)
    assert fresh.get("recycler", f"entries/{position}").json()["version"] == 1
    assert [each["request"] for each in fresh.get("smelter", "corrections", state="declined").json()["rows"]] == [name]
    assert fresh.get("smelter", "corrections", state="open").json()["rows"] == []


def test_who_asked_takes_it_back_and_cannot_agree(fresh: World) -> None:
    name = requested(fresh)

    assert reply(fresh, "smelter", name, "agree").json()["code"] == "correction-own-agreement"
    assert reply(fresh, "smelter", name, "decline", reason="弄错了").json()["correction"]["state"] == "declined"


def test_a_manifest_has_one_open_request_at_a_time(fresh: World) -> None:
    requested(fresh)
    position, becomes = replated(fresh, "川A88888")

    assert ask(fresh, "recycler", position, becomes).json()["code"] == "correction-one-open"


def test_who_received_of_a_batch_sees_and_answers_the_request_that_changes_what_it_was(fresh: World) -> None:
    position, generated = read_as(fresh, DROSS, "generated")
    product = {**generated["product"], "material": "primary-secondary-dross"}
    assert fresh.get("recycler", f"entries/{position}").status_code == 404
    name = ask(fresh, "smelter", position, {**generated, "product": product}).json()["correction"]["request"]

    [seen] = fresh.get("recycler", "corrections", mine="to_answer").json()["rows"]

    assert (seen["request"], seen["others"], seen["manifest_ids"]) == (name, [RECYCLER], [M1])
    assert fresh.get("landfill", "corrections").json() == {"rows": []}
    assert fresh.get("landfill", f"entries/{position}").status_code == 404
    agreed = reply(fresh, "recycler", name, "agree")
    assert (agreed.status_code, agreed.json()["correction"]["state"]) == (201, "in_force"), agreed.text
    assert reply(fresh, "recycler", name, "agree").json() == agreed.json()
    assert fresh.get("recycler", f"batches/{TAKEN}").json()["material"] == "primary-secondary-dross"


def test_a_delegate_answers_for_who_gave_the_mandate(fresh: World) -> None:
    position, laid = read_as(fresh, LAID, "disposed")

    told = ask(fresh, "delegate", position, {**laid, "method": "D10"})

    assert told.status_code == 201, told.text
    assert told.json()["correction"]["requested_by"] == LANDFILL


def test_lists_come_by_page(fresh: World) -> None:
    position, _ = lighter(fresh, 29 * TONNE)
    for tonnes in (29, 28, 27):
        ask(fresh, "smelter", position, lighter(fresh, tonnes * TONNE)[1])

    first = fresh.get("smelter", "corrections", limit=2)
    assert [each["changes"][0]["becomes"]["product"]["mass_g"] // TONNE for each in first.json()["rows"]] == [27, 28]
    path = first.headers["Link"].partition(">")[0].lstrip("<")
    second = fresh.client.get(path, headers=fresh.headers("smelter")).json()
    assert [each["changes"][0]["becomes"]["product"]["mass_g"] // TONNE for each in second["rows"]] == [29]


# strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seat", ["stranger", "ganzi", "operator"])
def test_a_stranger_learns_of_no_entry_request_or_correction(fresh: World, seat: str) -> None:
    name = requested(fresh)
    position, becomes = replated(fresh)
    nowhere = fresh.service.recording.position + 1_000

    def told(answer: Response) -> tuple[int, str]:
        return answer.status_code, answer.text.replace(str(position), "…").replace(str(nowhere), "…").replace(name, "…")

    assert fresh.get(seat, "corrections").json() == {"rows": []}
    assert told(fresh.get(seat, f"entries/{position}")) == told(fresh.get(seat, f"entries/{nowhere}"))
    for check in (True, False):
        assert told(ask(fresh, seat, position, becomes, check=check)) == told(
            ask(fresh, seat, nowhere, becomes, check=check)
        )
    for how, said in (("agree", {}), ("decline", {"reason": "不"})):
        real, none = (reply(fresh, seat, each, how, **said) for each in (name, "GZ-NONE"))
        assert (real.status_code, real.text.replace(name, "…")) == (none.status_code, none.text.replace("GZ-NONE", "…"))


def test_a_carrier_sees_the_correction_of_its_load_and_has_no_say(fresh: World) -> None:
    name = requested(fresh)

    [seen] = fresh.get("carrier", "corrections").json()["rows"]
    assert (seen["request"], seen["answers"]) == (name, [])
    assert reply(fresh, "carrier", name, "agree").json()["code"] == "correction-request-unknown"
