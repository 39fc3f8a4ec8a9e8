"""What is said to Neo4j about the graph for people: constraints, and one constant statement for each thing to be done."""

from typing import Final, LiteralString

from graph.picture import KINDS, LABELLED, STATIC, Kind, Labelled

GRAPH_NAME: Final = "huanliu"
"""Of the one `:Graph` node, which names how far the graph goes."""
NOT_ENTRIES: Final = tuple(each for each in LABELLED if each.label != "Entry")


def _joined(parts: list[LiteralString]) -> LiteralString:
    return "\n".join(parts)


def _types(kinds: list[Kind]) -> LiteralString:
    return "|".join([kind.type for kind in kinds])


# what guards it -----------------------------------------------------------------------------------------------------


def _constraint(each: Labelled) -> LiteralString:
    name: LiteralString = f"huanliu_{each.label.lower()}_{each.key}"
    return f"create constraint {name} if not exists for (n:{each.label}) require n.{each.key} is unique"


GRAPH_CONSTRAINTS: Final[tuple[LiteralString, ...]] = (
    "create constraint huanliu_graph if not exists for (g:Graph) require g.name is unique",
    *(_constraint(each) for each in LABELLED),
)
GRAPH_INDEXES: Final[tuple[LiteralString, ...]] = (
    "create index huanliu_entry_kind if not exists for (e:Entry) on (e.kind)",
    "create index huanliu_batch_waste if not exists for (b:Batch) on (b.waste)",
    "create index huanliu_batch_material if not exists for (b:Batch) on (b.material)",
    "create index huanliu_manifest_state if not exists for (m:Manifest) on (m.state)",
)
"""What the questions of `docs/graph.md` begin with."""
AWAIT_INDEXES: Final[LiteralString] = "call db.awaitIndexes($seconds)"

# how far it goes ----------------------------------------------------------------------------------------------------

FOUND_GRAPH: Final[LiteralString] = """
    match (g:Graph {name: $name}) return g.position as position, g.digest as digest, g.schema as schema
"""
CLAIM_GRAPH: Final[LiteralString] = """
    merge (g:Graph {name: $name})
    on create set g.position = 0, g.digest = $digest, g.schema = $schema, g.writes = 0
"""
SET_POSITION: Final[LiteralString] = """
    match (g:Graph {name: $name}) set g.position = $position, g.digest = $digest
"""
SET_GRAPH_SCHEMA: Final[LiteralString] = "match (g:Graph {name: $name}) set g.schema = $schema"
FOREIGN_NODES: Final[LiteralString] = """
    match (n) where any(label in labels(n) where label in $labels)
    unwind labels(n) as label
    with distinct label where label in $labels
    return label order by label
"""
IS_LEDGER: Final[LiteralString] = "match (l:Ledger) return count(l) as ledgers"

# what entries make of it --------------------------------------------------------------------------------------------
# All that is to be done comes as one map: the server keeps one plan for each statement, however long the lists in it are.
# Of lists that come each by itself it keeps a plan for every combination of their lengths, and makes each in a second.
# No plan is made anew because there is more of everything now: there is but one way, each node by its own key.

_WHERE_IT_GOES_SO_FAR: Final[LiteralString] = """cypher replan=skip
match (g:Graph {name: $delta.graph}) set g.writes = g.writes + 1
with g match (held:Graph {name: $delta.graph}) where held.position = $delta.before
"""
"""The position as it is once the lock is held: nothing is written behind a gap."""
_HOW_FAR: Final[LiteralString] = "return held.position as position"


def _drop(each: Labelled) -> LiteralString:
    """Relationships that nodes own, but for what a correction says: entries that mend stand as they are."""
    owned = [kind for kind in KINDS if kind.owner == each.label and kind.type not in {"BECAME", "CORRECTS"}]
    if not owned:
        return ""
    return f"""call () {{
        unwind $delta.rewired_{each.label} as key
        match (:{each.label} {{{each.key}: key}})-[r:{_types(owned)}]-() delete r
    }}"""


