"""A stranger finds nothing, and along a chain nobody learns whose it is, how much theirs is, or by what name."""

import io
import json
import re
from datetime import timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from starlette.testclient import TestClient

from flows.events import KINDS
from tests.api.world import (
    CHENGDU,
    DROSS,
    GANZI,
    INGOT,
    LAID,
    LANDFILL,
    LOAD,
    M1,
    M2,
    NAMES,
    NOBODY,
    PERMIT,
    RECYCLER,
    SEATS,
    SECONDARY,
    SMELTER,
    STRANGER,
    TAKEN,
    World,
    permit,
    portion,
    product,
    site,
    submitted,
)

NO_BATCH, NO_MANIFEST = f"{SMELTER}.NONE", f"{SMELTER}.M9"


def heard(answer: Any, *names: str) -> tuple[int, dict[str, str], str]:
    """An answer with the names that were asked for taken out: status, headers of note, body."""
    body = answer.text
    for name in sorted(names, key=len, reverse=True):
        for written in (name, quote(name), name.lower()):
            body = body.replace(written, "…")
    kept = {key: value for key, value in answer.headers.items() if key not in {"content-length", "location"}}
    if "location" in answer.headers:
        kept["location"] = re.sub("|".join(map(re.escape, names)), "…", answer.headers["location"])
    return answer.status_code, kept, body


# reading ----------------------------------------------------------------------------------------------------------

_BATCH = [
    "{}", "{}/entries", "{}/trace", "{}/trace?form=columns", "{}/trace?form=graphml", "{}/trace?form=node-link",
    "{}/trace?direction=up", "{}/trace?material=primary-dross", "{}/trace?depth=0", "{}/trace?as_of=5", "{}/fate",
    "{}/fate?basis=dry", "{}/provenance", "{}/provenance?at=2026-09-03", "{}/label.svg", "{}/label.png", "{}/label.pdf",
    "{}/label.pdf?size_mm=200", "{}?as_of=20", "{}/entries?as_of=20", "{}/fate?as_of=20", "{}/label.svg?as_of=20",
]  # fmt: skip
_READINGS = [*(f"/api/v1/batches/{path}" for path in _BATCH), "/api/v1/differences?from=8&batch={}"]
_PAGES = [
    "/batches/{}", "/batches/{}/trace", "/batches/{}/trace.svg", "/batches/{}/qr.svg", "/batches/{}/label-100.pdf",
    "/q/{}", "/Q/{}", "/search?q={}", "/batches/{}?as_of=20", "/search?q={}&as_of=20",
]  # fmt: skip
_MANIFEST = [
    "/api/v1/manifests/{}",
    "/api/v1/manifests/{}/sheet.pdf",
    "/api/v1/manifests/{}?as_of=20",
    "/api/v1/manifests/{}/sheet.pdf?as_of=20",
    "/manifests/{}",
    "/m/{}",
    "/M/{}",
    "/search?q={}",
]
_ENTERPRISE = [
    "/api/v1/indicators?level=enterprise&key={}", "/api/v1/indicators/supply-share/parts?level=enterprise&key={}",
    "/api/v1/differences?from=8&enterprise={}", "/api/v1/fates?holder={}", "/api/v1/batches?holder={}", "/api/v1/exports/workbook.xlsx?enterprise={}",
    "/enterprises/{}", "/search?q={}",
]  # fmt: skip


def _same(world: World, seat: str, path: str, real: str, none: str) -> None:
    client = TestClient(world.client.app, base_url="http://127.0.0.1:8000", follow_redirects=False)
    for language in ("zh", "en"):
        headers = {**world.headers(seat), "Accept-Language": language}
        first, second = (
            heard(client.get(path.format(quote(name, safe="")), headers=headers), name) for name in (real, none)
        )
        assert first == second, path


