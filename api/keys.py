"""Who holds a key: keys and page sessions on the desk, kept as SHA-256 only, bound to an organisation and a role."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict

from flows.access import Caller, CallerRole
from flows.codes import division_prefix, uscc
from flows.errors import Malformed, Unknown
from flows.ids import EnterpriseId
from flows.ports import Clock, Desk
from flows.times import instant_us

KEY_KIND: Final = "key"
SESSION_KIND: Final = "session"
SESSION_LASTS: Final = timedelta(hours=12)
"""One shift at a weighbridge."""
KEY_PREFIX: Final = "hl"
_KEY: Final = re.compile(rf"{KEY_PREFIX}_(?P<key_id>[0-9a-f]{{8}})_[0-9A-Za-z-]{{32}}", re.ASCII)


class KeptKey(BaseModel):
    """What the desk knows of a key: never the key itself."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    digest: str
    organisation: EnterpriseId
    role: CallerRole
    division: str = ""
    name: str = ""
    created_us: int

    @property
    def caller(self) -> Caller:
        """Whom it stands for."""
        return Caller(self.organisation, self.role, self.division)


@dataclass(frozen=True)
class Keys:
    """Keys and sessions of one desk."""

    desk: Desk
    clock: Clock
    secret: str = ""
    """Mixed into session tokens: another secret signs everybody out."""

    def create(self, organisation: str, role: str, *, division: str = "", name: str = "") -> tuple[str, KeptKey]:
        """A new key, told once, and what is kept of it.

        Raises:
            Malformed: a wrong credit code, an unknown role, a regulator without its division, or a division for
                somebody who is no regulator.
        """
        if role not in get_args(CallerRole):
            raise Malformed("key-role-unknown", role=role, roles=", ".join(get_args(CallerRole)))
        if role == "regulator" and not division:
            raise Malformed("key-division-missing")
        if role != "regulator" and division:
            raise Malformed("key-division-idle", role=role)
        division = division_prefix(division) if division else ""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(24).replace("_", "-")
        key = f"{KEY_PREFIX}_{key_id}_{secret}"
        now_us = instant_us(self.clock())
        kept = KeptKey(
            key_id=key_id,
            digest=_digest(key),
            organisation=uscc(organisation),
            role=role,  # pyright: ignore[reportArgumentType] # checked against the literal above
            division=division,
            name=name,
            created_us=now_us,
        )
        written = self.desk.put(KEY_KIND, key_id, kept.model_dump_json().encode(), version=0, now_us=now_us)
        assert written, "two keys of one id"
        return key, kept

    def find(self, key: str) -> Caller | None:
        """Whom a key stands for, if it is one of ours."""
        kept = self.find_key(key)
        return kept.caller if kept is not None else None

    def find_key(self, key: str) -> KeptKey | None:
        """What is kept of a key, if it is one of ours."""
        match = _KEY.fullmatch(key.strip())
        if match is None:
            return None
        found = self.desk.get(KEY_KIND, match["key_id"], now_us=instant_us(self.clock()))
        if found is None:
            return None
        kept = KeptKey.model_validate_json(found.body)
        return kept if secrets.compare_digest(kept.digest, _digest(match[0])) else None

    def all(self) -> list[KeptKey]:
        """Every key that is kept."""
        kept = self.desk.all(KEY_KIND, now_us=instant_us(self.clock()))
        return [KeptKey.model_validate_json(document.body) for document in kept]

    def revoke(self, key_id: str) -> None:
        """Take a key away, and its sessions with it.

        Raises:
            Unknown: no such key.
        """
        now_us = instant_us(self.clock())
        if self.desk.get(KEY_KIND, key_id, now_us=now_us) is None:
            raise Unknown("key-unknown", key=key_id)
        self.desk.drop(KEY_KIND, key_id)

    def open_session(self, key: str) -> str | None:
        """A token for the pages that stands for a key, for one shift."""
        kept = self.find_key(key)
        if kept is None:
            return None
        token = secrets.token_urlsafe(32)
        now_us = instant_us(self.clock())
        expires_us = now_us + SESSION_LASTS // timedelta(microseconds=1)
        name, body = _digest(self.secret + token), kept.key_id.encode()
        written = self.desk.put(SESSION_KIND, name, body, version=0, now_us=now_us, expires_us=expires_us)
        assert written, "two sessions of one token"
        return token

    def find_session(self, token: str) -> Caller | None:
        """Whom a page session stands for, while its key does."""
        kept = self.find_session_key(token)
        return kept.caller if kept is not None else None

    def find_session_key(self, token: str) -> KeptKey | None:
        """The key that a page session was opened with, while both last."""
        now_us = instant_us(self.clock())
        session = self.desk.get(SESSION_KIND, _digest(self.secret + token), now_us=now_us)
        if session is None:
            return None
        key = self.desk.get(KEY_KIND, session.body.decode(), now_us=now_us)
        return KeptKey.model_validate_json(key.body) if key is not None else None

    def close_session(self, token: str) -> None:
        """Sign out."""
        self.desk.drop(SESSION_KIND, _digest(self.secret + token))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
