"""What an installation sets: `HUANLIU_*` in the environment, each with a default that works on a laptop."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.faults import faults_of
from flows.errors import Malformed

DEFAULT_PORT: Final = 8000
WORKERS_MOST: Final = 64
"""More processes than that on one machine read the ledger more often than they answer."""
PREFIX: Final = "HUANLIU_"
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listening there is the operator's choice; nobody dials it
"""What a server listens on, and how this machine then reaches it."""
SQLITE: Final = "sqlite"
NEO4J: Final = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://[^/?#@\s]+/?")
"""An address that Neo4j's driver takes: direct or by routing, encrypted (`+s`) or with a certificate of one's own (`+ssc`)."""


def _known_ledger(value: str) -> str:
    if value != SQLITE and not NEO4J.fullmatch(value):
        raise ValueError(value) from Malformed("setting-ledger", ledger=value)
    return value


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    data: Path = Path("var")
    """The folder of ledger and desk."""
    ledger: Annotated[str, AfterValidator(_known_ledger)] = SQLITE
    """``sqlite``: one file in the data folder; ``bolt://…`` or ``neo4j://…``: a Neo4j, shared by any number of processes."""
    neo4j_user: str = "neo4j"
    neo4j_password: SecretStr | None = None
    neo4j_database: str = "neo4j"
    """The community edition has this one only."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Unset: 8000, or the next free port, said plainly."""
    workers: Annotated[int, Field(ge=1, le=WORKERS_MOST)] = 1
    """Server processes on one port. Each reads the whole ledger into its own memory."""
    public_url: AnyHttpUrl | None = None
    """Where printed codes point. Unset: this machine only, with a warning."""
    secret: SecretStr | None = None
    """Mixed into session tokens; changing it signs everybody out."""
    metrics_token: SecretStr | None = None
    """Who may read `/metrics`: whoever bears it. Unset: this machine alone, while no public address is set."""
    tables: Path | None = None
    """A folder whose tables replace the built-in ones of the same name."""

    @classmethod
    def read(cls, **given: Any) -> "Settings":
        """The settings of the environment; `given` goes before it.

        Raises:
            Malformed: a setting that cannot be.
        """
        try:
            return cls(**given)
        except ValidationError as fault:
            zh, en = (faults_of(fault.errors(), language)[0] for language in ("zh", "en"))
            name = PREFIX + zh["where"].upper()
            raise Malformed("setting-wrong", name=name, fault=zh["detail"], fault_en=en["detail"]) from None

    @property
    def embedded(self) -> bool:
        """Whether the ledger is a file of this machine."""
        return self.ledger == SQLITE

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.data / "huanliu.db"

    @property
    def cache(self) -> Path:
        """The folder of what is kept of the readings, so that a process need not read every entry when it starts."""
        return self.data / "cache"

    def base_url(self, port: int | None = None) -> str:
        """The address that printed codes carry, without a slash at its end."""
        if self.public_url is not None:
            return str(self.public_url).rstrip("/")
        return self.local_url(port or self.port or DEFAULT_PORT)

    def local_url(self, port: int) -> str:
        """The address by which this machine reaches the server."""
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
