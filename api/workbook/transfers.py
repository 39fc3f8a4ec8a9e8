"""Transfers as rows: what was loaded, what left the platform, what arrived and was decided."""

from collections.abc import Iterable, Iterator

from api.workbook.names import Identity, Names
from api.workbook.numbering import outgoing_codes
from api.workbook.remarks import labels_of, read_remarks
from api.workbook.sheets import BY_KEY
from api.workbook.wording import Words, code_of, material_words, named, portion_words
from flows.events import Arrived, Decided, Event, Left, Loaded, Portion, Submitted
from flows.ids import EnterpriseId


def sent(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    """Rows of B.5; none while a manifest is not loaded."""
    match facts:
        case (Left() as left,):
            yield from _left(identity, left, names)
        case (Submitted() as submitted, Loaded() as loaded):
            yield from _transfer(identity, submitted, loaded, names)
        case _:
            return


def _left(identity: Identity, event: Left, names: Names) -> Iterator[Words]:
    form = BY_KEY[identity[0]]
    told, _ = read_remarks(event.note, labels_of(form))
    codes = told.get(form.zh_of("code"), "")
    numbered = dict(part.split("=", 1) for part in codes.split(",")) if "=" in codes else {}
    for line, portion in enumerate(event.portions, 1):
        yield {
            "code": numbered.get(str(line), codes),
            "time": event.event_time,
            **material_words(names.book.batch(portion.batch_id).material, names),
            "method": told.get(form.zh_of("method")),
            "manifest": told.get(form.zh_of("manifest")),
            "foreign_receiver" if event.abroad else "receiver": event.receiver,
            "export_notice": event.export_notice_no,
            "division": event.receiver_division,
            "site": identity[1],
            "reason": event.gap_reason,
            **portion_words(portion, names),
        }


def _transfer(identity: Identity, submitted: Submitted, loaded: Loaded, names: Names) -> Iterator[Words]:
    number = submitted.number
    codes = outgoing_codes(submitted)
    partner = names.book.enterprises.get(submitted.consignee)
    consignee_site = names.book.sites.get(submitted.consignee_site)
    planned = {line.line: line.mass_g for line in submitted.lines}
    legs: Words = {
        "carrier": _joined(_carrier_name(leg.carrier, leg.carrier_name, names) for leg in submitted.legs),
        "carrier_code": _joined(leg.carrier or "" for leg in submitted.legs),
        "plate": _joined(leg.plate or "" for leg in submitted.legs) or loaded.plate,
        "driver": _joined(leg.driver for leg in submitted.legs),
        "start": _joined(leg.start for leg in submitted.legs),
        "end": _joined(leg.end for leg in submitted.legs),
    }
    for line in loaded.lines:
        asked_g = _planned(planned[line.line], line.portion, names)
        yield {
            "code": codes.get(line.line, number),
            "time": loaded.event_time,
            **material_words(names.book.batch(line.portion.batch_id).material, names),
            "method": submitted.method,
            "receiver": partner.registered.name if partner else None,
            "manifest": number,
            "consignee": submitted.consignee,
            "consignee_site": consignee_site.code if consignee_site else None,
            "internal_no": submitted.internal_no if submitted.internal_no != number else None,
            "line": line.line,
            "planned": asked_g if asked_g != line.portion.mass_g else None,
            "submitted": submitted.event_time if submitted.event_time != loaded.event_time else None,
            "shipper": submitted.shipper if submitted.shipper != "consignor" else None,
            "approval": submitted.approval_no,
            "scale": code_of(line.scale_id, "scale", names),
            "site": identity[1],
            "reason": loaded.gap_reason,
            **legs,
            **portion_words(line.portion, names),
        }


def _planned(asked_g: int, portion: Portion, names: Names) -> int:
    """What was asked for, but no more than is there whatever else was taken before: a row does not tell what came first.

    It is a plan and moves nothing; the mass that was loaded stands beside it.
    """
    batch = names.book.batch(portion.batch_id)
    others_g = names.apart.get(batch.batch_id, 0)
    there_g = batch.mass_g - others_g if portion.rest else batch.left_g + portion.mass_g
    return min(asked_g, max(there_g, 1))


def _carrier_name(carrier: EnterpriseId | None, name: str, names: Names) -> str:
    known = names.book.enterprises.get(carrier) if carrier else None
    return known.registered.name if known is not None else name


def _joined(parts: Iterable[str]) -> str:
    """The legs of a transfer, one after the other; nothing when none says anything."""
    told = "；".join(parts)
    return told if told.strip("；") else ""


def received(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    """Rows of receipts; none while nothing is decided."""
    match facts:
        case (Arrived() as arrived, Decided() as decided):
            pass
        case _:
            return
    submitted = names.inbound[identity[1]].submitted
    arrivals = {line.line: line for line in arrived.lines}
    sent = {line.line: names.book.find_batch(line.batch_id) for line in submitted.lines}
    for line in decided.lines:
        accepted, rejected = line.accepted, line.rejected
        batch = sent[line.line]
        yield {
            "manifest": submitted.number,
            "consignor": submitted.enterprise,
            "line": line.line,
            "load": batch.code if batch else None,
            "time": arrived.event_time,
            "decided": decided.event_time if decided.event_time != arrived.event_time else None,
            "mass": arrivals[line.line].mass_g,
            "accepted": accepted.mass_g if accepted else 0,
            "refused": rejected.mass_g if rejected else None,
            "reason": line.reason,
            "method": line.method,
            "code": named(accepted.batch_id, names)[1] if accepted else None,
            "rejected_code": rejected.code if rejected else None,
            "scale": code_of(arrivals[line.line].scale_id, "scale", names),
            "site": names.site_code(submitted.consignee_site),
        }
