"""What stands in permits and approvals, and what transfers use up of them, as the book reads it off the facts."""

from flows.book import Book
from flows.events import Decided, Loaded, PermitAmended, PermitGranted, PermitRevoked, Submitted
from flows.times import day_of


def note_permit(book: Book, event: PermitGranted | PermitAmended | PermitRevoked, position: int) -> None:
    """A permit is granted, amended or revoked."""
    permit_no = event.permit_no if isinstance(event, PermitRevoked) else event.permit.permit_no
    holder = book.permit_holders.get(permit_no) if isinstance(event, PermitRevoked) else event.permit.holder
    assert holder is not None, permit_no
    kept = [permit for permit in book.permits_of(holder) if permit.permit_no != permit_no]
    if isinstance(event, PermitRevoked):
        book.permit_holders.drop(permit_no, position)
    else:
        kept.append(event.permit)
        book.permit_holders.set(permit_no, holder, position)
    book.permits.set(holder, tuple(sorted(kept, key=lambda permit: permit.permit_no)), position)


def use_approval(book: Book, submitted: Submitted, event: Loaded, position: int) -> None:
    """A load that crosses the province's border uses up its approval."""
    for line in event.lines:
        batch = book.batch(line.portion.batch_id)
        code = book.catalogue.material(batch.material).waste_code
        if code is None or batch.status != "hazardous_waste" or not book.crosses_province(submitted):
            continue
        if approval := book.find_approval(submitted, code):
            number = approval.approval_no
            used_g = (book.approval_used_g.get(number) or 0) + line.portion.mass_g
            book.approval_used_g.set(number, used_g, position)


def use_permits(book: Book, submitted: Submitted, event: Decided, position: int, effective_us: int) -> None:
    """What was accepted counts for a line of the consignee's permit, in the year that it was accepted in."""
    day = day_of(effective_us)
    for line in event.lines:
        if line.accepted is None:
            continue
        load = book.batch(line.load_id)
        code = book.catalogue.material(load.material).waste_code
        if code is None or load.status != "hazardous_waste":
            continue
        found = book.find_permit_line(submitted.consignee, code, line.method or submitted.method, day)
        if found is not None:
            permit, permit_line = found
            key = (permit.holder, permit.permit_no, permit_line.waste, permit_line.mode, day.year)
            used_g = book.used_g(permit, permit_line, day.year) + line.accepted.mass_g
            book.permit_used_g.set(key, used_g, position)
