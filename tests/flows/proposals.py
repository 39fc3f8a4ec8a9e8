"""Facts of every kind over few names and small masses, sensible or not: whatever a caller might send."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from flows.enterprises import (
    Approval,
    Facility,
    Mandate,
    Permit,
    PermitLine,
    Plan,
    PlanLine,
    Scale,
    Site,
    StorageArea,
    Vehicle,
)
from flows.events import (
    KINDS,
    Addition,
    Amendment,
    ArrivedLine,
    DecidedLine,
    Delivered,
    Disposed,
    Event,
    Grade,
    Leg,
    LoadedLine,
    Loss,
    ManifestLine,
    Packing,
    Part,
    Portion,
    Product,
    TakenOut,
)
from tests.flows.stories import (
    CARRIER,
    RECOVERER,
    SMELTER,
    YUNNAN,
    arrived,
    at,
    decided,
    generated,
    loaded,
    portion,
    product,
    say,
    site,
    stored,
    submitted,
    transformed,
)

ENTERPRISES = (SMELTER, SMELTER, RECOVERER, YUNNAN, CARRIER)
enterprises = st.sampled_from(ENTERPRISES)
times = st.sampled_from(
    [date(2026, 3, 9)] * 6
    + [date(2026, 3, 8), date(2026, 3, 10), at(9), at(9, 20), at(10), at(12, 20), at(23), date(1900, 1, 1)]
    + [datetime(2200, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12)))]
)
masses = st.integers(1, 6)
materials = st.sampled_from(
    ["zinc-leach-residue"] * 4 + ["primary-zinc-ingot", "copper-smelting-slag", "lime", "nothing"]
)
processes = st.sampled_from(["leaching", "leaching", "split", "merge", "remelt", "nothing"])
methods = st.sampled_from(["R4", "R4", "R4", "D1", "d10", "R99", "nonsense"])
codes = st.sampled_from(["321-004-48", "321-004-48", "321-031-48", "900-002-S17"])
days = st.sampled_from([date(2025, 12, 1), date(2026, 1, 1), date(2026, 12, 31)])
divisions = st.sampled_from(["510100", "510300", "530100", "519999", "999999"])
NUMBER = st.sampled_from(["1", "2", "2", "3"])


def ids(*prefixes: str) -> st.SearchStrategy[str]:
    """A few names in a few namespaces."""
    return st.builds(lambda who, prefix, n: f"{who}.{prefix}{n}", enterprises, st.sampled_from(prefixes), NUMBER)


batches = ids("B", "L", "A")
manifests = ids("M")
sites = st.builds(lambda who: f"{who}.SITE", enterprises)
storages = st.builds(lambda who: f"{who}.YARD", enterprises)
portions = st.builds(Portion, batch_id=batches, mass_g=masses, rest=st.sampled_from([False, False, True]))
products = st.builds(Product, batch_id=batches, material=materials, mass_g=masses)
sides = st.none() | st.builds(Part, batch_id=batches, mass_g=masses)


def many(strategy: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


def lined(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Lines numbered from one, mostly."""
    numbered = many(strategy).map(
        lambda lines: tuple(line.model_copy(update={"line": number}) for number, line in enumerate(lines, 1))
    )
    return st.one_of(numbered, numbered, many(strategy))


