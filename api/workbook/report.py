"""What an import answers: every error with its exact place, what waits for a partner, what was recorded."""

from typing import Final, Literal, TypeAlias

from flows.enterprises import Frozen
from flows.errors import Figure, Language, Problem
from flows.ids import EnterpriseId
from flows.law import Finding

ALLOWED_SHOWN = 20  # more words than this are looked up in the dropdown

HEAD_KEYS: Final = frozenset({"workbook-header-unknown", "workbook-header-twice", "workbook-header-missing"})
"""What stands against a row of headers."""

Progress: TypeAlias = Literal["reading", "checking", "recording"]
Change: TypeAlias = Literal["corrected", "withdrawn", "restored"]
"""更正 · 撤销 · 恢复"""
SheetHow: TypeAlias = Literal["title", "file_name", "remembered", "headers", "given"]
"""By what a table or a header is known: its title, its file's name, what was said of it before, its headers, what is said now."""


class Place(Frozen):
    """Where something stands in the file: sheet, row as Excel numbers it, the column's header and the cell's name."""

    sheet: str = ""
    row: int | None = None
    column: str = ""
    cell: str = ""


class ImportProblem(Frozen):
    """One error: where, what was read, what is allowed, and the nearest valid word."""

    place: Place
    key: str
    zh: str
    en: str
    read: str = ""
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    @property
    def of_file(self) -> bool:
        """It stands against the file, or against a whole sheet: no row of it can be taken for good."""
        return self.place.row is None or self.key in HEAD_KEYS

    @classmethod
    def of(
        cls, problem: Problem, place: Place, read: str = "", allowed: tuple[str, ...] = (), nearest: str | None = None
    ) -> "ImportProblem":
        """A problem at its place, told in both languages."""
        return cls(
            place=place,
            key=problem.key,
            zh=problem.text("zh"),
            en=problem.text("en"),
            read=read,
            allowed=allowed[:ALLOWED_SHOWN],
            nearest=nearest,
        )

    def text(self, language: Language = "zh") -> str:
        """The error with its place, as a line."""
        place = self.place
        where = " ".join(part for part in (place.sheet, place.cell or str(place.row or "")) if part)
        column = f"（{place.column}）" if place.column else ""
        return f"{where}{column}: {self.zh if language == 'zh' else self.en}"


class ImportFinding(Frozen):
    """What was admitted and does not add up, or what was not read."""

    place: Place
    key: str
    zh: str
    en: str
    figures: dict[str, Figure] = {}

    @classmethod
    def of(cls, finding: Finding, place: Place) -> "ImportFinding":
        """A finding at its place."""
        told = Problem(finding.key)
        told.figures = dict(finding.figures)
        return cls(place=place, key=finding.key, zh=told.text("zh"), en=told.text("en"), figures=finding.figures)


class WaitingRows(Frozen):
    """待对方登记. Rows that wait for a partner's statement; `problem` is what stood against them at the last try."""

    sheet: str
    rows: tuple[int, ...]
    record: str
    zh: str
    en: str
    problem: ImportProblem | None = None


class ChangedRows(Frozen):
    """A record that the ledger held otherwise: what is corrected, withdrawn or stated anew."""

    sheet: str
    rows: tuple[int, ...]
    record: str
    change: Change
    asked: bool = False
    """待对方确认: it holds when the other side agrees."""
    zh: str
    en: str


class SheetRead(Frozen):
    """A table that bears none of our names, the sheet that it was read as, and how that is known."""

    table: str
    sheet: str
    how: SheetHow
    fingerprint: str = ""


class HeaderRead(Frozen):
    """A header of the enterprise's own, and the column of ours that it was read as; none: it was passed over."""

    sheet: str
    header: str
    cell: str
    column: str
    how: SheetHow


class HeaderUnknown(Frozen):
    """A header that says nothing to us, what stands below it, our columns that it may mean, and all that are free."""

    sheet: str
    header: str
    cell: str
    samples: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    likely: str = ""
    """The one column that the trade calls so, to be chosen beforehand where somebody looks at it and confirms."""
    columns: tuple[str, ...] = ()


class HeldRows(Frozen):
    """Rows that are right and rest on one that is not: held back until that one is mended."""

    sheet: str
    rows: tuple[int, ...]
    record: str
    zh: str
    en: str


class ImportReport(Frozen):
    """The answer to one workbook. With errors nothing was recorded; waiting is not an error."""

    enterprise: EnterpriseId
    digest: str
    committed: bool = False
    rows: int = 0
    facts: int = 0
    """New facts: stated, or to be stated on commit."""
    unchanged: int = 0
    """Records that the ledger holds already."""
    corrected: int = 0
    """Records that the ledger held otherwise, or no more, and that are read as the file says."""
    withdrawn: int = 0
    """Records that are read as never stated: their rows are marked so."""
    asked: int = 0
    """Records of loaded manifests that will be read so when the other side agrees."""
    changed: tuple[ChangedRows, ...] = ()
    """Each of them."""
    first_position: int | None = None
    last_position: int | None = None
    errors: tuple[ImportProblem, ...] = ()
    waiting: tuple[WaitingRows, ...] = ()
    findings: tuple[ImportFinding, ...] = ()
    sheets: tuple[SheetRead, ...] = ()
    """Tables that were read as a sheet whose name they do not bear."""
    headers: tuple[HeaderRead, ...] = ()
    """Headers of the enterprise's own: nothing is read under another name without being listed here."""
    headers_unknown: tuple[HeaderUnknown, ...] = ()
    held: tuple[HeldRows, ...] = ()
    """With errors: what is held back besides the rows that are wrong."""
    opened: bool = True
    """It could be opened: there is a table to mark the errors in."""
    good_rows: bool = False
    """Good rows are recorded without the others."""

    @property
    def good(self) -> bool:
        """Nothing stands against it."""
        return not self.errors

    @property
    def recordable(self) -> bool:
        """It may be recorded: all of it, or its good rows where that was asked, there are any, and no error is of the file."""
        stands = self.facts or self.changed or self.waiting or self.unchanged
        return self.good or bool(self.good_rows and stands and not any(each.of_file for each in self.errors))
