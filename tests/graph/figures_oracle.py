"""The indicators again, from exported facts and the tables alone, in fractions: it shares no code with the product.

Facts are the lines of `huanliu export --facts` with their positions: `{"position": 7, "event": {…}}`.
A batch keeps the shares of what it is made of, which never change; the product keeps grams, which do.
"""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

TABLES = Path(__file__).parents[2] / "flows" / "tables"
SHANGHAI = timezone(timedelta(hours=8))
US = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEN = {"al", "cu", "zn", "pb", "ni", "sn", "sb", "hg", "mg", "ti"}


def _table(name: str) -> dict[str, dict[str, str]]:
    lines = [line for line in (TABLES / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {next(iter(row.values())): row for row in rows}


MATERIALS, PROCESSES, METHODS = _table("materials.csv"), _table("processes.csv"), _table("methods.csv")


class Tag(NamedTuple):
    """Whose waste, whose first waste, whose metal, and what was counted of it."""

    waste: str | None = None
    first: str | None = None
    metal: tuple[str, str] = ("none", "")
    counted: frozenset[str] = frozenset()


Mix = dict[Tag, Fraction]


class Waste(NamedTuple):
    site: str
    material: str
    day: date
    before: bool


class Count(NamedTuple):
    what: str
    position: int
    us: int
    site: str
    material: str
    day: date
    before: bool
    grams: Fraction


def _us(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)) - EPOCH) // US


def _day(us: int) -> date:
    return (EPOCH + us * US).astimezone(SHANGHAI).date()


def _is_waste(material: str) -> bool:
    return MATERIALS[material]["legal_status"] in {"general_waste", "hazardous_waste"}


def _group(material: str) -> str:
    return MATERIALS[material]["group"]


def _metal(material: str) -> tuple[str, str]:
    if _group(material) in {"scrap", "residue", "secondary_metal"}:
        return ("scrap", "")
    return ("ore", "") if _group(material) in {"primary_metal", "alloy", "intermediate"} else ("none", "")


