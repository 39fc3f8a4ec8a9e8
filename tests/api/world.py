"""A small world told over the wire: dross from a smelter to a recycler, what it leaves to a landfill, and who looks on."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from flows.codes import uscc_with_check
from flows.entries import event_json
from flows.touches import Touch
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger

SMELTER, RECYCLER, LANDFILL, CARRIER, STRANGER, DELEGATE = (
    uscc_with_check(first, body)
    for first, body in (
        ("91510100", "MA71AA01"), ("91510300", "MA72BB02"), ("91510500", "MA73CC03"), ("91510100", "MA74DD04"),
        ("91510600", "MA75EE05"), ("91510700", "MA76FF06"),
    )
)  # fmt: skip
PROVINCE = uscc_with_check("11510000", "MB710001")
CHENGDU = uscc_with_check("11510100", "MB720002")
GANZI = uscc_with_check("11513300", "MB730003")
NOBODY = uscc_with_check("91510100", "MA79GG09")
"""A valid code that nobody registered."""
NAMES: Final = {
    SMELTER: "成都甲铝业", RECYCLER: "自贡乙再生", LANDFILL: "泸州丙处置", CARRIER: "丁运输",
    STRANGER: "德阳旁观者", DELEGATE: "绵阳代办所",
}  # fmt: skip
DIVISIONS: Final = {
    SMELTER: "510104", RECYCLER: "510302", LANDFILL: "510502", CARRIER: "510100", STRANGER: "510600",
    DELEGATE: "510700",
}  # fmt: skip
SEATS: Final = {
    "smelter": (SMELTER, "member", ""),
    "smelter's driver": (SMELTER, "driver", ""),
    "smelter's reader": (SMELTER, "reader", ""),
    "recycler": (RECYCLER, "administrator", ""),
    "landfill": (LANDFILL, "member", ""),
    "carrier": (CARRIER, "member", ""),
    "stranger": (STRANGER, "administrator", ""),
    "delegate": (DELEGATE, "member", ""),
    "province": (PROVINCE, "regulator", "51"),
    "chengdu": (CHENGDU, "regulator", "5101"),
    "ganzi": (GANZI, "regulator", "5133"),
    "auditor": (PROVINCE, "auditor", ""),
    "operator": (SMELTER, "operator", ""),
}
NOW: Final = datetime(2026, 11, 1, 4, tzinfo=UTC)
TONNE: Final = 1_000_000
PERMIT: Final = "川环危511"
DROSS, LOAD, TAKEN = f"{SMELTER}.DROSS", f"{SMELTER}.M1-L1", f"{RECYCLER}.M1-A1"
INGOT, SECONDARY = f"{RECYCLER}.INGOT", f"{RECYCLER}.SECONDARY"
LAID = f"{LANDFILL}.M2-A1"
M1, M2 = f"{SMELTER}.M1", f"{RECYCLER}.M2"


class Clock:
    """Stands still until somebody sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """A service, a client on its wire, and a key for each seat."""

    service: Service
    client: TestClient
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict[str, str])
    told: int = 0

    def headers(self, seat: str | None) -> dict[str, str]:
        return {} if seat is None else {"Authorization": f"Bearer {self.keys[seat]}"}

    def get(self, seat: str | None, path: str, **params: Any) -> Response:
        """What a seat is told at a path below /api/v1 (or at a whole path)."""
        whole = path if path.startswith("/") else f"/api/v1/{path}"
        return self.client.get(whole, params=params, headers=self.headers(seat))

    def post(self, seat: str | None, body: Any, **headers: str) -> Response:
        return self.client.post("/api/v1/facts", json=body, headers={**self.headers(seat), **headers})

    def fact(self, kind: str, enterprise: str, day: str = "2026-09-01", **said: Any) -> dict[str, Any]:
        """A fact as JSON, under a name of its own."""
        self.told += 1
        return {"kind": kind, "event_id": f"E{self.told}", "enterprise": enterprise, "event_time": day, **said}

    def say(self, seat: str, kind: str, day: str = "2026-09-01", **said: Any) -> dict[str, Any]:
        """State a fact of the seat's organisation, which must be admitted."""
        answer = self.post(seat, self.fact(kind, SEATS[seat][0], day, **said))
        assert answer.status_code == 201, answer.text
        return answer.json()


