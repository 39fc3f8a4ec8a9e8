"""Names that callers make: an enterprise's credit code, a dot, a name of its own; never looked up to be judged.

Whoever names a new batch, site or manifest does so in its own namespace. So one caller's names never meet
another's, and a refusal can never tell a stranger that something exists. All in capitals: a code read from a
label by a scanner, or typed in small letters, is the same name.
"""

import hashlib
from typing import Annotated, Final, TypeAlias

from pydantic import StringConstraints

EventId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:~-]{0,63}$")]
"""Unique per stating enterprise."""
EnterpriseId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
"""The unified social credit code (GB 32100-2015); `codes.uscc` checks both digits."""
Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}\.[0-9A-Z_-]{1,45}$")]
BatchId: TypeAlias = Id
ManifestId: TypeAlias = Id
SiteId: TypeAlias = Id

_DERIVED_LENGTH: Final = 20  # 100 bits of SHA-256 in base 32: no two names of one enterprise ever meet
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to misread on a label


def own_id(enterprise: EnterpriseId, kind: str, *names: str) -> Id:
    """The id of what an enterprise calls by `names`: the same names give the same id, everywhere and always."""
    return f"{enterprise}.{derived(kind, enterprise, *names)}"


def derived(*names: str) -> str:
    """Twenty characters that stand for `names`, the same everywhere and always."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).digest(), "big")
    return "".join(_ALPHABET[number >> (5 * i) & 31] for i in range(_DERIVED_LENGTH))


def owner(own: Id) -> EnterpriseId:
    """In whose namespace a name stands."""
    return own.partition(".")[0]