class Oracle:
    """Everything that counts, in one list; `figure` adds it up."""

    def __init__(self, facts: list[dict[str, Any]]) -> None:
        self.batch: dict[str, dict[str, Any]] = {}
        self.wastes: dict[str, Waste] = {}
        self.manifests: dict[str, dict[str, Any]] = {}
        self.division: dict[str, str] = {}
        self.declared: list[tuple[int, int, dict[str, Any]]] = []
        self.counts: list[Count] = []
        self.roundings = 0
        for fact in facts:
            self.position = fact["position"]
            getattr(self, fact["event"]["kind"], self._nothing)(fact["event"])

    def _nothing(self, event: dict[str, Any]) -> None:
        pass

    # facts ------------------------------------------------------------------------------------------------------

    def site_registered(self, event: dict[str, Any]) -> None:
        self.division[event["site"]["site_id"]] = event["site"]["division"]

    def figure_declared(self, event: dict[str, Any]) -> None:
        self.declared.append((self.position, _us(event["event_time"]), event))

    def generated(self, event: dict[str, Any]) -> None:
        self._arise(event, before=False)

    def stock_declared(self, event: dict[str, Any]) -> None:
        self._arise(event, before=True)

    def _arise(self, event: dict[str, Any], *, before: bool) -> None:
        self.us = _us(event["event_time"])
        product = event["product"]
        name, material = product["batch_id"], product["material"]
        tag = Tag(metal=_metal(material))
        if _is_waste(material) and not (before and _group(material) == "scrap"):
            self.wastes[name] = Waste(event["site_id"], material, _day(self.us), before)
            what = "opening" if before else "arisen"
            self._count(what, name, Fraction(product["mass_g"]))
            self._count("net " + what, name, Fraction(product["mass_g"]))
            tag = Tag(name, name, ("home", event["enterprise"]))
        self._new(product, event["enterprise"], event["site_id"], {tag: Fraction(1)})

    def collected(self, event: dict[str, Any]) -> None:
        self.us = _us(event["event_time"])
        tag = self._bought(event["product"]["material"])
        self._new(event["product"], event["enterprise"], event["site_id"], {tag: Fraction(1)})

    def _bought(self, material: str) -> Tag:
        old = _group(material) in {"primary_metal", "secondary_metal", "alloy"}
        return Tag(metal=_metal(material), counted=frozenset({"supply"} if old else ()))

    def tapped(self, event: dict[str, Any]) -> None:
        self.us = _us(event["event_time"])
        product = event["product"]
        name = product["batch_id"]
        self.wastes[name] = Waste(event["site_id"], product["material"], _day(self.us), before=False)
        self._count("tapped", name, Fraction(product["mass_g"]))
        self._new(product, event["enterprise"], event["site_id"], {Tag(metal=("tapped", name)): Fraction(1)})

    def submitted(self, event: dict[str, Any]) -> None:
        us = max([_us(event["event_time"]), *(self.batch[line["batch_id"]]["us"] for line in event["lines"])])
        self.manifests[event["manifest_id"]] = {"submitted": event, "us": us}

    def arrived(self, event: dict[str, Any]) -> None:
        manifest = self.manifests[event["manifest_id"]]
        manifest["us"] = max(manifest["us"], _us(event["event_time"]))

    def loaded(self, event: dict[str, Any]) -> None:
        manifest = self.manifests[event["manifest_id"]]
        portions = [line["portion"] for line in event["lines"]]
        self.us = manifest["us"] = max(manifest["us"], self._when(event, portions))
        for line, left in zip(event["lines"], self._lefts(portions), strict=True):
            source = self.batch[line["portion"]["batch_id"]]
            mix, grams = self._draw(line["portion"], left)
            self._end("loaded", mix)
            load = {"batch_id": line["load_id"], "material": source["material"], "mass_g": grams}
            self._new(load, source["holder"], source["site"], mix)

    def decided(self, event: dict[str, Any]) -> None:
        manifest = self.manifests[event["manifest_id"]]
        submitted = manifest["submitted"]
        loads = [{"batch_id": line["load_id"]} for line in event["lines"]]
        self.us = max(manifest["us"], self._when(event, loads))
        for line in event["lines"]:
            load = self.batch[line["load_id"]]
            self._end("unloaded", {tag: share * load["left"] for tag, share in load["mix"].items()})
            sides = [line[side] for side in ("accepted", "rejected") if line.get(side)]
            portion = {"batch_id": line["load_id"], "mass_g": sum(side["mass_g"] for side in sides), "rest": True}
            mix, grams = self._draw(portion, load["left"])
            if line.get("accepted"):
                part = {tag: share * line["accepted"]["mass_g"] / grams for tag, share in mix.items()}
                part = self._file(part, METHODS[line.get("method") or submitted["method"]]["side"])
                part = self._leave(load, part, submitted["consignee"], "supplied")
                product = {**line["accepted"], "material": load["material"]}
                self._new(product, submitted["consignee"], submitted["consignee_site"], part)
            if line.get("rejected"):
                product = {**line["rejected"], "material": load["material"]}
                self._new(product, load["holder"], submitted["consignee_site"], mix)

    def transformed(self, event: dict[str, Any]) -> None:
        self.us = self._when(event, event["inputs"])
        process = PROCESSES[event["process"]]
        changes = process["changes_substance"] == "1"
        code = event.get("method") or process["method"]
        side = METHODS[code]["side"] if changes and code else None
        outputs = event.get("outputs", ())
        mix: Mix = defaultdict(Fraction)
        for portion, left in zip(event["inputs"], self._lefts(event["inputs"]), strict=True):
            drawn, _ = self._draw(portion, left)
            if changes:
                self._alloy(self.batch[portion["batch_id"]]["material"], drawn, outputs)
            for tag, grams in drawn.items():
                mix[tag] += grams
        if changes:
            mix = _recounted(mix, lambda counted: counted - {"released"})
        if side:
            mix = self._file(mix, side)
        if side == "utilization":
            self._charge(mix)
            mix = _recounted(mix, lambda counted: counted | {"charged"})
        additions = event.get("additions", ())
        for addition in additions:
            mix[self._bought(addition["material"])] += addition["mass_g"]
        losses_g = sum(loss["mass_g"] for loss in event.get("losses", ()))
        out_g = sum(product["mass_g"] for product in outputs) + losses_g
        in_g = sum(portion["mass_g"] for portion in event["inputs"]) + sum(a["mass_g"] for a in additions)
        if out_g > in_g:
            mix[Tag()] += out_g - in_g
        through_g = max(in_g, out_g)
        shares = {tag: grams / through_g for tag, grams in mix.items()}
        kinds = {self.batch[portion["batch_id"]]["material"] for portion in event["inputs"]}
        for product in outputs:
            made = shares
            if changes and self._anew(product["material"], kinds, side):
                made = self._renew(event, product, shares)
            self._new(product, event["enterprise"], event["site_id"], made)
        self._end("lost", {tag: share * losses_g for tag, share in shares.items()})
        self._end("gap", {tag: share * max(0, in_g - out_g) for tag, share in shares.items()})

    def disposed(self, event: dict[str, Any]) -> None:
        for _, mix in self._ended(event):
            self._end("disposed", mix)

    def delivered(self, event: dict[str, Any]) -> None:
        for batch, mix in self._ended(event):
            self._end("utilized", mix)
            self._charge(mix)
            for tag, grams in mix.items():
                self._count("released", tag.waste, grams)
            self._leave(batch, mix, None, "supplied")

    def left(self, event: dict[str, Any]) -> None:
        for batch, mix in self._ended(event):
            self._end("left", mix)
            self._leave(batch, mix, None, "supply left")

    def _ended(self, event: dict[str, Any]) -> list[tuple[dict[str, Any], Mix]]:
        self.us = self._when(event, event["portions"])
        lefts = self._lefts(event["portions"])
        return [
            (self.batch[portion["batch_id"]], self._draw(portion, left)[0])
            for portion, left in zip(event["portions"], lefts, strict=True)
        ]

    # what a fact does -------------------------------------------------------------------------------------------

    def _when(self, event: dict[str, Any], portions: Any) -> int:
        return max([_us(event["event_time"]), *(self.batch[portion["batch_id"]]["us"] for portion in portions)])

    def _lefts(self, portions: Any) -> list[int]:
        return [self.batch[portion["batch_id"]]["left"] for portion in portions]

    def _new(self, product: dict[str, Any], holder: str, site: str, mix: Mix) -> None:
        whole = sum(mix.values())
        mix = {tag: grams / whole for tag, grams in mix.items()}
        own = {"material": product["material"], "holder": holder, "site": site, "left": int(product["mass_g"])}
        self.batch[product["batch_id"]] = {**own, "us": self.us, "mix": mix}
        self.roundings += len(mix)

    def _draw(self, portion: dict[str, Any], left: int) -> tuple[Mix, int]:
        """Grams by tag of what was weighed; the difference to the book is a gap of whoever's they were."""
        batch = self.batch[portion["batch_id"]]
        weighed = portion["mass_g"]
        booked = left if portion.get("rest") else weighed
        batch["left"] -= booked
        shares: Mix = batch["mix"]
        self.roundings += 2 * len(shares)
        mix: Mix = defaultdict(Fraction)
        for tag, share in shares.items():
            mix[tag] += share * min(booked, weighed)
            if weighed > booked:
                mix[tag._replace(first=None)] += share * (weighed - booked)
                if "filed" not in tag.counted:
                    self._count("gap", tag.waste, share * (booked - weighed))
        if booked > weighed:
            self._end("gap", {tag: share * (booked - weighed) for tag, share in shares.items()})
        return mix, weighed

    def _end(self, what: str, mix: Mix) -> None:
        for tag, grams in mix.items():
            if "filed" not in tag.counted:
                self._count(what, tag.waste, grams)
            self._count("net " + what, tag.first, grams)

    def _file(self, mix: Mix, side: str) -> Mix:
        for tag, grams in mix.items():
            if "filed" not in tag.counted:
                self._count({"utilization": "utilized", "disposal": "disposed"}[side], tag.waste, grams)
        return _recounted(mix, lambda counted: counted | {"filed"})

    def _charge(self, mix: Mix) -> None:
        for tag, grams in mix.items():
            if "charged" not in tag.counted:
                self._count("charged", tag.waste, grams)

    def _anew(self, material: str, inputs: set[str], side: str | None) -> bool:
        if not _is_waste(material) or (side is None and material in inputs):
            return False
        return not (_group(material) == "scrap" and any(_group(each) == "scrap" for each in inputs))

    def _renew(self, event: dict[str, Any], product: dict[str, Any], shares: Mix) -> Mix:
        name = product["batch_id"]
        self.wastes[name] = Waste(event["site_id"], product["material"], _day(self.us), before=False)
        self._count("arisen", name, Fraction(product["mass_g"]))
        made: Mix = defaultdict(Fraction)
        for tag, share in shares.items():
            if "filed" not in tag.counted:
                self._count("replaced", tag.waste, share * product["mass_g"])
            if tag.first is None:
                self._count("net arisen", name, share * product["mass_g"])
            metal = tag.metal if tag.metal[0] in {"scrap", "home"} else ("home", event["enterprise"])
            made[Tag(name, tag.first or name, metal, tag.counted & {"supply"})] += share
        return made

    def _alloy(self, material: str, drawn: Mix, outputs: Any) -> None:
        if not _liquid(material):
            return
        alloy, ingot = (
            sum(p["mass_g"] for p in outputs if _group(p["material"]) == g) for g in ("alloy", "primary_metal")
        )
        for tag, grams in drawn.items():
            if tag.metal[0] == "tapped" and alloy:
                self._count("alloyed", tag.metal[1], grams * alloy / (alloy + ingot))

    def _leave(self, batch: dict[str, Any], mix: Mix, receiver: str | None, what: str) -> Mix:
        group = _group(batch["material"])
        if group not in {"primary_metal", "secondary_metal", "alloy", "product", "intermediate"}:
            return mix
        fresh = sum((grams for tag, grams in mix.items() if "released" not in tag.counted), Fraction())
        if what == "supplied":
            self._count_at("produced", batch, fresh)
        mix = _recounted(mix, lambda counted: counted | {"released"})
        if group in {"product", "intermediate"}:
            return mix
        loops = {("home", batch["holder"]), ("home", receiver)}
        secondary = {
            tag
            for tag in mix
            if tag.metal[0] in {"scrap", "home"} and tag.metal not in loops and "supply" not in tag.counted
        }
        new = sum((mix[tag] for tag in secondary), Fraction())
        metal = sum((grams for tag, grams in mix.items() if tag.metal[0] != "none"), Fraction())
        if new:
            self._count_at(what, batch, sum(mix.values()) * new / metal)
        after: Mix = defaultdict(Fraction)
        for tag, grams in mix.items():
            after[tag._replace(counted=tag.counted | {"supply"}) if tag in secondary else tag] += grams
        return after

    def _count(self, what: str, waste: str | None, grams: Fraction) -> None:
        if waste is not None and grams:
            self.counts.append(Count(what, self.position, self.us, *self.wastes[waste], grams))

    def _count_at(self, what: str, batch: dict[str, Any], grams: Fraction) -> None:
        if grams:
            where = batch["site"], batch["material"], _day(self.us), False
            self.counts.append(Count(what, self.position, self.us, *where, grams))

    # figures ----------------------------------------------------------------------------------------------------

    def figure(self, name: str, asked: dict[str, Any]) -> tuple[Fraction, Fraction | None] | str:
        """Numerator and denominator of an indicator, or the reason why there is none.

        `asked`: first, last, level, key, and where given code, metal, as_of, at_us.
        """
        return _FIGURES[name](_Asked(self, asked))


