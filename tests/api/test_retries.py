"""One key, one change: a retry hears the first reply byte for byte, whatever became of the first answer."""

import re
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from httpx2 import Response

from api.rest.answers import POSITION
from api.rest.once import HEADER, KEPT, LEASE, REPLAYED, read_key
from flows.book import Change
from flows.entries import Entry
from flows.errors import Malformed
from tests.api.test_rest_facts import generated
from tests.api.workbook_fixtures import TEMPLATE, filled, registration
from tests.api.world import DROSS, SMELTER, TONNE, World, portion, site

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def post(world: World, body: Any, key: str = UUID, seat: str = "smelter", **headers: str) -> Response:
    return world.post(seat, body, **{HEADER: key}, **headers)


def same(one: Response, other: Response) -> bool:
    """The same reply, but for the header that says so."""
    told = [{name: value for name, value in each.headers.items() if name != REPLAYED.lower()} for each in (one, other)]
    return (one.status_code, one.content, told[0]) == (other.status_code, other.content, told[1])


def test_a_retry_hears_the_first_reply_byte_for_byte(fresh: World) -> None:
    fact = generated(fresh)

    first = post(fresh, fact, **{"Accept-Language": "en"})
    fresh.say("smelter", "stock_taken", "2026-10-02", site_id=site(SMELTER), material="primary-dross", counted_g=0)
    again = post(fresh, fact, **{"Accept-Language": "zh"})

    assert first.status_code == 201
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert same(first, again)


def test_without_a_key_nothing_is_kept(fresh: World) -> None:
    fresh.post("smelter", generated(fresh))

    assert fresh.service.desk.all("reply", now_us=0) == []


@pytest.mark.parametrize(
    ("path", "body", "zh", "en"),
    [("facts", {"note": "别的"}, "正文", "the body"), ("facts?lang=en", {}, "方法或地址", "the method or address")],
)
def test_another_request_under_a_key_is_a_conflict(
    fresh: World, path: str, body: dict[str, Any], zh: str, en: str
) -> None:
    fact = generated(fresh)
    post(fresh, fact)
    before = fresh.service.book.position

    answer = fresh.client.post(
        f"/api/v1/{path}", json={**fact, **body}, headers={**fresh.headers("smelter"), HEADER: UUID}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-key-used")
    assert answer.json()["figures"] == {
        "key": UUID, "first": "2026-11-01T12:00:00+08:00", "asked": "POST /api/v1/facts", "differs": zh,
        "differs_en": en, "days": KEPT.days,
    }  # fmt: skip
    assert fresh.service.book.position == before


def test_a_key_is_its_callers_own(fresh: World) -> None:
    """Another enterprise, and another key of the same one, may use the same text."""
    other, _ = fresh.service.keys.create(SMELTER, "member")
    first = post(fresh, generated(fresh, "A"))
    second = post(fresh, generated(fresh, "B"), Authorization=f"Bearer {other}")
    third = post(fresh, fresh.fact("stock_taken", SMELTER), seat="recycler")

    assert (first.status_code, second.status_code) == (201, 201)
    assert third.json()["code"] != "idempotency-key-used"


def test_who_lost_the_key_hears_nothing_of_the_reply(fresh: World) -> None:
    fact = generated(fresh)
    post(fresh, fact)
    fresh.service.keys.revoke(fresh.keys["smelter"][3:11])

    assert post(fresh, fact).status_code == 401


def test_a_refusal_is_not_held_against_the_key(fresh: World) -> None:
    """What failed changed nothing: mended, or once its cause is recorded, it passes under the same key."""
    fact = fresh.fact(
        "disposed", SMELTER, "2026-10-02", site_id=site(SMELTER), method="D1",
        portions=[portion(f"{SMELTER}.NEW", 90 * TONNE)],
    )  # fmt: skip
    assert post(fresh, fact).status_code == 404
    fresh.post("smelter", generated(fresh, mass_g=10 * TONNE))
    refused = post(fresh, fact)
    assert refused.json()["code"] == "overdrawn"
    assert REPLAYED not in refused.headers
    fact["portions"] = [portion(f"{SMELTER}.NEW", "9 t")]
    assert post(fresh, fact).status_code == 422

    fact["portions"] = [portion(f"{SMELTER}.NEW", 9 * TONNE)]
    kept = post(fresh, fact)

    assert kept.status_code == 201
    assert same(kept, post(fresh, fact))


def test_a_key_is_kept_for_a_month(fresh: World) -> None:
    fact = generated(fresh)
    post(fresh, fact)
    fresh.clock.now += KEPT - timedelta(microseconds=1)
    assert REPLAYED in post(fresh, fact).headers
    fresh.clock.now += timedelta(microseconds=1)

    late = post(fresh, fact)

    assert late.status_code == 201, "the fact itself is known for ever"
    assert REPLAYED not in late.headers


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (UUID, UUID), (f'"{UUID}"', UUID), (f'  "{UUID}" ', UUID), ('"a b"', "a b"), (r'"a\"b\\c"', r'a"b\c'),
        ("x" * 255, "x" * 255), ("KG5LxwFBepaKHyUD", "KG5LxwFBepaKHyUD"), ("a:b/c=+~.", "a:b/c=+~."),
    ],
)  # fmt: skip
def test_a_key_may_be_quoted_or_bare(told: str, key: str) -> None:
    assert read_key([told]) == key


