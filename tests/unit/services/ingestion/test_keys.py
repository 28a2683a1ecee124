"""Device keys: who is let in, as whom, and until when."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from services.ingestion.key_file import KeyFileError, KeyRing, read_keys, write_keys
from services.ingestion.keys import (
    Grant,
    KeyChangeError,
    KeyEntry,
    KeyFile,
    NewKey,
    add_key,
    revoke_key,
    rotate_key,
    verify,
)
from tests.ingestion_client import NOW, new_key

LATER = NOW + timedelta(days=30)


def entropy() -> object:
    count = iter(range(1, 200))
    return lambda size: bytes([next(count)]) * size


def added(file: KeyFile, source: object, *devices: str, tenant: str = "lab") -> NewKey:
    return add_key(
        file,
        lambda digest: KeyEntry(secret_sha256=digest, tenant_id=tenant, devices=devices, created=NOW),
        now=NOW,
        entropy=source,  # type: ignore[arg-type]
    )


def test_a_key_opens_its_tenant_and_its_devices_only() -> None:
    new = added(KeyFile(), entropy(), "walker-1", "gw7-*")
    grant = verify(new.file.keys, new.token, NOW)
    assert isinstance(grant, Grant)
    assert (grant.key_id, grant.tenant_id) == (new.key_id, "lab")
    assert [grant.covers(name) for name in ("walker-1", "gw7-a", "gw7-")] == [True] * 3
    assert [grant.covers(name) for name in ("walker-10", "walker-", "gw7", "gw70", "", "*")] == [False] * 6


def test_a_star_alone_covers_every_device() -> None:
    assert Grant.of("k", "lab", ["*"]).covers("anything")


def test_the_file_holds_no_secret_and_the_secret_has_256_bits() -> None:
    new = added(KeyFile(), entropy(), "walker-1")
    secret = new.token.split(".")[1]
    assert len(bytes.fromhex(secret)) == 32
    text = new.file.model_dump_json()
    assert secret not in text
    assert hashlib.sha256(secret.encode()).hexdigest() in text
    assert secret not in repr(new.file)


def test_wrong_tokens_open_nothing() -> None:
    new = added(KeyFile(), entropy(), "walker-1")
    key_id, secret = new.token.split(".")
    for token in (
        key_id,
        f"{key_id}.",
        f"{key_id}.{secret[:-1]}",
        f"kx.{secret}",
        secret,
        "",
        ".",
        f"{key_id}.ü\udcff",
    ):
        assert verify(new.file.keys, token, NOW) == "the key is unknown or its secret is wrong"


def test_an_unknown_key_is_compared_like_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noting(first: str, second: str) -> bool:
        lengths.append((len(first), len(second)))
        return compare(first, second)

    monkeypatch.setattr("services.ingestion.keys.hmac.compare_digest", noting)
    new = added(KeyFile(), entropy(), "walker-1")
    verify(new.file.keys, f"{new.key_id}.wrong", NOW)
    verify(new.file.keys, "kffff.wrong", NOW)
    assert lengths == [(64, 64), (64, 64)]


def test_expired_and_revoked_keys_open_nothing_and_say_so() -> None:
    source = entropy()
    new = added(KeyFile(), source, "walker-1")
    revoked = revoke_key(new.file, new.key_id, now=NOW)
    assert verify(revoked.keys, new.token, NOW) == f"the key was revoked at {NOW.isoformat()}"
    assert revoke_key(revoked, new.key_id, now=LATER) == revoked
    expiring = rotate_key(new.file, new.key_id, expires=LATER, now=NOW, entropy=source)  # type: ignore[arg-type]
    assert isinstance(verify(expiring.file.keys, expiring.token, NOW), Grant)
    assert verify(expiring.file.keys, expiring.token, LATER) == f"the key expired at {LATER.isoformat()}"


def test_a_rotation_has_two_live_keys_and_no_third() -> None:
    source = entropy()
    old = added(KeyFile(), source, "walker-1")
    new = rotate_key(old.file, old.key_id, expires=None, now=NOW, entropy=source)  # type: ignore[arg-type]
    for token in (old.token, new.token):
        assert isinstance(verify(new.file.keys, token, NOW), Grant)
    with pytest.raises(KeyChangeError, match="'walker-1' has 2 live keys"):
        rotate_key(new.file, new.key_id, expires=None, now=NOW, entropy=source)  # type: ignore[arg-type]
    with pytest.raises(KeyChangeError, match="has 2 live keys"):
        added(new.file, source, "walker-2", "walker-1")
    assert added(new.file, source, "walker-1", tenant="clinic").file.keys.keys() > new.file.keys.keys()
    third = added(revoke_key(new.file, old.key_id, now=NOW), source, "walker-1")
    assert isinstance(verify(third.file.keys, third.token, NOW), Grant)


@pytest.mark.parametrize("scope", ["a b", "", "a*b", "x" * 129, "**", "a/b"])
def test_a_scope_is_a_device_or_the_beginning_of_some(scope: str) -> None:
    with pytest.raises(ValueError, match="devices"):
        added(KeyFile(), entropy(), scope)


def test_unknown_keys_are_named() -> None:
    with pytest.raises(KeyChangeError, match="no key 'k1'"):
        revoke_key(KeyFile(), "k1", now=NOW)


def test_the_file_comes_back_as_it_was_written_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    file = added(KeyFile(), entropy(), "walker-1", "gw7-*").file
    write_keys(path, file)
    assert read_keys(path) == file
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(child.name for child in tmp_path.iterdir()) == ["keys.yaml"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    write_keys(path, KeyFile())
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_keys(path)


@pytest.mark.parametrize(
    "text", ["keys: [", "keys: {k1: {secret_sha256: hunter2}}", "version: 2", "- a", "\xff", "keys: {K 1: {}}"]
)
def test_a_malformed_file_is_named_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.yaml"
    path.touch(0o600)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(KeyFileError) as raised:
        read_keys(path)
    assert str(path) in str(raised.value)
    assert "hunter2" not in str(raised.value)


class Ring:
    """A key ring on a clock that the test moves."""

    def __init__(self, path: Path) -> None:
        self.at_s = 0.0
        self.ring = KeyRing(path, max_stale_s=60, monotonic_s=lambda: self.at_s, now=lambda: NOW)


def test_a_change_of_the_file_counts_at_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    token = new_key(path)
    ring = Ring(path).ring
    assert ring.admit(f"Bearer {token}").tenant_id == "lab"
    assert not ring.refresh()
    write_keys(path, revoke_key(read_keys(path), token.split(".")[0], now=NOW))
    assert ring.refresh()
    assert ring.live == 0


def test_a_broken_file_leaves_the_keys_for_a_minute_then_nobody_is_let_in(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    token = new_key(path)
    clocked = Ring(path)
    good = yaml.safe_load(path.read_text())
    path.write_text("keys: [")
    for at_s, usable in ((10.0, True), (60.0, True), (60.1, False)):
        clocked.at_s = at_s
        with pytest.raises(KeyFileError):
            clocked.ring.refresh()
        assert clocked.ring.usable is usable
    path.write_text(yaml.safe_dump(good))
    assert clocked.ring.refresh()
    assert clocked.ring.admit(f"bearer {token}").tenant_id == "lab"
