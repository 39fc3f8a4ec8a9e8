"""Whose a batch is and what may be taken of it; another's batch answers like none at all."""

from collections.abc import Iterable, Sequence

from flows.batches import Batch
from flows.book import Book
from flows.errors import Conflict, Malformed, Refusal, Unknown
from flows.events import Portion
from flows.ids import BatchId, EnterpriseId
from flows.mass import tonnes


class Overdrawn(Refusal):
    """More is asked of a batch than is left of it."""


class OutOfTurn(Refusal):
    """A step that the manifest, or the batch, is not ready for."""


def held(batch_id: BatchId, holder: EnterpriseId, book: Book) -> Batch:
    """The holder's batch, be it used up."""
    batch = book.find_batch(batch_id)
    if batch is None or batch.holder != holder:
        raise Unknown("batch-unknown", batch=batch_id)
    return batch


def open_batch(batch_id: BatchId, holder: EnterpriseId, book: Book) -> Batch:
    """The holder's batch, of which something is left."""
    batch = held(batch_id, holder, book)
    if batch.left_g == 0:
        raise Overdrawn("batch-used-up", batch=batch_id)
    return batch


def check_unused(names: Iterable[BatchId], book: Book) -> None:
    """A batch's name is used once, also within one fact."""
    seen: set[BatchId] = set()
    for name in names:
        if name in seen or book.find_batch(name) is not None:
            raise Conflict("batch-id-used", batch=name)
        seen.add(name)


def check_portions(
    portions: Sequence[Portion],
    holder: EnterpriseId,
    book: Book,
    *,
    gate: bool = False,
    told: EnterpriseId | None = None,
) -> None:
    """Each batch is its holder's and holds what is asked; two portions of one batch are one demand on it.

    `told` is who hears the refusal, when that is not the holder: a carrier does not learn what is left.
    """
    asked: dict[BatchId, int] = {}
    for portion in portions:
        asked[portion.batch_id] = asked.get(portion.batch_id, 0) + portion.mass_g
    rests = {portion.batch_id for portion in portions if portion.rest}
    for batch_id, asked_g in asked.items():
        if batch_id in rests and sum(portion.batch_id == batch_id for portion in portions) > 1:
            raise Malformed("rest-with-portion", batch=batch_id)
        batch = open_batch(batch_id, holder, book)
        if batch.place == "road":
            raise OutOfTurn("batch-on-the-road", batch=batch_id)
        if batch.place == "gate" and not gate:
            raise OutOfTurn("batch-at-the-gate", batch=batch_id)
        if batch_id not in rests and asked_g > batch.left_g:
            if told not in {None, holder}:
                raise Overdrawn("overdrawn-of-another", batch=batch_id, asked=tonnes(asked_g))
            raise Overdrawn("overdrawn", batch=batch_id, asked=tonnes(asked_g), left=tonnes(batch.left_g))