def _recounted(mix: Mix, change: Any) -> Mix:
    after: Mix = defaultdict(Fraction)
    for tag, grams in mix.items():
        after[tag._replace(counted=frozenset(change(tag.counted)))] += grams
    return after


def _liquid(material: str) -> bool:
    row = MATERIALS[material]
    return (row["group"], row["metal"], row["form"]) == ("primary_metal", "al", "熔融态")


class _Asked:
    def __init__(self, oracle: Oracle, asked: dict[str, Any]) -> None:
        self.oracle = oracle
        self.asked = asked
        self.first, self.last = asked["first"], asked["last"]
        self.end = _us((self.last + timedelta(days=1)).isoformat())

    def known(self, position: int, us: int) -> bool:
        as_of, at_us = self.asked.get("as_of"), self.asked.get("at_us")
        return (as_of is None or position <= as_of) and (at_us is None or us <= at_us)

    def inside(self, site: str) -> bool:
        level, key = self.asked.get("level", "region"), self.asked.get("key", "")
        if level == "enterprise":
            return site.split(".", maxsplit=1)[0] == key
        return level == "region" or self.oracle.division.get(site, "").startswith(key)

    def counts(self, waste: str | None = None, metal: str | None = None, *, product: bool = False) -> list[Count]:
        found: list[Count] = []
        for count in self.oracle.counts:
            row = MATERIALS[count.material]
            code = row["waste_code"]
            asked = self.asked.get("code")
            category = code if code.startswith("SW") else ("SW" if "S" in code else "HW") + code[-2:]
            if asked and not (product and count.what == "produced") and (not code or asked not in {code, category}):
                continue
            if waste and row["legal_status"] != f"{waste}_waste":
                continue
            if metal not in {None, "all"} and row["metal"] != metal:
                continue
            if self.known(count.position, count.us) and self.inside(count.site):
                found.append(count)
        return found

    def during(self, counts: list[Count]) -> list[Count]:
        return [count for count in counts if self.first <= _day(count.us) <= self.last]

    def primary(self, metal: str) -> Fraction | None:
        """The declared total, or the sum of the metals that anybody declared; None where a metal leaves days out."""
        total = self.declared("primary_output", metal)
        if total is not None or metal != "all":
            return total
        named = {event["metal"] for _, _, event in self._heard("primary_output")} & TEN
        each = [self.declared("primary_output", name) for name in named]
        return None if None in each or not each else sum((one for one in each if one is not None), Fraction())

    def _heard(self, figure: str) -> list[tuple[int, int, dict[str, Any]]]:
        return [
            (position, us, event)
            for position, us, event in self.oracle.declared
            if self.known(position, us) and event["figure"] == figure and self._speaks(event["division"])
        ]

    def _speaks(self, division: str) -> bool:
        level, key = self.asked.get("level", "region"), self.asked.get("key", "")
        return division.endswith("0000") if level == "region" else division == key.ljust(6, "0")

    def declared(self, figure: str, metal: str) -> Fraction | None:
        last_words: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
        for _, _, event in self._heard(figure):
            if event["metal"] == metal and event.get("mass_g") is not None:
                last_words[event["division"]][event["period_from"], event["period_to"]] = event["mass_g"]
        covered = [_cover(pieces, self.first, self.last) for pieces in last_words.values()]
        return None if None in covered or not covered else Fraction(sum(each for each in covered if each is not None))


