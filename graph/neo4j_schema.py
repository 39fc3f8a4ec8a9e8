"""What a Neo4j database holds of ours: labels, constraints and indexes, and the steps from an older schema to this one.

Labels are claimed once, when the ledger's node is made: a database in which somebody else's nodes bear one of them is
refused, and beside nodes that bear none of them nothing is read or written that is not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

NAME: Final = "huanliu"
"""Of the one `:Ledger` node: a foreign node of this label bears another."""
LABELS: Final[tuple[LiteralString, ...]] = ("Ledger", "Entry", "Document")
"""Every label that we write."""

CONSTRAINTS: Final[Mapping[str, LiteralString]] = {
    "huanliu_ledger": """
        create constraint huanliu_ledger if not exists for (l:Ledger) require l.name is unique
    """,
    "huanliu_entry_position": """
        create constraint huanliu_entry_position if not exists for (e:Entry) require e.position is unique
    """,
    "huanliu_entry_name": """
        create constraint huanliu_entry_name if not exists for (e:Entry) require (e.enterprise, e.event_id) is unique
    """,
    "huanliu_document": """
        create constraint huanliu_document if not exists for (d:Document) require (d.kind, d.key) is unique
    """,
}
"""What is promised of nodes, by name; each brings the index by which they are found."""
INDEXES: Final[Mapping[str, LiteralString]] = {
    "huanliu_document_expiry": """
        create index huanliu_document_expiry if not exists for (d:Document) on (d.expires_us)
    """,
}
INDEX_SECONDS: Final = 600
"""How long a start waits for an index to be filled: a million entries take less than one minute."""

FOUND_LEDGER: Final[LiteralString] = """
    match (l:Ledger {name: $name}) return l.schema as schema, l.position as position
"""
USED: Final[LiteralString] = " union all ".join(
    f"match (n:{label}) with n limit 1 return '{label}' as label" for label in LABELS
)
"""Which of our labels some node bears."""
STRAYS: Final[LiteralString] = """
    match (e:Entry) where not coalesce(e.position > 0, false) return count(e) as nodes
"""
"""Entries that no reader ever finds: no writer of ours makes one."""
CLAIM: Final[LiteralString] = """
    merge (l:Ledger {name: $name})
    on create set l.schema = $schema, l.position = 0, l.digest = $digest, l.record_time_us = 0, l.turns = 0
"""
LOCK_SCHEMA: Final[LiteralString] = """
    match (l:Ledger {name: $name}) set l.turns = l.turns + 1
    with l match (again:Ledger {name: $name}) return again.schema as schema
"""
SET_SCHEMA: Final[LiteralString] = """
    match (l:Ledger {name: $name}) set l.schema = $schema
"""
AWAIT: Final[LiteralString] = """
    call db.awaitIndexes($seconds)
"""
GUARDS: Final[LiteralString] = """
    show indexes yield name, state where name starts with 'huanliu_' return name, state
"""
CONSTRAINED: Final[LiteralString] = """
    show constraints yield name where name starts with 'huanliu_' return name
"""
DROP_INDEXES: Final[Mapping[str, LiteralString]] = {
    "huanliu_document_expiry": "drop index huanliu_document_expiry if exists",
}


@dataclass(frozen=True, slots=True)
class Step:
    """The step to a version, in one transaction under the ledger's lock: statements that change what is kept.

    A step adds and never takes away or renames: a process of the version before may still be writing.
    """

    version: int
    statements: tuple[LiteralString, ...]


STEPS: Final[tuple[Step, ...]] = ()
"""From version 1; constraints and indexes are made at every start, whatever the version."""


def known_version(steps: tuple[Step, ...]) -> int:
    """The version that the last step leads to."""
    return steps[-1].version if steps else 1
