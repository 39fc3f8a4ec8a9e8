"""Readings out: traces in four forms, fates and provenances to the gram, indicators with their parts, documents."""

import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from api.rest import shapes
from api.rest.manifests import find_manifest
from flows.access import Caller
from flows.errors import Unknown
from tests.api.world import DROSS, INGOT, LAID, LOAD, M1, M2, RECYCLER, SEATS, SECONDARY, SMELTER, TAKEN, TONNE, World

SEERS = ("smelter", "province")


@pytest.mark.parametrize("seat", SEERS)
@pytest.mark.parametrize("direction", ["down", "up", "both"])
@pytest.mark.parametrize("batch", [DROSS, TAKEN])
def test_rows_by_page_are_the_columns(world: World, seat: str, direction: str, batch: str) -> None:
    columns = world.get(seat, f"batches/{batch}/trace", direction=direction, form="columns").json()
    tables: dict[str, list[dict[str, Any]]] = {"nodes": [], "edges": [], "ends": [], "sources": []}
    url: str | None = f"/api/v1/batches/{batch}/trace?direction={direction}&limit=2"
    while url:
        answer = world.client.get(url, headers=world.headers(seat))
        for name in tables:
            tables[name] += answer.json()[name]
        url = answer.headers["link"][1:].partition(">")[0] if "link" in answer.headers else None

    for name, rows in tables.items():
        assert {key: [row[key] for row in rows] for key in columns[name]} == columns[name], name


def test_a_trace_says_each_batch_once_and_whose_share(world: World) -> None:
    told = world.get("province", f"batches/{DROSS}/trace").json()
    nodes = {node["batch_id"]: node for node in told["nodes"]}

    assert set(nodes) == {DROSS, LOAD, TAKEN, f"{RECYCLER}.M1-R1", INGOT, SECONDARY, f"{RECYCLER}.M2-L1", LAID}
    assert nodes[LOAD]["share"] == pytest.approx(2 / 3)
    assert nodes[INGOT]["content_g"] == pytest.approx(13_131_313 * 17_900_000 / (17_900_000 + 11_111_111 + 1_234_567))


@pytest.mark.parametrize("form", ["graphml", "node-link"])
def test_other_programs_read_the_graph(world: World, form: str) -> None:
    answer = world.get("auditor", f"batches/{DROSS}/trace", form=form, direction="both")
    told: Any = answer.content
    graph: Any = (
        nx.read_graphml(io.BytesIO(told)) if form == "graphml" else nx.node_link_graph(json.loads(told), edges="links")
    )

    assert nx.has_path(graph, DROSS, LAID)
    assert sorted(graph.nodes) == sorted(
        node["batch_id"] for node in world.get("auditor", f"batches/{DROSS}/trace", direction="both").json()["nodes"]
    )


def test_a_filter_hides_and_changes_no_share(world: World) -> None:
    whole = world.get("province", f"batches/{DROSS}/trace").json()["nodes"]
    some = world.get("province", f"batches/{DROSS}/trace", material="recovered-aluminium").json()["nodes"]

    assert [node["batch_id"] for node in some] == [DROSS, INGOT]
    assert all(node in whole for node in some)


def test_a_trace_as_known_earlier_is_shorter(world: World) -> None:
    position = world.get("province", f"batches/{LOAD}").json()["position"]

    earlier = world.get("province", f"batches/{DROSS}/trace", as_of=position).json()["nodes"]
    by_then = world.get("province", f"batches/{DROSS}/trace", at="2026-09-01").json()["nodes"]

    assert [node["batch_id"] for node in earlier] == [DROSS, LOAD]
    assert [node["batch_id"] for node in by_then] == [DROSS]
    assert world.get("province", f"batches/{DROSS}/trace", as_of=1).status_code == 404


