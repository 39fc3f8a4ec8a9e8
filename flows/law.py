"""What Order 23 and Order 408 ask of a transfer: a permit and its scale, the plan, a cross-province approval."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flows.book import Book
from flows.codes import waste_code
from flows.enterprises import Permit, PermitLine
from flows.errors import Figure, Refusal
from flows.events import Arrived, Decided, Disposed, Event, Loaded, Portion, Submitted, Transformed
from flows.mass import tonnes
from flows.materials import WEIGHING
from flows.rows import WHOLE_PPM
from flows.times import DAY_US, SECOND_US, STOPPABLE_US, day_of, latest_us, moment_of, shown

QUOTA_REFUSED_PERCENT: Final = 120
"""More than 20 % over the annual scale needs a new permit (State Council Order 408, article 11)."""
QUOTA_FOUND_PERCENT: Final = 100
"""The scale that the permit names: reaching it is no breach yet, but its holder should know, and nobody else."""

_HOLDERS_OWN: Final = frozenset({"permit-scale-reached"})
_HOUR_US: Final = 3_600 * SECOND_US


class AgainstTheLaw(Refusal):
    """A breach that can still be stopped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """核查发现. What was admitted and does not add up: a message key with its figures."""

    key: str
    figures: dict[str, Figure]

    @classmethod
    def of(cls, key: str, **figures: Figure) -> "Finding":
        """A finding with its figures by name."""
        return cls(key, figures)


def judge(event: Event, book: Book, record_time_us: int) -> list[Finding]:
    """What the law does not allow in a fact; the first breach is raised when a submission or loading was told in time.

    Told later than that it has already happened: it stands with its breaches, and its lateness is found besides.

    Raises:
        AgainstTheLaw: it could still be stopped.
    """
    found = list(breaches(event, book))
    if not isinstance(event, (Submitted, Loaded)):
        return found
    if record_time_us - latest_us(event.event_time) > STOPPABLE_US:
        return [*found, _lateness(event, record_time_us)]
    for breach in found:
        refusal = AgainstTheLaw(breach.key)
        refusal.figures.update(breach.figures)
        raise refusal
    return found


def _lateness(event: Submitted | Loaded, record_time_us: int) -> Finding:
    """By how much a step of a manifest was told too late to be stopped, counted from the end of a day told alone."""
    late_us = record_time_us - latest_us(event.event_time)
    step, step_en = ("提交", "submitted") if isinstance(event, Submitted) else ("装车", "loaded")
    return Finding.of(
        "told-late",
        manifest=event.manifest_id,
        step=step,
        step_en=step_en,
        happened=shown(event.event_time),
        told=shown(moment_of(record_time_us)),
        hours=late_us // _HOUR_US,
        days=f"{late_us / DAY_US:.1f}",
    )


def breaches(event: Event, book: Book) -> Iterator[Finding]:
    """What the law does not allow in a fact, before the book has read it."""
    day = day_of(latest_us(event.event_time))
    match event:
        case Submitted(lines=lines):
            asked = _by_code(((line.batch_id, line.mass_g) for line in lines), book)
            yield from _transfer_breaches(event, asked, day, book)
        case Loaded(lines=lines, manifest_id=manifest_id):
            asked = _by_code(((line.portion.batch_id, line.portion.mass_g) for line in lines), book)
            yield from _transfer_breaches(book.manifest(manifest_id).submitted, asked, day, book)
        case Arrived():
            yield from _scale_differences(event, day, book)
        case Transformed(inputs=portions, method=method) | Disposed(portions=portions, method=method):
            yield from _treatment_breaches(event.enterprise, portions, method, day, book)
        case Decided(manifest_id=manifest_id):
            submitted = book.manifest(manifest_id).submitted
            for method, asked in _accepted(event, submitted.method, book).items():
                yield from _permit_breaches(submitted.consignee, method, asked, day, book)
        case _:
            pass


def _by_code(masses: Iterator[tuple[str, int]], book: Book) -> dict[str, int]:
    """What is asked of each hazardous waste code: two batches of one code are one demand."""
    asked: dict[str, int] = {}
    for batch_id, mass_g in masses:
        batch = book.batch(batch_id)
        code = book.catalogue.material(batch.material).waste_code
        if code is not None and batch.status == "hazardous_waste":
            asked[code] = asked.get(code, 0) + mass_g
    return asked


def _accepted(event: Decided, intended: str, book: Book) -> dict[str, dict[str, int]]:
    """What was accepted, by method and code."""
    methods = dict.fromkeys(line.method or intended for line in event.lines)
    return {
        method: _by_code(
            (
                (line.load_id, line.accepted.mass_g)
                for line in event.lines
                if line.accepted is not None and (line.method or intended) == method
            ),
            book,
        )
        for method in methods
    }