@pytest.mark.parametrize("seat", ["stranger", "ganzi", "operator", "delegate"])
@pytest.mark.parametrize("path", _READINGS + _PAGES)
def test_a_strangers_batch_answers_like_none(world: World, path: str, seat: str) -> None:
    for real in (DROSS, LOAD, TAKEN, INGOT):
        _same(world, seat, path, real, NO_BATCH)


@pytest.mark.parametrize("path", _READINGS + _PAGES)
def test_so_does_its_digital_code_and_its_own_code(world: World, path: str) -> None:
    digital = world.get("smelter", f"batches/{DROSS}").json()["digital_code"]

    _same(world, "stranger", path, digital, digital[:-3] + "777")
    _same(world, "stranger", path, "LHZ1", "LHZ7")


@pytest.mark.parametrize("path", _PAGES)
def test_without_a_key_a_code_opens_the_door_and_no_more(world: World, path: str) -> None:
    client = TestClient(world.client.app, base_url="http://127.0.0.1:8000", follow_redirects=False)

    first, second = (heard(client.get(path.format(name)), name) for name in (DROSS, NO_BATCH))

    assert first == second
    assert first[0] == 303


@pytest.mark.parametrize("seat", ["stranger", "ganzi", "operator", "landfill"])
@pytest.mark.parametrize("path", _MANIFEST)
def test_a_strangers_manifest_answers_like_none(world: World, path: str, seat: str) -> None:
    _same(world, seat, path, M1, NO_MANIFEST)


@pytest.mark.parametrize("seat", ["stranger", "landfill", "operator"])
@pytest.mark.parametrize("path", _ENTERPRISE)
def test_a_strangers_enterprise_answers_like_none(world: World, path: str, seat: str) -> None:
    _same(world, seat, path, SMELTER, NOBODY)


@pytest.mark.parametrize("path", [*_ENTERPRISE, "/api/v1/indicators?level=prefecture&key={}"])
def test_another_divisions_enterprise_answers_like_none(world: World, path: str) -> None:
    if "prefecture" in path:
        _same(world, "ganzi", path, "5101", "5199")
    else:
        _same(world, "ganzi", path, SMELTER, NOBODY)


def test_a_strangers_entry_answers_like_none(world: World) -> None:
    """Numbers go without a gap, so that there is an entry is known by the position alone; nothing else of it is."""
    known = {row["position"] for row in world.get("stranger", "entries", limit=1000).json()["rows"]}
    none = heard(world.get("stranger", "entries/1000000"), "1000000")
    for position in range(1, world.service.book.position + 1):
        if position not in known:
            answer = world.get("stranger", f"entries/{position}")
            assert answer.status_code == 404
            assert set(answer.json()["figures"]) == {"position"}
            told = json.loads(answer.text) | {"figures": {}, "detail": ""}
            assert told == json.loads(none[2].replace("…", "0")) | {"figures": {}, "detail": ""}


def test_a_strangers_lists_are_empty(world: World) -> None:
    for path in ("batches", "manifests", "batches?place=gate", f"batches?holder={SMELTER}", "manifests?state=accepted"):
        answer = world.client.get(f"/api/v1/{path}", headers=world.headers("stranger"))
        assert answer.json() == {"rows": []}, path
        assert "link" not in answer.headers
    kinds = [row["event"]["kind"] for row in world.get("stranger", "entries").json()["rows"]]
    assert kinds == ["enterprise_registered", "site_registered"]
    assert world.get("operator", "entries").json() == {"rows": []}


@pytest.mark.parametrize("path", ["network", "indicators?level=region", "indicators?level=province&key=51"])
def test_the_regions_figures_are_not_a_strangers(world: World, path: str) -> None:
    assert world.client.get(f"/api/v1/{path}", headers=world.headers("stranger")).status_code == 403


# saying -----------------------------------------------------------------------------------------------------------


