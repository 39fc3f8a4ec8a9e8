"""Official numbers as people write them: text in, the one canonical text out, every check digit counted.

What a number names is for the catalogue and the book to say; here it is only read. Full-width letters, small letters,
blanks and the many dashes are all understood. What cannot be read is `Malformed`, and says what would be right.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from flows.errors import Malformed

CREDIT_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""In the order of their values 0 to 30. Source: GB 32100-2015, table 2 (no I, O, S, V, Z)."""
CREDIT_WEIGHTS: Final = tuple(3**i % 31 for i in range(17))  # Source: GB 32100-2015, 1 3 9 27 19 … 28
CREDIT_LENGTH: Final = 18
ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # Source: GB 11714, positions 9 to 16 of the credit code

CODE_LENGTH: Final = 8  # an eight-digit waste code without its hyphens
DAY_LENGTH: Final = 8  # yyyymmdd
SERIAL_LENGTH: Final = 3
LAST_SERIAL: Final = 10**SERIAL_LENGTH - 1
"""A thousandth container of one code on one day has no digital code: HJ 1276-2022 gives it three digits."""
DIGITAL_CODE_LENGTH: Final = CREDIT_LENGTH + CODE_LENGTH + DAY_LENGTH + SERIAL_LENGTH

LAST_HAZARDOUS_CATEGORY: Final = 50  # Source: 国家危险废物名录, HW01 to HW50
NO_GENERAL_CLASS: Final = ("00", "08")  # Source: 固体废物分类与代码目录 2024, there is no S08

_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣", "-"))
_DOTS: Final = str.maketrans("", "", "·•・.-")
_HAZARDOUS: Final = re.compile(r"(?:HW(\d\d)-?)?(\d{3})-?(\d{3})-?(\d\d)", re.ASCII)
_GENERAL: Final = re.compile(r"(?:SW(\d\d)-?)?(\d{3})-?(0(?:0[1-9]|[1-9]\d))-?SW?(\d\d)", re.ASCII)
_CATEGORY: Final = re.compile(r"(HW|SW?)(\d{1,2})", re.ASCII)
_METHOD: Final = re.compile(r"([A-Z])0?([1-9]\d?)", re.ASCII)
_DIVISION: Final = re.compile(r"[1-8]\d(?:\d\d){0,2}", re.ASCII)
_MANIFEST: Final = re.compile(r"20\d\d(?P<place>\d{4})\d{6}", re.ASCII)
_PERMIT: Final = re.compile(rf"(?P<uscc>[0-9A-Z]{{{CREDIT_LENGTH}}})(?P<site>\d{{3}}[A-Z])", re.ASCII)
_DIGITAL: Final = re.compile(
    rf"(?P<uscc>[0-9A-Z]{{{CREDIT_LENGTH}}})(?P<code>\d{{{CODE_LENGTH}}})"
    rf"(?P<day>\d{{{DAY_LENGTH}}})(?P<serial>\d{{{SERIAL_LENGTH}}})",
    re.ASCII,
)
_PLATE: Final = re.compile(  # Source: GA 36; ordinary, trailer, small and large new-energy vehicles
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
    r"(?:[0-9A-HJ-NP-Z]{5}|[0-9A-HJ-NP-Z]{4}挂|[A-HJK][0-9A-HJ-NP-Z][0-9]{4}|[0-9]{5}[DF])"
)


