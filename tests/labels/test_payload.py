"""Links on codes, and what scanners make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import Malformed
from labels.payload import batch_url, manifest_url, scanned

CODE = "91510100MA6CUBFA8Q3210024820261122001"
QR_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_a_link_is_upper_case_and_ends_with_the_code() -> None:
    assert batch_url(CODE, "https://huanliu.example.cn/") == f"HTTPS://HUANLIU.EXAMPLE.CN/Q/{CODE}"
    assert manifest_url("9x2k7m4t", "https://huanliu.example.cn") == "HTTPS://HUANLIU.EXAMPLE.CN/M/9X2K7M4T"


def test_a_local_address_keeps_its_scheme_and_port() -> None:
    assert batch_url(CODE, "http://127.0.0.1:8000") == f"HTTP://127.0.0.1:8000/Q/{CODE}"
    assert batch_url(CODE, "http://[::1]:8000") == f"HTTP://[::1]:8000/Q/{CODE}"


def test_a_host_in_chinese_goes_by_its_ascii_name() -> None:
    assert batch_url("A1", "https://环流.中国") == "HTTPS://XN--QZW10L.XN--FIQS8S/Q/A1"


def test_a_path_keeps_its_case_because_servers_mind_it() -> None:
    assert batch_url("a1", "https://example.cn/huanLiu/") == "HTTPS://EXAMPLE.CN/huanLiu/Q/A1"


@pytest.mark.parametrize(
    "base", ["", "huanliu.example.cn", "ftp://example.cn", "https://", "https://a b", "http://x:y"]
)
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(Malformed) as refusal:
        batch_url(CODE, base)
    assert refusal.value.key == "link-base-unusable"
    assert refusal.value.text("zh")


@pytest.mark.parametrize("code", ["", "a/b", "渣", "a b", "x" * 65])
def test_a_code_that_cannot_stand_in_a_link_is_refused(code: str) -> None:
    with pytest.raises(Malformed, match="cannot stand in a link"):
        batch_url(code, "https://example.cn")


@given(st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._:~-]{0,63}", fullmatch=True))
def test_what_a_link_carries_is_read_back(code: str) -> None:
    assert scanned(batch_url(code, "http://127.0.0.1:8000")) == code.upper()
    assert scanned(code) == code.upper()


@given(st.from_regex(r"[0-9A-Za-z][0-9A-Za-z.:-]{0,63}", fullmatch=True))
def test_our_own_codes_stay_in_the_small_mode(code: str) -> None:
    assert set(batch_url(code, "https://huanliu.example.cn")) <= QR_ALPHANUMERIC


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        f" {CODE}\r\n",
        f"HTTPS://HUANLIU.EXAMPLE.CN/Q/{CODE}",
        f"https://huanliu.example.cn/q/{CODE.lower()}/",
        f"https://huanliu.example.cn/q/{CODE}?from=scan#top",
        f"https：、、huanliu。example。cn、q、{CODE}",
        "".join(chr(ord(sign) + 0xFEE0) for sign in f"HTTPS://HUANLIU.EXAMPLE.CN/Q/{CODE}"),
    ],
)
def test_a_scanner_may_type_in_any_case_and_through_an_input_method(typed: str) -> None:
    assert scanned(typed) == CODE


@pytest.mark.parametrize("typed", ["", "  ", "https://elsewhere.example/pay/1", "渣", "x" * 65])
def test_what_is_no_code_of_ours_is_refused(typed: str) -> None:
    with pytest.raises(Malformed) as refusal:
        scanned(typed)
    assert refusal.value.text("zh") != refusal.value.text("en")