def _statements(other: str, batch: str, manifest: str, load: str, number: str) -> dict[str, dict[str, Any]]:
    """Every kind of fact with somebody else's things in it, as a stranger would try them."""
    own = site(STRANGER)
    foreign_site = site(other)
    place = {"site_id": own, "code": "S1", "name": "x", "division": "510600"}
    part = {"batch_id": f"{STRANGER}.X", "mass_g": 1}
    made = product(f"{STRANGER}.X", "primary-dross", 1)
    plan = {"plan_id": f"{STRANGER}.P", "site_id": foreign_site, "year": 2026, "lines": []}
    approval = {
        "approval_no": "新", "consignor": other, "consignee": STRANGER, "waste_code": "321-024-48", "method": "R4",
        "mass_g": 1, "valid_from": "2026-01-01", "valid_to": "2026-12-31",
    }  # fmt: skip
    scale = {
        "scale_id": f"{STRANGER}.SC", "site_id": foreign_site, "code": "1", "interval_g": 1, "uncertainty_g": 1,
        "calibrated_on": "2026-01-01", "calibrated_until": "2026-12-31",
    }  # fmt: skip
    mandate = {
        "mandate_id": f"{other}.MANDATE",
        "delegate": STRANGER,
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
    }
    lines = [{"line": 1, "portion": portion(batch, 1), "load_id": f"{STRANGER}.L"}]
    return {
        "enterprise_confirmed": {"confirmed": other},
        "site_registered": {"site": {**place, "site_id": foreign_site}},
        "facility_registered": {
            "facility": {"facility_id": f"{STRANGER}.F", "site_id": foreign_site, "code": "1", "name": "x", "purpose": "generate"}
        },
        "storage_registered": {
            "storage": {"storage_id": f"{STRANGER}.T", "site_id": foreign_site, "code": "1", "name": "x"}
        },
        "scale_registered": {"scale": scale},
        "permit_granted": {"permit": permit(number, other)},
        "permit_amended": {"permit": permit(number, other)},
        "permit_revoked": {"permit_no": number, "reason": "x"},
        "plan_filed": {"plan": plan},
        "approval_granted": {"approval": approval},
        "mandate_given": {"mandate": mandate},
        "mandate_ended": {"mandate_id": f"{other}.MANDATE"},
        "stock_declared": {"site_id": foreign_site, "product": made},
        "generated": {"site_id": own, "product": product(batch, "primary-dross", 1)},
        "collected": {"site_id": foreign_site, "scrap": "old", "product": made},
        "tapped": {"site_id": own, "product": product(batch, "molten-primary-aluminium", 1)},
        "packed": {"batch_id": batch, "packing": {"code": "1"}},
        "stored": {"batch_id": batch, "storage_id": f"{other}.TS"},
        "taken_out": {"batch_id": batch},
        "assayed": {"batch_id": batch, "moisture_ppm": 1},
        "stock_taken": {"site_id": foreign_site, "material": "primary-dross", "counted_g": 1},
        "status_changed": {"batch_id": batch, "status": "product", "basis": "x"},
        "transformed": {
            "site_id": own, "process": "dross-rotary-furnace", "inputs": [portion(batch, 1, rest=True)], "gap_reason": "x",
        },
        "submitted": submitted(f"{STRANGER}.M", RECYCLER, [(batch, 1)]),
        "loaded": {"manifest_id": manifest, "lines": lines},
        "arrived": {"manifest_id": manifest, "lines": [{"line": 1, "mass_g": 1}]},
        "decided": {"manifest_id": manifest, "lines": [{"line": 1, "load_id": load, "accepted": part}]},
        "cancelled": {"manifest_id": manifest, "reason": "x"},
        "disposed": {"site_id": own, "portions": [portion(batch, 1)], "method": "D1"},
        "delivered": {"site_id": foreign_site, "portions": [portion(batch, 1)], "use": "product"},
        "left": {"site_id": own, "portions": [portion(batch, 1)], "receiver": "x"},
        "correction_requested": {"changes": [{"stated_by": other, "corrects": "E1"}], "reason": "x"},
        "correction_agreed": {"requested_by": other, "request": "C1"},
        "correction_declined": {"requested_by": other, "request": "C1", "reason": "x"},
    }  # fmt: skip