LINE = st.integers(1, 2)
NAMED = st.builds("e{}".format, st.integers(1, 20))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "site_id": sites,
    "consignor_site": sites,
    "consignee_site": sites,
    "facility_id": st.none(),
    "batch_id": batches,
    "manifest_id": manifests,
    "storage_id": storages,
    "mandate_id": ids("MAND"),
    "product": products,
    "inputs": many(portions),
    "portions": many(portions),
    "outputs": many(products, 0),
    "additions": many(st.builds(Addition, material=materials, mass_g=masses), 0),
    "losses": many(st.builds(Loss, kind=st.sampled_from(["dust", "moisture"]), mass_g=masses), 0),
    "gap_reason": st.sampled_from([None, "reason", "reason"]),
    "process": processes,
    "method": methods,
    "division": divisions,
    "name": st.just("name"),
    "roles": st.just(("generator",)),
    "confirmed": enterprises,
    "consignee": enterprises,
    "internal_no": st.just("1"),
    "official_no": st.none(),
    "legs": st.sampled_from([(Leg(),), (Leg(carrier=CARRIER),)]),
    "approval_no": st.sampled_from([None, "A1"]),
    "permit_no": st.sampled_from(["P1", "P2"]),
    "scrap": st.sampled_from(["old", "new"]),
    "supplier_division": st.none(),
    "receiver_division": st.none(),
    "receiver": st.just("elsewhere"),
    "use": st.sampled_from(["product", "energy"]),
    "abroad": st.booleans(),
    "code": st.none(),
    "since": st.none(),
    "packing": st.just(Packing(code="P")),
    "material": materials,
    "counted_g": st.integers(0, 5),
    "status": st.sampled_from(["hazardous_waste", "general_waste", "product"]),
    "basis": st.just("basis"),
    "moisture_ppm": st.none() | st.integers(0, 1_000_000),
    "grades": st.just((Grade(element="Zn", ppm=1),)),
    "reason": st.just("reason"),
    "plate": st.none(),
    "figure": st.just("energy_use"),
    "metal": st.just("all"),
    "period_from": days,
    "period_to": days,
    "mass_g": st.none() | masses,
    "energy_kwh": st.none() | masses,
    "source": st.just("source"),
    "site": st.builds(Site, site_id=sites, code=st.just("S"), name=st.just("site"), division=divisions),
    "facility": st.builds(
        Facility, facility_id=ids("F"), site_id=sites, code=st.just("F"), name=st.just("f"), purpose=st.just("utilize")
    ),
    "storage": st.builds(StorageArea, storage_id=storages, site_id=sites, code=st.just("Y"), name=st.just("yard")),
    "scale": st.builds(
        Scale, scale_id=ids("W"), site_id=sites, code=st.just("W"), interval_g=masses, uncertainty_g=masses,
        calibrated_on=days, calibrated_until=days,
    ),
    "vehicle": st.just(Vehicle(plate="川A12345")),
    "permit": st.builds(
        Permit,
        permit_no=st.sampled_from(["P1", "P2"]),
        holder=enterprises,
        lines=many(
            st.builds(
                PermitLine,
                waste=st.sampled_from(["HW48", "321-004-48"]),
                mode=st.sampled_from(["utilize", "dispose"]),
                annual_g=masses,
            )
        ),
        valid_from=days,
        valid_to=days,
    ),
    "plan": st.builds(
        Plan,
        plan_id=ids("PLAN"),
        site_id=sites,
        year=st.sampled_from([2025, 2026]),
        lines=many(st.builds(PlanLine, waste=codes, generated_g=masses)),
    ),
    "approval": st.builds(
        Approval,
        approval_no=st.sampled_from(["A1", "A2"]),
        consignor=enterprises,
        consignee=enterprises,
        waste_code=st.sampled_from(["321-004-48", "999-999-99"]),
        method=methods,
        mass_g=masses,
        valid_from=days,
        valid_to=days,
    ),
    "changes": many(st.builds(Amendment, stated_by=enterprises, corrects=NAMED)),
    "requested_by": enterprises,
    "request": NAMED,
    "mandate": st.builds(Mandate, mandate_id=ids("MAND"), delegate=enterprises, valid_from=days, valid_to=days),
}  # fmt: skip
LINES: dict[str, st.SearchStrategy[Any]] = {
    "submitted": lined(st.builds(ManifestLine, line=LINE, batch_id=batches, mass_g=masses)),
    "loaded": lined(st.builds(LoadedLine, line=LINE, portion=portions, load_id=batches)),
    "arrived": lined(st.builds(ArrivedLine, line=LINE, mass_g=masses)),
    "decided": lined(
        st.builds(
            DecidedLine, line=LINE, load_id=batches, accepted=sides, rejected=sides, reason=st.sampled_from(["", "wet"])
        )
    ),
}
BASE = {"kind", "event_id", "enterprise", "event_time", "note", "lines"}
OFTEN = (
    "generated", "generated", "generated", "transformed", "transformed", "submitted", "submitted", "loaded", "loaded",
    "arrived", "arrived", "decided", "decided", "stored", "taken_out", "disposed", "delivered",
)  # fmt: skip


