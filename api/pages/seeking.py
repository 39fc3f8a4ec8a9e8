"""What a search box may mean: a scanned code, a number, a plate, a name; only what the reader sees is found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from api.pages.drawing import moment
from api.pages.reading import Reader
from flows.errors import Problem
from flows.manifests import Manifest
from labels.payload import scanned

HITS_MOST: Final = 60
NAME_LEAST: Final = 2
"""One character names half the province."""

HitKind: TypeAlias = Literal["batch", "manifest", "enterprise"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    kind: HitKind
    url: str
    name: str
    detail: str


def seek(text: str, reader: Reader) -> list[Hit]:
    """What the text may mean, the surest first, each thing once."""
    asked = text.strip()
    if not asked:
        return []
    found: dict[str, Hit] = {}
    for hit in (*_by_code(asked, reader), *_manifests(asked, reader), *_enterprises(asked, reader)):
        found.setdefault(hit.url, hit)
        if len(found) == HITS_MOST:
            break
    return list(found.values())


def _by_code(asked: str, reader: Reader) -> Iterator[Hit]:
    """The batch of an id or a digital code; of a site's own code every batch that was ever called so."""
    service, lineage = reader.service, reader.service.lineage
    try:
        code = scanned(asked)
    except Problem:
        return
    batch_id = service.containers.find(code) or code
    named = [lineage.batch_ids[rank] for rank in lineage.find(code)]
    for each in dict.fromkeys([batch_id, *named]):
        batch = service.book.find_batch(each)
        if batch is None or not reader.sight.sees_batch(batch):
            continue
        name = service.catalogue.material(batch.material).name_zh
        detail = f"{name} · {reader.name_of(batch.holder)} · {moment(batch.made_us)}"
        yield Hit("batch", f"/batches/{quote(batch.batch_id)}", batch.code or batch.batch_id, detail)


def _manifests(asked: str, reader: Reader) -> Iterator[Hit]:
    try:
        code = scanned(asked)
    except Problem:
        code = asked.upper()
    plain = "".join(asked.upper().split())
    for manifest in reader.service.book.all_manifests():
        if _means(manifest, code, plain) and reader.sight.sees_manifest(manifest):
            submitted = manifest.submitted
            yield Hit("manifest", f"/manifests/{quote(manifest.manifest_id)}", submitted.internal_no, _plates(manifest))


def _means(manifest: Manifest, code: str, plain: str) -> bool:
    submitted = manifest.submitted
    numbers = {manifest.manifest_id, submitted.internal_no.upper(), submitted.official_no or ""}
    return code in numbers or plain in numbers or plain in _plates(manifest).split()


def _plates(manifest: Manifest) -> str:
    loaded = manifest.loaded
    plates = [leg.plate for leg in manifest.submitted.legs] + [loaded.plate if loaded else None]
    return " ".join(dict.fromkeys(plate for plate in plates if plate))


def _enterprises(asked: str, reader: Reader) -> Iterator[Hit]:
    if len(asked) < NAME_LEAST:
        return
    code, name = "".join(asked.upper().split()), asked.casefold()
    for enterprise, known in reader.service.book.enterprises.items():
        told = known.registered
        if enterprise != code and name not in told.name.casefold() and name not in told.name_en.casefold():
            continue
        if reader.sees_enterprise(enterprise):
            yield Hit("enterprise", f"/enterprises/{enterprise}", told.name, enterprise)
