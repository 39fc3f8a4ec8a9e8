"""Facts in domain words: a smelter, a recoverer and a carrier in Sichuan, one recoverer beyond the border.

The same words give the same fact, event id and all: saying it again is a retry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from flows.book import Book
from flows.codes import uscc_with_check
from flows.enterprises import Approval, Mandate, Permit, PermitLine, Plan, PlanLine, Site, StorageArea
from flows.entries import Entry
from flows.errors import Problem
from flows.events import (
    ApprovalGranted,
    Arrived,
    ArrivedLine,
    Decided,
    DecidedLine,
    EnterpriseRegistered,
    Event,
    Fact,
    Generated,
    Leg,
    Loaded,
    LoadedLine,
    MandateGiven,
    ManifestLine,
    Part,
    PermitGranted,
    PlanFiled,
    Portion,
    Product,
    SiteRegistered,
    StorageRegistered,
    Stored,
    Submitted,
    Transformed,
)
from flows.ids import derived
from flows.law import Finding
from flows.mass import grams
from flows.materials import catalogue
from flows.ports import Ledger
from flows.recording import Recording, Statement
from flows.times import SHANGHAI, instant_us
from graph.memory_ledger import MemoryLedger

SMELTER = uscc_with_check("91510100", "MA6100AB")
RECOVERER = uscc_with_check("91510300", "MA6200AB")
CARRIER = uscc_with_check("91510100", "MA6300AB")
YUNNAN = uscc_with_check("91530100", "MA6400AB")
STRANGER = uscc_with_check("91510500", "MA6500AB")
BUREAU = uscc_with_check("11510000", "00861234")
"""The province's environment bureau."""
DIVISIONS = {SMELTER: "510100", RECOVERER: "510300", CARRIER: "510100", YUNNAN: "530100", STRANGER: "510500"}
PERMIT = "川环危510300001"
RESIDUE = "zinc-leach-residue"
"""Hazardous, 321-004-48, and not on the exemption list."""
RESIDUE_CODE = "321-004-48"
SLAG = "copper-smelting-slag"
"""General waste: no permit asks for it."""

DAY = date(2026, 3, 9)
NOON = datetime(2026, 3, 9, 12, tzinfo=SHANGHAI)
MORNING = datetime(2026, 3, 9, 8, tzinfo=SHANGHAI)
LONG_AGO = date(2026, 1, 2)
NINE, HALF_PAST_NINE = (MORNING.replace(hour=9, minute=minute) for minute in (0, 30))
ELEVEN, HALF_PAST_ELEVEN = (MORNING.replace(hour=11, minute=minute) for minute in (0, 30))

F = TypeVar("F", bound=Fact)


def say(kind: type[F], enterprise: str, when: date = MORNING, **fields: Any) -> F:
    """A fact under an event id made of its words."""
    named = fields.pop("event_id", None) or derived(kind.__name__, enterprise, str(when), repr(fields))
    return kind(event_id=named, enterprise=enterprise, event_time=when, **fields)


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A time of the story's day."""
    return MORNING.replace(hour=hour, minute=minute) + timedelta(days=days)


def own(enterprise: str, name: str) -> str:
    return f"{enterprise}.{name}"


def site(enterprise: str) -> str:
    return own(enterprise, "SITE")


def yard(enterprise: str) -> str:
    return own(enterprise, "YARD")


# who ---------------------------------------------------------------------------------------------------------------


def registered(enterprise: str, division: str | None = None) -> list[Event]:
    """An enterprise with a site and a yard."""
    division = division or DIVISIONS[enterprise]
    place = Site(site_id=site(enterprise), code="S1", name="site", division=division)
    area = StorageArea(storage_id=yard(enterprise), site_id=site(enterprise), code="TS001", name="yard")
    return [
        say(EnterpriseRegistered, enterprise, LONG_AGO, name=enterprise, division=division, roles=("generator",)),
        say(SiteRegistered, enterprise, LONG_AGO, site=place),
        say(StorageRegistered, enterprise, LONG_AGO, storage=area),
    ]