def test_what_was_known_is_asked_by_position_or_by_record_time(world: World) -> None:
    def told(as_of: object) -> Any:
        return world.get("province", f"batches/{DROSS}/trace", as_of=as_of)

    position = world.service.recording.position
    everything = [node["batch_id"] for node in told(position).json()["nodes"]]
    for now in ("2026-11-01", "2026-11-01T12:00:00+08:00"):
        assert [node["batch_id"] for node in told(now).json()["nodes"]] == everything
    for before in ("2026-10-31", "2026-11-01T11:59:59+08:00", 0):
        assert (told(before).status_code, told(before).json()["code"]) == (422, "as-of-before-first")
    for beyond in (position + 1, 10**9, 10**70):
        assert (told(beyond).status_code, told(beyond).json()["code"]) == (422, "as-of-beyond-end")
    for to_come in ("2026-11-02", "2026-11-01T12:31:00+08:00"):
        assert (told(to_come).status_code, told(to_come).json()["code"]) == (422, "as-of-to-come")
    for wrong in ("-1", "1.5", "yesterday", "2026-11-01T12:00:00"):
        assert (told(wrong).status_code, told(wrong).json()["code"]) == (422, "as-of-unreadable")


@pytest.mark.parametrize("text", [M1.lower(), f"HTTPS://X.CN/M/{M1}", "内M1", " 内m1 "])
def test_a_manifest_is_found_by_any_name_of_its_and_by_nobody_else(world: World, text: str) -> None:
    sight = world.service.sight(Caller(SMELTER, "member"))
    assert find_manifest(text, sight, world.service).manifest_id == M1
    stranger = world.service.sight(Caller(SEATS["stranger"][0], "member"))
    with pytest.raises(Unknown):
        find_manifest(text, stranger, world.service)
    if "/" not in text:
        assert world.get("smelter", f"manifests/{text}").json()["manifest_id"] == M1
        unseen, absent = (world.get("stranger", f"manifests/{each}").json() for each in (text, "内M9"))
        assert unseen["status"] == absent["status"] == 404
        assert unseen["code"] == absent["code"] == "manifest-unknown"


def test_what_had_not_been_made_by_then_has_no_fate_and_no_sources(world: World) -> None:
    for reading in ("trace", "fate", "provenance"):
        answer = world.get("province", f"batches/{DROSS}/{reading}", at="2026-08-31")
        assert (answer.status_code, answer.json()["code"]) == (404, "batch-unknown")


@pytest.mark.parametrize(
    ("asked", "code", "near"),
    [
        ({"material": "primary-dros"}, "material-unknown", "primary-dross"),
        ({"waste_code": "HW99"}, "waste-unknown", "HW"),
        ({"waste_code": "321-024-49"}, "waste-unknown", "321-024-48"),
    ],
)
@pytest.mark.parametrize("path", ["batches", "fates", f"batches/{DROSS}/trace", "indicators"])
def test_a_filter_that_names_nothing_is_told_with_the_nearest(
    world: World, path: str, asked: dict[str, str], code: str, near: str
) -> None:
    if path == "indicators":
        asked = {"level": "province", "key": "51"} | {
            name.replace("waste_", ""): value for name, value in asked.items()
        }
    answer = world.get("province", path, **asked)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert near in answer.json()["figures"]["nearest"]


def test_a_metal_that_is_none_is_unknown_and_one_that_cannot_be_honoured_a_reason(world: World) -> None:
    assert world.get("smelter", "indicators", metal="zz").json()["code"] == "metal-unknown"
    rows = world.get("auditor", "indicators", only="supply-share", metal="al").json()["rows"]
    assert rows[0]["reason"] == "metal-by-definition"
    assert "supply-ratio-al" in rows[0]["reason_text"]["en"]
    told = world.get("auditor", "indicators/supply-share/parts", metal="al").json()
    assert (told["value"]["value"], told["rows"]) == (None, [])


@pytest.mark.parametrize("seat", SEERS)
@pytest.mark.parametrize("basis", ["weighed", "dry"])
def test_a_fate_sums_to_the_gram(world: World, seat: str, basis: str) -> None:
    told = world.get(seat, f"batches/{DROSS}/fate", basis=basis).json()

    shapes.Fate.model_validate(told)
    assert sum(row["mass_g"] for row in told["classes"]) == told["mass_g"]
    assert sum(row["share"] for row in told["classes"]) == pytest.approx(1)
    if basis == "weighed":
        assert told["mass_g"] == 30 * TONNE
    assert (told["bounds"] is not None) is (seat == "province")


