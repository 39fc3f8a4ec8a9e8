"""Facts in and entries out: retries, conflicts, refusals, faults of shape, pages, filters."""

import re
from typing import Any

import pytest

from flows.codes import uscc_with_check
from tests.api.world import (
    DROSS,
    INGOT,
    LANDFILL,
    M1,
    RECYCLER,
    SEATS,
    SMELTER,
    TONNE,
    World,
    portion,
    product,
    site,
    submitted,
)


def generated(world: World, name: str = "NEW", mass_g: int = TONNE, **more: Any) -> dict[str, Any]:
    return world.fact(
        "generated", SMELTER, "2026-10-01", site_id=site(SMELTER),
        product=product(f"{SMELTER}.{name}", "primary-dross", mass_g), **more,
    )  # fmt: skip


# in ---------------------------------------------------------------------------------------------------------------


def test_a_fact_becomes_an_entry(fresh: World) -> None:
    before = fresh.service.book.position

    answer = fresh.post("smelter", generated(fresh))

    assert answer.status_code == 201
    [entry] = answer.json()["entries"]
    assert entry["position"] == before + 1
    assert answer.headers["Huanliu-Position"] == str(before + 1)
    assert fresh.get("smelter", f"entries/{before + 1}").json()["digest"] == entry["digest"]


def test_a_retry_gets_the_same_answer_findings_and_all(fresh: World) -> None:
    """No plan of the site has this code: told late it is admitted, and both are found."""
    fact = fresh.fact(
        "submitted", SMELTER, "2026-09-10", **submitted(f"{SMELTER}.M9", LANDFILL, [(DROSS, TONNE)])
    )  # fmt: skip
    first = fresh.post("smelter", fact)
    again = fresh.post("smelter", fact)

    assert {each["code"] for each in first.json()["findings"]} == {"plan-without-code", "told-late"}
    assert (again.status_code, again.content) == (first.status_code, first.content)


def test_many_facts_are_kept_together_or_not_at_all(fresh: World) -> None:
    before = fresh.service.book.position
    good, bad = generated(fresh, "ONE"), generated(fresh, "ONE")

    refused = fresh.post("smelter", {"facts": [good, bad]})

    assert refused.status_code == 409
    assert refused.json()["code"] == "batch-id-used"
    assert refused.json()["where"] == "facts[1]"
    assert fresh.service.book.position == before
    kept = fresh.post("smelter", {"facts": [good, generated(fresh, "TWO")]})
    assert [each["position"] for each in kept.json()["entries"]] == [before + 1, before + 2]


def test_one_name_for_two_facts_is_a_conflict(fresh: World) -> None:
    fact = generated(fresh)
    fresh.post("smelter", fact)

    other = {**fact, "note": "别的内容", "product": {**fact["product"], "mass_g": 1}}
    answer = fresh.post("smelter", other)

    assert answer.status_code == 409
    assert answer.json()["code"] == "event-id-differs"
    place = str(fresh.service.book.position)
    assert answer.json()["figures"] == {"event": fact["event_id"], "place": place, "fields": "product.mass_g, note"}


def test_one_name_twice_in_a_statement_is_a_conflict_with_the_earlier_one(fresh: World) -> None:
    fact = generated(fresh)

    answer = fresh.post("smelter", {"facts": [fact, {**fact, "site_id": f"{SMELTER}.OTHER"}]})

    assert (answer.status_code, answer.json()["where"]) == (409, "facts[1]")
    assert answer.json()["figures"] == {"event": fact["event_id"], "place": "facts[0]", "fields": "site_id"}


def test_who_speaks_for_another_hears_that_a_name_is_used_and_no_more(fresh: World) -> None:
    fact = fresh.fact(
        "stock_taken", LANDFILL, "2026-10-01", site_id=site(LANDFILL), material="primary-dross", counted_g=0
    )
    assert fresh.post("landfill", fact).status_code == 201

    told = fresh.post("delegate", {**fact, "counted_g": 1}).json()

    assert (told["code"], told["figures"]) == ("event-id-used", {"event": fact["event_id"]})


