"""The demo: a region recorded as its members would, one dross load followed to its fates, figures and documents."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from api import outline, terminal
from api.documents import batch_label, manifest_sheet
from api.findings import print_kinds
from api.region import Region, region
from api.region.assembly import Fact
from api.region.ordering import statements
from api.service import Service
from api.settings import Settings
from api.workbook.report import ImportFinding, ImportReport, Place
from flows.access import Caller
from flows.errors import Problem
from flows.indicators import Boundary, Period, Question
from flows.times import instant_us
from graph.figures import figures
from graph.lineage import EVERYTHING
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from labels import label, sheet

MARK: Final = "demo"
YEAR: Final = 2025
"""The region's one whole calendar year."""
PROVINCE: Final = "51"
HEADLINES: Final = (
    "supply-share", "recycled-share", "direct-alloying", "utilization-general", "use-and-disposal-hazardous",
    "disposal-general", "generation-intensity", "fate-utilization-general", "fate-utilization-hazardous",
)  # fmt: skip


class NotADemo(Problem):
    """The folder holds a ledger that is nobody's demo."""

    title = {"zh": "不是示例文件夹", "en": "Not a demo folder"}


def run_demo(folder: Path, seed: int, out: Console) -> Service:
    """Build the region in a folder, tell its story, write its documents; the open service is the caller's to close."""
    settings = Settings().model_copy(update={"data": folder})
    _clear(settings)
    told = region(seed)
    service = Service.open(settings)
    _mark(service, seed)
    viewer = Caller(next(iter(_regulators(told))), "auditor")
    with out.status("登记示例区域 · recording the region"):
        found = _record(service, told, told.facts_before)
        workbook, report = _hand_in(service, told, folder)
        found += [*report.findings, *_record(service, told, told.facts_after)]
    _introduce(service, told, workbook, report.rows, out)
    out.rule("核查发现 · findings")
    print_kinds(found, out)
    _follow(service, viewer, told, out)
    _figure(service, out)
    _print_documents(service, told, folder, out)
    (folder / "truth.json").write_text(json.dumps(told.truth, ensure_ascii=False, indent=2), "utf-8")
    _hand_out_keys(service, told, out)
    return service


def _regulators(told: Region) -> list[str]:
    return [uscc for uscc, each in told.organisations.items() if each.role == "regulator"]


def _clear(settings: Settings) -> None:
    """Take away an older demo, and nothing else."""
    if settings.embedded and not settings.file.exists():
        return
    service = Service.open_unread(settings)
    try:
        ours = service.desk.get(MARK, MARK, now_us=instant_us(service.clock())) is not None
        empty = service.ledger.head().position == 0
    finally:
        service.close()
    if not settings.embedded:
        if not empty:  # a ledger in Neo4j is nobody's to take away in passing
            raise NotADemo("demo-ledger-in-use", uri=settings.ledger)
        return
    if not (ours or empty):
        raise NotADemo("demo-folder-in-use", folder=str(settings.data))
    for suffix in ("", "-wal", "-shm"):
        settings.file.with_name(settings.file.name + suffix).unlink(missing_ok=True)
    shutil.rmtree(settings.cache, ignore_errors=True)


def _mark(service: Service, seed: int) -> None:
    service.desk.put(MARK, MARK, str(seed).encode(), version=0, now_us=instant_us(service.clock()))


def _record(service: Service, told: Region, facts: Sequence[Fact]) -> list[ImportFinding]:
    """Each statement by the organisation that makes it, under the policy for everybody; returns what was found."""
    found: list[ImportFinding] = []
    for uscc, stated in statements(facts):
        organisation = told.organisations[uscc]
        role = "regulator" if organisation.role == "regulator" else "member"
        statement = service.state(Caller(uscc, role, organisation.division if role == "regulator" else ""), stated)
        found += (ImportFinding.of(each, Place()) for each in statement.findings)
    return found


def _hand_in(service: Service, told: Region, folder: Path) -> tuple[Path, ImportReport]:
    """One enterprise keeps its ledger in Excel: its workbook is written, then imported like anybody's."""
    draft = Service.over(service.settings, MemoryLedger(), MemoryDesk(), service.clock)
    for facts in (told.facts_before, told.workbook_facts):
        _ = _record(draft, told, facts)
    body = draft.workbook(told.workbook_enterprise, None)
    path = folder / "workbook.xlsx"
    path.write_bytes(body)
    caller = Caller(told.workbook_enterprise, "member")
    report = service.commit_import(caller, told.workbook_enterprise, path.read_bytes())
    assert report.committed, [each.text("en") for each in report.errors[:5]]
    return path, report


def _introduce(service: Service, told: Region, workbook: Path, rows: int, out: Console) -> None:
    out.rule("示例区域 · the demo region")
    name = told.organisations[told.workbook_enterprise].name
    out.print(
        f"{len(told.organisations)} 个单位，{service.book.position} 条事实，{len(service.lineage.batch_ids)} 个批次，"
        f"{len(service.book.all_manifests())} 份联单。\n{name} 的台账由工作簿导入：{rows} 行，{workbook}",
        highlight=False,
    )


def _follow(service: Service, viewer: Caller, told: Region, out: Console) -> None:
    out.rule("一车铝灰渣的去向 · one load of dross, to its fates")
    outline.print_trace(service, viewer, told.stories["load"], "down", None, EVERYTHING, out, None)


def _figure(service: Service, out: Console) -> None:
    out.rule(f"{YEAR} 年全省指标 · the province's figures")
    question = Question(Period.year(YEAR), Boundary("province", PROVINCE))
    terminal.print_figures(figures(HEADLINES, question, service.columns), service, out)


def _print_documents(service: Service, told: Region, folder: Path, out: Console) -> None:
    out.rule("文件 · documents")
    base_url = service.settings.base_url()
    printed = batch_label(service.book.batch(told.stories["label"]), service, base_url)
    manifest = manifest_sheet(service.book.manifest(told.stories["manifest"]), service, base_url)
    written = {
        "批次标签": (folder / "label.pdf", label.pdf(printed, 100)),
        "转移联单": (folder / "manifest.pdf", sheet.pdf(manifest)),
        "填报模板": (folder / "template.xlsx", service.template()),
    }
    for name, (path, body) in written.items():
        path.write_bytes(body)
        out.print(f"{name}  {escape(str(path))}", highlight=False)
    terminal.warn_of_address(service, out)


def _hand_out_keys(service: Service, told: Region, out: Console) -> None:
    """A key for each kind of visitor, kept beside the demo for as long as it is there."""
    out.rule("登录密钥 · keys to sign in with")
    kept: dict[str, str] = {}
    regulator = _regulators(told)[0]
    smelter = told.stories["dross"].partition(".")[0]
    for uscc in (regulator, smelter, told.workbook_enterprise):
        each = told.organisations[uscc]
        if each.role == "regulator":
            key, _ = service.keys.create(uscc, "regulator", division=each.division, name="demo")
        else:
            key, _ = service.keys.create(uscc, "administrator", name="demo")
        kept[each.name] = key
        out.print(f"{each.name}  [bold]{key}[/]", highlight=False)
    path = service.settings.data / "keys.json"
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=2), "utf-8")