@pytest.mark.parametrize("seat", ["recycler", "province"])
def test_a_provenance_sums_to_one(world: World, seat: str) -> None:
    told = world.get(seat, f"batches/{INGOT}/provenance").json()

    shapes.Provenance.model_validate(told)
    assert sum(row["mass_g"] for row in told["sources"]) == told["mass_g"] == 13_131_313
    assert sum(row["share"] for row in told["sources"]) == pytest.approx(1)
    assert {row["boundary"] for row in told["sources"]} == {"generation", "collection", "addition"}


def test_all_that_somebody_generated_has_one_fate(world: World) -> None:
    own = world.get("smelter", "fates").json()
    theirs = world.get("chengdu", "fates", holder=SMELTER, waste_code="321-024-48").json()

    assert own["batches"] == theirs["batches"] == 1
    assert own["mass_g"] == theirs["mass_g"] == 30 * TONNE
    assert world.get("smelter", "fates", first="2026-10-01").json()["batches"] == 0
    assert world.get("ganzi", "fates").json()["batches"] == 0


@pytest.mark.parametrize(
    ("seat", "level"), [("smelter", "enterprise"), ("chengdu", "prefecture"), ("auditor", "region")]
)
def test_indicators_come_with_their_parts(world: World, seat: str, level: str) -> None:
    rows = world.get(seat, "indicators", first="2026-01-01", last="2026-10-31").json()["rows"]

    shapes.Values.model_validate({"rows": rows})
    assert {row["boundary"]["level"] for row in rows} == {level}
    assert all(row["value"] is not None or row["reason"] for row in rows)
    assert all(row["reason"] is None or row["reason_text"]["zh"] for row in rows)
    assert any(row["numerator_g"] for row in rows)


def test_the_entries_behind_a_figure_sum_to_it(world: World) -> None:
    for definition in world.get("smelter", "definitions").json()["rows"]:
        told = world.get("smelter", f"indicators/{definition['id']}/parts", last="2026-10-31").json()
        shapes.ValueParts.model_validate(told)
        for part in told["value"]["parts"]:
            if part["mass_g"] is not None and any(row["part"] == part["part"] for row in told["rows"]):
                assert sum(row["mass_g"] for row in told["rows"] if row["part"] == part["part"]) == part["mass_g"]
        for row in told["rows"]:
            if row["position"] is not None:
                assert world.get("smelter", f"entries/{row['position']}").status_code == 200


def test_an_unknown_indicator_is_told_with_those_there_are(world: World) -> None:
    assert world.get("smelter", "indicators", only="luck").json()["code"] == "indicator-unknown"
    assert world.get("smelter", "indicators/luck/parts").status_code == 404


def test_the_network_is_the_regulators(world: World) -> None:
    told = world.get("province", "network").json()

    shapes.Network.model_validate(told)
    assert [(each["giver"], each["mass_g"]) for each in told["supplies"]] == [
        (SMELTER, 17_900_000),
        (RECYCLER, 11_222_000),
    ]
    assert world.get("smelter", "network").json()["code"] == "graph-regulators-only"
    assert world.get("ganzi", "network").json()["supplies"] == []


@pytest.mark.parametrize("manifest", [M1, M2])
def test_a_manifest_with_what_each_said(world: World, manifest: str) -> None:
    told = world.get("recycler", f"manifests/{manifest.lower()}").json()

    shapes.Manifest.model_validate(told)
    assert [fact["kind"] for fact in told["facts"]] == ["submitted", "loaded", "arrived", "decided"]
    line = told["lines"][0]
    parts = sum(part["mass_g"] for part in (line["accepted"], line["rejected"]) if part)
    assert parts == line["arrived_g"] == line["loaded_g"] + line["difference_g"]
    assert told["state"] == ("partly_accepted" if manifest == M1 else "accepted")


# documents --------------------------------------------------------------------------------------------------------


def _codes(image: Image.Image) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(np.asarray(image.convert("L")))]


def _page_image(pdf: bytes) -> Image.Image:
    page = pypdfium2.PdfDocument(pdf)[0]
    image: Image.Image = page.render(scale=4).to_pil()
    return image