@pytest.mark.parametrize(
    "told", ["", '""', "a b", '"a', 'a"', '"a"b"', '"a\\b"', "a,b", "a;b", "a\tb", "é", "x" * 256, f'"{"x" * 256}"', '"a";p=1']
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_refused(fresh: World, told: str) -> None:
    with pytest.raises(Malformed):
        read_key([told])
    with pytest.raises(Malformed):
        read_key([UUID, UUID])
    before = fresh.service.book.position
    headers = {**fresh.headers("smelter"), HEADER: told.encode("latin-1")}
    answer = fresh.client.post("/api/v1/facts", json=generated(fresh), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-malformed")
    assert re.search("[\u4e00-\u9fff]", answer.json()["detail"])
    assert fresh.service.book.position == before


# two at once, and crashes -----------------------------------------------------------------------------------------


class Slow:
    """Reads an entry only when it is let: whoever stated it waits for its answer meanwhile."""

    def __init__(self) -> None:
        self.reached, self.let = Event(), Event()

    def read(self, entry: Entry, change: Change) -> None:
        self.reached.set()
        self.let.wait(10)  # who comes in where nobody may is not waited for for ever


def test_of_two_at_once_one_works_and_the_other_is_told_to_come_back(fresh: World) -> None:
    slow, fact, answers = Slow(), generated(fresh), list[Response]()
    fresh.service.recording.followers = (*fresh.service.recording.followers, slow)
    first = Thread(target=lambda: answers.append(post(fresh, fact)))
    first.start()
    slow.reached.wait()

    second = post(fresh, fact)
    other = post(fresh, {**fact, "note": "别的"})
    slow.let.set()
    first.join()

    assert (second.status_code, second.json()["code"]) == (409, "idempotency-key-under-way")
    assert second.headers["Retry-After"] == "1"
    assert other.json()["code"] == "idempotency-key-used"
    assert answers[0].status_code == 201
    assert same(answers[0], post(fresh, fact))


def test_what_a_dead_process_left_under_a_key_is_taken_up_by_the_same_request_only(fresh: World) -> None:
    """Its lease runs out; the fact stands, so the answer is made of it once more."""
    slow, fact = Slow(), generated(fresh)
    followers = fresh.service.recording.followers
    fresh.service.recording.followers = (*followers, slow)
    dying = Thread(target=lambda: post(fresh, fact), daemon=True)
    dying.start()
    slow.reached.wait()
    [claim] = fresh.service.desk.all("reply", now_us=0)
    slow.let.set()
    dying.join()
    [kept] = fresh.service.desk.all("reply", now_us=0)
    assert fresh.service.desk.put("reply", kept.key, claim.body, version=kept.version, now_us=0)
    told = fresh.post("smelter", fact).content

    assert post(fresh, fact).headers["Retry-After"] == "1"
    fresh.clock.now += LEASE
    assert post(fresh, {**fact, "note": "别的"}).json()["code"] == "idempotency-key-used"
    again = post(fresh, fact)

    assert (again.status_code, again.content) == (201, told)
    assert REPLAYED not in again.headers
    assert same(again, post(fresh, fact))


def test_a_fault_of_ours_lets_go_of_the_key(fresh: World) -> None:
    class Broken:
        def read(self, entry: Entry, change: Change) -> None:
            raise ValueError("broken")

    fact = generated(fresh)
    fresh.service.recording.followers = (Broken(),)
    post(fresh, fact)  # it stands: what broke off are the readings
    fresh.clock.now += LEASE

    answer = post(fresh, {**fact, "event_id": "other"})

    assert answer.json()["code"] in {"idempotency-key-used", "readings-stopped"}


# workbooks --------------------------------------------------------------------------------------------------------


def upload(world: World, data: bytes, path: str = "imports", key: str = UUID) -> Response:
    headers = {**world.headers("smelter"), HEADER: key}
    return world.client.post(f"/api/v1/{path}", files={"file": ("台账.xlsx", data)}, headers=headers)


def test_a_retried_workbook_hears_the_first_report(fresh: World) -> None:
    """A client draws another boundary for each attempt: the form is the same."""
    data = filled({"单位信息": registration(SMELTER, "成都甲铝业", "产废单位", "510104")})
    first = upload(fresh, data)
    assert first.status_code == 201, first.text

    again = upload(fresh, data)

    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.headers[REPLAYED] == "true"
    assert same(first, again)
    assert upload(fresh, TEMPLATE).json()["code"] == "idempotency-key-used"


def test_a_check_is_made_anew_each_time(fresh: World) -> None:
    first, again = (upload(fresh, TEMPLATE, "imports/check") for _ in range(2))

    assert first.status_code == again.status_code == 200
    assert REPLAYED not in again.headers


# the description --------------------------------------------------------------------------------------------------


def test_every_route_that_changes_something_takes_a_key(world: World) -> None:
    paths = world.client.get("/openapi.json").json()["paths"]
    changing = {
        (path, method): told
        for path, methods in paths.items()
        for method, told in methods.items()
        if method != "get" and not path.endswith("/check")
    }

    assert ("/api/v1/facts", "post") in changing
    for (path, _), told in changing.items():
        assert [each["name"] for each in told["parameters"] if each["in"] == "header"] == [HEADER, POSITION], path
        assert "409" in told["responses"], path


def test_a_batch_of_that_name_was_never_doubled(fresh: World) -> None:
    fact = generated(fresh)
    for key in ("a", "b", "c"):
        assert post(fresh, fact, key).status_code == 201

    entries = [entry for entry in fresh.service.ledger.entries() if entry.event_id == fact["event_id"]]
    assert len(entries) == 1
    assert fresh.get("smelter", f"batches/{DROSS}").status_code == 200
