"""`huanliu export --to-neo4j`, `rebuild --graph` and `audit`: the graph beside an embedded ledger, and with one in Neo4j."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.service import Service
from api.settings import Settings
from tests.flows.stories import SMELTER, generated, registered
from tests.servers.neo4j_server import Address

BESIDE = [pytest.mark.neo4j, pytest.mark.timeout(600)]


class Shell:
    """Commands on the installation of one folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {"HUANLIU_DATA": str(folder), "COLUMNS": "200", **environment}

    def run(self, *words: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words), env=self.environment)
        assert result.exit_code == expect, (words, result.output, result.exception)
        return result

    def json(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def tell(self, *names: str, settings: Settings | None = None) -> None:
        """Facts of the smelter, beginning with who it is."""
        service = Service.open(settings or Settings(data=self.folder))
        known = service.recording.position > 0
        facts = [*([] if known else registered(SMELTER)), *(generated(name, "1 t") for name in names)]
        service.recording.record(facts, SMELTER)
        service.close()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.tell("B1", "B2")
    return shell


def _beside(shell: Shell, address: Address) -> Shell:
    return Shell(shell.folder, HUANLIU_NEO4J_USER=address.user, HUANLIU_NEO4J_PASSWORD=address.password)


def test_what_is_no_address_is_told_with_one_that_would_be(shell: Shell) -> None:
    told = shell.run("export", "--to-neo4j", "http://somewhere:7474", expect=2).stderr

    assert "“http://somewhere:7474”不是 Neo4j 地址；应形如 bolt://主机:7687" in told
    assert "it reads like bolt://host:7687" in told


def test_one_thing_is_exported_at_a_time(shell: Shell) -> None:
    assert "--to-neo4j" in shell.run("export", "--facts", "--to-neo4j", "bolt://localhost", expect=2).stderr


def test_an_embedded_ledger_has_no_graph_to_be_made_anew(shell: Shell) -> None:
    told = shell.run("rebuild", "--graph", expect=2).stderr

    assert "huanliu export --to-neo4j bolt://主机:7687" in told
    assert "there is no graph with this ledger" in told


def test_nobody_at_the_address_is_told(shell: Shell) -> None:
    told = shell.run("export", "--to-neo4j", "bolt://127.0.0.1:1", expect=1).stderr

    assert "无法连接 Neo4j bolt://127.0.0.1:1" in told


class TestOnNeo4j:
    """What needs a server."""

    pytestmark = BESIDE

    def test_a_graph_is_drawn_beside_and_brought_up_to_the_end(self, shell: Shell, neo4j: Address) -> None:
        beside = _beside(shell, neo4j)
        first = beside.json("export", "--to-neo4j", neo4j.uri)
        shell.tell("B3")
        second = beside.json("export", "--to-neo4j", neo4j.uri)
        third = beside.json("export", "--to-neo4j", neo4j.uri)

        assert [told["entries"] for told in (first, second, third)] == [5, 1, 0]
        assert third["digest"] == shell.json("audit")["digest"]
        with neo4j.driver() as driver:
            (record,) = driver.execute_query("match (:Enterprise)-[:HOLDS]->(b:Batch) return count(b) as n").records
        assert record["n"] == 3
        assert "✓ 图到第 6 条" in beside.run("export", "--to-neo4j", neo4j.uri).stdout

    def test_a_ledger_that_is_moved_there_brings_its_graph(self, shell: Shell, neo4j: Address, tmp_path: Path) -> None:
        names = {"LEDGER": neo4j.uri, "NEO4J_USER": neo4j.user, "NEO4J_PASSWORD": neo4j.password}
        there = Shell(tmp_path / "there", **{f"HUANLIU_{name}": value for name, value in names.items()})
        file = str(tmp_path / "a.ledger")
        shell.run("export", "--ledger", file)
        first = there.json("import", "--ledger", file)
        shell.tell("B3")
        shell.run("export", "--ledger", file)
        words = there.run("import", "--ledger", file).stdout

        assert (first["entries"], first["position"], first["graph"]) == (5, 5, 5)
        assert "图到第 6 条，本次绘入 1 条" in words
        audited = there.json("audit")
        assert (audited["position"], audited["faults"]) == (6, [])

        with neo4j.driver() as driver:
            driver.execute_query("match (g:Graph) set g.position = -1")
        assert "huanliu rebuild --graph" in there.run("import", "--ledger", file).stderr

    def test_a_wrong_password_is_told_with_where_it_stands(self, shell: Shell, neo4j: Address) -> None:
        stranger = Shell(shell.folder, HUANLIU_NEO4J_USER=neo4j.user, HUANLIU_NEO4J_PASSWORD="not-this-one")
        told = stranger.run("export", "--to-neo4j", neo4j.uri, expect=1).stderr

        assert "不接受用户" in told
        assert "check HUANLIU_NEO4J_USER and HUANLIU_NEO4J_PASSWORD" in told

    def test_the_graph_of_another_ledger_is_refused(self, shell: Shell, neo4j: Address, tmp_path: Path) -> None:
        beside = _beside(shell, neo4j)
        beside.run("export", "--to-neo4j", neo4j.uri)
        other = Shell(tmp_path / "other", **{k: v for k, v in beside.environment.items() if "NEO4J" in k})
        other.tell("A1")

        assert "another ledger" in other.run("export", "--to-neo4j", neo4j.uri, expect=1).stderr

    def test_a_ledger_in_neo4j_is_audited_with_its_graph_and_the_graph_made_anew(
        self, neo4j: Address, tmp_path: Path
    ) -> None:
        names = {"ledger": neo4j.uri, "neo4j_user": neo4j.user, "neo4j_password": neo4j.password}
        shell = Shell(tmp_path, **{f"HUANLIU_{name.upper()}": value for name, value in names.items()})
        shell.tell("B1", settings=Settings(data=tmp_path, **names))  # pyright: ignore[reportArgumentType] - as the environment says it
        sound = shell.json("audit")["faults"]
        with neo4j.driver() as driver:
            driver.execute_query("match (b:Batch) detach delete b")
        shell.run("audit", expect=1)
        told = shell.json("rebuild", "--graph")

        assert sound == []
        assert told["position"] == told["entries"] == 4
        assert shell.json("audit")["faults"] == []
