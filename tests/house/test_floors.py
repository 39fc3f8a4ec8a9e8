"""Imports run down, never up or across, and there is no list of exceptions."""

import logging
from pathlib import Path

import grimp
import pytest
from importlinter import api
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]
CONFIGURATION = str(ROOT / "pyproject.toml")


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=CONFIGURATION, no_cache=True)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False  # it silences every logger that it does not know: others listen to ours

    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_no_contract_has_exceptions() -> None:
    excused = [
        contract["name"]
        for contract in api.read_configuration(CONFIGURATION)["contracts_options"]
        if contract.get("ignore_imports")
    ]

    assert excused == []


def test_the_floors_stand_also_under_typing_only_imports() -> None:
    session = api.read_configuration(CONFIGURATION)["session_options"]

    assert "exclude_type_checking_imports" not in session


def test_only_network_knows_networkx() -> None:
    graph = grimp.build_graph("flows", "graph", "labels", "api", include_external_packages=True, cache_dir=None)
    known_by = graph.find_modules_that_directly_import("networkx") if "networkx" in graph.modules else set()

    assert known_by <= {"graph.network"}