def _cover(pieces: dict[tuple[str, str], int], first: date, last: date) -> int | None:
    """The sum of the fewest pieces that make up the days: one more piece from every day that was reached."""
    reached = {first.isoformat(): 0}
    after = (last + timedelta(days=1)).isoformat()
    while reached and after not in reached:
        reached = {
            (date.fromisoformat(end) + timedelta(days=1)).isoformat(): reached[begin] + mass_g
            for (begin, end), mass_g in pieces.items()
            if begin in reached and end <= last.isoformat()
        }
    return reached.get(after)


def _sum(counts: list[Count], what: str, *, prior_to: date | None = None) -> Fraction:
    return sum(
        (
            count.grams
            for count in counts
            if count.what == what and (prior_to is None or count.before or count.day < prior_to)
        ),
        Fraction(),
    )


def _over(counts: list[Count], numerator: Fraction, denominator: Fraction) -> tuple[Fraction, Fraction] | str:
    if not counts:
        return "no-data"
    return (numerator, denominator) if denominator else "zero-denominator"


def _rate(waste: str, used: tuple[str, ...], net: str = "") -> Any:
    def figure(asked: _Asked) -> tuple[Fraction, Fraction] | str:
        counts = asked.during(asked.counts(waste))
        top = sum((_sum(counts, net + what) for what in used), Fraction())
        old = sum((_sum(counts, net + what, prior_to=asked.first) for what in used), Fraction())
        return _over(counts, top, _sum(counts, net + "arisen") + old)

    return figure


