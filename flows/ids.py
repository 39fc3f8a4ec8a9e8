"""Names that callers make: opaque, kept as text; a name within one site becomes an id by (site, code)."""

import hashlib
from typing import Annotated, TypeAlias

from pydantic import StringConstraints

Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:~-]{0,63}$")]
EventId: TypeAlias = Id
BatchId: TypeAlias = Id
ManifestId: TypeAlias = Id
SiteId: TypeAlias = Id
EnterpriseId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
"""The unified social credit code (GB 32100-2015); `codes.uscc` checks both digits."""

DERIVED_LENGTH = 26  # 130 bits of SHA-256 in base 32: no two names of a country's whole waste trade meet
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u to misread on a label


def derived_id(kind: str, *names: str) -> Id:
    """The id of what a site calls by `names`: the same names give the same id, everywhere and always."""
    digest = hashlib.sha256("\x1f".join((kind, *names)).encode()).digest()
    number = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[number >> (5 * i) & 31] for i in range(DERIVED_LENGTH))
