"""Permits on pages: an old one that a new one goes on from is no lapse, a lapsed one is."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from flows.enterprises import Mode, Permit, PermitLine
from flows.events import PermitGranted
from tests.api.park import LANDFILL, REGULATOR, park

Lines: TypeAlias = Sequence[tuple[str, Mode]]
HOST = "http://testserver"
OLD: Lines = (("321-024-48", "utilize"), ("321-026-48", "utilize"))


def _granted(number: str, lines: Lines, begin: date, end: date) -> Permit:
    told = tuple(PermitLine(waste=waste, mode=mode, annual_g=10**9) for waste, mode in lines)
    return Permit(permit_no=number, holder=LANDFILL, lines=told, valid_from=begin, valid_to=end)


@pytest.mark.parametrize(
    ("new", "begin", "standing"),
    [
        (OLD, date(2026, 5, 20), "已换证"),
        ((("HW48", "utilize"),), date(2026, 5, 20), "已换证"),
        (OLD[:1], date(2026, 5, 20), "已过期"),
        ((("HW48", "dispose"),), date(2026, 5, 20), "已过期"),
        (OLD, date(2026, 12, 1), "已过期"),
        ((), date(2026, 5, 20), "已过期"),
    ],
)
def test_an_ended_permit_is_a_lapse_unless_all_its_lines_go_on(
    tmp_path: Path, new: Lines, begin: date, standing: str
) -> None:
    place = park(tmp_path)
    place.tell(PermitGranted, REGULATOR, permit=_granted("旧", OLD, date(2021, 4, 1), date(2026, 3, 31)))
    if new:
        place.tell(PermitGranted, REGULATOR, permit=_granted("新", new, begin, date(2031, 5, 19)))
    browser = TestClient(create_app(place.service), headers={"Origin": HOST})
    browser.post("/login", data={"key": place.keys["regulator"]})
    one = browser.get(f"/enterprises/{LANDFILL}").text
    row = next(each for each in browser.get("/enterprises").text.split("<tr>") if f"/enterprises/{LANDFILL}" in each)

    assert standing in one
    assert ("已过期" in one) == ("已过期" in row) == (standing == "已过期")
    assert "已换证" not in row