_PLUS, _MINUS = ("arisen", "opening", "unloaded"), ("utilized", "disposed", "left", "lost", "gap", "replaced", "loaded")


def _level(waste: str, *, own: bool) -> Any:
    def figure(asked: _Asked) -> tuple[Fraction, None] | str:
        counts = [c for c in asked.counts(waste) if c.us < asked.end]
        if not counts:
            return "no-data"
        if own:
            counts = [c for c in counts if not c.before and asked.first <= c.day <= asked.last]
        plus = sum((_sum(counts, what) for what in _PLUS), Fraction())
        return plus - sum((_sum(counts, what) for what in _MINUS), Fraction()), None

    return figure


def _fate(waste: str) -> Any:
    def figure(asked: _Asked) -> tuple[Fraction, Fraction] | str:
        cohort = [c for c in asked.counts(waste) if not c.before and asked.first <= c.day <= asked.last]
        return _over(cohort, _sum(cohort, "net utilized"), _sum(cohort, "net arisen"))

    return figure


def _intensity(asked: _Asked) -> tuple[Fraction, Fraction] | str:
    counts = asked.during(asked.counts(metal=asked.asked.get("metal"), product=True))
    return _over(counts, _sum(counts, "arisen"), _sum(counts, "produced"))


def _supply(metal: str, figure_name: str) -> Any:
    def figure(asked: _Asked) -> tuple[Fraction, Fraction] | str:
        if asked.asked.get("level") == "enterprise":
            return "not-for-enterprise"
        secondary, counts = _secondary(asked, metal)
        below = asked.declared(figure_name, metal)
        if not counts:
            return "no-data"
        return "figure-not-declared" if below is None else _over(counts, secondary, below)

    return figure


