"""What commands print and write: the same readings as REST, laid out for a terminal."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api import facts_in
from api.documents import batch_label, manifest_sheet, state_name
from api.pages.reading import DIVISION_DIGITS, division_name
from api.readings import Seen
from api.rest.answers import manifest_json
from api.rest.asking import DAY_LEAST, DAY_MOST, happened_by, known_by
from api.rest.batches import MEDIA, LabelForm, Printing, find_scanned, print_label
from api.rest.manifests import find_manifest
from api.rest.readings import Wanted, question_of, value_json
from api.service import Service
from flows.access import Caller
from flows.codes import uscc
from flows.errors import Malformed
from flows.indicators import PART_WORDS, Period, Value, definition, definitions
from flows.mass import plain_tonnes
from flows.times import write_time
from graph.fate import fate as fate_of
from graph.figures import By, figures
from graph.figures import parts as parts_of
from graph.lineage import Horizon
from graph.mixing import Basis
from labels import sheet

Print = Callable[[object], None]
SHARE_DIGITS: Final = 4
CLAUSE_MOST: Final = 36
"""Characters of a definition's recognition or source that a table bears."""


def horizon(service: Service, at: str | None, as_of: str | None) -> Horizon:
    """The prefix that the options name."""
    return Horizon(known_by(as_of, service) if as_of else None, happened_by(at) if at else None)


def known(service: Service, as_of: str | None) -> Service:
    """The service as it was known when the option says, or is known now."""
    return service.known(known_by(as_of, service) if as_of else None)


def period(begin: str | None, end: str | None) -> Period | None:
    """The days that the options name, or all."""
    first, last = day(begin), day(end)
    return Period(first or DAY_LEAST, last or DAY_MOST) if first or last else None


def warn_of_address(service: Service, err: Console) -> None:
    """Codes that were printed for this machine only say so."""
    if service.settings.public_url is None:
        err.print("未设置 HUANLIU_PUBLIC_URL：二维码只在本机有效 · codes resolve on this machine only", style="yellow")


def _written(body: bytes, to: Path | None, name: str) -> Path:
    path = to or Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def _own_name(name: str) -> str:
    """What its owner calls it: short enough for a file's name."""
    return name.partition(".")[2]


def write_label(  # one parameter for each choice a printer has
    service: Service, caller: Caller, code: str, to: Path | None, form: str, printing: Printing
) -> Path:
    """Print a label to a file."""
    batch = find_scanned(code, service.sight(caller), service)
    printed = batch_label(batch, service, service.settings.base_url())
    known = cast("LabelForm", form)
    return _written(print_label(printed, known, printing), to, f"label-{_own_name(batch.batch_id)}.{form}")


def label_form(form: str | None, to: Path | None) -> str:
    """The form that is asked for, or that the file's name says.

    Raises:
        Malformed: the two contradict each other, or the name says none of ours.
    """
    suffix = to.suffix.lower().removeprefix(".") if to else ""
    if to and suffix and (suffix not in MEDIA or form not in {None, suffix}):
        raise Malformed("label-form-contradicts", name=to.name, form=form or ", ".join(MEDIA))
    return form or suffix or "pdf"


def manifest(service: Service, caller: Caller, manifest_id: str) -> dict[str, object]:
    """A manifest as REST tells it."""
    return manifest_json(find_manifest(manifest_id, service.sight(caller), service), service)


def write_sheet(service: Service, caller: Caller, manifest_id: str, to: Path | None) -> Path:
    """Print a manifest's sheet to a PDF."""
    found = find_manifest(manifest_id, service.sight(caller), service)
    body = sheet.pdf(manifest_sheet(found, service, service.settings.base_url()))
    return _written(body, to, f"manifest-{_own_name(found.manifest_id)}.pdf")


def print_manifest(service: Service, caller: Caller, manifest_id: str, out: Console) -> None:
    """A manifest's parties, state and lines."""
    found = find_manifest(manifest_id, service.sight(caller), service)
    submitted = found.submitted
    out.print(
        f"联单 [bold]{found.manifest_id}[/]  内部号 {escape(submitted.internal_no)}  状态 {state_name(found.state, 'zh')}"
    )
    out.print(f"移出 {_name(service, submitted.enterprise)} → 接受 {_name(service, submitted.consignee)}")
    table = Table("行", "废物", "代码", "装车 t", "到场 t", "接受 t", "拒收 t")
    for planned in submitted.lines:
        loaded, decided = found.loaded_line(planned.line), found.decided_line(planned.line)
        material = service.catalogue.material(service.book.batch(planned.batch_id).material)
        table.add_row(
            str(planned.line),
            material.name_zh,
            material.waste_code or "",
            _tonnes(loaded.portion.mass_g if loaded else None),
            _tonnes(found.arrived_g(planned.line)),
            _tonnes(decided.accepted.mass_g if decided and decided.accepted else None),
            _tonnes(decided.rejected.mass_g if decided and decided.rejected else None),
        )
    out.print(table)


def _name(service: Service, enterprise: str) -> str:
    known = service.book.enterprises.get(enterprise)
    return escape(known.registered.name) if known else enterprise


def _tonnes(mass_g: int | None) -> str:
    return "—" if mass_g is None else plain_tonnes(mass_g)