_REAL = _statements(SMELTER, DROSS, M1, LOAD, PERMIT)
_NONE = _statements(NOBODY, f"{NOBODY}.DROSS", f"{NOBODY}.M1", f"{NOBODY}.M1-L1", "川环危000")
OWN_ONLY = {"enterprise_registered", "vehicle_registered", "figure_declared"}
"""These name nothing of another's."""


def test_every_kind_of_fact_is_tried() -> None:
    assert set(_REAL) | OWN_ONLY == set(KINDS)


@pytest.mark.parametrize("kind", _REAL)
@pytest.mark.parametrize("seat", ["stranger", "ganzi"])
def test_a_fact_about_a_strangers_things_is_refused_as_about_none(world: World, kind: str, seat: str) -> None:
    """But for the enterprise that a manifest goes to: who sends must be able to find out whom to."""
    answers: list[tuple[int, dict[str, str], str]] = []
    for said, other in ((_REAL[kind], SMELTER), (_NONE[kind], NOBODY)):
        fact = {"kind": kind, "event_id": "TRY", "enterprise": SEATS[seat][0], "event_time": "2026-10-01", **said}
        answer = world.post(seat, fact)
        assert answer.status_code >= 400, answer.text
        answers.append(heard(answer, other, PERMIT, "川环危000"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "said", ["enterprise_confirmed", "permit_granted", "permit_amended", "permit_revoked", "approval_granted"]
)
def test_a_regulator_hears_of_another_division_what_it_hears_of_nothing(world: World, said: str) -> None:
    answers = [
        heard(world.post("ganzi", world.fact(said, GANZI, "2026-10-01", **told)), other, PERMIT, "川环危000")
        for told, other in ((_REAL[said], SMELTER), (_NONE[said], NOBODY))
    ]

    assert answers[0] == answers[1]
    assert answers[0][0] == 404


# along a chain ----------------------------------------------------------------------------------------------------

_BEYOND_THE_RECYCLER = [
    LANDFILL, NAMES[LANDFILL], "泸州丙", INGOT, SECONDARY, LAID, M2, f"{RECYCLER}.SCRAP", f"{RECYCLER}.M2-L1", "内M2",
    "recovered-aluminium", "primary-secondary-dross", "flux-salt", "aluminium-scrap", "再生铝", "二次铝灰",
    "13131313", "13.131313", "12100101", "11111111", "11.111111", "1234567", "1.234567", "11222333", "11.222333",
    "11222000", "7654321", "7.654321", "5014264", "5.014264", "30245678", "510502",
]  # fmt: skip
"""Names, codes, ids, materials and masses that only the recycler and who follows it may know."""
_READINGS = [
    *(f"/api/v1/batches/{{}}/trace?direction={way}&form={form}" for way in ("down", "up", "both") for form in ("rows", "columns")),
    "/api/v1/batches/{}/fate", "/api/v1/batches/{}/fate?basis=dry", "/api/v1/batches/{}/provenance",
    "/api/v1/batches/{}/entries", "/api/v1/batches/{}", "/batches/{}", "/batches/{}/trace",
    "/batches/{}/trace?level=material", "/batches/{}/trace?level=enterprise",
]  # fmt: skip
_WHOLE = [
    "/api/v1/fates", "/api/v1/entries?limit=1000", "/api/v1/batches?limit=1000", "/api/v1/manifests?limit=1000",
    "/api/v1/indicators?last=2026-10-31", "/api/v1/exports/workbook.xlsx", "/", "/batches", "/manifests", "/search?q=91510",
    f"/search?q={LANDFILL}", "/search?q=LHZ",
]  # fmt: skip


def _leaks(text: str, forbidden: list[str]) -> list[str]:
    return [word for word in forbidden if word in text]


@pytest.mark.parametrize("seat", ["smelter", "smelter's driver", "smelter's reader"])
@pytest.mark.parametrize("path", _READINGS)
@pytest.mark.parametrize("batch", [DROSS, LOAD, TAKEN])
def test_a_generator_learns_nothing_of_who_follows_its_partner(world: World, path: str, batch: str, seat: str) -> None:
    answer = world.client.get(path.format(batch), headers=world.headers(seat))

    assert answer.status_code == 200
    assert _leaks(answer.text, _BEYOND_THE_RECYCLER) == []


@pytest.mark.parametrize("path", _WHOLE)
def test_nor_from_anything_else_it_may_ask(world: World, path: str) -> None:
    answer = world.client.get(path, headers=world.headers("smelter"))
    text = answer.text
    if path.endswith("xlsx"):
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        told = [
            cell.value for sheet in book if sheet.sheet_state == "visible" for row in sheet.iter_rows() for cell in row
        ]
        words = [word for word in _BEYOND_THE_RECYCLER if not re.fullmatch("[a-z-]+|再生铝|二次铝灰", word)]
        assert _leaks(" ".join(map(str, told)), words) == []
    else:
        searched = path.partition("q=")[2]
        words = [
            word for word in _BEYOND_THE_RECYCLER if "indicators" not in path or word != "再生铝"
        ]  # a definition's
        assert _leaks(text.replace(searched, "") if searched else text, words) == []


def test_but_it_learns_class_own_share_day_and_prefecture(world: World) -> None:
    told = world.get("smelter", f"batches/{DROSS}/trace").json()
    beyond = [node for node in told["nodes"] if not node["seen"]]

    assert [(node["date"], node["prefecture"]) for node in beyond] == [
        ("2026-09-03", "510300"), ("2026-09-03", "510300"), ("2026-09-04", "510300"), ("2026-09-04", "510500"),
    ]  # fmt: skip
    assert all(0 < node["share"] < 1 for node in beyond)
    classes = {row["class"] for row in world.get("smelter", f"batches/{DROSS}/fate").json()["classes"]}
    assert "landfilled" in classes
    assert {row["class"] for row in told["ends"]} >= {"landfilled"}


def test_a_share_is_too_coarse_to_betray_the_masses_it_was_made_of(world: World) -> None:
    """17.9 t of 30.245678 t: fifteen digits of that would give both back."""
    nodes = world.get("smelter", f"batches/{DROSS}/trace").json()["nodes"]
    for node in nodes:
        assert node["content_g"] == round(node["content_g"])
        if not node["seen"]:
            ratio = Fraction(int(node["content_g"]), 17_900_000).limit_denominator(31_000_000)
            assert ratio.denominator != 30_245_678
            assert ratio.numerator not in {13_131_313, 12_100_101}
    for row in world.get("smelter", f"batches/{DROSS}/fate").json()["classes"]:
        assert row["share"] == row["mass_g"] / (30 * 1_000_000)


@pytest.mark.parametrize("path", _READINGS)
def test_a_disposer_learns_nothing_of_who_stands_before_its_partner(world: World, path: str) -> None:
    forbidden = [
        SMELTER, NAMES[SMELTER], DROSS, LOAD, TAKEN, INGOT, M1, "17900000", "20000000", "30000000", "13131313", "12100101",
        "11111111", "1234567", "5014264", "recovered-aluminium", "aluminium-scrap", "flux-salt", "510104", "510302",
        f"{RECYCLER}.SCRAP",
    ]  # fmt: skip
    answer = world.client.get(path.format(LAID), headers=world.headers("landfill"))

    assert answer.status_code == 200
    assert _leaks(answer.text, forbidden) == []


def test_upstream_beyond_its_partner_a_disposer_knows_share_day_and_prefecture(world: World) -> None:
    nodes = world.get("landfill", f"batches/{LAID}/trace", direction="up").json()["nodes"]
    beyond = [node for node in nodes if not node["seen"]]

    assert beyond
    assert {node["prefecture"] for node in beyond} == {"510300", "510100"}
    assert {row["seen"] for row in world.get("landfill", f"batches/{LAID}/provenance").json()["sources"]} == {False}


def test_a_regulator_of_the_root_sees_the_whole_chain(world: World) -> None:
    for seat in ("province", "chengdu", "auditor"):
        nodes = world.get(seat, f"batches/{DROSS}/trace").json()["nodes"]
        assert all(node["seen"] for node in nodes)
        assert LAID in {node["batch_id"] for node in nodes}
    assert world.get("ganzi", f"batches/{DROSS}/trace").status_code == 404
    assert world.get("chengdu", f"batches/{LAID}/trace").status_code == 404


def test_a_mandate_opens_what_its_giver_sees_and_no_more(world: World) -> None:
    assert world.get("delegate", f"batches/{LAID}").status_code == 200
    assert world.get("delegate", f"manifests/{M2}").status_code == 200
    assert world.get("delegate", f"batches/{DROSS}").status_code == 404
    theirs = world.get("landfill", f"batches/{LAID}/trace", direction="both")
    assert world.get("delegate", f"batches/{LAID}/trace", direction="both").content == theirs.content


@pytest.mark.parametrize("seat", ["smelter", "stranger", "delegate"])
def test_a_filter_would_tell_what_is_hidden(world: World, seat: str) -> None:
    own = {"smelter": DROSS, "delegate": LAID, "stranger": NO_BATCH}[seat]
    for name, value in {"material": "primary-dross", "enterprise": LANDFILL, "division": "5105", "first": "2026-09-01",
                        "waste_code": "321-024-48", "status": "product"}.items():  # fmt: skip
        answer = world.get(seat, f"batches/{own}/trace", **{name: value})
        assert answer.status_code == (404 if seat == "stranger" else 403)


# keys that are no more --------------------------------------------------------------------------------------------


def test_a_revoked_key_and_its_session_see_nothing(fresh: World) -> None:
    keys = fresh.service.keys
    token = str(keys.open_session(fresh.keys["smelter"]))
    client = TestClient(fresh.client.app, base_url="http://127.0.0.1:8000", cookies={"huanliu_session": token})
    assert client.get(f"/api/v1/batches/{DROSS}").status_code == 200

    keys.revoke(fresh.keys["smelter"].split("_")[1])

    assert client.get(f"/api/v1/batches/{DROSS}").status_code == 401
    assert fresh.get("smelter", f"batches/{DROSS}").status_code == 401
    none = fresh.client.get("/api/v1/batches", headers={"Authorization": "Bearer hl_00000000_" + "A" * 32})
    assert heard(fresh.get("smelter", "batches")) == heard(none)


def test_a_session_lasts_one_shift(fresh: World) -> None:
    token = str(fresh.service.keys.open_session(fresh.keys["smelter"]))
    client = TestClient(fresh.client.app, base_url="http://127.0.0.1:8000", cookies={"huanliu_session": token})
    fresh.clock.now += timedelta(hours=11, minutes=59)
    assert client.get("/api/v1/batches").status_code == 200
    fresh.clock.now += timedelta(minutes=2)
    assert client.get("/api/v1/batches").status_code == 401


def test_a_regulators_own_facts_are_not_its_neighbours(world: World) -> None:
    rows = world.get("ganzi", "entries", limit=1000).json()["rows"]
    assert rows == []
    confirmed = [
        row
        for row in world.get("chengdu", "entries", limit=1000).json()["rows"]
        if row["event"]["enterprise"] == CHENGDU
    ]
    assert [row["event"]["kind"] for row in confirmed] == ["enterprise_confirmed"]
