"""The audit of an installation: growth since a digest that somebody kept, readings in use, and what the desk keeps."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from api import audits, retries, waiting
from api.imports import admit_waiting
from api.rest import once
from api.service import Service
from api.settings import Settings
from api.workbook.report import ImportReport
from flows.access import Caller
from flows.audit import growth_faults
from flows.entries import NO_DIGEST, Head, canonical, digest_of
from flows.errors import Malformed, Unknown, messages
from flows.law import Finding
from flows.ports import Document
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api import workbook_fixtures as workbook
from tests.api.test_rest_facts import generated
from tests.api.test_retries import UUID, post
from tests.api.workbook_fixtures import PLANT
from tests.api.world import DROSS, LANDFILL, NOBODY, SMELTER, TONNE, World, submitted
from tests.graph.stores import unread


def keys(found: list[Finding]) -> list[str]:
    for each in found:
        assert messages()[each.key]["zh"].format(**each.figures)
        assert messages()[each.key]["en"].format(**each.figures)
    return [each.key for each in found]


# growth -----------------------------------------------------------------------------------------------------------


def test_a_ledger_only_grew_since_any_of_its_own_positions(world: World) -> None:
    ledger = world.service.ledger

    assert growth_faults(ledger, 0, NO_DIGEST) == []
    for entry in ledger.entries():
        assert growth_faults(ledger, entry.position, f" {entry.digest.upper()} ") == []


def test_a_position_that_is_gone_and_a_digest_that_differs_are_told(world: World) -> None:
    ledger = world.service.ledger
    head = ledger.head()
    other = "a" * 64

    assert growth_faults(ledger, head.position + 1, other) == [
        Finding.of("audit-since-gone", since=head.position + 1, digest=other, position=head.position)
    ]
    assert growth_faults(ledger, head.position, other) == [
        Finding.of("audit-since-differs", since=head.position, told=other, found=head.digest)
    ]
    assert keys(growth_faults(ledger, 0, other)) == ["audit-since-differs"]
    for wrong in ("", "a" * 63, "g" * 64, "a" * 65, "１" * 64):
        with pytest.raises(Malformed):
            growth_faults(ledger, 1, wrong)


def _copied(world: World) -> MemoryLedger:
    ledger = MemoryLedger()
    with ledger.turn() as turn:
        turn.append(unread(world.service.ledger.entries()))
    return ledger


def test_what_was_done_to_the_chain_since_is_told(world: World) -> None:
    """Bytes changed behind the mark; an entry taken out; the end taken off; and all of it written anew from there."""
    since, body = 10, b'"recorded_by":"somebody"'
    kept = next(world.service.ledger.entries(after=since - 1, until=since)).digest

    def after(change: Callable[[MemoryLedger], None]) -> list[str]:
        ledger = _copied(world)
        change(ledger)
        return keys(growth_faults(ledger, since, kept))

    def changed(ledger: MemoryLedger) -> None:
        ledger._kept[15] = replace(ledger._kept[15], body=ledger._kept[15].body + b" ")

    def taken_out(ledger: MemoryLedger) -> None:
        del ledger._kept[15]

    def shortened(ledger: MemoryLedger) -> None:
        del ledger._kept[since - 1 :]

    def marked_one_changed(ledger: MemoryLedger) -> None:
        ledger._kept[since - 1] = replace(ledger._kept[since - 1], body=body)

    assert after(lambda _: None) == []
    assert "audit-digest-wrong" in after(changed)
    assert {"audit-position-missing", "audit-chain-broken"} <= set(after(taken_out))
    assert after(marked_one_changed) == ["audit-digest-wrong"]
    assert after(shortened) == ["audit-since-gone"]


def test_a_history_written_anew_is_told_by_whoever_kept_a_digest(world: World) -> None:
    """Its chain holds and its end is noted as it is: only what somebody kept tells the two apart."""
    kept = world.service.ledger.head()
    ledger, previous = MemoryLedger(), NO_DIGEST
    for entry in world.service.ledger.entries():
        body = canonical({**orjson.loads(entry.body), "previous": previous, "recorded_by": "somebody"})
        previous = digest_of(body)
        with ledger.turn() as turn:
            turn.append(unread([replace(entry, body=body, digest=previous)]))

    assert keys(growth_faults(ledger, kept.position, kept.digest)) == ["audit-since-differs"]
    assert growth_faults(ledger, kept.position, previous) == []


@pytest.mark.parametrize("seat", ["smelter", "province", "auditor", "operator", "stranger"])
def test_everybody_may_keep_the_end_and_authorities_have_the_growth_proved(world: World, seat: str) -> None:
    end = world.get(seat, "audit").json()
    head = world.service.ledger.head()

    assert Head(end["position"], end["digest"], head.record_time_us) == head
    assert (end["only_grew"], end["faults"]) == (None, [])
    proof = world.get(seat, "audit", since=end["position"] - 3, digest=end["digest"])
    if seat not in {"province", "auditor"}:
        assert (proof.status_code, proof.json()["code"]) == (403, "audit-for-authorities")
        return
    assert (proof.json()["since"], proof.json()["only_grew"]) == (end["position"] - 3, False)
    assert [each["code"] for each in proof.json()["faults"]] == ["audit-since-differs"]
    assert world.get(seat, "audit", since=end["position"], digest=end["digest"]).json()["only_grew"] is True


def test_half_a_mark_is_no_mark(world: World) -> None:
    for params in ({"since": 3}, {"digest": "a" * 64}, {"since": -1, "digest": "a" * 64}, {"since": 1, "digest": "x"}):
        assert world.get("auditor", "audit", **params).status_code == 422


def test_the_page_shows_the_end_and_proves_growth_to_authorities(world: World) -> None:
    head = world.service.ledger.head()
    shown = {seat: world.get(seat, "/audit").text for seat in ("smelter", "province")}
    assert all(head.digest in text for text in shown.values())
    assert ['<form class="filters"' in text for text in shown.values()] == [False, True]

    def asked(since: object, digest: str) -> str:
        return world.get("auditor", "/audit", since=since, digest=digest).text

    assert "没有改动" in asked(head.position, head.digest)
    assert "没有改动" not in asked(head.position - 1, head.digest)
    assert "被改写" in asked(head.position - 1, head.digest)
    assert "64 位" in asked(1, "abc")
    for since in ("x", "１", "-1", "9" * 15, "9" * 20):
        assert "没有改动" not in asked(since, head.digest)


# readings ---------------------------------------------------------------------------------------------------------


def test_a_sound_installation_has_no_faults(fresh: World) -> None:
    late = fresh.fact("submitted", SMELTER, "2026-09-10", **submitted(f"{SMELTER}.M9", LANDFILL, [(DROSS, TONNE)]))
    assert post(fresh, late).json()["findings"]
    assert post(fresh, generated(fresh), "other").status_code == 201

    assert audits.audit(fresh.service).faults == []


def test_a_reading_that_is_not_what_the_entries_say_is_named(fresh: World) -> None:
    fresh.service.lineage.batch_ids[0] = "other"

    [found] = audits.audit(fresh.service).faults

    assert (found.key, found.figures["reading"]) == ("audit-reading-differs", "lineage")
    assert "batch_ids" in str(found.figures["part"])


# the desk ---------------------------------------------------------------------------------------------------------


def put(world: World, kind: str, key: str, body: bytes) -> None:
    before = world.service.desk.get(kind, key, now_us=0)
    assert world.service.desk.put(kind, key, body, version=before.version if before else 0, now_us=0)


def last(world: World, kind: str) -> Document:
    """The document whose version or content came last: the world itself left some."""
    return max(world.service.desk.all(kind, now_us=0), key=lambda each: each.expires_us or 0)


def desk(world: World) -> list[Finding]:
    return list(audits.desk_faults(world.service))


@pytest.mark.parametrize(
    "kind", ["key", "session", "findings", "reply", "waiting", "columns", "import_job", "import_report"]
)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"[", b'{"status": 7}\n{'])
def test_a_document_that_cannot_be_read_is_named(fresh: World, kind: str, body: bytes) -> None:
    key = SMELTER if kind in {"waiting", "columns"} else "astray"
    put(fresh, kind, key, body)

    if (kind, body) in {("waiting", b"{}"), ("columns", b"{}")}:
        assert desk(fresh) == []
    else:
        assert desk(fresh) == [Finding.of("desk-unreadable", kind=kind, name=key)]
    assert fresh.service.ledger.head().position


def test_findings_kept_for_facts_that_are_not_there_are_named(fresh: World) -> None:
    late = fresh.fact("submitted", SMELTER, "2026-09-10", **submitted(f"{SMELTER}.M9", LANDFILL, [(DROSS, TONNE)]))
    fresh.clock.now += timedelta(days=1)
    position = fresh.post("smelter", late).json()["entries"][0]["position"]
    document = last(fresh, retries.KIND)
    assert desk(fresh) == []
    for other in (position + 1, position - 1):
        told = {**orjson.loads(document.body), "positions": [other]}
        put(fresh, retries.KIND, document.key, orjson.dumps(told))
        assert desk(fresh) == [Finding.of("desk-findings-astray", name=document.key, positions=str(other))]


@pytest.mark.parametrize("change", [{"position": 999}, {"digest": "a" * 64}])
def test_a_reply_that_tells_of_entries_that_are_not_there_is_named(fresh: World, change: dict[str, Any]) -> None:
    """Whoever was told so believes it recorded: a ledger put back from an old backup, beside a desk that is newer."""
    post(fresh, generated(fresh), UUID)
    document = last(fresh, once.KIND)
    head, _, reply = document.body.partition(b"\n")
    told = orjson.loads(reply)
    told["entries"][0] |= change
    put(fresh, once.KIND, document.key, head + b"\n" + orjson.dumps(told))

    [found] = desk(fresh)

    assert found.key == "desk-reply-astray"
    assert found.figures["asked"] == "POST /api/v1/facts"
    assert keys([found])


def test_a_desk_newer_than_its_ledger_is_named(fresh: World) -> None:
    post(fresh, generated(fresh), UUID)
    document = last(fresh, once.KIND)
    put(fresh, once.KIND, document.key, document.body.replace(b'"huanliu-position","', b'"huanliu-position","9'))

    assert keys(desk(fresh)) == ["desk-reply-astray"]


def test_a_report_of_an_import_that_the_ledger_lost_is_named(fresh: World) -> None:
    head = fresh.service.ledger.head().position
    for position in (head, head + 1):
        report = ImportReport(enterprise=SMELTER, digest="", committed=True, last_position=position)
        put(fresh, "import_report", "job", zlib.compress(report.model_dump_json().encode()))
        lost = [Finding.of("desk-report-astray", name="job", position=position, head=head)]
        assert desk(fresh) == (lost if position > head else [])


def test_what_an_enterprise_keeps_that_nobody_registered_is_named(fresh: World) -> None:
    put(fresh, "columns", NOBODY, b'{"sheets": {}}')

    assert desk(fresh) == [Finding.of("desk-enterprise-unknown", kind="columns", enterprise=NOBODY)]


def test_rows_that_still_wait_though_they_are_recorded_or_could_be_are_named(tmp_path: Path) -> None:
    """A crash between a partner's facts and what waited for them; and a desk that is older than the ledger."""
    service = Service.over(Settings(data=tmp_path), MemoryLedger(), MemoryDesk(), workbook.now)
    assert service.commit_import(Caller(PLANT, "member"), PLANT, workbook.files()[PLANT]).waiting
    assert list(audits.desk_faults(service)) == []
    [before] = service.desk.all(waiting.KIND, now_us=0)
    house = workbook.House()
    workbook.import_all(house, (PLANT, workbook.SMELTER))
    given = [fact for fact in house.facts() if fact.enterprise == workbook.SMELTER]
    with suppress(Unknown):  # until one rests on what the plant has not made yet
        for fact in given:
            service.recording.record([fact], workbook.SMELTER)

    due = list(audits.desk_faults(service))
    assert set(keys(due)) == {"desk-waiting-due"}
    admitted = admit_waiting(service.recording, service.desk)
    assert admitted
    assert list(audits.desk_faults(service)) == []
    [after] = service.desk.all(waiting.KIND, now_us=0)
    assert service.desk.put(waiting.KIND, PLANT, before.body, version=after.version, now_us=0)

    assert keys(list(audits.desk_faults(service))) == ["desk-waiting-recorded"] * admitted
    told = service.commit_import(Caller(PLANT, "member"), PLANT, workbook.files()[PLANT])
    assert told.committed
    assert list(audits.desk_faults(service)) == [], "as the finding says: imported once more, they are off"
