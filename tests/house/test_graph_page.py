"""`docs/graph.md` says what the graph holds: labels with their key and properties, relationships with theirs."""

import re
from pathlib import Path

from graph.neo4j_cypher import GRAPH_CONSTRAINTS
from graph.picture import KINDS, LABELLED, PROPERTIES

PAGE = (Path(__file__).parents[2] / "docs" / "graph.md").read_text("utf-8")
LABEL = re.compile(r"^\| `(?P<label>\w+)` \| (?P<props>[^|]*) \|", re.MULTILINE)
RELATIONSHIP = re.compile(
    r"^\| `\(:(?P<start>\w+)\)-\[:(?P<type>\w+)\]->\(:(?P<end>\w+)\)` \| (?P<props>[^|]*?) ?\|", re.MULTILINE
)


def _words(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(\w+)`", cell))


def test_every_label_stands_with_its_key_first_and_all_its_properties() -> None:
    told = {match["label"]: _words(match["props"]) for match in LABEL.finditer(PAGE)}

    assert told == {each.label: (each.key, *PROPERTIES[each.label]) for each in LABELLED}


def test_every_relationship_stands_with_its_ends_and_properties() -> None:
    told = {
        (match["start"], match["type"], match["end"]): _words(match["props"]) for match in RELATIONSHIP.finditer(PAGE)
    }

    assert told == {(kind.start, kind.type, kind.end): kind.says for kind in KINDS}


def test_every_label_has_its_constraint() -> None:
    for each in LABELLED:
        assert any(f"(n:{each.label}) require n.{each.key} is unique" in words for words in GRAPH_CONSTRAINTS)