@st.composite
def _anything(draw: st.DrawFn) -> Event:
    """A fact of any kind, its fields drawn without regard for each other."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    model: Any = KINDS[kind]
    fields = {name: draw(FIELDS[name]) for name in model.model_fields if name not in BASE and name in FIELDS}
    if "lines" in model.model_fields:
        fields["lines"] = draw(LINES[kind])
    return model(event_id=_name(draw), enterprise=draw(enterprises), event_time=draw(times), **fields)


def _name(draw: st.DrawFn) -> str:
    return f"e{draw(st.integers(1, 10_000))}"


@st.composite
def _sensible(draw: st.DrawFn) -> Event:
    """A fact that might well happen: names that were given, masses that there are."""
    by = draw(st.sampled_from([SMELTER, SMELTER, RECOVERER]))
    grams = masses.map(lambda mass_g: f"{mass_g} g")
    named = st.sampled_from(["B1", "B2", "B3", "M1-A1", "M2-A1"] if by == RECOVERER else ["B1", "B2", "B3"])
    fresh = st.sampled_from(["B1", "B2", "B3", "B4", "B5", "B6"])
    number, rest = draw(st.sampled_from(["M1", "M2"])), draw(st.booleans())
    some = st.builds(portion, named, grams, st.just(by), rest=st.sampled_from([False, False, True]))
    at_site: dict[str, Any] = {"event_id": _name(draw), "site_id": site(by)}
    line = {draw(st.sampled_from(["B1", "B1", "B2"])): draw(grams)}
    match draw(st.sampled_from(OFTEN)):
        case "generated":
            fact: Event = generated(draw(fresh), draw(grams), by=by)
        case "transformed":
            outputs = draw(many(st.builds(product, st.just(by), fresh, grams)))
            fact = transformed(draw(many(some)), outputs, by=by, process=draw(processes), gap_reason="reason")
        case "submitted":
            fact = submitted(line, number)
        case "loaded":
            fact = loaded(line, number, rest=rest)
        case "arrived":
            fact = arrived([draw(st.sampled_from(["3 g", "3 g", "4 g"]))], number, when=at(9, 30))
        case "decided":
            parts = draw(st.sampled_from([("3 g", None), ("1 g", "2 g"), (None, "3 g"), ("4 g", None), (None, None)]))
            fact = decided([parts], number, when=at(9, 40))
        case "stored":
            fact = stored(draw(named), by)
        case "disposed":
            fact = say(Disposed, by, at(10), portions=draw(many(some)), method="D1", **at_site)
        case "delivered":
            fact = say(Delivered, by, at(10), portions=draw(many(some)), use="product", **at_site)
        case _:
            fact = say(TakenOut, by, at(10), event_id=_name(draw), batch_id=draw(batches))
    return fact.model_copy(update={"event_id": _name(draw)})


@st.composite
def _bent(draw: st.DrawFn) -> Event:
    """A sensible fact with one field that is not."""
    fact = draw(_sensible())
    fields = sorted((set(type(fact).model_fields) & set(FIELDS)) | {"enterprise", "event_time"})
    field = draw(st.sampled_from(fields))
    other = {"enterprise": enterprises, "event_time": times, **FIELDS}[field]
    return fact.model_copy(update={field: draw(other)})


def proposals() -> st.SearchStrategy[Event]:
    """One fact of any kind, sensible or not."""
    sensible = _sensible()
    return st.one_of(sensible, sensible, sensible, sensible, _bent(), _anything())


def crowds() -> st.SearchStrategy[list[Event]]:
    """Many facts one after the other, on top of a few batches and an open manifest that they contend for."""
    begun = [generated(f"B{number}", "6 g", by=by) for by in (SMELTER, RECOVERER) for number in (1, 2, 3)]
    moving = [submitted({"B1": "3 g"}), submitted({"B2": "3 g"}, "M2"), loaded({"B2": "3 g"}, "M2")]
    return st.builds(
        lambda many, more: [*begun, *moving[:many], *more],
        st.integers(0, 3),
        st.lists(proposals(), min_size=12, max_size=30),
    )
