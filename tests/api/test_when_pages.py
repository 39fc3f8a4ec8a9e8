"""Pages as of another date: the state is said in a banner, kept by every link, and what was known then is shown."""

import re

import pytest

from tests.api.world import DROSS, LAID, M1, RECYCLER, World, mend

PATHS = ("/", "/batches", "/manifests", f"/enterprises/{RECYCLER}", f"/batches/{DROSS}", f"/batches/{DROSS}/trace",
         f"/manifests/{M1}")  # fmt: skip
_LINK = re.compile(r'(?<!data-now )href="((?:/(?:batches|manifests|enterprises)|\?)[^"]*)"')


def text(world: World, path: str, **asked: object) -> str:
    answer = world.get("auditor", path, **asked)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_as_of_a_date_says_so_and_all_its_links_keep_it(world: World, path: str) -> None:
    position = world.service.recording.position
    told = text(world, path, as_of="2026-11-01", at="2026-09-04")

    assert f"按 2026-11-01 登记情况显示（台账第 {position} 条）" in told
    assert "只算截至 2026-09-04 已发生的" in told
    links = _LINK.findall(told)
    assert links
    for each in links:
        assert "as_of=2026-11-01" in each, each
        assert "at=2026-09-04" in each, each
    for form in re.findall(r'<form\b[^>]*method="get".*?</form>', told, re.DOTALL):
        assert 'name="as_of"' in form
    assert f'<a data-now href="{path}">回到现在</a>' in told


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_now_has_no_banner_and_offers_another_date(world: World, path: str) -> None:
    told = text(world, path)

    assert "登记情况显示" not in told
    assert 'name="as_of"' in told


def test_what_was_corrected_later_is_shown_as_it_was_known(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)

    assert "29<span" in text(fresh, f"/batches/{DROSS}")
    assert "30<span" in text(fresh, f"/batches/{DROSS}", as_of=position)
    assert "川A99999" not in text(fresh, f"/manifests/{M1}", as_of=position)


def test_the_state_of_the_control_keeps_the_other_choices(world: World) -> None:
    told = text(world, f"/batches/{DROSS}/trace", direction="up", depth="3", as_of="2026-11-01")
    control = told[told.index('<details class="when">') :]

    assert '<input type="hidden" name="direction" value="up">' in control
    assert '<input type="hidden" name="depth" value="3">' in control


def test_a_state_that_is_not_there_is_a_page_with_words(world: World) -> None:
    answer = world.get("auditor", f"/batches/{DROSS}", as_of="2031-01-01")

    assert answer.status_code == 422
    assert "还没有到" in answer.text


def test_the_page_of_two_dates_tells_what_changed_in_words(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    told = text(fresh, "/differences", **{"from": position})

    assert "重量：<del>30 t</del> → <ins>29 t</ins>" in told
    assert f"第 {position + 1} 条 申请更正" in told
    assert "过磅单录错" in told
    assert "川A99999" in told
    assert f'href="/batches/{LAID}"' in told
    assert "没有您可见的差异" in text(fresh, "/differences", **{"from": fresh.service.recording.position})


def test_two_instants_are_compared_on_the_page(world: World) -> None:
    told = text(world, "/differences", **{"from": "2026-09-02"}, to="2026-09-03", by="happened")

    assert "新增" in told
    assert "只算截至 2026-09-03" in told


@pytest.mark.parametrize(("since", "words"), [("9999", "台账目前只到"), ("gestern", "既不是台账位置")])
def test_a_date_that_cannot_be_read_is_told_beside_the_form(world: World, since: str, words: str) -> None:
    answer = world.get("auditor", "/differences", **{"from": since})

    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{since}"' in answer.text


def test_a_stranger_finds_nothing_on_the_page_of_two_dates(fresh: World) -> None:
    position = fresh.service.recording.position
    mend(fresh)
    answer = fresh.get("stranger", "/differences", **{"from": position})

    assert "没有您可见的差异" in answer.text
    assert DROSS not in answer.text
