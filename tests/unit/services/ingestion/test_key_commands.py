"""`brain-services ingestion-keys`, as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.ingestion.key_file import read_keys
from services.ingestion.keys import Grant, utc_now, verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.yaml"


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["ingestion-keys", *arguments, "--file", str(path)])


def token_of(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def admitted(path: Path, token: str) -> bool:
    return isinstance(verify(read_keys(path).keys, token, utc_now()), Grant)


def test_a_key_lives_from_its_making_to_its_end(path: Path) -> None:
    first = token_of(run(path, "add", "--tenant", "lab", "--device", "walker-1", "--device", "gw7-*"))
    assert admitted(path, first)
    second = token_of(run(path, "rotate", first.split(".")[0], "--days", "30"))
    assert admitted(path, first)
    assert admitted(path, second)
    assert run(path, "revoke", first.split(".")[0]).exit_code == 0
    assert not admitted(path, first)
    assert admitted(path, second)


def test_the_list_shows_states_in_80_columns_and_no_secret(path: Path) -> None:
    token = token_of(run(path, "add", "--tenant", "lab", "--device", "walker-1", "--days", "7"))
    gone = token_of(run(path, "add", "--tenant", "lab", "--device", "walker-2"))
    run(path, "revoke", gone.split(".")[0])
    shown = run(path, "list").stdout
    assert token.split(".")[0] in shown
    assert "live, until" in shown
    assert "revoked" in shown
    assert token.split(".")[1] not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_third_key_and_an_unknown_one_are_refused_by_name(path: Path) -> None:
    first = token_of(run(path, "add", "--tenant", "lab", "--device", "walker-1"))
    token_of(run(path, "rotate", first.split(".")[0]))
    third = run(path, "add", "--tenant", "lab", "--device", "walker-1")
    assert (third.exit_code, third.stdout) == (1, "")
    assert "2 live keys" in third.stderr
    assert "no key 'knone'" in run(path, "revoke", "knone").stderr


@pytest.mark.parametrize(("tenant", "device"), [("a/b", "d"), ("lab", "a b")])
def test_a_name_that_is_none_is_refused(path: Path, tenant: str, device: str) -> None:
    result = run(path, "add", "--tenant", tenant, "--device", device)
    assert result.exit_code == 1
    assert not path.exists()


def test_the_service_refuses_to_start_without_keys(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ingestion", "--keys-file", str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert "ingestion-keys add" in result.stderr


def test_the_service_refuses_to_be_open_to_others(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ingestion", "--insecure-dev", "--host", "192.0.2.1"])
    assert result.exit_code == 2
    assert "only on loopback" in result.stderr
