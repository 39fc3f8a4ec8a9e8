"""图. The graph for people in words: which nodes and relationships there are, who owns them, and the same graph in memory.

Every relationship belongs to one node, its owner, and is written anew with it. So a correction replaces what the nodes
that it touches say, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, LiteralString, NamedTuple, TypeAlias

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
"""What a property may be; None: it is not there."""
Props: TypeAlias = Mapping[str, Value]


class Labelled(NamedTuple):
    """A label, and the property by which its nodes are found."""

    label: LiteralString
    key: LiteralString


LABELLED: Final = (
    Labelled("Entry", "position"),
    Labelled("Batch", "batch_id"),
    Labelled("Manifest", "manifest_id"),
    Labelled("Enterprise", "enterprise_id"),
    Labelled("Site", "site_id"),
    Labelled("StorageArea", "storage_id"),
    Labelled("Permit", "permit_no"),
    Labelled("Material", "material"),
    Labelled("Waste", "code"),
    Labelled("Method", "method"),
    Labelled("Boundary", "boundary"),
)
"""The labels of the graph."""
STATIC: Final = frozenset({"Material", "Waste", "Method", "Boundary"})
"""Labels whose nodes come from the catalogue, not from facts."""


class Kind(NamedTuple):
    """A kind of relationship: its type, the labels at its ends, the label of its owner, and what it says."""

    type: LiteralString
    start: LiteralString
    end: LiteralString
    owner: LiteralString
    says: tuple[str, ...] = ()


KINDS: Final = (
    Kind("INPUT", "Batch", "Entry", "Entry", ("line", "mass_g", "weighed_g")),
    Kind("SOURCE", "Boundary", "Entry", "Entry", ("line", "mass_g", "detail")),
    Kind("OUTPUT", "Entry", "Batch", "Entry", ("line", "mass_g", "origin", "status")),
    Kind("END", "Entry", "Boundary", "Entry", ("line", "mass_g", "detail", "fate")),
    Kind("BECAME", "Batch", "Batch", "Entry", ("position",)),
    Kind("ABOUT", "Entry", "Batch", "Entry"),
    Kind("STEP", "Entry", "Manifest", "Entry"),
    Kind("CORRECTS", "Entry", "Entry", "Entry", ("request", "requested_by", "reason", "withdraws")),
    Kind("HOLDS", "Enterprise", "Batch", "Batch"),
    Kind("AT", "Batch", "Site", "Batch"),
    Kind("IN", "Batch", "StorageArea", "Batch"),
    Kind("CONSIGNOR", "Manifest", "Enterprise", "Manifest"),
    Kind("CONSIGNEE", "Manifest", "Enterprise", "Manifest"),
    Kind("CARRIER", "Manifest", "Enterprise", "Manifest", ("leg", "plate")),
    Kind("FROM", "Manifest", "Site", "Manifest"),
    Kind("TO", "Manifest", "Site", "Manifest"),
    Kind("LINE", "Manifest", "Batch", "Manifest", ("line", "mass_g")),
    Kind(
        "LOAD", "Manifest", "Batch", "Manifest", ("line", "loaded_g", "arrived_g", "accepted_g", "rejected_g", "method")
    ),
    Kind("HAS_SITE", "Enterprise", "Site", "Site"),
    Kind("HAS_STORAGE", "Site", "StorageArea", "StorageArea"),
    Kind("HAS_PERMIT", "Enterprise", "Permit", "Permit"),
    Kind("ALLOWS", "Permit", "Waste", "Permit", ("mode", "annual_g", "valid_from", "valid_to", "since", "until")),
    Kind("CLASSED_AS", "Material", "Waste", "Material"),
    Kind("IN_CATEGORY", "Waste", "Waste", "Waste"),
)
KIND_OF: Final[Mapping[str, Kind]] = MappingProxyType({kind.type: kind for kind in KINDS})


PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "Entry": (
        "kind", "event_id", "enterprise", "record_time_us", "day", "effective_us", "event_day", "site_id", "process",
        "method", "use", "withdrawn", "corrected_by",
    ),
    "Batch": (
        "code", "container", "material", "waste", "status", "origin", "mass_g", "left_g", "place", "day", "made_us",
        "position",
    ),
    "Manifest": (
        "internal_no", "official_no", "state", "method", "plates", "submitted_day", "loaded_day", "arrived_day",
        "decided_day", "cancelled_day",
    ),
    "Enterprise": ("name", "name_en", "division", "roles", "confirmed_by"),
    "Site": ("code", "name", "division"),
    "StorageArea": ("code", "name", "type", "capacity_g"),
    "Permit": ("valid_from", "valid_to", "ended_by"),
    "Material": ("name", "name_en", "group", "metal", "legal_status"),
    "Waste": ("name", "name_en", "hazardous", "category", "exempt"),
    "Method": ("name", "name_en", "side", "ending"),
    "Boundary": ("name",),
})  # fmt: skip
"""What nodes say beside their key; all of it is written anew with the node."""


class Key(NamedTuple):
    """Which node: its label, and the value that it is found by."""

    label: str
    value: str | int


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship with its properties."""

    type: str
    start: str | int
    end: str | int
    props: Props = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its properties, its key left out, and the relationships that it owns."""

    key: Key
    props: Props
    edges: tuple[Edge, ...] = ()


@dataclass
class Delta:
    """What some entries make of the graph: nodes to be written, or taken away (None)."""

    nodes: dict[Key, Node | None] = field(default_factory=dict[Key, Node | None])
    fresh: set[Key] = field(default_factory=set[Key])
    """Nodes that are not in the graph yet."""
    rewired: set[Key] = field(default_factory=set[Key])
    """Nodes that are, and whose relationships may differ now."""

    def written(self) -> dict[Key, Node]:
        """Nodes that are to stand."""
        return {key: node for key, node in self.nodes.items() if node is not None}

    def gone(self) -> list[Key]:
        """Nodes that are in the graph, and are not to stand."""
        return [key for key, node in self.nodes.items() if node is None and key not in self.fresh]


@dataclass
class Picture:
    """The graph in memory: what the database is to hold."""

    nodes: dict[Key, Node] = field(default_factory=dict[Key, Node])

    def apply(self, delta: Delta) -> None:
        """Take in what some entries made of it, as the database does."""
        for key in delta.gone():
            self.nodes.pop(key, None)
        for key, node in delta.written().items():
            known = self.nodes.get(key)
            assert known is None or key not in delta.fresh, f"{key} comes twice"
            kept = known is not None and key not in delta.rewired
            self.nodes[key] = Node(key, node.props, known.edges) if kept and known is not None else node