def site(enterprise: str) -> str:
    return f"{enterprise}.SITE"


def portion(batch_id: str, mass_g: int, *, rest: bool = False) -> dict[str, Any]:
    return {"batch_id": batch_id, "mass_g": mass_g, "rest": rest}


def product(batch_id: str, material: str, mass_g: int, code: str | None = None) -> dict[str, Any]:
    told = {"batch_id": batch_id, "material": material, "mass_g": mass_g}
    return told if code is None else {**told, "code": code}


def permit(number: str = PERMIT, holder: str = RECYCLER) -> dict[str, Any]:
    lines = [{"waste": "HW48", "mode": "utilize", "annual_g": 30_000 * TONNE}]
    return {
        "permit_no": number, "holder": holder, "lines": lines, "valid_from": "2024-01-01", "valid_to": "2028-12-31",
    }  # fmt: skip


def submitted(manifest_id: str, consignee: str, lines: list[tuple[str, int]], **more: Any) -> dict[str, Any]:
    giver = manifest_id.partition(".")[0]
    told = [{"line": n, "batch_id": batch, "mass_g": mass_g} for n, (batch, mass_g) in enumerate(lines, 1)]
    return {
        "manifest_id": manifest_id, "internal_no": f"内{manifest_id[-2:]}", "consignor_site": site(giver),
        "consignee": consignee, "consignee_site": site(consignee), "lines": told,
        "legs": [{"carrier": CARRIER, "plate": "川A12345", "driver": "驾驶员戊"}], "method": "R4", **more,
    }  # fmt: skip


def move(
    world: World, giver: str, taker: str, manifest_id: str, batch: str, masses: tuple[int, int, int], day: str
) -> None:
    """A transfer of one line on a day: loaded, accepted and rejected grams."""
    loaded_g, accepted_g, rejected_g = masses
    own, theirs = SEATS[giver][0], SEATS[taker][0]
    name = manifest_id.partition(".")[2]
    load = f"{own}.{name}-L1"
    world.say(giver, "submitted", day, **submitted(manifest_id, theirs, [(batch, loaded_g)]))
    line = {"line": 1, "portion": portion(batch, loaded_g), "load_id": load}
    world.say(giver, "loaded", day, manifest_id=manifest_id, lines=[line])
    arrived = {"line": 1, "mass_g": accepted_g + rejected_g}
    world.say(taker, "arrived", day, manifest_id=manifest_id, lines=[arrived])
    decided: dict[str, Any] = {"line": 1, "load_id": load}
    decided["accepted"] = {"batch_id": f"{theirs}.{name}-A1", "mass_g": accepted_g}
    if rejected_g:
        decided |= {"rejected": {"batch_id": f"{theirs}.{name}-R1", "mass_g": rejected_g}, "reason": "混入杂物"}
    world.say(taker, "decided", day, manifest_id=manifest_id, lines=[decided])


