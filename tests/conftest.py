"""What every test may ask for: `--accept`, which writes golden files anew, and an empty Neo4j for those that are so marked."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers.neo4j_server import MISSING, Address, Neo4jServer, can_start, check_empty, empty

EXAMPLES = int(os.environ.get("HUANLIU_EXAMPLES", "40"))
"""How many cases a law is tried on where it does not say itself; `HUANLIU_EXAMPLES=1000 make test` tries harder."""

# No test is judged by the clock; in CI, Hypothesis' own profile makes each run the same.
settings.register_profile(
    "house", settings.get_profile(settings.get_current_profile_name()), deadline=None, max_examples=EXAMPLES
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the option of `make accept`."""
    parser.addoption("--accept", action="store_true", help="write golden files anew; look at them before you commit")


@pytest.fixture(scope="session")
def accept(pytestconfig: pytest.Config) -> bool:
    """Whether golden files are written anew in this run."""
    return bool(pytestconfig.getoption("--accept"))


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """One Neo4j for all tests of a run: the one that `HUANLIU_TEST_NEO4J` names, else one of our own.

    Its database must be empty at the beginning, for it is emptied again and again.
    """
    named = Address.of_environment()
    if named is not None:
        check_empty(named)
        yield named
        empty(named)
        return
    if not can_start():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    server = Neo4jServer(tmp_path_factory.mktemp("neo4j"))
    try:
        address = server.start()
        address.tell()
        yield address
    finally:
        server.stop()


@pytest.fixture
def neo4j(neo4j_server: Address) -> Address:
    """A Neo4j with nothing in it."""
    empty(neo4j_server)
    return neo4j_server


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """Who bears the mark finds an empty database, unless it says `shared=True`: then its module's own fixture filled it."""
    mark = request.node.get_closest_marker("neo4j")
    if mark is not None and not mark.kwargs.get("shared"):
        request.getfixturevalue("neo4j")
