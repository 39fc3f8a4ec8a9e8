"""What facts leave behind, as nodes: batches, manifests and who takes part, as the book has them."""

from collections.abc import Iterator

from flows.batches import Batch
from flows.book import Book
from flows.ids import owner
from flows.manifests import Manifest
from flows.times import day_of, latest_us
from graph.picture import Edge, Key, Node, Value
from graph.standing_permits import permit_node


def standing_node(key: Key, book: Book) -> Node | None:
    """A node as the book has it; None: it has none."""
    name = str(key.value)
    match key.label:
        case "Batch":
            batch = book.find_batch(name)
            return batch_node(batch, book) if batch is not None else None
        case "Manifest":
            manifest = book.find_manifest(name)
            return manifest_node(manifest) if manifest is not None else None
        case "Permit":
            return permit_node(name, book)
        case _:
            return _registered(key, book)


def _registered(key: Key, book: Book) -> Node | None:
    name = str(key.value)
    if key.label == "Enterprise" and (known := book.enterprises.get(name)):
        told = known.registered
        props: dict[str, Value] = {
            "name": told.name, "name_en": told.name_en, "division": told.division, "roles": tuple(told.roles),
            "confirmed_by": known.confirmed_by,
        }  # fmt: skip
        return Node(key, props)
    if key.label == "Site" and (site := book.sites.get(name)):
        props = {"code": site.code, "name": site.name, "division": site.division}
        return Node(key, props, (Edge("HAS_SITE", owner(name), name),))
    if key.label == "StorageArea" and (area := book.storages.get(name)):
        props = {"code": area.code, "name": area.name, "type": area.type, "capacity_g": area.capacity_g}
        return Node(key, props, (Edge("HAS_STORAGE", area.site_id, name),))
    return None


def batch_node(batch: Batch, book: Book) -> Node:
    """A batch as it stands: in whose hands, what is left of it, and where it lies."""
    props: dict[str, Value] = {
        "code": batch.code,
        "container": batch.packing.code if batch.packing else None,
        "material": batch.material,
        "waste": book.catalogue.material(batch.material).waste_code,
        "status": batch.status,
        "origin": batch.origin,
        "mass_g": batch.mass_g,
        "left_g": batch.left_g,
        "place": batch.place,
        "day": day_of(batch.made_us).isoformat(),
        "made_us": batch.made_us,
        "position": batch.position,
    }
    edges = [Edge("HOLDS", batch.holder, batch.batch_id), Edge("AT", batch.batch_id, batch.site_id)]
    if batch.storage_id is not None:
        edges.append(Edge("IN", batch.batch_id, batch.storage_id))
    return Node(Key("Batch", batch.batch_id), props, tuple(edges))


def manifest_node(manifest: Manifest) -> Node:
    """A manifest as it stands: its parties, what was planned, and what each scale said of each load."""
    submitted, name = manifest.submitted, manifest.manifest_id
    days = {fact.kind: day_of(latest_us(fact.event_time)).isoformat() for fact in manifest.history}
    props: dict[str, Value] = {
        "internal_no": submitted.internal_no, "official_no": submitted.official_no, "state": manifest.state.value,
        "method": submitted.method, "plates": tuple(leg.plate for leg in submitted.legs if leg.plate),
        **{f"{kind}_day": days.get(kind) for kind in ("submitted", "loaded", "arrived", "decided", "cancelled")},
    }  # fmt: skip
    return Node(Key("Manifest", name), props, tuple(_manifest_edges(manifest)))


def _manifest_edges(manifest: Manifest) -> Iterator[Edge]:
    submitted, name = manifest.submitted, manifest.manifest_id
    yield Edge("CONSIGNOR", name, submitted.enterprise)
    yield Edge("CONSIGNEE", name, submitted.consignee)
    yield Edge("FROM", name, submitted.consignor_site)
    yield Edge("TO", name, submitted.consignee_site)
    for number, leg in enumerate(submitted.legs, 1):
        if leg.carrier is not None:
            yield Edge("CARRIER", name, leg.carrier, {"leg": number, "plate": leg.plate})
    for line in submitted.lines:
        yield Edge("LINE", name, line.batch_id, {"line": line.line, "mass_g": line.mass_g})
    for loaded in manifest.loaded.lines if manifest.loaded is not None else ():
        yield Edge("LOAD", name, loaded.load_id, _load(manifest, loaded.line, loaded.portion.mass_g))


def _load(manifest: Manifest, line: int, loaded_g: int) -> dict[str, Value]:
    decided = manifest.decided_line(line)
    accepted, rejected = (decided.accepted, decided.rejected) if decided is not None else (None, None)
    return {
        "line": line,
        "loaded_g": loaded_g,
        "arrived_g": manifest.arrived_g(line),
        "accepted_g": accepted.mass_g if accepted is not None else None,
        "rejected_g": rejected.mass_g if rejected is not None else None,
        "method": (decided.method or manifest.submitted.method) if decided is not None else None,
    }