def permit(
    holder: str = RECOVERER,
    mass: str = "100 t",
    *,
    number: str = PERMIT,
    waste: str = "HW48",
    mode: Any = "utilize",
    begin: date = date(2026, 1, 1),
    end: date = date(2030, 12, 31),
) -> Permit:
    line = PermitLine(waste=waste, mode=mode, annual_g=grams(mass))
    return Permit(permit_no=number, holder=holder, lines=(line,), valid_from=begin, valid_to=end)


def permitted(*args: Any, **fields: Any) -> PermitGranted:
    return say(PermitGranted, BUREAU, LONG_AGO, permit=permit(*args, **fields))


def planned(enterprise: str = SMELTER, year: int = 2026, waste: str = RESIDUE_CODE) -> PlanFiled:
    lines = (PlanLine(waste=waste, generated_g=grams("1000 t")),)
    plan = Plan(plan_id=own(enterprise, f"PLAN-{year}"), site_id=site(enterprise), year=year, lines=lines)
    return say(PlanFiled, enterprise, LONG_AGO, plan=plan)


def approved(mass: str = "10 t", **fields: Any) -> ApprovalGranted:
    words = {
        "approval_no": "川环跨2026-001", "consignor": SMELTER, "consignee": YUNNAN, "waste_code": RESIDUE_CODE,
        "method": "R4", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31),
    }  # fmt: skip
    return say(ApprovalGranted, BUREAU, LONG_AGO, approval=Approval(mass_g=grams(mass), **{**words, **fields}))


def mandated(giver: str, delegate: str, begin: date, end: date) -> MandateGiven:
    mandate = Mandate(mandate_id=own(giver, "MANDATE"), delegate=delegate, valid_from=begin, valid_to=end)
    return say(MandateGiven, giver, LONG_AGO, mandate=mandate)


# what happens ------------------------------------------------------------------------------------------------------


def product(enterprise: str, name: str, mass: str, material: str = RESIDUE) -> Product:
    return Product(batch_id=own(enterprise, name), material=material, mass_g=grams(mass))


def generated(
    name: str = "B1", mass: str = "10 t", by: str = SMELTER, material: str = RESIDUE, when: date = MORNING
) -> Generated:
    return say(Generated, by, when, site_id=site(by), product=product(by, name, mass, material))


def portion(name: str, mass: str, of: str = SMELTER, *, rest: bool = False) -> Portion:
    return Portion(batch_id=own(of, name), mass_g=grams(mass), rest=rest)


def transformed(
    inputs: Sequence[Portion],
    outputs: Sequence[Product],
    *,
    by: str = SMELTER,
    process: str = "leaching",
    when: date = NINE,
    **fields: Any,
) -> Transformed:
    words = {"site_id": site(by), "process": process, "inputs": tuple(inputs), "outputs": tuple(outputs)}
    return say(Transformed, by, when, **words, **fields)


def stored(name: str, by: str = SMELTER, when: date = NINE) -> Stored:
    return say(Stored, by, when, batch_id=own(by, name), storage_id=yard(by))


def submitted(
    lines: Mapping[str, str],
    number: str = "M1",
    *,
    by: str = SMELTER,
    to: str = RECOVERER,
    when: date = NINE,
    **fields: Any,
) -> Submitted:
    """`lines` is batch name to mass; carried by the carrier on the platform."""
    told = tuple(
        ManifestLine(line=line, batch_id=own(by, name), mass_g=grams(mass))
        for line, (name, mass) in enumerate(lines.items(), 1)
    )
    words: dict[str, Any] = {
        "manifest_id": own(by, number), "internal_no": number, "consignor_site": site(by), "consignee": to,
        "consignee_site": site(to), "lines": told, "legs": (Leg(carrier=CARRIER),), "method": "R4",
    }  # fmt: skip
    return say(Submitted, by, when, **{**words, **fields})