def test_what_was_found_is_told_again_however_the_facts_are_put_together(fresh: World) -> None:
    late = [
        fresh.fact("submitted", SMELTER, "2026-09-10", **submitted(f"{SMELTER}.{name}", LANDFILL, [(DROSS, TONNE)]))
        for name in ("M7", "M8", "M9")
    ]
    first = [fresh.post("smelter", fact).json()["findings"] for fact in late[:2]]

    mixed = fresh.post("smelter", {"facts": late}).json()["findings"]
    again = fresh.post("smelter", {"facts": late}).json()["findings"]

    assert first[0]
    assert mixed == again
    assert mixed[: len(first[0] + first[1])] == first[0] + first[1]
    assert len(mixed) == 3 * len(first[0])


@pytest.mark.parametrize(
    ("seat", "status", "code"),
    [
        (None, 401, "key-missing"),
        ("recycler", 403, "not-your-enterprise"),
        ("smelter's reader", 403, "role-states-nothing"),
        ("smelter's driver", 403, "driver-only-loads"),
        ("operator", 403, "role-states-nothing"),
        ("province", 403, "authority-states-other"),
    ],
)
def test_who_may_not_is_told_so(fresh: World, seat: str | None, status: int, code: str) -> None:
    answer = fresh.post(seat, generated(fresh))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_a_delegate_speaks_for_its_giver_while_the_mandate_lasts(fresh: World) -> None:
    packed = fresh.fact(
        "stock_taken", LANDFILL, "2026-10-01", site_id=site(LANDFILL), material="primary-dross", counted_g=0
    )

    assert fresh.post("delegate", packed).status_code == 201
    fresh.clock.now = fresh.clock.now.replace(year=2027)
    late = {**packed, "event_id": "LATE"}
    assert fresh.post("delegate", late).json()["code"] == "not-your-enterprise"


@pytest.mark.parametrize(
    ("more", "language", "detail"),
    [
        ({}, "zh", f"批次 {DROSS} 应取 90 t，账面剩余 10 t"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "en", f"batch {DROSS}"),
        ({"Accept-Language": "fr, en;q=0.4, zh-CN;q=0.7"}, "zh", "批次"),
        ({"Accept-Language": "fr, en;q=0.8, zh-CN;q=0.7"}, "en", "batch"),
    ],
)
def test_a_refusal_is_told_in_the_callers_language(
    fresh: World, more: dict[str, str], language: str, detail: str
) -> None:
    fact = fresh.fact(
        "disposed", SMELTER, "2026-10-02", site_id=site(SMELTER), method="D1", portions=[portion(DROSS, 90 * TONNE)]
    )
    answer = fresh.post("smelter", fact, **more)

    assert answer.status_code == 409
    told = answer.json()
    assert told["code"] == "overdrawn"
    assert told["figures"] == {"batch": DROSS, "asked": "90 t", "left": "10 t"}
    assert detail.split(" ", maxsplit=1)[0] in told["detail"]
    assert answer.headers["content-language"][:2] == language


def test_the_language_may_stand_in_the_address(fresh: World) -> None:
    answer = fresh.client.get("/api/v1/batches?lang=en", headers={"Accept-Language": "zh"})

    assert answer.json()["title"] == "Key needed"


