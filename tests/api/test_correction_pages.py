"""Corrections on pages: a form that is checked first, requests answered at the start, a history that keeps what was."""

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from httpx2 import Response

from api.pages.fact_form import read_form, rows_of
from api.pages.fact_words import choice_words, field_name, field_words
from flows.events import EVENT, KINDS
from tests.api.test_corrections import ask, requested
from tests.api.world import DROSS, LAID, M1, RECYCLER, SMELTER, TONNE, World, read_as

_BLOCK = re.compile(r"^```json\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_PAGE = (Path(__file__).parents[2] / "docs" / "facts.md").read_text("utf-8")
EXAMPLES: dict[str, dict[str, Any]] = {
    told["kind"]: told
    for match in _BLOCK.finditer(_PAGE)
    for told in [json.loads(match["text"])]
    if "kind" in told and not str(told["kind"]).startswith("correction")
}
FROM_HERE = {"Origin": "http://127.0.0.1:8000"}


def boxes(page: str) -> dict[str, str]:
    """What a form holds when nobody touched it."""
    told = dict(re.findall(r'<input id="[^"]*" name="(e[^"]+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="[^"]*" name="(e[^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        told[name] = chosen[1] if chosen else ""
    return told | dict(re.findall(r'<textarea id="[^"]*" name="(e[^"]+)"[^>]*>([^<]*)</textarea>', page))


def send(world: World, seat: str, path: str, **said: str) -> Response:
    headers = {**world.headers(seat), **FROM_HERE}
    return world.client.post(path, data=said, headers=headers, follow_redirects=False)


def text_of(answer: Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


# the form ---------------------------------------------------------------------------------------------------------


def test_a_correction_is_checked_then_sent_and_sent_twice_is_one(fresh: World) -> None:
    position, _ = read_as(fresh, DROSS, "generated")
    path = f"/entries/{position}/correct"
    form = boxes(fresh.get("smelter", path).text) | {
        f"e{position}.f.product.mass_g": "29", f"e{position}.how": "mend", "reason": "过磅单录错",
    }  # fmt: skip
    end = fresh.service.recording.position

    checked = send(fresh, "smelter", path, do="check", **form)

    assert checked.status_code == 200
    assert fresh.service.recording.position == end
    assert "质量 30 t 29 t" in text_of(checked)
    assert "立即生效" in checked.text
    kept = dict(re.findall(r'name="(checked|event_id)" value="([^"]+)"', checked.text))
    for _ in range(2):
        sent = send(fresh, "smelter", path, do="send", **form, **kept)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/entries/{position}")
    assert fresh.service.recording.position == end + 1
    assert fresh.get("smelter", f"batches/{DROSS}").json()["mass_g"] == 29 * TONNE


def test_what_was_not_checked_is_not_sent(fresh: World) -> None:
    position, _ = read_as(fresh, DROSS, "generated")
    path = f"/entries/{position}/correct"
    form = boxes(fresh.get("smelter", path).text) | {f"e{position}.f.product.mass_g": "29", "reason": "过磅单录错"}
    checked = send(fresh, "smelter", path, do="check", **form)
    kept = dict(re.findall(r'name="(checked|event_id)" value="([^"]+)"', checked.text))
    end = fresh.service.recording.position

    changed = send(fresh, "smelter", path, do="send", **{**form, f"e{position}.f.product.mass_g": "28"}, **kept)

    assert (changed.status_code, fresh.service.recording.position) == (200, end)
    assert "28 t" in changed.text


def test_faults_stand_beside_their_boxes_and_what_was_typed_stays(world: World) -> None:
    position, _ = read_as(world, DROSS, "generated")
    path = f"/entries/{position}/correct"
    form = boxes(world.get("smelter", path).text)

    told = send(
        world, "smelter", path, do="check",
        **{**form, f"e{position}.f.product.mass_g": "28,5", f"e{position}.f.event_time": "昨天"},
    )  # fmt: skip

    assert told.status_code == 422
    assert {f"e{position}-product-mass_g-wrong", f"e{position}-event_time-wrong", "reason-wrong"} <= set(
        re.findall(r'id="([^"]+-wrong)"', told.text)
    )
    assert 'value="28,5"' in told.text


def test_later_entries_that_would_break_are_linked_on_the_form(world: World) -> None:
    position, _ = read_as(world, DROSS, "generated")
    loaded, _ = read_as(world, M1, "loaded")
    path = f"/entries/{position}/correct"
    form = boxes(world.get("smelter", path).text) | {f"e{position}.f.product.mass_g": "15", "reason": "过磅单录错"}

    told = send(world, "smelter", path, do="check", **form)

    assert told.status_code == 409
    assert f'href="/entries/{loaded}"' in told.text
    assert "只剩 15 t" in told.text


def test_a_withdrawal_needs_no_boxes_and_stays_to_be_seen(fresh: World) -> None:
    position, _ = read_as(fresh, LAID, "disposed")
    path = f"/entries/{position}/correct"
    form = {f"e{position}.how": "withdraw", "reason": "未处置"}
    checked = send(fresh, "landfill", path, do="check", **form)
    kept = dict(re.findall(r'name="(checked|event_id)" value="([^"]+)"', checked.text))

    assert send(fresh, "landfill", path, do="send", **form, **kept).status_code == 303

    page = fresh.get("landfill", f"/batches/{LAID}/history")
    assert "已撤销登记" in page.text
    assert '<b class="withdrawn">处置</b>' in page.text
    assert "恢复登记" in fresh.get("landfill", f"/entries/{position}").text


# several at once ----------------------------------------------------------------------------------------------------


def test_the_form_of_a_receipt_holds_arrival_and_decision_and_both_are_corrected(fresh: World) -> None:
    at, _ = read_as(fresh, M1, "arrived")
    by, _ = read_as(fresh, M1, "decided")
    path = f"/entries/{at}/correct"
    shown = fresh.get("recycler", path).text
    assert shown == fresh.get("recycler", path).text
    assert f'<input type="hidden" name="with" value="{by}">' in shown
    weights = {f"e{at}.f.lines.0.mass_g": "19.8", f"e{by}.f.lines.0.accepted.mass_g": "17.8"}
    form = boxes(shown) | weights | {"reason": "皮重有误", "with": str(by)}

    half = send(fresh, "recycler", path, do="check", **{**form, f"e{by}.f.lines.0.accepted.mass_g": "17.9"})
    assert half.status_code == 409
    assert half.text.count(f'href="#e{by}"') == 1
    checked = send(fresh, "recycler", path, do="check", **form)
    assert "对方将看到" in checked.text
    assert "19.9 t 19.8 t" in text_of(checked)
    assert "17.9 t 17.8 t" in text_of(checked)
    kept = dict(re.findall(r'name="(checked|event_id)" value="([^"]+)"', checked.text))
    assert send(fresh, "recycler", path, do="send", **form, **kept).status_code == 303

    waiting = text_of(fresh.get("smelter", "/"))
    assert "19.9 t 19.8 t" in waiting
    assert "17.9 t 17.8 t" in waiting
    agreed = send(fresh, "smelter", "/corrections/answer", requester=RECYCLER, name=kept["event_id"], how="agree")
    assert agreed.status_code == 303
    entry = fresh.get("recycler", f"/entries/{at}").text
    assert "同一申请还更正：" in entry
    assert "19.9 t 19.8 t" in text_of(fresh.get("recycler", f"/manifests/{M1}/history"))


def test_later_facts_that_stand_in_the_way_are_taken_into_the_same_request(fresh: World) -> None:
    made, _ = read_as(fresh, DROSS, "generated")
    planned, _ = read_as(fresh, M1, "submitted")
    loaded, _ = read_as(fresh, M1, "loaded")
    path = f"/entries/{made}/correct"
    form = boxes(fresh.get("smelter", path).text) | {f"e{made}.f.product.mass_g": "19.95", "reason": "过磅单录错"}

    refused = send(fresh, "smelter", path, do="check", **form)
    assert f'value="add {planned} {loaded}"' in refused.text
    taken = send(fresh, "smelter", path, do=f"add {planned} {loaded}", **form)
    assert taken.status_code == 200
    assert 'value="19.95"' in taken.text
    form |= boxes(taken.text) | {"with": f"{planned} {loaded}"}
    form |= {f"e{planned}.f.lines.0.mass_g": "19.95", f"e{loaded}.f.lines.0.portion.mass_g": "19.95"}
    checked = send(fresh, "smelter", path, do="check", **form)

    assert checked.status_code == 200
    assert text_of(checked).count("20 t 19.95 t") == 2
    dropped = send(fresh, "smelter", path, do=f"drop {planned}", **form)
    assert f'name="e{planned}.f.lines.0.mass_g"' not in dropped.text
    assert f'name="e{loaded}.f.lines.0.portion.mass_g"' in dropped.text


def test_a_refusal_says_which_entry_of_the_form_it_is_about(fresh: World) -> None:
    at, _ = read_as(fresh, M1, "arrived")
    by, _ = read_as(fresh, M1, "decided")
    path = f"/entries/{at}/correct"
    form = boxes(fresh.get("recycler", path).text) | {
        f"e{at}.f.lines.0.mass_g": "19.8", f"e{by}.f.lines.0.accepted.mass_g": "17", "reason": "皮重有误",
        "with": str(by),
    }  # fmt: skip

    told = send(fresh, "recycler", path, do="check", **form)

    assert told.status_code == 409
    assert f'href="#e{by}"' in told.text


def test_an_entry_of_another_is_not_taken_in(fresh: World) -> None:
    made, _ = read_as(fresh, DROSS, "generated")
    other, _ = read_as(fresh, LAID, "disposed")
    nowhere = fresh.service.recording.position + 1_000
    path = f"/entries/{made}/correct"
    answers = [fresh.get("smelter", path, **{"with": str(each)}) for each in (other, nowhere)]

    assert [each.status_code for each in answers] == [404, 404]
    assert text_of(answers[0]).replace(str(other), "…") == text_of(answers[1]).replace(str(nowhere), "…")
    assert fresh.get("smelter", path, **{"with": "x -1 0"}).status_code == 200


def test_a_form_from_another_origin_is_refused(world: World) -> None:
    headers = {**world.headers("smelter"), "Origin": "http://evil.example"}

    assert world.client.post("/entries/15/correct", data={"do": "check"}, headers=headers).status_code == 403


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_a_form_that_nobody_touched_says_the_very_fact(example: str) -> None:
    """Each worked example of a fact, through its form and back."""
    event: Any = EVENT.validate_python(EXAMPLES[example])
    typed = {box.name: box.text for row in rows_of(event, "zh") for box in row.boxes}

    assert read_form(event, typed, "zh").fact == event


def test_rows_are_added_and_emptied_and_faults_find_their_row(world: World) -> None:
    _, fact = read_as(world, f"{RECYCLER}.INGOT", "transformed")
    event: Any = EVENT.validate_python(fact)
    typed = {box.name: box.text for row in rows_of(event, "zh") for box in row.boxes}
    emptied = {name: "" if name.startswith("f.inputs.0.") else text for name, text in typed.items()}

    filled = read_form(event, emptied | {"f.inputs.2.batch_id": DROSS, "f.inputs.2.mass_g": "1.5"}, "zh")
    inputs = cast("Any", filled.fact).inputs
    assert [(each.batch_id, each.mass_g) for each in inputs] == [
        (event.inputs[1].batch_id, event.inputs[1].mass_g), (DROSS, 1_500_000),
    ]  # fmt: skip
    wrong = read_form(event, emptied | {"f.inputs.2.batch_id": "?", "f.inputs.2.mass_g": "1"}, "zh")
    assert list(wrong.faults) == ["inputs.2.batch_id"]


def test_every_value_of_every_fact_has_its_words() -> None:
    assert {kind for kind in KINDS if not kind.startswith("correction")} == set(EXAMPLES)
    for example in EXAMPLES.values():
        event: Any = EVENT.validate_python(example)
        for row in rows_of(event, "en"):
            for box in row.boxes:
                for language in ("zh", "en"):
                    assert not re.search(r"[a-z]_|_g$", field_name(box.path, language)), box.path
                assert re.search("[\u4e00-\u9fff]", field_name(box.path, "zh")), box.path
    for words in field_words().values():
        assert set(words) == {"zh", "en"}
    for named in choice_words().values():
        assert all(re.search("[\u4e00-\u9fff]", zh) and en.isascii() for zh, en in named.values())


# answering --------------------------------------------------------------------------------------------------------


def test_the_start_page_shows_what_is_to_be_answered_and_takes_the_answer(fresh: World) -> None:
    name = requested(fresh)
    position, _ = read_as(fresh, M1, "loaded")

    assert "待我确认的更正申请" in fresh.get("recycler", "/").text
    assert "待我确认的更正申请" not in fresh.get("smelter", "/").text
    agreed = send(fresh, "recycler", "/corrections/answer", requester=SMELTER, name=name, how="agree")

    assert (agreed.status_code, agreed.headers["location"]) == (303, f"/entries/{position}")
    assert "待我确认的更正申请" not in fresh.get("recycler", "/").text
    page = text_of(fresh.get("smelter", f"/manifests/{M1}/history"))
    assert "对方同意：" in page
    assert "川A99999" in page


def test_to_decline_needs_a_reason(fresh: World) -> None:
    name = requested(fresh)

    refused = send(fresh, "recycler", "/corrections/answer", requester=SMELTER, name=name, how="decline")
    assert "请填写不同意或撤回的理由" in refused.text
    declined = send(
        fresh, "recycler", "/corrections/answer", requester=SMELTER, name=name, how="decline", reason="车牌无误"
    )
    assert declined.status_code == 303
    assert "车牌无误" in fresh.get("smelter", "/corrections").text


# the history ------------------------------------------------------------------------------------------------------


def test_a_history_links_each_version_of_the_document(fresh: World) -> None:
    before = fresh.get("smelter", f"batches/{DROSS}/label.pdf").content
    position, generated = read_as(fresh, DROSS, "generated")
    ask(fresh, "smelter", position, {**generated, "product": {**generated["product"], "mass_g": 29 * TONNE}})

    page = fresh.get("smelter", f"/batches/{DROSS}/history")

    assert "质量 30 t 29 t" in text_of(page)
    first, second = re.findall(r'href="(/api/v1/batches/[^"]+label\.pdf[^"]*)"', page.text)
    headers = fresh.headers("smelter")
    assert fresh.client.get(first, headers=headers).content == before
    assert fresh.client.get(second, headers=headers).content != before


@pytest.mark.parametrize("seat", ["stranger", "ganzi", "operator"])
def test_a_stranger_finds_no_history_entry_or_form(fresh: World, seat: str) -> None:
    requested(fresh)
    position, _ = read_as(fresh, M1, "loaded")
    nowhere = fresh.service.recording.position + 1_000
    for path, real, none in (
        ("/batches/{}/history", DROSS, f"{SMELTER}.NONE"),
        ("/manifests/{}/history", M1, f"{SMELTER}.M9"),
        ("/entries/{}", str(position), str(nowhere)),
        ("/entries/{}/correct", str(position), str(nowhere)),
    ):
        first, second = (
            (told.status_code, told.text.replace(each, "…"))
            for each in (real, none)
            for told in [fresh.get(seat, path.format(each))]
        )
        assert first == second, path
    assert DROSS not in fresh.get(seat, "/corrections").text
    assert M1 not in fresh.get(seat, "/corrections").text
