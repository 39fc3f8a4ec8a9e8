"""The links that codes carry, and the code read back from whatever a scanner typed."""

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from flows.errors import Malformed

_PLAIN_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:~-]{0,63}")  # the shape of `flows.ids.Id`
_HOST: Final = re.compile(r"[0-9A-Za-z.-]+|[0-9A-Fa-f:.]+")
_CODE_IN_LINK: Final = re.compile(r"/[qm]/([^/?#]+)/?(?:[?#].*)?", re.IGNORECASE)
_IME_SIGNS: Final = str.maketrans("。、﹕：／", "./::/")
"""A scanner is a keyboard: through a Chinese input method its full stops and slashes arrive as these."""


def batch_url(code: str, base_url: str) -> str:
    """The link on a batch's label: ``HTTPS://HOST/Q/<CODE>``, in upper case so that its code stays small.

    `code` is the digital identification code or the batch's own id; the host answers either in any case.

    Raises:
        Malformed: the address is no http(s) address, or the code is no code.
    """
    return _url(base_url, "Q", code)


def manifest_url(manifest_id: str, base_url: str) -> str:
    """The link on a manifest: ``HTTPS://HOST/M/<ID>``. Raises as `batch_url` does."""
    return _url(base_url, "M", manifest_id)


def scanned(text: str) -> str:
    """The code in a scanned link or the bare code, in upper case, however a scanner and its input method typed it.

    Raises:
        Malformed: nothing was read, or it is neither a code nor one of our links.
    """
    plain = "".join(unicodedata.normalize("NFKC", text.translate(_IME_SIGNS)).split())
    if not plain:
        raise Malformed("scan-empty")
    link = _CODE_IN_LINK.search(plain)
    code = link[1] if link else plain
    if not _PLAIN_CODE.fullmatch(code) or (not link and "//" in plain):
        raise Malformed("scan-unreadable", read=text[:80])
    return code.upper()


def _url(base_url: str, door: str, code: str) -> str:
    """Scheme, host and code go in upper case; a path before the door keeps its case, as servers mind it."""
    if not _PLAIN_CODE.fullmatch(code):
        raise Malformed("link-code-unusable", read=code[:80])
    return f"{_origin(base_url)}/{door}/{code.upper()}"


def _origin(base_url: str) -> str:
    try:
        parts = urlsplit(base_url.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError:  # UnicodeError, which a host that is none raises, is one of these
        raise Malformed("link-base-unusable", read=base_url[:80]) from None
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(host)
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise Malformed("link-base-unusable", read=base_url[:80])
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}".upper() + (f":{port}" if port else "") + parts.path.rstrip("/")
