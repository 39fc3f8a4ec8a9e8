"""Fifty kills under the load of eight clients: nothing that was acknowledged is lost, doubled or torn."""

from pathlib import Path

import pytest

from tests.torture.killing import torture

KILLS = 50


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    *_, tally = torture(KILLS, tmp_path, seed=1)

    assert (tally.lost, tally.doubled, tally.gaps, tally.torn, tally.faults) == (0, 0, 0, 0, [])
    assert tally.kills == KILLS
    assert tally.found == tally.acknowledged > KILLS
    assert tally.kills_starting > 0
    assert tally.again > 0
    assert tally.in_force == tally.corrections > 0