@pytest.mark.parametrize("form", ["png", "pdf"])
@pytest.mark.parametrize("size", [100, 150, 200])
def test_the_code_on_a_label_leads_to_the_batch(world: World, form: str, size: int) -> None:
    answer = world.get("smelter", f"batches/{DROSS}/label.{form}", size_mm=size)
    image = Image.open(io.BytesIO(answer.content)) if form == "png" else _page_image(answer.content)
    [link] = _codes(image)

    assert link.startswith("HTTP://127.0.0.1:8000/Q/")
    opened = world.get("smelter", link.removeprefix("HTTP://127.0.0.1:8000"))
    assert opened.url.path == f"/batches/{DROSS}"
    assert DROSS in opened.text
    assert answer.content == world.get("smelter", f"batches/{DROSS}/label.{form}", size_mm=size).content


def test_a_label_as_svg_is_svg(world: World) -> None:
    answer = world.get("smelter", f"batches/{INGOT}/label.svg")
    assert answer.status_code == 404, "another's batch"
    answer = world.get("recycler", f"batches/{INGOT}/label.svg", black_only="true")

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert ET.fromstring(answer.content).tag.endswith("svg")


@pytest.mark.parametrize("seat", ["smelter", "recycler", "carrier", "zigong"])
def test_the_sheet_of_a_manifest_leads_to_it(world: World, seat: str) -> None:
    if seat == "zigong":
        assert world.get("ganzi", f"manifests/{M1}/sheet.pdf").status_code == 404
        return
    answer = world.get(seat, f"manifests/{M1}/sheet.pdf")

    assert answer.headers["content-type"] == "application/pdf"
    [link] = _codes(_page_image(answer.content))
    assert world.get(seat, link.removeprefix("HTTP://127.0.0.1:8000")).url.path == f"/manifests/{M1}"


def test_a_carrier_sees_its_load_and_asks_not_where_it_went(world: World) -> None:
    assert world.get("carrier", f"batches/{LOAD}").json()["batch_id"] == LOAD
    for reading in ("trace", "fate", "provenance"):
        answer = world.get("carrier", f"batches/{LOAD}/{reading}")
        assert (answer.status_code, answer.json()["code"]) == (403, "chain-parties-only")


# workbooks --------------------------------------------------------------------------------------------------------


def test_a_workbook_goes_out_and_in_again_and_changes_nothing(fresh: World) -> None:
    book = fresh.get("smelter", "exports/workbook.xlsx")
    assert book.status_code == 200
    assert "filename*=UTF-8''" in book.headers["content-disposition"]
    before = fresh.service.book.position

    for path in ("imports/check", "imports"):
        answer = fresh.client.post(
            f"/api/v1/{path}", files={"file": ("x.xlsx", book.content)}, headers=fresh.headers("smelter")
        )
        assert answer.json()["errors"] == []
        assert answer.json()["facts"] == 0
    assert fresh.service.book.position == before


def test_what_is_no_workbook_is_told_so(world: World) -> None:
    for body in (b"", b"PK\x03\x04", b"text"):
        files = {"file": ("x.xlsx", body)}
        checked = world.client.post("/api/v1/imports/check", files=files, headers=world.headers("smelter"))
        kept = world.client.post("/api/v1/imports", files=files, headers=world.headers("smelter"))
        assert kept.status_code == 422
        assert checked.json().get("errors"), checked.text


@pytest.mark.parametrize("seat", ["stranger", "smelter's reader", "smelter's driver", "province", "operator"])
def test_only_an_enterprises_own_hand_in_its_workbook(world: World, seat: str) -> None:
    answer = world.client.post(
        "/api/v1/imports", files={"file": ("x.xlsx", b"x")}, data={"enterprise": SMELTER}, headers=world.headers(seat)
    )

    assert answer.status_code == 403


def test_the_template_is_everybodys_with_a_key(world: World) -> None:
    assert world.get("stranger", "exports/template.xlsx").content[:2] == b"PK"
    assert world.get(None, "exports/template.xlsx").status_code == 401
