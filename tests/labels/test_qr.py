"""Codes as squares: another library reads back what was written."""

import io

import pytest
import zxingcpp
from PIL import Image

from flows.errors import Malformed
from labels import qr
from labels.payload import batch_url
from tests.labels.samples import DIGITAL_CODE, HOST

LINK = batch_url(DIGITAL_CODE, HOST)


def read(picture: bytes) -> str:
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
    return code.text


@pytest.mark.parametrize("text", [LINK, "HTTPS://EXAMPLE.CN/Q/a_b~c", "环流", "0"])
def test_a_written_code_reads_back(text: str) -> None:
    assert read(qr.png(text)) == text


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_every_level_reads_back(level: qr.Level) -> None:
    assert read(qr.png(LINK, level=level)) == LINK


def test_a_link_on_a_bag_is_no_larger_than_version_four() -> None:
    assert len(qr.matrix(LINK)) == 33
    assert len(qr.matrix(LINK.lower())) > 33, "lower case takes the byte mode, and more room"


def test_four_modules_around_a_code_are_white() -> None:
    picture = Image.open(io.BytesIO(qr.png(LINK, module_px=1)))

    assert picture.size == (41, 41)
    assert picture.convert("L").point(lambda grey: 255 - grey).getbbox() == (4, 4, 37, 37)


def test_the_svg_is_to_scale_and_draws_the_code_as_one_shape() -> None:
    drawn = qr.svg(LINK, module_mm=0.7).decode()

    assert 'width="28.7mm"' in drawn
    assert drawn.count("<path") == 1


def test_runs_cover_exactly_the_dark_modules() -> None:
    squares = qr.matrix(LINK)

    assert sum(length for _, _, length in qr.runs(squares)) == sum(map(sum, squares))


@pytest.mark.parametrize("text", ["", "A" * 5000])
def test_what_no_code_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        qr.matrix(text)
    assert refusal.value.text("zh")