def loaded(
    lines: Mapping[str, str],
    number: str = "M1",
    *,
    by: str = SMELTER,
    of: str | None = None,
    when: date = HALF_PAST_NINE,
    rest: bool = False,
) -> Loaded:
    """`by` says it, `of` is the consignor whose batches and manifest it is."""
    consignor = of or by
    told = tuple(
        LoadedLine(line=line, portion=portion(name, mass, consignor, rest=rest), load_id=own(by, f"{number}-L{line}"))
        for line, (name, mass) in enumerate(lines.items(), 1)
    )
    return say(Loaded, by, when, manifest_id=own(consignor, number), lines=told)


def arrived(
    masses: Sequence[str], number: str = "M1", *, by: str = RECOVERER, of: str = SMELTER, when: date = ELEVEN
) -> Arrived:
    told = tuple(ArrivedLine(line=line, mass_g=grams(mass)) for line, mass in enumerate(masses, 1))
    return say(Arrived, by, when, manifest_id=own(of, number), lines=told)


def decided(
    parts: Sequence[tuple[str | None, str | None]],
    number: str = "M1",
    *,
    by: str = RECOVERER,
    of: str = SMELTER,
    when: date = HALF_PAST_ELEVEN,
    reason: str = "含水过高",
) -> Decided:
    """`parts` is accepted and rejected mass of each line."""

    def part(name: str, mass: str | None) -> Part | None:
        return None if mass is None else Part(batch_id=own(by, name), mass_g=grams(mass))

    told = tuple(
        DecidedLine(
            line=line,
            load_id=own(of, f"{number}-L{line}"),
            accepted=part(f"{number}-A{line}", accepted),
            rejected=part(f"{number}-R{line}", rejected),
            reason=reason,
        )
        for line, (accepted, rejected) in enumerate(parts, 1)
    )
    return say(Decided, by, when, manifest_id=own(of, number), lines=told)


# a house to tell it to ---------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """Stands still until somebody sets it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    @property
    def us(self) -> int:
        return instant_us(self.now)


@dataclass
class House:
    """A ledger with its recording, and a clock that stands at noon."""

    ledger: Ledger = field(default_factory=MemoryLedger)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.recording = Recording(self.ledger, Book(catalogue()), self.clock)
        self.recording.catch_up()

    @property
    def book(self) -> Book:
        return self.recording.book

    @property
    def entries(self) -> list[Entry]:
        return list(self.ledger.entries())

    def tell(self, *facts: Event) -> Statement:
        """State facts together, or raise the problem."""
        return self.recording.record(facts, facts[0].enterprise)

    def found(self, *facts: Event) -> list[Finding]:
        """What is found in admitted facts."""
        return self.tell(*facts).findings

    def refusal(self, *facts: Event) -> Problem:
        """The problem that facts run into, with nothing kept."""
        before = self.ledger.head()
        try:
            self.tell(*facts)
        except Problem as problem:
            assert self.ledger.head() == before
            return problem
        raise AssertionError("it was admitted")

    def says_no(self, fact: Event, key: str, zh: str, en: str) -> None:
        """The fact is refused with exactly these words."""
        problem = self.refusal(fact)
        assert (problem.key, problem.text("zh"), problem.text("en")) == (key, zh, en)

    def left_t(self, name: str, of: str = SMELTER) -> float:
        """What is left of a batch, in tonnes."""
        return self.book.batch(own(of, name)).left_g / 1_000_000


def settled(ledger: Ledger | None = None) -> House:
    """The park: everybody registered, the recoverers permitted, the smelter's plan filed."""
    house = House(ledger if ledger is not None else MemoryLedger())
    for enterprise in DIVISIONS:
        house.tell(*registered(enterprise))
    house.tell(permitted(), permitted(YUNNAN, number="云环危530100001"), planned())
    return house


def shipped(house: House, mass: str = "10 t", number: str = "M1", name: str = "B1") -> House:
    """A batch generated, submitted and on the road."""
    house.tell(generated(name, mass))
    house.tell(submitted({name: mass}, number))
    house.tell(loaded({name: mass}, number))
    return house
