"""An entry's bytes: canonical, chained, and never written anew."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from flows.entries import Entry, Head, canonical, chain_faults, digest_of, head_of, next_entry, read_entry
from flows.times import instant_us
from tests.flows.stories import NOON, SMELTER, generated

NOON_US = instant_us(NOON)


def _chain(count: int = 3) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(count):
        last = entries[-1] if entries else None
        entries.append(next_entry(head_of(last), generated(f"B{number}"), NOON_US + number, "key"))
    return entries


def test_the_body_is_canonical_json_and_names_what_is_before_it() -> None:
    first, second, _ = _chain()
    content = json.loads(second.body)

    assert canonical(content) == second.body
    assert content["previous"] == first.digest == second.previous
    assert content["position"] == 2
    assert content["recorded_by"] == second.recorded_by == "key"
    assert content["record_time"] == "2026-03-09T12:00:00.000001+08:00"
    assert "note" not in content["event"]


def test_canonical_json_is_one_text_for_one_value() -> None:
    assert canonical({"b": 1, "a": "铝", "c": [1, None]}) == '{"a":"铝","b":1,"c":[1,null]}'.encode()


def test_an_entry_is_read_from_its_bytes() -> None:
    entry = _chain()[1]
    again = read_entry(entry.body, entry.digest)

    assert again == entry
    assert again.event == generated("B1")
    assert again.record_time == datetime(2026, 3, 9, 4, 0, 0, 1, tzinfo=UTC)


def test_the_record_time_never_runs_backwards() -> None:
    head = Head(5, "0" * 64, NOON_US)

    assert next_entry(head, generated(), NOON_US - 1, "key").record_time_us == NOON_US
    assert next_entry(head, generated(), NOON_US + 1, "key").record_time_us == NOON_US + 1


def test_a_whole_chain_has_no_faults_from_anywhere() -> None:
    entries = _chain()

    assert list(chain_faults(entries)) == []
    assert list(chain_faults(entries[1:], head_of(entries[0]))) == []
    assert list(chain_faults([])) == []


def _faults(entries: list[Entry]) -> list[tuple[int, str]]:
    return list(chain_faults(entries))


def test_each_fault_is_named_for_what_is_wrong() -> None:
    first, second, third = _chain()

    assert _faults([first, third])[0] == (2, "audit-position-missing")
    assert (2, "audit-digest-wrong") in _faults([first, replace(second, digest="f" * 64), third])
    assert (3, "audit-chain-broken") in _faults([first, replace(second, digest="f" * 64), third])
    assert _faults([first, replace(second, event_id="other"), third]) == [(2, "audit-columns-differ")]
    assert _faults([first, replace(second, enterprise=SMELTER[::-1]), third]) == [(2, "audit-columns-differ")]
    assert _faults([first, replace(second, record_time_us=0), third]) == [(2, "audit-columns-differ")]


def test_what_cannot_be_read_is_a_fault_and_no_exception() -> None:
    first, second, third = _chain()
    for body in (b"", b"{", b"\xff", b"[]", b"1", b"{}", b'{"event":1,"position":2,"previous":"","record_time":"x"}'):
        keys = [key for position, key in _faults([first, replace(second, body=body), third]) if position == 2]
        assert keys == ["audit-digest-wrong", "audit-body-unreadable"]
        fitting = replace(second, body=body, digest=digest_of(body))
        assert (2, "audit-body-unreadable") in _faults([first, fitting, third])
