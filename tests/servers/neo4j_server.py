"""A real Neo4j without a container: the jars from Maven, a folder of its own, a free port of this machine."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from neo4j import Driver, GraphDatabase
from neo4j.exceptions import DriverError, Neo4jError

HERE: Final = Path(__file__).with_name("neo4j")
JARS: Final = HERE / "build" / "lib"
"""Brought once per checkout; git knows nothing of them."""
USER: Final = "neo4j"
FIRST_PASSWORD: Final = "neo4j"
"""A new server's; it expires with the first use."""
PASSWORD: Final = "tests-of-huanliu"
START_SECONDS: Final = 120.0
"""A first start takes 6-9 s where nothing else runs."""
LOOK_SECONDS: Final = 0.1
MISSING: Final = "no java and mvn here, and HUANLIU_TEST_NEO4J names no Neo4j that runs"
HEAP: Final = ("-Xms256m", "-Xmx1g")

COUNT: Final = "match (n) return count(n) as nodes"
DELETE: Final = "match (n) call (n) { detach delete n } in transactions of 5000 rows"
CONSTRAINTS: Final = "show constraints yield name return name"
INDEXES: Final = (
    "show indexes yield name, type, owningConstraint where type <> 'LOOKUP' and owningConstraint is null return name"
)


@dataclass(frozen=True)
class Address:
    """Where a server answers, and as whom it is asked."""

    uri: str
    user: str = USER
    password: str = PASSWORD

    @classmethod
    def of_environment(cls) -> "Address | None":
        """The server that `HUANLIU_TEST_NEO4J` names."""
        uri = os.environ.get("HUANLIU_TEST_NEO4J")
        if not uri:
            return None
        user = os.environ.get("HUANLIU_TEST_NEO4J_USER", USER)
        return cls(uri, user, os.environ.get("HUANLIU_TEST_NEO4J_PASSWORD", ""))

    def tell(self) -> None:
        """Name this server in the environment: for stores of this process and of those that it starts."""
        os.environ["HUANLIU_TEST_NEO4J"] = self.uri
        os.environ["HUANLIU_TEST_NEO4J_USER"] = self.user
        os.environ["HUANLIU_TEST_NEO4J_PASSWORD"] = self.password

    def driver(self) -> Driver:
        """A driver that nothing of the service knows."""
        return GraphDatabase.driver(self.uri, auth=(self.user, self.password), notifications_min_severity="OFF")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_empty(address: Address) -> None:
    """Nobody's nodes are deleted: a database that tests are pointed to has nothing in it.

    Raises:
        AssertionError: there is something in it.
    """
    with address.driver() as driver:
        (record,) = driver.execute_query(COUNT).records
    assert record["nodes"] == 0, f"{address.uri} holds {record['nodes']} nodes: name an empty database for the tests"


def empty(address: Address, *, schema: bool = False) -> None:
    """Delete every node; constraints and indexes stay, for they take long to make, unless `schema`."""
    with address.driver() as driver, driver.session() as session:
        session.run(DELETE).consume()
        if schema:
            for kind, names in (("constraint", CONSTRAINTS), ("index", INDEXES)):
                for record in session.run(names).data():
                    session.run(f"drop {kind} `{record['name']}`").consume()


def can_start() -> bool:
    """Whether this machine can start a server."""
    return all(map(shutil.which, ("java", "mvn")))


@dataclass
class Neo4jServer:
    """One server: started on a folder, killed, started again on what it left."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    first_password: str = PASSWORD
    """What it is set to at the first start; `FIRST_PASSWORD` leaves it expired."""

    @property
    def address(self) -> Address:
        """Where it answers."""
        return Address(f"bolt://127.0.0.1:{self.port}")

    def start(self) -> Address:
        """Start it and wait until it answers.

        Raises:
            AssertionError: it does not come up; with the end of its own log.
        """
        _bring_jars()
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["java", *HEAP, "-cp", f"{JARS}/*", str(HERE / "Neo4jServer.java"), str(self.folder), str(self.port)]
        with self._told.open("ab") as told:
            self.process = subprocess.Popen(command, stdout=told, stderr=told, stdin=subprocess.DEVNULL)
        self._wait()
        return self.address

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Shut it down in order; what does not end is killed."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def _told(self) -> Path:
        return self.folder / "told.log"

    def _wait(self) -> None:
        until = monotonic() + START_SECONDS
        while not self._answers():
            assert self.process is not None
            assert self.process.poll() is None, f"Neo4j ended by itself:\n{self._log()}"
            assert monotonic() < until, f"Neo4j does not answer after {START_SECONDS:.0f} s:\n{self._log()}"
            sleep(LOOK_SECONDS)

    def _answers(self) -> bool:
        """Whether it serves; a new server's password is set with its first answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), LOOK_SECONDS):
                pass
            if not (self.folder / "password.set").exists():
                self._set_password()
            if self.first_password != FIRST_PASSWORD:
                with self.address.driver() as driver:
                    driver.verify_connectivity()
        except (OSError, DriverError, Neo4jError):
            return False
        return True

    def _set_password(self) -> None:
        if self.first_password != FIRST_PASSWORD:
            words = "alter current user set password from $before to $after"
            with GraphDatabase.driver(self.address.uri, auth=(USER, FIRST_PASSWORD)) as driver:
                driver.execute_query(words, before=FIRST_PASSWORD, after=self.first_password, database_="system")
        (self.folder / "password.set").touch()

    def _log(self) -> str:
        logs = [self._told, *sorted(self.folder.glob("**/debug.log"))]
        return "\n".join(f"--- {log}\n{log.read_text('utf-8', 'replace')[-4000:]}" for log in logs if log.exists())


def _bring_jars() -> None:
    """Let Maven bring the jars, where they are not there for this very pom."""
    pom, done = HERE / "pom.xml", JARS / "pom.xml"
    if done.exists() and done.read_bytes() == pom.read_bytes():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    brought = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert brought.returncode == 0, f"Maven brings no Neo4j:\n{brought.stdout}\n{brought.stderr}"
    shutil.copy(pom, done)
