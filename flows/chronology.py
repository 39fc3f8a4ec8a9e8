"""When a fact may have happened: not before what it uses, not after now, as far as clocks agree."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from flows.book import Book
from flows.errors import Refusal
from flows.events import (
    Arrived,
    Assayed,
    Cancelled,
    CorrectionAgreed,
    CorrectionDeclined,
    Decided,
    Delivered,
    Disposed,
    Event,
    Left,
    Loaded,
    Packed,
    Portion,
    StatusChanged,
    Stored,
    Submitted,
    TakenOut,
    Transformed,
)
from flows.law import Finding
from flows.times import CLOCKS_APART_US, earliest_us, latest_us, moment_of, shown


class BeforeItsCause(Refusal):
    """A fact dated before what it uses."""


class InTheFuture(Refusal):
    """A fact dated after now."""


def check_times(event: Event, book: Book, record_time_us: int) -> Iterator[Finding]:
    """Not after now, not before its causes; within the clocks' tolerance it is only found.

    A rest says that nothing was left, so there no tolerance helps: a use that it does not know of contradicts it.
    """
    begins_us, ends_us = earliest_us(event.event_time), latest_us(event.event_time)
    apart_us = CLOCKS_APART_US if isinstance(event.event_time, datetime) else 0  # a day was read off no clock
    ahead_us = begins_us - record_time_us
    if ahead_us > apart_us:
        raise InTheFuture("time-in-future", told=shown(event.event_time), now=shown(moment_of(record_time_us)))
    if ahead_us > 0:
        yield Finding.of("clock-ahead", told=shown(event.event_time), now=shown(moment_of(record_time_us)))
    cause, cause_us = max(_causes(event, book), key=lambda pair: pair[1], default=("", ends_us))
    late_us = cause_us - ends_us
    if late_us > apart_us:
        raise BeforeItsCause(
            "time-before-cause", told=shown(event.event_time), cause=cause, cause_time=shown(moment_of(cause_us))
        )
    if late_us > 0:
        yield Finding.of(
            "clock-behind", told=shown(event.event_time), cause=cause, cause_time=shown(moment_of(cause_us))
        )
    for portion in portions_of(event):
        batch = book.batch(portion.batch_id)
        was_used = batch.left_g < batch.mass_g
        if portion.rest and was_used and batch.used_us > ends_us:
            used = shown(moment_of(batch.used_us))
            raise BeforeItsCause("rest-before-use", told=shown(event.event_time), batch=portion.batch_id, used=used)


def portions_of(event: Event) -> Sequence[Portion]:
    """What a fact takes of batches."""
    match event:
        case Transformed(inputs=portions) | Disposed(portions=portions) | Delivered(portions=portions):
            return portions
        case Left(portions=portions):
            return portions
        case Loaded(lines=lines):
            return [line.portion for line in lines]
        case _:
            return ()


def _causes(event: Event, book: Book) -> Iterator[tuple[str, int]]:
    """What a fact uses, by name and effective time."""
    used = [portion.batch_id for portion in portions_of(event)]
    match event:
        case Packed() | Assayed() | StatusChanged():
            used.append(event.batch_id)
        case Stored() | TakenOut():
            used.append(event.batch_id)
            yield event.batch_id, book.batch(event.batch_id).placed_us
        case Submitted(lines=lines):
            used += [line.batch_id for line in lines]
        case Loaded() | Arrived() | Decided() | Cancelled():
            yield event.manifest_id, book.manifest(event.manifest_id).effective_us
        case CorrectionAgreed() | CorrectionDeclined():
            request = book.requests.get((event.requested_by, event.request))
            if request is not None:
                yield event.request, earliest_us(request.event.event_time)
        case _:
            pass
    for batch_id in used:
        yield batch_id, book.batch(batch_id).made_us
