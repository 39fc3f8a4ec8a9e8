"""Prints read back: their text, the place and size of each character, their fonts and colours."""

import ctypes
import io
import re

import pypdfium2 as pdfium
from hypothesis import strategies as st
from PIL import Image

MM_PER_POINT = 25.4 / 72

MARKUP = '#read("/etc/passwd") *粗* _斜_ $x^2$ `a` <b> @c // d \\ #panic() [e] {f}'
"""What typst would act on if it ever read a user's text as its own."""

texts = st.text(st.characters(codec="utf-8"), max_size=25) | st.text("废渣，（）。Wi1-·₂☑−/#*$\\\"'", max_size=40)


def picture(made: bytes) -> Image.Image:
    return Image.open(io.BytesIO(made)).convert("RGB")


def printed_text(made: bytes) -> str:
    """All text of a document, without the places where its lines may break or did."""
    pages = pdfium.PdfDocument(made)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    return re.sub(r"[\s\u200b\u2060\ufffe]", "", text)


def characters(made: bytes, number: int = 0) -> list[tuple[str, float, tuple[float, float, float, float]]]:
    """Each character of a page with its text size and its ink (left, bottom, right, top), in points."""
    page = pdfium.PdfDocument(made)[number].get_textpage()
    found = []
    for i in range(page.count_chars()):
        box = page.get_charbox(i)
        found.append((page.get_text_range(i, 1), pdfium.raw.FPDFText_GetFontSize(page.raw, i), box))
    return found


def font_names(made: bytes) -> dict[str, bool]:
    """The fonts of a document, and whether each is inside it."""
    found: dict[str, bool] = {}
    for page in pdfium.PdfDocument(made):
        for thing in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_TEXT]):
            font = pdfium.raw.FPDFTextObj_GetFont(thing.raw)
            length = pdfium.raw.FPDFFont_GetBaseFontName(font, None, 0)
            name = ctypes.create_string_buffer(length)
            pdfium.raw.FPDFFont_GetBaseFontName(font, name, length)
            found[name.value.decode()] = pdfium.raw.FPDFFont_GetIsEmbedded(font) == 1
    return found
