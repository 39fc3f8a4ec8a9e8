"""What the repository holds: nothing of one machine, nothing heavy, nothing long, and files that start."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LARGEST_B = 1_000_000  # what is larger is data, and belongs to whoever publishes it
LINES_MAX = 400  # twice what most modules need: a word is missing long before
TEST_LINES_MAX = 600  # one contract, or one day in the park, told in one file
VOCABULARIES = {"flows/events.py"}  # a closed set stands in one file and is as long as there are facts
# Written apart, so that this file does not hold what it looks for.
ONE_MACHINES = [rf"(?<![\w.-])/{folder}/" for folder in ("work", "root", "Users", r"home/\w+")]
REGISTRIES = [
    name.replace("_", ".") for name in ("pypi_org", "pythonhosted_org", "registry_npmjs_org", "npmmirror_com")
]
REGISTRY_WORDS = ["index" + "-url", "find" + "-links", "trusted" + "-host", "arti" + "factory"]
ELSEWHERE = re.compile(
    "|".join([*ONE_MACHINES, *map(re.escape, REGISTRIES), *REGISTRY_WORDS, r"\b(?:closes|fixes|refs|issue) #\d+"]),
    re.IGNORECASE,
)


def _files() -> list[Path]:
    """What is in the repository or about to be: no folder that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


FILES = _files()
MODULES = [file for file in FILES if file.suffix == ".py" and _path(file) not in VOCABULARIES]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:  # a picture or a sheet
        return ""


@pytest.mark.parametrize("file", FILES, ids=_path)
def test_a_file_tells_nothing_of_one_machine(file: Path) -> None:
    told = [match[0] for match in ELSEWHERE.finditer(_text(file))]

    assert told == []


@pytest.mark.parametrize("file", FILES, ids=_path)
def test_a_file_is_light(file: Path) -> None:
    assert file.stat().st_size <= LARGEST_B


@pytest.mark.parametrize("module", MODULES, ids=_path)
def test_a_module_is_short(module: Path) -> None:
    lines = len(_text(module).splitlines())

    assert lines <= (TEST_LINES_MAX if _path(module).startswith("tests/") else LINES_MAX), "which word is missing?"


def test_one_list_of_versions() -> None:
    """Two locks would disagree."""
    assert {file.name for file in FILES} & {"uv.lock", "poetry.lock", "Pipfile.lock", "requirements.txt"} == set()


def test_the_constraints_hold_every_version_that_the_project_names() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = {
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
    }
    plain = {re.sub(r"\[.*\]", "", name).lower().replace("_", "-") for name in named}
    held = {line.lower().replace("_", "-") for line in _text(ROOT / "constraints.txt").splitlines()}

    assert plain <= held, sorted(plain - held)


def test_the_ci_script_starts() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)


COMPOSE: dict[str, Any] = yaml.safe_load(_text(ROOT / "docker-compose.yml"))
OURS = ("server", "embedded")


def test_compose_has_the_two_deployments() -> None:
    """Without a profile the server deployment comes up; the embedded one is named, and needs nothing else."""
    services = COMPOSE["services"]

    assert set(services) == {"neo4j", *OURS}
    assert [name for name, each in services.items() if "profiles" not in each] == ["neo4j", "server"]
    assert services["embedded"]["profiles"] == ["embedded"]
    assert "depends_on" not in services["embedded"]
    assert services["server"]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    assert services["server"]["environment"]["HUANLIU_LEDGER"] == "bolt://neo4j:7687"


@pytest.mark.parametrize("name", OURS)
def test_the_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]

    assert (service["build"], service["read_only"], service["cap_drop"]) == (".", True, ["ALL"])
    assert "/tmp" in service["tmpfs"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/data"]
    assert "/livez" in " ".join(service["healthcheck"]["test"])


def test_no_secret_has_a_value_to_begin_with() -> None:
    """What is empty is refused: by Neo4j as an invalid NEO4J_AUTH, by the service as a setting that is missing."""
    for name in OURS:
        environment = COMPOSE["services"][name]["environment"]
        secrets = {key: value for key, value in environment.items() if re.search("SECRET|PASSWORD|TOKEN", key)}
        assert set(secrets) >= {"HUANLIU_SECRET", "HUANLIU_METRICS_TOKEN"}
        assert set(secrets.values()) == {None}, "taken from the environment, or not set"
    assert COMPOSE["services"]["neo4j"]["environment"]["NEO4J_AUTH"] == "neo4j/${HUANLIU_NEO4J_PASSWORD:-}"


def test_neo4j_is_heard_inside_and_by_this_machine_alone() -> None:
    neo4j = COMPOSE["services"]["neo4j"]

    assert re.fullmatch(r"neo4j:5\.26(\.\d+)?-community", neo4j["image"])
    assert all(port.startswith("127.0.0.1:") for port in neo4j["ports"])
    assert "neo4j:/data" in neo4j["volumes"]
    assert neo4j["healthcheck"]["test"][0] == "CMD-SHELL"


def test_every_volume_of_a_service_is_kept() -> None:
    used = {volume.partition(":")[0] for each in COMPOSE["services"].values() for volume in each["volumes"]}

    assert used == set(COMPOSE["volumes"])


def _compose() -> list[str]:
    """How Compose is called on this machine: as a plugin of Docker's client, or by itself; none: it is not there."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(words[0])
            and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
        ):
            return words
    return []


COMPOSE_CLIENT = _compose()


@pytest.mark.skipif(not COMPOSE_CLIENT, reason="there is no Compose client on this machine to ask")
@pytest.mark.parametrize("profile", ["", "embedded"])
def test_compose_itself_takes_the_file(profile: str) -> None:
    """`config` needs no engine."""
    words = [*COMPOSE_CLIENT, *([f"--profile={profile}"] if profile else []), "config", "--quiet"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_keeps_its_promises() -> None:
    """Safe path, a user of its own, one volume, a health check, the one script."""
    image = _text(ROOT / "Dockerfile")

    for promise in ("PYTHONSAFEPATH=1", "HUANLIU_DATA=/data", "USER huanliu", "VOLUME /data", "HEALTHCHECK", "/livez"):
        assert promise in image
    assert image.rstrip().endswith('CMD ["huanliu", "serve", "--host", "0.0.0.0"]')