def _secondary(asked: _Asked, metal: str) -> tuple[Fraction, list[Count]]:
    counts = asked.during(asked.counts(metal=metal))
    return _sum([c for c in counts if MATERIALS[c.material]["metal"] in TEN], "supplied"), counts


def _share(asked: _Asked) -> tuple[Fraction, Fraction] | str:
    metal = asked.asked.get("metal") or "all"
    secondary, counts = _secondary(asked, metal)
    if not counts:
        return "no-data"
    if asked.asked.get("level") == "enterprise":
        primary = _sum([c for c in counts if MATERIALS[c.material]["metal"] in TEN], "tapped")
    else:
        declared = asked.primary(metal)
        if declared is None:
            return "figure-not-declared"
        primary = declared
    return _over(counts, secondary, primary + secondary)


def _direct(asked: _Asked) -> tuple[Fraction, Fraction] | str:
    counts = asked.during(asked.counts(metal=asked.asked.get("metal")))
    liquid = [c for c in counts if _liquid(c.material)]
    return _over(counts, _sum(liquid, "alloyed"), _sum(liquid, "tapped"))


_FIGURES = {
    "utilization-general": _rate("general", ("utilized",)),
    "utilization-general-charged": _rate("general", ("charged",)),
    "utilization-general-released": _rate("general", ("released",)),
    "utilization-general-net": _rate("general", ("utilized",), "net "),
    "disposal-general": _rate("general", ("disposed",)),
    "disposal-hazardous": _rate("hazardous", ("disposed",)),
    "use-and-disposal-hazardous": _rate("hazardous", ("utilized", "disposed")),
    "use-and-disposal-hazardous-net": _rate("hazardous", ("utilized", "disposed"), "net "),
    "stored-general": _level("general", own=True),
    "stored-hazardous": _level("hazardous", own=True),
    "stock-general": _level("general", own=False),
    "stock-hazardous": _level("hazardous", own=False),
    "generation-intensity": _intensity,
    "fate-utilization-general": _fate("general"),
    "fate-utilization-hazardous": _fate("hazardous"),
    "supply-share": _supply("all", "ten_metals_output"),
    "supply-ratio-al": _supply("al", "primary_output"),
    "supply-share-cu": _supply("cu", "refined_output"),
    "supply-share-pb": _supply("pb", "refined_output"),
    "supply-share-zn": _supply("zn", "refined_output"),
    "recycled-share": _share,
    "direct-alloying": _direct,
}
NAMES = tuple(_FIGURES)
