"""The four packages come from one place, or the program does not start: their names are common ones."""

import sys
from pathlib import Path

import api
import flows
import graph
import labels


def check() -> None:
    """Refuse to start when another `flows`, `graph`, `labels` or `api` stands in the way."""
    places = {Path(str(package.__file__)).resolve().parent.parent for package in (api, flows, graph, labels)}
    if len(places) != 1:
        told = "\n".join(f"  {place}" for place in sorted(map(str, places)))
        sys.exit(
            f"flows、graph、labels、api 须来自同一处，现来自 · the four packages must come from one place:\n{told}"
        )
