"""What every test may ask for: `--accept`, which writes golden files anew instead of comparing with them."""

import os

import pytest
from hypothesis import settings

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