DROP: Final[LiteralString] = _joined([
    _WHERE_IT_GOES_SO_FAR,
    """call () {
        unwind $delta.rewired_Entry as key
        match (:Entry {position: key})<-[:INPUT]-(:Batch)-[r:BECAME {position: key}]->(:Batch)
        with distinct r delete r
    }""",
    *(_drop(each) for each in LABELLED if each.label not in STATIC),
    _HOW_FAR,
])  # fmt: skip
"""Take away what rewired nodes own."""

DROP_STATIC: Final[LiteralString] = _joined([
    _WHERE_IT_GOES_SO_FAR, "call () { match ()-[r:CLASSED_AS|IN_CATEGORY]->() delete r }", _HOW_FAR
])  # fmt: skip
"""Take away what the catalogue's nodes own."""


def _remove(each: Labelled) -> LiteralString:
    return f"""call () {{
        unwind $delta.gone_{each.label} as key match (n:{each.label} {{{each.key}: key}}) detach delete n
    }}"""


REMOVE: Final[LiteralString] = _joined([
    _WHERE_IT_GOES_SO_FAR, *(_remove(each) for each in NOT_ENTRIES if each.label not in STATIC), _HOW_FAR
])  # fmt: skip
"""Take away nodes that a correction has undone."""


def _merge(each: Labelled) -> LiteralString:
    return f"""call () {{
        unwind $delta.nodes_{each.label} as row merge (n:{each.label} {{{each.key}: row[0]}}) set n += row[1]
    }}"""


_KEY_OF: Final[dict[LiteralString, LiteralString]] = {each.label: each.key for each in LABELLED}


def _connect(kind: Kind) -> LiteralString:
    start, end = _KEY_OF[kind.start], _KEY_OF[kind.end]
    return f"""call () {{
        unwind $delta.edges_{kind.type} as row
        match (a:{kind.start} {{{start}: row[0]}}) match (b:{kind.end} {{{end}: row[1]}})
        create (a)-[r:{kind.type}]->(b) set r = row[2]
    }}"""


WRITE: Final[LiteralString] = _joined(
    [
        _WHERE_IT_GOES_SO_FAR,
        *(_merge(each) for each in LABELLED),
        *(_connect(kind) for kind in KINDS),
        "set held.position = $delta.position, held.digest = $delta.digest",
        _HOW_FAR,
    ]
)
"""Write nodes with all that they say, then relationships between nodes that stand, and that it goes so far now.

Nodes are merged, fresh ones too: a graph that somebody meddled with is the audit's matter, and stops no fact.
"""

# reading it back ----------------------------------------------------------------------------------------------------


def read_nodes(each: Labelled) -> LiteralString:
    """All nodes of a label."""
    return f"match (n:{each.label}) return n.{each.key} as key, properties(n) as props"


def read_edges(kind: Kind) -> LiteralString:
    """All relationships of a kind."""
    start, end = _KEY_OF[kind.start], _KEY_OF[kind.end]
    return f"""
        match (a:{kind.start})-[r:{kind.type}]->(b:{kind.end})
        return a.{start} as start, b.{end} as end, properties(r) as props
    """


# making it anew -----------------------------------------------------------------------------------------------------


def _clear(each: Labelled) -> LiteralString:
    return f"match (n:{each.label}) with n limit $count detach delete n return count(*) as cleared"


CLEAR: Final[tuple[LiteralString, ...]] = (
    *(_clear(each) for each in NOT_ENTRIES),
    """match (:Entry)-[r:CORRECTS]->(:Entry) with r limit $count delete r return count(*) as cleared""",
    """match (e:Entry) where e.body is null with e limit $count detach delete e return count(*) as cleared""",
)
"""Take everything away, some at a time; entries of a ledger stay."""
