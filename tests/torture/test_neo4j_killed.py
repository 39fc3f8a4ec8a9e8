"""Two thousand facts of eight clients, while the service and Neo4j itself are killed: nothing lost, doubled, torn or missing."""

from pathlib import Path
from random import Random

import pytest

from tests.servers.neo4j_server import MISSING, Neo4jServer, can_start
from tests.torture.killing import Installation, Tally

FACTS = 2_000
LOAD_SECONDS = 12.0
"""The longest span between two kills."""


@pytest.mark.long
@pytest.mark.neo4j(shared=True)
@pytest.mark.skipif(not can_start(), reason=MISSING)
@pytest.mark.timeout(1200)
def test_nothing_acknowledged_is_lost_when_the_service_or_neo4j_is_killed(tmp_path: Path) -> None:
    server, tally = Neo4jServer(tmp_path / "neo4j"), Tally()
    try:
        server.start()
        ledger = Installation(tmp_path / "data", Random(1), tally, server, LOAD_SECONDS)
        ledger.prepare()
        while tally.whole and (tally.acknowledged < FACTS or tally.kills_database < 2):
            ledger.kill_once()
        ledger.finish()
    finally:
        server.stop()

    assert (tally.lost, tally.doubled, tally.gaps, tally.torn, tally.faults) == (0, 0, 0, 0, [])
    assert tally.found == tally.acknowledged >= FACTS
    assert tally.kills > tally.kills_database >= 2
    assert tally.in_force == tally.corrections > 0
