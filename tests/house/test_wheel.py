"""The wheel, in an environment of its own and seen from another folder, is the whole service."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("flows", "graph", "labels", "api")
INSTALLING_S = 600  # the wheels of numpy, typst and the Chinese font may come over a slow line

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(2 * INSTALLING_S), pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of a fresh environment that holds the wheel and what it needs, and no more."""
    folder = tmp_path_factory.mktemp("wheel")
    constraints = str(ROOT / "constraints.txt")
    _pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (wheel,) = folder.glob("huanliu-*.whl")
    _pip(folder / "venv" / "bin" / "python", "install", "-c", constraints, str(wheel))
    return folder / "venv" / "bin"


def _pip(python: Path, *words: str) -> None:
    command = [str(python), "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING_S, check=False)
    assert done.returncode == 0, done.stderr


def _run(program: Path, *words: str, folder: Path) -> str:
    """What a program says when it starts in `folder`, with nothing of this checkout in its environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [str(program), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [["--help"], ["demo", "--help"], ["serve", "--help"]], ids=" ".join)
def test_the_installed_script_answers(installed: Path, tmp_path: Path, words: list[str]) -> None:
    assert "huanliu" in _run(installed / "huanliu", *words, folder=tmp_path)


def test_the_four_packages_come_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.py").write_text("raise SystemExit('the current folder won')")
    program = f"import {', '.join(PACKAGES)}; print(*(p.__path__[0] for p in ({', '.join(PACKAGES)})), sep='\\n')"
    homes = _run(installed / "python", "-c", program, folder=tmp_path).split()

    assert len({Path(home).parent for home in homes}) == 1
    assert all(Path(home).is_relative_to(installed.parent) for home in homes)


def test_every_file_of_the_packages_came_along(installed: Path, tmp_path: Path) -> None:
    home = Path(_run(installed / "python", "-c", "import flows; print(flows.__path__[0])", folder=tmp_path).strip())
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *PACKAGES], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    ours = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}

    assert sorted(name for name in ours if not (home.parent / name).is_file()) == []
    assert {Path(name).suffix for name in ours} >= {".py", ".toml"}