def world_of(folder: Path) -> World:
    """The world with all its facts."""
    clock = Clock()
    service = Service.over(Settings(data=folder), MemoryLedger(), MemoryDesk(), clock)
    world = World(service, TestClient(create_app(service), base_url="http://127.0.0.1:8000"), clock)
    for seat, (organisation, role, division) in SEATS.items():
        world.keys[seat] = service.keys.create(organisation, role, division=division)[0]
    for seat in ("smelter", "recycler", "landfill", "carrier", "stranger", "delegate"):
        own = SEATS[seat][0]
        world.say(
            seat, "enterprise_registered", "2026-01-05", name=NAMES[own], division=DIVISIONS[own],
            roles=["generator"], contact=f"{NAMES[own]}联系人", phone="13800000000",
        )  # fmt: skip
        place = {"site_id": site(own), "code": "S1", "name": f"{NAMES[own]}厂区", "division": DIVISIONS[own]}
        world.say(seat, "site_registered", "2026-01-05", site=place)
    world.say("province", "permit_granted", "2026-01-06", permit=permit())
    world.say("chengdu", "enterprise_confirmed", "2026-01-06", confirmed=SMELTER)
    world.say(
        "smelter", "generated", site_id=site(SMELTER), product=product(DROSS, "primary-dross", 30 * TONNE, "LHZ1")
    )
    world.say("recycler", "collected", site_id=site(RECYCLER), scrap="old",
              product=product(f"{RECYCLER}.SCRAP", "aluminium-scrap", 11_111_111))  # fmt: skip
    move(world, "smelter", "recycler", M1, DROSS, (20 * TONNE, 17_900_000, 2 * TONNE), "2026-09-02")
    world.say(
        "recycler", "transformed", "2026-09-03", site_id=site(RECYCLER), process="dross-rotary-furnace",
        inputs=[portion(TAKEN, 17_900_000, rest=True), portion(f"{RECYCLER}.SCRAP", 11_111_111)],
        additions=[{"material": "flux-salt", "mass_g": 1_234_567}],
        outputs=[product(INGOT, "recovered-aluminium", 13_131_313), product(SECONDARY, "primary-secondary-dross", 12_100_101)],
        losses=[{"kind": "combustion", "mass_g": 5_014_264}],
    )  # fmt: skip
    move(world, "recycler", "landfill", M2, SECONDARY, (11_222_333, 11_222_000, 0), "2026-09-04")
    world.say("landfill", "disposed", "2026-09-05", site_id=site(LANDFILL), method="D1",
              portions=[portion(LAID, 7_654_321)])  # fmt: skip
    world.say("landfill", "mandate_given", "2026-01-07", mandate={
        "mandate_id": f"{LANDFILL}.MANDATE", "delegate": DELEGATE, "valid_from": "2026-01-01", "valid_to": "2026-12-31",
    })  # fmt: skip
    return world


def read_as(world: World, batch_or_manifest: str, kind: str) -> tuple[int, dict[str, Any]]:
    """The first fact of a kind that speaks of a batch or a manifest: its position, and how it is read now."""
    book = world.service.known().book
    for position in book.history(batch_or_manifest):
        event = book.fact(position).event
        if event is not None and event.kind == kind:
            return position, event_json(event)
    raise AssertionError(kind)


def correct(
    world: World, seat: str, fact: dict[str, Any], becomes: dict[str, Any] | None, *, agrees: str | None = None
) -> dict[str, Any]:
    """Have a fact, as it is read now, read as another or withdrawn; agreed by another seat where there is one."""
    told = world.say(
        seat, "correction_requested", "2026-10-01", reason="过磅单录错",
        changes=[{"stated_by": fact["enterprise"], "corrects": fact["event_id"], "was": fact, "becomes": becomes}],
    )  # fmt: skip
    if agrees is not None:
        request = told["entries"][0]["event_id"]
        return world.say(
            agrees, "correction_agreed", "2026-10-02", requested_by=SEATS[seat][0], request=request
        )  # fmt: skip
    return told


def mend(world: World) -> None:
    """Tell the world otherwise: the dross weighed less, the carrier came with another plate, nothing was laid to rest."""
    _, generated = read_as(world, DROSS, "generated")
    lighter = {**generated, "product": {**generated["product"], "mass_g": 29 * TONNE}}
    correct(world, "smelter", generated, lighter)
    _, loaded = read_as(world, M1, "loaded")
    correct(world, "smelter", loaded, {**loaded, "plate": "川A99999"}, agrees="recycler")
    _, laid = read_as(world, LAID, "disposed")
    correct(world, "landfill", laid, None)
    _, known = read_as_registered(world, RECYCLER)
    correct(world, "recycler", known, {**known, "phone": "13900000000"})


def read_as_registered(world: World, enterprise: str) -> tuple[int, dict[str, Any]]:
    """The registration of an enterprise."""
    book = world.service.known().book
    position = book.touches(Touch("enterprises", enterprise))[0]
    event = book.fact(position).event
    assert event is not None
    return position, event_json(event)