# faults of shape --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "where", "code", "zh"),
    [
        ({"product": {"mass_g": 1.5}}, "product.mass_g", "int_type", "应为整数"),
        ({"product": {"mass_g": "5"}}, "product.mass_g", "int_type", "应为整数"),
        ({"product": {"mass_g": 0}}, "product.mass_g", "greater_than", "应大于 0"),
        ({"product": {"mass_g": 10**40}}, "product.mass_g", "less_than_equal", "不能大于"),
        ({"product": {"mass_g": 2, "volume": 3}}, "product.volume", "extra_forbidden", "没有这个字段"),
        ({"kind": "generate"}, "", "union_tag_invalid", "没有这种事实“generate”"),
        ({"kind": None}, "", "union_tag_invalid", "没有这种事实"),
        ({"event_time": "yesterday"}, "event_time", "value_error", "时间"),
        ({"event_time": "2026-10-01T10:00:00"}, "event_time", "value_error", "时区"),
        ({"event_time": 1760000000}, "event_time", "value_error", ""),
        ({"enterprise": "x"}, "enterprise", "string_pattern_mismatch", "写法不符"),
        ({"note": "长" * 501}, "note", "string_too_long", "至多 500"),
        ({"note": 7}, "note", "string_type", "应为文字"),
        ({"note": "\ud800"}, "note", "string_unicode", "应为文字"),
        ({"\ud800": 7}, "", "string_unicode", "应为文字"),
    ],
)  # fmt: skip
def test_a_fault_of_shape_is_told_with_its_place(
    fresh: World, change: dict[str, Any], where: str, code: str, zh: str
) -> None:
    fact = generated(fresh)
    fact["product"] = {**fact["product"], **change.pop("product", {})}
    fact |= change
    import json  # half a surrogate is what json writes as an escape, and no client library does

    for body, place in (({**fact}, where), ({"facts": [fact]}, f"facts[0]{'.' if where else ''}{where}")):
        answer = fresh.client.post(
            "/api/v1/facts",
            content=json.dumps(body),
            headers={**fresh.headers("smelter"), "Content-Type": "application/json"},
        )
        assert answer.status_code == 422, answer.text
        [error] = answer.json()["errors"]
        assert (error["where"], error["code"]) == (place, code)
        assert zh in error["detail"]


def test_every_fault_is_told_at_once_and_of_the_right_form_only(fresh: World) -> None:
    fact = generated(fresh) | {"note": 1, "site_id": "?", "colour": "red"}
    del fact["event_time"]

    answer = fresh.post("smelter", {"facts": [generated(fresh, "FINE"), fact]}, **{"Accept-Language": "en"})

    told = {each["where"]: each["detail"] for each in answer.json()["errors"]}
    assert set(told) == {"facts[1].note", "facts[1].site_id", "facts[1].colour", "facts[1].event_time"}
    assert told["facts[1].event_time"] == "this field is missing"
    assert answer.json()["figures"]["count"] == 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"7", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"facts": []}', 422),
        (b'{"facts": 7}', 422),
        (b'{"facts": {"0": 1}}', 422),
        (b'{"facts": [' + b"{}," * 500 + b"{}]}", 422),
        (b'{"kind": ["generated"]}', 422),
        (b'{"kind": {}}', 422),
        (b"\xff\xfe", 422),
        (b"[" * 100_000, 400),
        (b'{"kind": 1' + b"0" * 5_000 + b"}", 400),
        (b'{"kind": NaN}', 422),
        (b'{"kind": "generated\\u0000"}', 422),
    ],
)
def test_a_body_that_is_no_statement_is_refused_in_words(world: World, body: bytes, status: int) -> None:
    headers = {**world.headers("smelter"), "Content-Type": "application/json"}

    answer = world.client.post("/api/v1/facts", content=body, headers=headers)

    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["detail"]
    assert all(re.search("[\u4e00-\u9fff]", each["detail"]) for each in told.get("errors", [])), told


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_type_is_refused(world: World, type_: str) -> None:
    headers = {**world.headers("smelter"), "Content-Type": type_}

    assert world.client.post("/api/v1/facts", content=b"a=1", headers=headers).status_code in {400, 422}


def test_signs_that_no_printer_knows_are_refused_at_the_door(fresh: World) -> None:
    """A label has to say what was stated: what it cannot print is told before it is kept."""
    fact = generated(fresh, note="a\u0000b\u0007")
    fact["product"]["code"] = "代\u0000码\u001b"

    answer = fresh.post("smelter", fact)

    assert answer.status_code == 422
    assert {each["where"] for each in answer.json()["errors"]} == {"note", "product.code"}
    fact["note"], fact["product"]["code"] = "两行\n说明", "代码"
    assert fresh.post("smelter", fact).status_code == 201
    assert fresh.get("smelter", f"batches/{SMELTER}.NEW/label.svg").status_code == 200


# out --------------------------------------------------------------------------------------------------------------


