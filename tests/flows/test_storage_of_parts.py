"""Taking part of a batch out of storage is a split, then a taking out: the part begins where the whole lies."""

from flows.balance import shelf
from flows.batches import Batch
from flows.events import Portion, Product, Transformed
from flows.materials import catalogue

OWNER = "91510000621601108W"
SITE = f"{OWNER}.S1"


def batch(name: str, area: str | None) -> Batch:
    return Batch(
        f"{OWNER}.{name}", "primary-dross", OWNER, SITE, 10, 10, "generated", 0, 0, 1, "hazardous_waste",
        place="storage" if area else "site", storage_id=area,
    )  # fmt: skip


def made(process: str, *inputs: Batch) -> Transformed:
    return Transformed(
        event_id="e", enterprise=OWNER, event_time="2026-03-09", site_id=SITE, process=process,
        inputs=tuple(Portion(batch_id=each.batch_id, mass_g=4) for each in inputs),
        outputs=(Product(batch_id=f"{OWNER}.PART", material="primary-dross", mass_g=4 * len(inputs)),),
    )  # fmt: skip


def test_a_part_lies_where_the_whole_lies() -> None:
    whole = batch("WHOLE", f"{OWNER}.TS001")

    assert shelf(made("split", whole), (whole,), catalogue()) == f"{OWNER}.TS001"


def test_what_two_areas_held_is_merged_in_neither() -> None:
    one, other = batch("ONE", f"{OWNER}.TS001"), batch("OTHER", f"{OWNER}.TS002")

    assert shelf(made("merge", one, other), (one, other), catalogue()) is None


def test_what_a_furnace_makes_is_not_in_storage() -> None:
    whole = batch("WHOLE", f"{OWNER}.TS001")

    assert shelf(made("dross-rotary-furnace", whole), (whole,), catalogue()) is None
