"""A small park for the pages: a smelter, a recycler, a landfill and a lorry, with dross that goes round once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from api.service import Service
from api.settings import Settings
from flows.codes import uscc_with_check
from flows.enterprises import Permit, PermitLine, Site
from flows.events import (
    Arrived,
    ArrivedLine,
    Decided,
    DecidedLine,
    Disposed,
    EnterpriseRegistered,
    Fact,
    Generated,
    Leg,
    Loaded,
    LoadedLine,
    Loss,
    ManifestLine,
    Part,
    PermitGranted,
    Portion,
    Product,
    SiteRegistered,
    Submitted,
    Transformed,
)
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger

SMELTER, RECYCLER, LANDFILL, CARRIER, STRANGER = (
    uscc_with_check(first, body)
    for first, body in (
        ("91511100", "MA60AA01"), ("91510100", "MA60BB02"), ("91510500", "MA60CC03"), ("91510100", "MA60DD04"),
        ("91510300", "MA60EE05"),
    )
)  # fmt: skip
REGULATOR = uscc_with_check("11510000", "MB100001")
NAMES = {
    SMELTER: "眉山岷江铝业", RECYCLER: "成都锦江再生资源", LANDFILL: "泸州长江处置中心", CARRIER: "蜀道运输",
    STRANGER: "自贡旁观企业",
}  # fmt: skip
DIVISIONS = {SMELTER: "511400", RECYCLER: "510100", LANDFILL: "510500", CARRIER: "510100", STRANGER: "510300"}
ROLES = {SMELTER: "producer", RECYCLER: "recoverer", LANDFILL: "disposer", CARRIER: "carrier", STRANGER: "generator"}
NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)
TONNE = 1_000_000
DROSS = f"{SMELTER}.DROSS"
SECONDARY = f"{RECYCLER}.SECONDARY"
INGOT = f"{RECYCLER}.INGOT"
FIRST, OPEN = f"{SMELTER}.M1", f"{SMELTER}.M2"


@dataclass
class Park:
    """A service with the park's facts in it, and keys to look at it."""

    service: Service
    day: date = date(2026, 9, 1)
    told: int = 0
    keys: dict[str, str] = field(default_factory=dict[str, str])

    def tell(self, kind: type[Fact], enterprise: str, **said: Any) -> None:
        """State a fact of this day."""
        self.told += 1
        fact: Any = kind(event_id=f"e{self.told}", enterprise=enterprise, event_time=self.day, **said)
        self.service.recording.record([fact], enterprise)

    def send(self, giver: str, taker: str, name: str, batch: str, mass_g: int, *, until: str = "decided") -> None:
        """Move some of a batch, twenty kilograms lighter on the taker's scale."""
        manifest, load = f"{giver}.{name}", f"{giver}.{name}-L"
        leg = Leg(carrier=CARRIER, plate="川A12345")
        self.tell(
            Submitted, giver, manifest_id=manifest, internal_no=f"YD-{name}", consignor_site=f"{giver}.S",
            consignee=taker, consignee_site=f"{taker}.S", legs=(leg,), method="R4",
            lines=(ManifestLine(line=1, batch_id=batch, mass_g=mass_g),),
        )  # fmt: skip
        line = LoadedLine(line=1, portion=Portion(batch_id=batch, mass_g=mass_g), load_id=load)
        self.tell(Loaded, giver, manifest_id=manifest, lines=(line,))
        if until == "loaded":
            return
        self.day += timedelta(days=1)
        arrived_g = mass_g - 20_000
        self.tell(Arrived, taker, manifest_id=manifest, lines=(ArrivedLine(line=1, mass_g=arrived_g),))
        part = Part(batch_id=f"{taker}.{name}-A", mass_g=arrived_g)
        self.tell(Decided, taker, manifest_id=manifest, lines=(DecidedLine(line=1, load_id=load, accepted=part),))

    def turn(
        self, who: str, process: str, taken: Sequence[tuple[str, int]], made: Sequence[tuple[str, str, int]]
    ) -> None:
        """Make batches of batches; what is missing burnt off."""
        lost_g = sum(mass_g for _, mass_g in taken) - sum(mass_g for _, _, mass_g in made)
        self.tell(
            Transformed, who, site_id=f"{who}.S", process=process,
            inputs=tuple(Portion(batch_id=batch, mass_g=mass_g, rest=True) for batch, mass_g in taken),
            outputs=tuple(Product(batch_id=batch, material=kind, mass_g=mass_g) for batch, kind, mass_g in made),
            losses=(Loss(kind="combustion", mass_g=lost_g),),
        )  # fmt: skip


def park(folder: Path) -> Park:
    """The park with all its facts: dross, metal of it back at the smelter, its dross at the recycler again."""
    service = Service.over(Settings(data=folder), MemoryLedger(), MemoryDesk(), lambda: NOW)
    own = Park(service)
    for who, name in NAMES.items():
        own.tell(EnterpriseRegistered, who, name=name, division=DIVISIONS[who], roles=(ROLES[who],))
        site = Site(site_id=f"{who}.S", code="S", name="厂区", division=DIVISIONS[who])
        own.tell(SiteRegistered, who, site=site)
    own.tell(EnterpriseRegistered, REGULATOR, name="省生态环境厅", division="510000", roles=("trader",))
    line = PermitLine(waste="HW48", mode="utilize", annual_g=30_000 * TONNE)
    dates = {"valid_from": date(2024, 1, 1), "valid_to": date(2026, 12, 31)}
    permit = Permit(permit_no="川环危第1号", holder=RECYCLER, lines=(line,), **dates)
    own.tell(PermitGranted, REGULATOR, permit=permit)
    dross = Product(batch_id=DROSS, material="primary-dross", mass_g=30 * TONNE, code="LHZ001")
    own.tell(Generated, SMELTER, site_id=f"{SMELTER}.S", product=dross)
    own.send(SMELTER, RECYCLER, "M1", DROSS, 20 * TONNE)
    own.turn(
        RECYCLER, "dross-rotary-furnace", [(f"{RECYCLER}.M1-A", 19_980_000)],
        [(INGOT, "recovered-aluminium", 8 * TONNE), (SECONDARY, "primary-secondary-dross", 11_900_000)],
    )  # fmt: skip
    own.send(RECYCLER, LANDFILL, "M3", SECONDARY, 11 * TONNE)
    own.tell(
        Disposed, LANDFILL, site_id=f"{LANDFILL}.S", method="D1",
        portions=(Portion(batch_id=f"{LANDFILL}.M3-A", mass_g=10_980_000),),
    )  # fmt: skip
    own.send(RECYCLER, SMELTER, "M4", INGOT, 5 * TONNE)
    own.turn(SMELTER, "casting", [(f"{SMELTER}.M4-A", 4_980_000)], [
        (f"{SMELTER}.CAST", "aluminium-alloy-ingot", 4_900_000), (f"{SMELTER}.DROSS2", "primary-dross", 60_000),
    ])  # fmt: skip
    own.send(SMELTER, RECYCLER, "M5", f"{SMELTER}.DROSS2", 60_000)
    own.send(SMELTER, RECYCLER, "M2", DROSS, 5 * TONNE, until="loaded")
    for name, who, role, division in (
        ("regulator", REGULATOR, "regulator", "51"), ("smelter", SMELTER, "member", ""),
        ("recycler", RECYCLER, "member", ""), ("landfill", LANDFILL, "reader", ""), ("stranger", STRANGER, "member", ""),
    ):  # fmt: skip
        own.keys[name] = service.keys.create(who, role, division=division)[0]
    return own
