"""The numbers that people write on transfers and records: how they are made, and read back from what a fact notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.workbook.general import FORM_LABEL
from api.workbook.official import B4, B5
from api.workbook.remarks import labels_of, read_remarks
from api.workbook.sheets import BY_KEY
from flows.events import Loaded, Stated, Submitted

REFUSED: Final = "拒收"
"""The refused part of a manifest's line is called 拒收<number>-<line> by its consignor."""
ON_THE_ROAD: Final = "装车"
"""So is what is on the road: 装车<number>-<line>."""
B4_LABEL: Final = B4.zh_of("record")
B5_LABEL: Final = B5.zh_of("code")
MANIFEST_LABEL: Final = B5.zh_of("manifest")
RECORD_LABEL: Final = "记录编号"


@dataclass
class Inbound:
    """A manifest that is on its way to this enterprise, or was."""

    submitted: Submitted
    loaded: Loaded | None = None

    @property
    def numbers(self) -> frozenset[str]:
        """All that people may call it by."""
        told = {self.submitted.internal_no, self.submitted.number}
        return frozenset(told | set(outgoing_codes(self.submitted).values()))


def refused_code(submitted: Submitted, line: int) -> str:
    """What the consignor calls the refused part of a line."""
    return f"{REFUSED}{submitted.number}-{line}"


def load_code(number: str, line: int) -> str:
    """What the consignor calls a line on the road."""
    return f"{ON_THE_ROAD}{number}-{line}"


def outgoing_codes(submitted: Submitted) -> dict[int, str]:
    """The B.5 code of each line, where the note tells: one for all, or ``1=…,2=…``."""
    form = "g3" if told_on_a_form(submitted) else "b5"
    text = labels_told(submitted, form).get(BY_KEY[form].zh_of("code"), "")
    if "=" not in text:
        return {line.line: text for line in submitted.lines} if text else {}
    pairs = [part.partition("=") for part in text.split(",")]
    return {int(line): code for line, _, code in pairs if line.isdecimal()}


def write_outgoing(codes: Sequence[tuple[int, str]]) -> str:
    """What `outgoing_codes` reads."""
    if len({code for _, code in codes}) == 1:
        return codes[0][1]
    return ",".join(f"{line}={code}" for line, code in codes)


def labels_told(event: Stated, sheet: str) -> Mapping[str, str]:
    """What a fact's note keeps for the columns of a sheet, by their headers."""
    return read_remarks(event.note, labels_of(BY_KEY[sheet]))[0]


def record_no(event: Stated, sheet: str, label: str = RECORD_LABEL) -> str:
    """The number that the enterprise gave a record, else its event's name."""
    return labels_told(event, sheet).get(label, event.event_id)


def told_on_a_form(event: Stated) -> bool:
    """Did it come in on a table of general waste? Its form number is the first thing in the note."""
    return (event.note or "").startswith(f"{FORM_LABEL}：")


def first_code(labels: Mapping[str, str], label: str = FORM_LABEL) -> str:
    """The code of the first line, where a note keeps one for each."""
    return labels[label].partition(",")[0].rpartition("=")[2]
