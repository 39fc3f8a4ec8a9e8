"""Keys and sessions: what is kept, whom they stand for, how they end."""

import re
from datetime import timedelta

import pytest

from api.keys import KEY_KIND, SESSION_KIND, SESSION_LASTS, Keys
from flows.access import Caller
from flows.errors import Malformed, Unknown
from flows.times import instant_us
from graph.memory_desk import MemoryDesk
from tests.api.world import CHENGDU, SMELTER, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> Keys:
    return Keys(MemoryDesk(), clock, "secret")


def test_a_key_stands_for_its_organisation_and_role(keys: Keys) -> None:
    key, kept = keys.create(SMELTER, "member")

    assert keys.find(key) == keys.find(f"  {key}\n") == Caller(SMELTER, "member")
    assert kept.key_id in key
    assert keys.all() == [kept]


def test_what_is_kept_is_a_digest_only(keys: Keys, clock: Clock) -> None:
    key, kept = keys.create(SMELTER, "member")
    token = keys.open_session(key)
    assert token is not None
    documents = [
        document for kind in (KEY_KIND, SESSION_KIND) for document in keys.desk.all(kind, now_us=instant_us(clock()))
    ]

    assert len(documents) == 2
    for document in documents:
        for secret in (key, key.rpartition("_")[2], token):
            assert secret not in document.key
            assert secret.encode() not in document.body
    assert re.fullmatch("[0-9a-f]{64}", kept.digest)


def test_two_keys_differ_wholly(keys: Keys) -> None:
    made = {keys.create(SMELTER, "member")[0] for _ in range(100)}

    assert len({key.rpartition("_")[2] for key in made}) == 100
    assert all(re.fullmatch("hl_[0-9a-f]{8}_[0-9A-Za-z-]{32}", key) for key in made)


@pytest.mark.parametrize(
    ("organisation", "role", "division", "heard"),
    [
        ("X", "member", "", "uscc-length"),
        (SMELTER[:-1] + "A", "member", "", "uscc-check"),
        (SMELTER, "king", "", "key-role-unknown"),
        (CHENGDU, "regulator", "", "key-division-missing"),
        (SMELTER, "member", "51", "key-division-idle"),
        (SMELTER, "auditor", "51", "key-division-idle"),
        (CHENGDU, "regulator", "5", "division-unreadable"),
        (CHENGDU, "regulator", "99", "division-unreadable"),
        (CHENGDU, "regulator", "成都", "division-unreadable"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(keys: Keys, organisation: str, role: str, division: str, heard: str) -> None:
    with pytest.raises(Malformed) as caught:
        keys.create(organisation, role, division=division)

    assert caught.value.key == heard
    assert caught.value.text("zh")
    assert keys.all() == []


@pytest.mark.parametrize(
    ("told", "kept"),
    [("51", "51"), ("510000", "51"), ("5101", "5101"), ("510100", "5101"), ("510104", "510104"), ("５１", "51")],
)
def test_a_division_is_kept_as_what_lies_in_it_begins(keys: Keys, told: str, kept: str) -> None:
    """510100 is all of Chengdu, not a county of that number."""
    key, _ = keys.create(CHENGDU, "regulator", division=told)

    assert keys.find(key) == Caller(CHENGDU, "regulator", kept)


def test_what_is_no_key_stands_for_nobody(keys: Keys) -> None:
    key, kept = keys.create(SMELTER, "member")
    head, key_id, secret = key.split("_")
    other = "B" if secret[0] == "A" else "A"
    for wrong in (
        "", key_id, key[:-1], key + "A", f"{head}_{key_id}_", f"{head}_{key_id}_{other}{secret[1:]}", key.upper(), key.replace("_", "-"),
        f"xx_{key_id}_{secret}", f"{head}_00000000_{secret}", f"{head}_{key_id}_{kept.digest}", "\x00", "钥匙",
        f"hl_{key_id}_{secret}_", key + "\x00",
    ):  # fmt: skip
        assert keys.find(wrong) is None, wrong
        assert keys.open_session(wrong) is None, wrong


def test_a_revoked_key_is_gone_and_its_sessions_with_it(keys: Keys) -> None:
    key, kept = keys.create(SMELTER, "member")
    token = keys.open_session(key)
    assert token is not None
    assert keys.find_session(token) == Caller(SMELTER, "member")

    keys.revoke(kept.key_id)

    assert keys.find(key) is None
    assert keys.find_session(token) is None
    with pytest.raises(Unknown):
        keys.revoke(kept.key_id)


def test_a_session_ends_with_the_shift_or_before(keys: Keys, clock: Clock) -> None:
    key, _ = keys.create(SMELTER, "reader")
    first, second = keys.open_session(key), keys.open_session(key)
    assert first is not None
    assert second is not None
    keys.close_session(first)
    assert keys.find_session(first) is None
    clock.now += SESSION_LASTS - timedelta(seconds=1)
    assert keys.find_session(second) == Caller(SMELTER, "reader")
    clock.now += timedelta(seconds=1)
    assert keys.find_session(second) is None


def test_another_secret_signs_everybody_out(keys: Keys, clock: Clock) -> None:
    key, _ = keys.create(SMELTER, "member")
    token = keys.open_session(key)
    assert token is not None
    renewed = Keys(keys.desk, clock, "another")

    assert renewed.find_session(token) is None
    assert renewed.find(key) == Caller(SMELTER, "member")