def fate(  # one parameter for each option
    service: Service, caller: Caller, code: str, basis: Basis, when: Horizon, out: Console, print_json: Print | None
) -> None:
    """A batch's fate as a table, to the gram."""
    service = service.known(when.as_of)
    sight = service.sight(caller)
    batch = find_scanned(code, sight, service)
    found = fate_of(service.lineage, service.lineage.rank(batch.batch_id), when, basis)
    told = {"batch_id": batch.batch_id, "position": service.book.position} | Seen(sight, service).fate(found)
    if print_json is not None:
        print_json(told)
        return
    material = service.catalogue.material(batch.material)
    basis_zh = "干重" if basis == "dry" else "称重"
    out.print(
        f"批次 [bold]{batch.batch_id}[/] {material.name_zh} {plain_tonnes(found.mass_g)} t（{basis_zh}，按比例混合）"
    )
    table = Table("去向", "t", "占比", "最少 t（外界）", "最多 t（外界）")
    for row in cast("list[dict[str, int | float | str | None]]", told["classes"]):
        share = row["share"]
        table.add_row(
            str(row["name_zh"]),
            _tonnes(cast("int", row["mass_g"])),
            "" if share is None else f"{float(share):.{SHARE_DIGITS}%}",
            _tonnes(cast("int | None", row["least_g"])),
            _tonnes(cast("int | None", row["most_g"])),
        )
    table.add_section()
    table.add_row("合计", plain_tonnes(sum(found.grams.values())), "", "", "")
    out.print(table)


def indicators(  # one parameter for each option
    service: Service,
    caller: Caller,
    wanted: Wanted,
    by: Sequence[By],
    only: Sequence[str],
    when: Horizon,
    out: Console,
    print_json: Print | None,
) -> None:
    """Figures with their definitions and parts."""
    service = service.known(when.as_of)
    question = question_of(service.sight(caller), service, wanted, when)
    values = figures(list(only) or list(definitions()), question, service.columns, by)
    if print_json is not None:
        print_json({"position": service.book.position, "rows": [value_json(each) for each in values]})
        return
    print_figures(values, service, out)


def parts(  # one parameter for each option
    service: Service,
    caller: Caller,
    wanted: Wanted,
    indicator: str,
    when: Horizon,
    out: Console,
    print_json: Print | None,
) -> None:
    """The facts behind a figure's numerator and denominator: kind, time and grams."""
    service = service.known(when.as_of)
    question = question_of(service.sight(caller), service, wanted, when)
    value = figures([definition(indicator).id], question, service.columns)[0]
    rows: list[tuple[str, int, str, str, int]] = []
    for each in parts_of(value, service.columns):
        event = service.book.fact(each.position).event
        assert event is not None, each.position
        rows.append((each.part, each.position, event.kind, write_time(event.event_time), each.mass_g))
    if print_json is not None:
        names = ("part", "position", "kind", "event_time", "mass_g")
        told = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({"position": service.book.position, "value": value_json(value), "rows": told})
        return
    print_figures([value], service, out)
    table = Table("分量", "台账位置", "事实", "发生时间", "g")
    for part, position, kind, time, mass_g in rows:
        table.add_row(PART_WORDS[part][0], str(position), kind, time, str(mass_g))
    out.print(table)


def day(text: str | None) -> date | None:
    """The day that an option names."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Malformed("day-unreadable", read=text) from None


def _place(value: Value, service: Service) -> str:
    """The boundary by its name."""
    boundary = value.boundary
    if boundary.level == "region":
        return "全部"
    if boundary.level == "enterprise":
        return _name(service, boundary.key)
    return division_name(boundary.key.ljust(DIVISION_DIGITS, "0"), service.catalogue, "zh")


def _short(text: str) -> str:
    """The first clause, or as much of it as a line bears."""
    first = text.partition("；")[0]
    return escape(first if len(first) <= CLAUSE_MOST else f"{first[:CLAUSE_MOST]}…")


def print_figures(values: Sequence[Value], service: Service, out: Console) -> None:
    """A table of figures: each with its masses, and below its name what it counts, when, and by which source."""
    table = Table("指标", "数值", "分子 t", "分母 t", "范围与期间")
    for value in values:
        each = value.definition
        told = value_json(value)
        words = cast("dict[str, str] | None", told["reason_text"] or told["note_text"])
        shown = value.shown() or f"空：{words['zh'] if words else value.reason}"
        table.add_row(
            f"{each.name_zh}\n[dim]{each.formula_zh}\n计入：{_short(each.recognition_zh)}\n来源：{_short(each.source)}[/]",
            f"[bold]{shown}[/]",
            _tonnes(value.numerator_g),
            _tonnes(value.denominator_g),
            f"{_place(value, service)}\n{value.period.first} 至 {value.period.last}",
        )
    out.print(table)


def export(
    service: Service, to: Path | None, enterprise: str, span: Period | None, *, template: bool, effective: bool
) -> Path:
    """Write the empty template, an enterprise's workbook, or all facts; as known where the service is pinned."""
    if template:
        return _written(service.template(), to, "环流填报模板.xlsx")
    if enterprise:
        return _written(service.workbook(uscc(enterprise), span), to, f"环流台账-{enterprise}.xlsx")
    path = to or Path("facts.jsonl")
    facts_in.export_facts(service, path, effective=effective)
    return path
