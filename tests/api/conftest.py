"""The world over the wire: one to look at for all tests of a module, and a fresh one for those that write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import World, world_of


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world to look at, and to change in nothing."""
    return world_of(tmp_path_factory.mktemp("world"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A world to write to."""
    made = world_of(tmp_path)
    yield made
    made.service.close()
