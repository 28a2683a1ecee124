"""Device keys: `<key id>.<secret>` for the device, SHA-256 of the secret for us, and what the key is good for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.envelope import IDENTIFIER
from schemas.errors import BrainError

SECRET_BYTES = 32
KEY_ID_BYTES = 6
LIVE_KEYS_PER_DEVICE = 2
"""One in use and one that takes its place: more would be keys that nobody keeps an eye on."""
WILDCARD = "*"

_NOBODY = hashlib.sha256(b"the secret of a key that does not exist").hexdigest()

DeviceScope = Annotated[str, Field(pattern=rf"^({IDENTIFIER.pattern}|[A-Za-z0-9._:-]{{0,128}}\*)$")]
"""A device id, or the beginning of some with a `*` behind it; `*` alone is every device of the tenant."""


class KeyEntry(BaseModel):
    """A key as it stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret_sha256: str = Field(pattern="^[0-9a-f]{64}$", repr=False)
    tenant_id: str = Field(pattern=rf"^{IDENTIFIER.pattern}$")
    devices: tuple[DeviceScope, ...] = Field(min_length=1, max_length=10_000)
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return not self.flaw(now)

    def flaw(self, now: datetime) -> str:
        """Why the key opens nothing at `now`; empty if it does."""
        if self.revoked is not None and self.revoked <= now:
            return f"the key was revoked at {self.revoked.isoformat()}"
        if self.expires is not None and self.expires <= now:
            return f"the key expired at {self.expires.isoformat()}"
        return ""


class KeyFile(BaseModel):
    """Everything in the file of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(1, ge=1, le=1)
    keys: dict[Annotated[str, Field(pattern="^[0-9a-z_-]{1,64}$")], KeyEntry] = Field(default_factory=dict)


class KeyChangeError(BrainError):
    """A change of the keys is not possible; the message says why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do.

    Attributes:
        key_id: whose rate is counted.
        tenant_id: of every record.
        devices: their scopes.
    """

    key_id: str
    tenant_id: str
    devices: frozenset[str]
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, key_id: str, tenant_id: str, scopes: Sequence[str]) -> Grant:
        """The grant of these device scopes."""
        prefixes = tuple(scope[:-1] for scope in scopes if scope.endswith(WILDCARD))
        return cls(key_id, tenant_id, frozenset(scopes), prefixes)

    def covers(self, device_id: str) -> bool:
        """Whether records of this device may be sent."""
        return device_id in self.devices or device_id.startswith(self.prefixes)


def verify(keys: Mapping[str, KeyEntry], token: str, now: datetime) -> Grant | str:
    """What a token opens, or why it opens nothing.

    An unknown key costs the same comparison as a known one, so that time tells nobody which ids exist.
    """
    key_id, _, secret = token.partition(".")
    entry = keys.get(key_id)
    right = hmac.compare_digest(_digest(secret), entry.secret_sha256 if entry else _NOBODY)
    if entry is None or not right:
        return "the key is unknown or its secret is wrong"
    return entry.flaw(now) or Grant.of(key_id, entry.tenant_id, entry.devices)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that has just been made; the token is shown once and is nowhere in the file."""

    key_id: str
    token: str
    file: KeyFile


def add_key(
    file: KeyFile, entry: Callable[[str], KeyEntry], *, now: datetime, entropy: Callable[[int], bytes]
) -> NewKey:
    """Adds a key with a new secret.

    Args:
        file: as it is.
        entry: the entry for a secret's digest.
        now: wall clock.
        entropy: random bytes (`os.urandom` at a program's entry).

    Raises:
        KeyChangeError: if a device of it has two live keys already.
    """
    secret, key_id = entropy(SECRET_BYTES).hex(), f"k{entropy(KEY_ID_BYTES).hex()}"
    new = entry(_digest(secret))
    for scope in new.devices:
        live = [
            known_id
            for known_id, known in file.keys.items()
            if known.is_live(now) and known.tenant_id == new.tenant_id and scope in known.devices
        ]
        if len(live) >= LIVE_KEYS_PER_DEVICE:
            raise KeyChangeError(f"device {scope!r} has {len(live)} live keys ({', '.join(live)}): revoke one first")
    return NewKey(key_id, f"{key_id}.{secret}", file.model_copy(update={"keys": {**file.keys, key_id: new}}))


def rotate_key(
    file: KeyFile,
    key_id: str,
    *,
    expires: datetime | None,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> NewKey:
    """Adds a key that is good for the same as another one; both live until the old one is revoked.

    Raises:
        KeyChangeError: if there is no such live key, or if it has a successor already.
    """
    old = _known(file, key_id)
    if flaw := old.flaw(now):
        raise KeyChangeError(f"{key_id}: {flaw}")

    def entry(digest: str) -> KeyEntry:
        return KeyEntry(
            secret_sha256=digest, tenant_id=old.tenant_id, devices=old.devices, created=now, expires=expires
        )

    return add_key(file, entry, now=now, entropy=entropy)


def revoke_key(file: KeyFile, key_id: str, *, now: datetime) -> KeyFile:
    """Ends a key now. A key that was revoked before stays as it is.

    Raises:
        KeyChangeError: if there is no such key.
    """
    entry = _known(file, key_id)
    revoked = entry if entry.revoked else entry.model_copy(update={"revoked": now})
    return file.model_copy(update={"keys": {**file.keys, key_id: revoked}})


def utc_now() -> datetime:
    """The machine's clock, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _known(file: KeyFile, key_id: str) -> KeyEntry:
    if key_id not in file.keys:
        raise KeyChangeError(f"there is no key {key_id!r}")
    return file.keys[key_id]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", errors="surrogateescape")).hexdigest()