def _plain(text: str) -> str:
    """The text in plain capitals, with one kind of dash and no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split()).translate(_DASHES)


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _digits(day: date) -> str:
    return day.isoformat().replace("-", "")


def uscc(text: str) -> str:
    """The unified social credit code of an enterprise (统一社会信用代码), both check digits right.

    Refused in this order: length, a letter that never occurs, letters in the division, the last digit, the digit of
    the organisation code.

    Source: GB 32100-2015; positions 9 to 17 carry their own digit by GB 11714.
    """
    plain = _plain(text).replace("-", "")
    if len(plain) != CREDIT_LENGTH:
        raise Malformed("uscc-length", read=text, length=len(plain))
    for position, letter in enumerate(plain, 1):
        if letter not in CREDIT_LETTERS:
            raise Malformed("uscc-letter", read=text, letter=letter, position=position)
    if not plain[2:8].isdecimal():
        raise Malformed("uscc-division", read=text, part=plain[2:8])
    if plain[-1] != (expected := _credit_check(plain[:-1])):
        raise Malformed("uscc-check", read=text, found=plain[-1], expected=expected)
    if plain[16] != (expected := _organisation_check(plain[8:16])):
        raise Malformed("uscc-organisation-check", read=text, found=plain[16], expected=expected)
    return plain


def uscc_with_check(first_8: str, body_8: str) -> str:
    """A valid credit code from its registrar, type and division, and the eight characters of its organisation."""
    begun = first_8 + body_8 + _organisation_check(body_8)
    return uscc(begun + _credit_check(begun))


def _credit_check(first_17: str) -> str:
    weighted = sum(CREDIT_LETTERS.index(c) * w for c, w in zip(first_17, CREDIT_WEIGHTS, strict=True))
    return CREDIT_LETTERS[-weighted % 31]


def _organisation_check(body_8: str) -> str:
    """The ninth character of an organisation code; its letters count from A = 10, none left out."""
    weighted = sum(int(c, 36) * w for c, w in zip(body_8, ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-weighted % 11]


def plate(text: str) -> str:
    """A number plate (车牌号): ``"川a·12345"`` is 川A12345. Trailers and new-energy vehicles have their own forms."""
    plain = _plain(text).translate(_DOTS)
    if not _PLATE.fullmatch(plain):
        raise Malformed("plate-unreadable", read=text)
    return plain


def discharge_permit(text: str) -> str:
    """The number of a discharge permit (排污许可证编号): a credit code, three digits of the site, one letter."""
    match = _PERMIT.fullmatch(_plain(text).replace("-", ""))
    if match is None:
        raise Malformed("discharge-permit-unreadable", read=text)
    return uscc(match["uscc"]) + match["site"]


def manifest_number(text: str, division: str | None = None) -> str:
    """The official number of a manifest (转移联单编号), which the state's system issues and this one never makes.

    With `division`, the consignor's, the place in the number must be the same prefecture.

    Source: 危险废物转移管理办法 Art. 15: year, province, city, six digits that run within the prefecture.
    """
    plain = _plain(text).replace("-", "")
    match = _MANIFEST.fullmatch(plain)
    if match is None:
        raise Malformed("manifest-number-unreadable", read=text)
    place = division_prefix(division)[:4] if division else ""
    if not match["place"].startswith(place):
        raise Malformed("manifest-number-elsewhere", read=text, found=match["place"], expected=place)
    return plain


class BatchKind(StrEnum):
    """What an HJ 1259 batch code counts, by its prefix."""

    GENERATED = "HWCS"
    PUT_IN = "HWRK"
    TAKEN_OUT = "HWCK"
    USED_HERE = "HWZXLY"
    DISPOSED_HERE = "HWZXCZ"
    USED_OUTSIDE = "HWWWLY"
    DISPOSED_OUTSIDE = "HWWWCZ"
    USED_ABROAD = "HWCKLY"
    DISPOSED_ABROAD = "HWCKCZ"


_LONGEST_FIRST: Final = sorted(BatchKind, key=len, reverse=True)  # HWCK begins HWCKLY and HWCKCZ too
_BATCH: Final = re.compile(
    rf"(?P<kind>{'|'.join(_LONGEST_FIRST)})(?P<day>\d{{{DAY_LENGTH}}})(?P<serial>\d{{{SERIAL_LENGTH}}})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class BatchCode:
    """A batch code of the ledgers B.1 to B.5 (批次编码), such as HWCS20211031001: a name within one site."""

    kind: BatchKind
    day: date
    serial: int

    def __str__(self) -> str:
        return f"{self.kind}{_digits(self.day)}{self.serial:0{SERIAL_LENGTH}d}"


def batch_code(text: str) -> BatchCode:
    """Read a batch code of the form that HJ 1259-2022 suggests."""
    match = _BATCH.fullmatch(_plain(text).replace("-", ""))
    if match is None:
        raise Malformed("batch-code-unreadable", read=text, prefixes=" ".join(BatchKind))
    if (day := _day(match["day"])) is None:
        raise Malformed("code-day-impossible", read=text, day=match["day"])
    return BatchCode(BatchKind(match["kind"]), day, int(match["serial"]))


@dataclass(frozen=True, slots=True)
class DigitalCode:
    """What the digital identification code of a container says (数字识别码)."""

    uscc: str
    waste_code: str
    day: date
    serial: int

    def __str__(self) -> str:
        code = self.waste_code.replace("-", "")
        return f"{self.uscc}{code}{_digits(self.day)}{self.serial:0{SERIAL_LENGTH}d}"


def digital_code(uscc: str, waste_code: str, day: date, serial: int) -> str:
    """The digital identification code of one container: its maker, its waste, its day, its number that day.

    Source: HJ 1276-2022, label of hazardous waste.
    """
    if not 1 <= serial <= LAST_SERIAL:
        raise Malformed("digital-code-serial", serial=serial, last=LAST_SERIAL)
    if len(waste_code.replace("-", "")) != CODE_LENGTH:
        raise Malformed("digital-code-not-hazardous", read=waste_code)
    return str(parse_digital_code(str(DigitalCode(uscc, waste_code, day, serial))))


def parse_digital_code(text: str) -> DigitalCode:
    """Read what stands on a label, as it was scanned or typed."""
    plain = _plain(text).replace("-", "")
    match = _DIGITAL.fullmatch(plain)
    if match is None:
        raise Malformed("digital-code-unreadable", read=text, length=len(plain), expected=DIGITAL_CODE_LENGTH)
    if (day := _day(match["day"])) is None:
        raise Malformed("code-day-impossible", read=text, day=match["day"])
    if (serial := int(match["serial"])) == 0:
        raise Malformed("digital-code-serial", serial=serial, last=LAST_SERIAL)
    return DigitalCode(uscc(match["uscc"]), waste_code(match["code"]), day, serial)


def waste_code(text: str) -> str:
    """A waste code in its one form: 321-024-48, 900-002-S17, or SW01 where the item is still to be settled.

    ``"HW48 32102448"`` is understood too; a category that contradicts the code is refused.
    """
    plain = _plain(text)
    for form, head, letter in ((_HAZARDOUS, "HW", ""), (_GENERAL, "SW", "S")):
        if match := form.fullmatch(plain):
            named, industry, serial, category = match.groups()
            if named not in (None, category):
                raise Malformed("waste-code-category", read=text, named=head + named, found=head + category)
            _check_category(text, head, category)
            return f"{industry}-{serial}-{letter}{category}"
    if plain.startswith("SW") and _CATEGORY.fullmatch(plain):
        return waste_category(plain)
    raise Malformed("waste-code-unreadable", read=text)


def waste_category(text: str) -> str:
    """A category of hazardous waste or a class of general waste: HW48, SW01."""
    match = _CATEGORY.fullmatch(_plain(text))
    if match is None:
        raise Malformed("waste-category-unreadable", read=text)
    head, number = "HW" if match[1] == "HW" else "SW", match[2].zfill(2)
    _check_category(text, head, number)
    return head + number


def _check_category(text: str, head: str, number: str) -> None:
    exists = 1 <= int(number) <= LAST_HAZARDOUS_CATEGORY if head == "HW" else number not in NO_GENERAL_CLASS
    if not exists:
        raise Malformed("waste-category-absent", read=text, category=head + number)


def method_code(text: str) -> str:
    """The code of a way of use or disposal (利用处置方式代码): R4, C1, D10. The catalogue says which there are."""
    match = _METHOD.fullmatch(_plain(text))
    if match is None:
        raise Malformed("method-code-unreadable", read=text)
    return match[1] + match[2]


def division(text: str) -> str:
    """A division code of six digits (行政区划代码, GB/T 2260); two or four are filled up: 5101 is 510100."""
    plain = _plain(text)
    if not _DIVISION.fullmatch(plain):
        raise Malformed("division-unreadable", read=text)
    return plain.ljust(6, "0")


def division_prefix(code: str) -> str:
    """What all divisions inside this one begin with: 510000 gives 51, 511000 (内江) gives 5110 and not 511."""
    full = division(code)
    return full[:2] if full.endswith("0000") else full[:4] if full.endswith("00") else full


def nearest(text: str, choices: Iterable[str]) -> str | None:
    """The choice most like the text, for a message that offers it; None when nothing is near."""
    found = get_close_matches(text, list(choices), n=1)
    return found[0] if found else None