def _transfer_breaches(submitted: Submitted, asked: Mapping[str, int], day: date, book: Book) -> Iterator[Finding]:
    for breach in _permit_breaches(submitted.consignee, submitted.method, asked, day, book):
        if breach.key not in _HOLDERS_OWN:
            yield breach
    for code, asked_g in asked.items():
        yield from _plan_breaches(submitted, code, day, book)
        yield from _approval_breaches(submitted, code, asked_g, day, book)


def _permit_breaches(consignee: str, method: str, asked: Mapping[str, int], day: date, book: Book) -> Iterator[Finding]:
    """A permit that covers code and method on the day, and its annual scale; what the exemption list frees is free."""
    demands: dict[tuple[str, str], int] = {}
    lines: dict[tuple[str, str], tuple[Permit, PermitLine]] = {}
    for code, asked_g in asked.items():
        if book.catalogue.method(method).side == "utilization" and book.catalogue.exemptions_for(code, "utilization"):
            continue
        found = book.find_permit_line(consignee, code, method, day)
        if found is None:
            yield Finding.of("permit-not-covering", consignee=consignee, code=code, method=method, day=day.isoformat())
            continue
        permit, line = found
        key = permit.permit_no, line.waste
        lines[key] = found
        demands[key] = demands.get(key, 0) + asked_g
    for key, asked_g in demands.items():
        yield from _line_breaches(*lines[key], asked_g, day, book)


def _treatment_breaches(
    holder: str, portions: Sequence[Portion], method: str | None, day: date, book: Book
) -> Iterator[Finding]:
    """Hazardous waste of others, used or disposed of without a permit for it; what arose here needs none."""
    if method is None:
        return
    foreign = ((portion.batch_id, portion.mass_g) for portion in portions if book.batch(portion.batch_id).foreign)
    for breach in _permit_breaches(holder, method, _by_code(foreign, book), day, book):
        if breach.key not in _HOLDERS_OWN and breach.key != "permit-scale-exceeded":  # counted when it was accepted
            yield breach


def _scale_differences(event: Arrived, day: date, book: Book) -> Iterator[Finding]:
    """What arrived is not what was loaded, beyond what two weighings may differ by."""
    manifest = book.manifest(event.manifest_id)
    tolerance_ppm = book.catalogue.tolerance_ppm(WEIGHING, day)
    for line in event.lines:
        loaded = manifest.loaded_line(line.line)
        if loaded is None or abs(line.mass_g - loaded.portion.mass_g) * WHOLE_PPM <= (
            loaded.portion.mass_g * tolerance_ppm
        ):
            continue
        yield Finding.of(
            "arrival-differs",
            manifest=event.manifest_id,
            line=line.line,
            loaded=tonnes(loaded.portion.mass_g),
            arrived=tonnes(line.mass_g),
            percent=f"{tolerance_ppm / 10_000:g}",
        )


def _line_breaches(permit: Permit, line: PermitLine, asked_g: int, day: date, book: Book) -> Iterator[Finding]:
    if not permit.valid_from <= day <= permit.valid_to:
        begin, end = permit.valid_from.isoformat(), permit.valid_to.isoformat()
        yield Finding.of("permit-not-valid", permit=permit.permit_no, begin=begin, end=end, day=day.isoformat())
    used_g = book.used_g(permit, line, day.year)
    percent = (used_g + asked_g) * 100
    key = (
        "permit-scale-exceeded"
        if percent > line.annual_g * QUOTA_REFUSED_PERCENT
        else "permit-scale-reached"
        if percent >= line.annual_g * QUOTA_FOUND_PERCENT
        else None
    )
    if key is not None:
        yield Finding.of(
            key,
            permit=permit.permit_no,
            waste=line.waste,
            annual=tonnes(line.annual_g),
            asked=tonnes(asked_g),
        )


def _plan_breaches(submitted: Submitted, code: str, day: date, book: Book) -> Iterator[Finding]:
    plan = book.plans.get((submitted.consignor_site, day.year))
    if plan is None or all(waste_code(line.waste) != code for line in plan.lines):
        yield Finding.of("plan-without-code", code=code, year=day.year)


def _approval_breaches(submitted: Submitted, code: str, asked_g: int, day: date, book: Book) -> Iterator[Finding]:
    if not book.crosses_province(submitted):
        return
    approval = book.find_approval(submitted, code)
    if approval is None or not approval.valid_from <= day <= approval.valid_to:
        yield Finding.of("approval-missing", code=code, day=day.isoformat())
        return
    left_g = approval.mass_g - (book.approval_used_g.get(approval.approval_no) or 0)
    if asked_g > left_g:
        left = tonnes(max(left_g, 0))
        yield Finding.of("approval-exceeded", approval=approval.approval_no, asked=tonnes(asked_g), left=left)