def _pages(world: World, seat: str, path: str) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    url: str | None = f"/api/v1/{path}"
    while url:
        answer = world.client.get(url, headers=world.headers(seat))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["rows"])
        link = re.match(r'<([^>]*)>; rel="next"', answer.headers.get("link", ""))
        url = link[1] if link else None
        assert url is None or url.startswith("/api/v1/")
    return pages


@pytest.mark.parametrize("seat", ["smelter", "recycler", "landfill", "province", "auditor", "stranger"])
@pytest.mark.parametrize("path", ["entries", "batches", "manifests"])
def test_pages_put_together_are_the_whole(world: World, seat: str, path: str) -> None:
    whole = [row for page in _pages(world, seat, f"{path}?limit=1000") for row in page]
    paged = _pages(world, seat, f"{path}?limit=1")

    assert [row for page in paged for row in page] == whole
    assert len(paged) >= len(whole) / 2


def test_entries_are_read_on_from_a_position(world: World) -> None:
    rows = world.get("auditor", "entries", after=10, limit=1000).json()["rows"]

    assert [row["position"] for row in rows] == list(range(11, world.service.book.position + 1))
    assert world.get("auditor", "entries", after=10**6).json()["rows"] == []


def test_parties_read_the_entries_of_their_manifest(world: World) -> None:
    kinds = {
        seat: [
            row["event"]["kind"]
            for row in world.get(seat, "entries", limit=1000).json()["rows"]
            if row["event"].get("manifest_id") == M1
        ]
        for seat in ("smelter", "recycler", "carrier", "landfill", "stranger")
    }

    steps = ["submitted", "loaded", "arrived", "decided"]
    assert kinds == {"smelter": steps, "recycler": steps, "carrier": steps, "landfill": [], "stranger": []}


def test_whose_key_it_came_in_with_is_the_staters_to_know(fresh: World) -> None:
    """A delegate is nobody's business but its giver's."""
    fresh.say("recycler", "submitted", "2026-10-01",
              **submitted(f"{RECYCLER}.M5", LANDFILL, [(f"{RECYCLER}.SECONDARY", 1000)]))  # fmt: skip
    line = {"line": 1, "portion": portion(f"{RECYCLER}.SECONDARY", 1000), "load_id": f"{RECYCLER}.M5-L1"}
    fresh.say("recycler", "loaded", "2026-10-01", manifest_id=f"{RECYCLER}.M5", lines=[line])
    arrived = fresh.fact(
        "arrived", LANDFILL, "2026-10-02", manifest_id=f"{RECYCLER}.M5", lines=[{"line": 1, "mass_g": 1000}]
    )
    position = fresh.post("delegate", arrived).json()["entries"][0]["position"]

    assert fresh.get("landfill", f"entries/{position}").json()["recorded_by"] == SEATS["delegate"][0]
    assert fresh.get("recycler", f"entries/{position}").json()["recorded_by"] is None


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"material": "recovered-aluminium"}, {INGOT}),
        ({"waste_code": "321-024-48", "place": "gate"}, {f"{RECYCLER}.M1-R1"}),
        ({"holder": SMELTER}, {DROSS, f"{RECYCLER}.M1-R1"}),
        ({"place": "road"}, set[str]()),
        ({"holder": uscc_with_check("91510100", "MA79GG09")}, set[str]()),
    ],
)
def test_batches_are_found_by_what_they_are(world: World, params: dict[str, str], found: set[str]) -> None:
    rows = world.get("province", "batches", **params).json()["rows"]

    assert {row["batch_id"] for row in rows} == found


def test_a_batch_is_found_by_any_of_its_names(world: World) -> None:
    digital = world.get("smelter", f"batches/{DROSS}").json()["digital_code"]
    for name in (DROSS, DROSS.lower(), digital):
        assert world.get("smelter", f"batches/{name}").json()["batch_id"] == DROSS, name
    assert world.get("smelter", "batches/LHZ1").json()["batch_id"] == f"{RECYCLER}.M1-R1", "the newest of a code"


def test_the_entries_of_a_batch(world: World) -> None:
    rows = world.get("smelter", f"batches/{DROSS}/entries").json()["rows"]

    assert [row["event"]["kind"] for row in rows] == ["generated", "submitted", "loaded"]
