"""Golden files: a changed file is a changed label. Look at it, then `make accept`."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN_FOLDER = Path(__file__).with_name("golden")


@pytest.fixture
def same_as_golden(accept: bool, tmp_path: Path) -> Callable[[str, bytes], None]:
    """Compares with the kept file, byte by byte; what differs is left in the test's own folder, to be looked at."""

    def compare(name: str, made: bytes) -> None:
        kept = GOLDEN_FOLDER / name
        if accept:
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(made)
        if not kept.exists() or kept.read_bytes() != made:
            (tmp_path / name).write_bytes(made)
            pytest.fail(f"{name} is not as it was: look at {tmp_path / name}, then `make accept`")

    return compare
