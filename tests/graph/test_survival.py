"""A writing process is killed in the middle: what it acknowledged is there, and the ledger is whole."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.audit import audit
from flows.ports import Ledger
from tests.flows.stories import SMELTER, House, registered
from tests.graph.stores import SHARED, STORES

ROOT = Path(__file__).parents[2]
WRITES = """
import sys
from pathlib import Path
from threading import Thread
from tests.flows.stories import SMELTER, House, generated
from tests.graph.stores import STORES
house = House(STORES[sys.argv[1]].ledger(Path(sys.argv[2])))
def write(name):
    for number in range(10**6):
        fact = generated(f"{sys.argv[3]}-{name}-{number}", "1 g")
        house.tell(fact)
        sys.stdout.write(fact.event_id + "\\n")
        sys.stdout.flush()
for name in "ABC":
    Thread(target=write, args=(name,)).start()
"""


@pytest.mark.parametrize("name", SHARED)
def test_no_acknowledged_fact_is_lost_when_the_writer_is_killed(name: str, tmp_path: Path) -> None:
    ledger = STORES[name].ledger(tmp_path)
    House(ledger).tell(*registered(SMELTER))
    for kill, after in enumerate((1, 40, 150)):
        acknowledged = _killed_after(after, name, tmp_path, f"K{kill}")

        assert len(acknowledged) >= after
        assert [each for each in acknowledged if ledger.find(SMELTER, each) is None] == []
        _check_whole(ledger, acknowledged)
    ledger.close()


def _killed_after(count: int, name: str, folder: Path, prefix: str) -> list[str]:
    """What the writer said was kept, also what was in the pipe when it died."""
    command = [sys.executable, "-c", WRITES, name, str(folder), prefix]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(count)]
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    return [line.strip() for line in told if line.endswith("\n")]


def _check_whole(ledger: Ledger, acknowledged: list[str]) -> None:
    with ledger.turn():  # what the dead writer had handed over is settled: a server may still be about it
        pass
    assert audit(ledger) == []
    positions = [entry.position for entry in ledger.entries()]
    assert positions == list(range(1, ledger.head().position + 1))
    assert len(positions) >= len(acknowledged)
