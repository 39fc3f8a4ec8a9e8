"""Both versions of a document can be printed: each bears its number, its entry and that entry's digest."""

import pypdfium2 as pdfium
import pytest

from api.documents import batch_label, manifest_sheet
from api.versions import label_version, sheet_version
from tests.api.test_corrections import ask, lighter, replated, reply, requested
from tests.api.world import DROSS, INGOT, M1, RECYCLER, SMELTER, TAKEN, TONNE, World, read_as, read_as_registered, site


def printed(world: World, path: str, **when: int) -> str:
    answer = world.get("smelter", path, **when)
    assert answer.status_code == 200, answer.text
    text = "".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(answer.content))
    return "".join(text.split())


def test_a_label_bears_the_version_the_entry_and_its_digest(fresh: World) -> None:
    position, becomes = lighter(fresh, 29 * TONNE)
    digest = fresh.get("smelter", f"entries/{position}").json()["digest"]
    path = f"batches/{DROSS}/label.pdf"
    assert f"第1版·台账第{position}条·摘要{digest[:12]}" in printed(fresh, path)
    end = fresh.service.recording.position
    before = fresh.get("smelter", path).content

    told = ask(fresh, "smelter", position, becomes).json()

    at = told["correction"]["position"]
    assert f"第2版·台账第{at}条·摘要{told['digest'][:12]}" in printed(fresh, path)
    assert fresh.get("smelter", path, as_of=end).content == before


def test_a_sheet_counts_what_was_agreed_and_not_what_was_asked(fresh: World) -> None:
    path = f"manifests/{M1}/sheet.pdf"
    last = fresh.service.book.manifest(M1).positions[-1]
    assert f"第1版·台账第{last}条" in printed(fresh, path)
    name = requested(fresh)
    asked = fresh.service.recording.position
    assert f"第1版·台账第{last}条" in printed(fresh, path)

    agreed = reply(fresh, "recycler", name, "agree").json()

    settled = agreed["correction"]["settled"]["position"]
    assert f"第2版·台账第{settled}条·摘要{agreed['digest'][:12]}" in printed(fresh, path)
    assert f"第1版·台账第{last}条" in printed(fresh, path, as_of=asked)
    assert f"第1版·台账第{last}条" in printed(fresh, path, as_of=settled - 1)


def test_what_a_document_does_not_show_makes_no_version_of_it(fresh: World) -> None:
    service = fresh.service
    sheet, taken = (
        sheet_version(service.book.manifest(M1), service), label_version(service.book.batch(TAKEN), service),
    )  # fmt: skip
    position, becomes = lighter(fresh, 29 * TONNE)
    ask(fresh, "smelter", position, becomes)
    known = service.known()

    assert label_version(known.book.batch(DROSS), known).number == 2
    assert sheet_version(known.book.manifest(M1), known) == sheet
    assert label_version(known.book.batch(TAKEN), known) == taken


def test_a_correction_far_up_makes_a_version_of_what_shows_it(fresh: World) -> None:
    position, generated = read_as(fresh, DROSS, "generated")
    product = {**generated["product"], "material": "primary-secondary-dross"}
    asked = ask(fresh, "smelter", position, {**generated, "product": product})
    assert asked.json()["correction"]["others"] == [RECYCLER], "the load was made of it: both sides' matter"
    waiting = fresh.service.known()
    assert label_version(waiting.book.batch(TAKEN), waiting).number == 1
    reply(fresh, "recycler", asked.json()["correction"]["request"], "agree")
    known = fresh.service.known()

    assert label_version(known.book.batch(TAKEN), known).number == 2
    assert label_version(known.book.batch(INGOT), known).number == 1
    assert sheet_version(known.book.manifest(M1), known).number == 2


def test_a_name_told_anew_is_another_entry_and_a_name_corrected_another_version(fresh: World) -> None:
    _, registered = read_as_registered(fresh, SMELTER)
    told = fresh.say("smelter", "site_registered", "2026-10-03", site={
        "site_id": site(SMELTER), "code": "S1", "name": "新厂区", "division": "510104", "contact": "新联系人",
    })  # fmt: skip
    known = fresh.service.known()
    first = label_version(known.book.batch(DROSS), known)
    assert (first.number, first.position) == (1, told["entries"][0]["position"])

    ask(fresh, "smelter", 1, {**registered, "name": "成都甲铝业有限公司"})

    known = fresh.service.known()
    assert label_version(known.book.batch(DROSS), known).number == 2


def test_there_and_back_are_three_versions(fresh: World) -> None:
    position, _ = lighter(fresh, 29 * TONNE)
    for mass in (29, 30):
        ask(fresh, "smelter", position, lighter(fresh, mass * TONNE)[1])
    known = fresh.service.known()

    assert label_version(known.book.batch(DROSS), known).number == 3


@pytest.mark.parametrize("seat", ["smelter", "recycler"])
def test_what_is_printed_is_the_same_for_whoever_prints_it(fresh: World, seat: str) -> None:
    position, becomes = replated(fresh)
    name = ask(fresh, seat, position, becomes).json()["correction"]["request"]
    other, requester = ("recycler", "smelter") if seat == "smelter" else ("smelter", "recycler")
    reply(fresh, other, name, "agree", requester={"smelter": SMELTER}.get(requester, RECYCLER))
    known = fresh.service.known()
    manifest = known.book.manifest(M1)

    assert manifest_sheet(manifest, known, "https://x.example").version.startswith("第 2 版")
    assert batch_label(known.book.batch(TAKEN), known, "https://x.example").version.startswith("第 1 版")
