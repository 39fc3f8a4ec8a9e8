"""The ledger's end, for whoever wants to keep it; and whether the ledger only grew since, for regulators and auditors."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.problems import language_of
from api.rest.answers import answer, finding_json
from api.rest.asking import Asked, Place, TheCaller, TheService
from api.rest.shapes import Finding, Shape, refusals
from flows.audit import growth_faults
from flows.errors import Forbidden, Malformed
from flows.times import moment_of

PROVERS: Final = {"regulator", "auditor"}
"""Reading a whole chain is work, and whose ledger it is they need not know."""
DIGEST_MOST: Final = 100

router = APIRouter(tags=["audit"])


class Mark(Asked):
    """What somebody kept: a position, and the digest there."""

    since: Annotated[Place | None, Field(description="当时保存的台账位置 · a position that was kept")] = None
    digest: Annotated[str | None, Field(max_length=DIGEST_MOST, description="当时该位置的摘要 · the digest there")] = (
        None
    )


class LedgerEnd(Shape):
    """The ledger's last entry: kept, it proves later that nothing before it was changed."""

    position: int
    digest: str
    record_time: str | None
    since: int | None
    only_grew: bool | None
    faults: list[Finding]


@router.get(
    "/audit",
    summary="台账末条位置与摘要；since 与 digest：此后台账是否只增未改 · The ledger's end, and whether it only grew",
    responses=refusals(LedgerEnd),
)
def get_audit(request: Request, caller: TheCaller, service: TheService, mark: Annotated[Mark, Query()]) -> Response:
    """The position and digest of the last entry: keep both.

    With `since` and `digest` (regulators and auditors) the entry there must still have that digest, and the chain from it
    must hold to the end without a gap; `faults` says what is wrong. `huanliu audit` takes the whole ledger anew.
    """
    if (mark.since is None) is not (mark.digest is None):
        raise Malformed("audit-since-needs-digest", where="since" if mark.since is None else "digest")
    faults = None
    if mark.since is not None and mark.digest is not None:
        if caller.role not in PROVERS:
            raise Forbidden("audit-for-authorities", role=caller.role)
        found = growth_faults(service.ledger, mark.since, mark.digest)
        faults = [finding_json(each, language_of(request)) for each in found]
    head = service.ledger.head()
    told = {
        "position": head.position,
        "digest": head.digest,
        "record_time": moment_of(head.record_time_us).isoformat() if head.position else None,
        "since": mark.since,
        "only_grew": None if faults is None else not faults,
        "faults": faults or [],
    }
    return answer(told, position=head.position)
