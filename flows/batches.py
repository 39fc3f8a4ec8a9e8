"""A batch as it stands: one material, one holder for its whole life, what is left of it, and where it lies."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from flows.events import LegalStatus, Packing
from flows.ids import BatchId, EnterpriseId, Id, ManifestId, SiteId

Origin: TypeAlias = Literal["stock", "generated", "collected", "tapped", "made", "load", "received", "rejected"]
"""期初 · 产生 · 回收 · 出炉 · 加工 · 装车 · 接收 · 拒收: how a batch came to be."""

Place: TypeAlias = Literal["site", "storage", "road", "gate"]
"""在场 · 在库 · 在途 · 待处理（拒收后在接受人门口）."""


@dataclass(frozen=True, slots=True)
class Batch:
    """An identified amount of one material. Custody that passes on makes a new batch, so `holder` never changes.

    `made_us` and `used_us` are effective times: of its making, and of the latest fact that used it.
    """

    batch_id: BatchId
    material: str
    holder: EnterpriseId
    site_id: SiteId
    mass_g: int
    left_g: int
    origin: Origin
    made_us: int
    used_us: int
    position: int
    status: LegalStatus
    code: str | None = None
    packing: Packing | None = None
    manifest_id: ManifestId | None = None
    """The manifest that a load, a received or a rejected batch came by."""
    place: Place = "site"
    storage_id: Id | None = None
    placed_us: int = 0
    """Effective time of the latest storing or taking out; 0 before the first."""
    foreign: bool = False
    """Somebody else made it: it was received or collected, or is a part of what was."""
    assayed: bool = False
