"""What an installation sets: `HUANLIU_*` in the environment, each with a default that works on a laptop."""

from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_PORT = 8000


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="HUANLIU_", frozen=True)

    data: Path = Path("var")
    """The folder of ledger and desk."""
    ledger: str = "sqlite"
    """``sqlite``: one file in the data folder."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Unset: 8000, or the next free port, said plainly."""
    public_url: AnyHttpUrl | None = None
    """Where printed codes point. Unset: this machine only, with a warning."""
    secret: SecretStr | None = None
    """Mixed into session tokens; changing it signs everybody out."""
    tables: Path | None = None
    """A folder whose tables replace the built-in ones of the same name."""

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.data / "huanliu.db"

    def base_url(self, port: int | None = None) -> str:
        """The address that printed codes carry, without a slash at its end."""
        if self.public_url is not None:
            return str(self.public_url).rstrip("/")
        return f"http://{self.host}:{port or self.port or DEFAULT_PORT}"
