"""An installation served by several processes: started as people start it, looked at from outside, and stopped."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx2

from api.settings import Settings

HUANLIU = Path(sys.executable).with_name("huanliu")
PATIENCE_S = 60.0


def until(true: Callable[[], object], what: str) -> None:
    """Look again until something holds; what never does is a failure."""
    end_s = monotonic() + PATIENCE_S
    while not true():
        assert monotonic() < end_s, what
        sleep(0.02)


def workers_of(pid: int) -> set[int]:
    """The processes that a supervisor started, without the helper of Python's own that counts what they share."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return {int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()}


def lives(pid: int) -> bool:
    """Whether a process does anything yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def served(settings: Settings, workers: int) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """The supervisor, and its address once it serves."""
    password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
    given = {
        **os.environ, "HUANLIU_DATA": str(settings.data), "HUANLIU_WORKERS": str(workers), "PYTHONUNBUFFERED": "1",
        "HUANLIU_LEDGER": settings.ledger, "HUANLIU_NEO4J_USER": settings.neo4j_user, "HUANLIU_NEO4J_PASSWORD": password,
        "COLUMNS": "200",
    }  # fmt: skip
    given.pop("HUANLIU_PORT", None)
    server = subprocess.Popen([HUANLIU, "serve"], env=given, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        line = next(line for line in server.stdout if "serving at" in line)
        assert f"{workers} 个进程" in line
        yield server, re.findall(r"http://\S+", line)[0]
    finally:
        server.kill()
        server.wait(timeout=30)
        server.stdout.close()


def figures(address: str) -> dict[str, float]:
    """What the service counts."""
    text = httpx2.get(f"{address}/metrics", timeout=60, trust_env=False).text
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
    }
