"""How every program's settings are read: order of sources, names of variables, and what a message says and hides."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from schemas.errors import SettingsError
from schemas.settings import ProgramSettings


class Store(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = Field("localhost", min_length=1)
    port: int = 9000
    password: SecretStr = SecretStr("")


class Settings(ProgramSettings):
    prefix: ClassVar[str] = "BRAIN_PROBE_"
    yaml_variable: ClassVar[str] = "BRAIN_PROBE_CONFIG"
    shared_variables: ClassVar[Mapping[str, str]] = {
        "PROBE_BROKERS": "brokers",
        "KAFKA_BOOTSTRAP_SERVERS": "brokers",
        "CLICKHOUSE_HOST": "store.host",
        "CLICKHOUSE_PASSWORD": "store.password",
    }

    device: str
    brokers: str = Field("default:1", min_length=1)
    speed: float = Field(1.0, ge=0)
    token: SecretStr | None = Field(None, min_length=8)
    home: Path = Path("default")
    options: dict[str, str] = Field(default_factory=dict)
    store: Store = Field(default_factory=Store)

    @model_validator(mode="after")
    def _fast_needs_token(self) -> Settings:
        if self.speed > 100 and self.token is None:
            raise ValueError(f"token is missing: speed={self.speed:g} needs it")
        return self


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(Settings.prefix) or name in Settings.shared_variables:
            monkeypatch.delenv(name)


@pytest.fixture
def yaml_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "probe.yaml"
    monkeypatch.setenv("BRAIN_PROBE_CONFIG", str(path))
    return path


def problems_of(flags: Mapping[str, object]) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        Settings.load(flags)
    first, *problems = str(raised.value).splitlines()
    assert first == "wrong settings:"
    return [problem.removeprefix("  ") for problem in problems]


def test_each_source_wins_over_the_ones_below_it(yaml_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags: dict[str, object] = {"device": "d"}
    assert Settings(device="d").brokers == "default:1"
    yaml_file.write_text("brokers: file:1\n")
    assert Settings.load(flags).brokers == "file:1"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "everybody:1")
    assert Settings.load(flags).brokers == "everybody:1"
    monkeypatch.setenv("PROBE_BROKERS", "named-first:1")
    assert Settings.load(flags).brokers == "named-first:1"
    monkeypatch.setenv("BRAIN_PROBE_BROKERS", "own:1")
    assert Settings.load(flags).brokers == "own:1"
    assert Settings.load({**flags, "brokers": "flag:1"}).brokers == "flag:1"


def test_flag_that_was_not_given_leaves_the_weaker_sources_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAIN_PROBE_DEVICE", "own")
    assert Settings.load({"device": None}).device == "own"


def test_file_of_the_caller_goes_before_the_one_that_the_environment_names(tmp_path: Path, yaml_file: Path) -> None:
    yaml_file.write_text("device: named\n")
    other = tmp_path / "other.yaml"
    other.write_text("device: given\n")
    assert Settings.load(yaml_file=other).device == "given"


def test_fields_of_a_section_come_from_different_sources(yaml_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml_file.write_text("device: d\nstore: {host: file, port: 1, password: from-file}\n")
    monkeypatch.setenv("CLICKHOUSE_HOST", "shared")
    monkeypatch.setenv("BRAIN_PROBE_STORE__PORT", "2")
    store = Settings.load().store
    assert (store.host, store.port, store.password.get_secret_value()) == ("shared", 2, "from-file")
    monkeypatch.setenv("BRAIN_PROBE_STORE__HOST", "own")
    assert Settings.load().store.host == "own"


def test_mapping_is_given_as_json_and_its_keys_keep_their_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAIN_PROBE_OPTIONS", '{"Rest.Port": "1"}')
    assert Settings.load({"device": "d"}).options == {"Rest.Port": "1"}


def test_variables_of_other_programs_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("SPEED", "7")
    settings = Settings.load({"device": "d"})
    assert (settings.home, settings.speed) == (Path("default"), 1.0)


def test_constructor_reads_neither_environment_nor_file(yaml_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml_file.write_text("speed: 3\n")
    monkeypatch.setenv("BRAIN_PROBE_BROKERS", "own:1")
    settings = Settings(device="d")
    assert (settings.speed, settings.brokers) == (1.0, "default:1")


def test_every_problem_is_named_in_one_message(yaml_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml_file.write_text("spee: 3\nstore: {prot: 1}\n")
    monkeypatch.setenv("BRAIN_PROBE_SPED", "1")
    monkeypatch.setenv("BRAIN_PROBE_SPEED__MAX", "1")
    monkeypatch.setenv("BRAIN_PROBE_OPTIONS", "not json")
    monkeypatch.setenv("BRAIN_PROBE_STORE__PORT", "many")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    brokers = "brokers (BRAIN_PROBE_BROKERS or PROBE_BROKERS or KAFKA_BOOTSTRAP_SERVERS)"
    assert sorted(problems_of({"speed": -1})) == [
        "BRAIN_PROBE_SPED: there is no such setting",
        "BRAIN_PROBE_SPEED__MAX: there is no such setting",
        f"{brokers}: String should have at least 1 character, got ''",
        "device (BRAIN_PROBE_DEVICE): Field required",
        "options (BRAIN_PROBE_OPTIONS): Input should be a valid dictionary",
        "spee: there is no such setting",
        "speed (BRAIN_PROBE_SPEED): Input should be greater than or equal to 0, got -1",
        "store.port (BRAIN_PROBE_STORE__PORT): Input should be a valid integer, unable to parse string as an integer, "
        "got 'many'",
        "store.prot: there is no such setting",
    ]


@pytest.mark.parametrize("text", ["- a\n- b\n", "false\n", "1: 2\n", "device: [\n", "device: 2020-13-45\n", "\xff\xfe"])
def test_file_that_is_no_mapping_is_named_with_the_other_problems(text: str, yaml_file: Path) -> None:
    yaml_file.write_bytes(text.encode("latin-1"))
    first, second = problems_of({"device": "d", "speed": "fast"})
    assert first.startswith(f"BRAIN_PROBE_CONFIG: {yaml_file}")
    assert second.startswith("speed (BRAIN_PROBE_SPEED)")


def test_missing_file_is_named_with_the_other_problems(yaml_file: Path) -> None:
    first, second = problems_of({"device": "d", "speed": "fast"})
    assert first == f"BRAIN_PROBE_CONFIG: can't read {yaml_file}: No such file or directory"
    assert second.startswith("speed (BRAIN_PROBE_SPEED)")


def test_empty_file_sets_nothing(yaml_file: Path) -> None:
    yaml_file.write_text("# later\n")
    assert Settings.load({"device": "d"}) == Settings(device="d")


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("token: hunter2\n", {}),
        ("token: *hunter2\n", {}),
        ("token: [hunter2\n", {}),
        ("tokn: hunter2\n", {}),
        ("options: {sasl.jaas.config: [hunter2]}\n", {}),
        ("store: {password: [hunter2]}\n", {}),
        ("speed:\n  token: hunter2\n", {}),
        ("store: hunter2\n", {}),
        ("token: hunter22\ndevice:\n", {}),
        ("token: hunter22\nstore: {password: hunter2, port: x}\n", {}),
        ("", {"BRAIN_PROBE_TOKEN": "hunter2"}),
        ("", {"BRAIN_PROBE_STORE": '{"password": "hunter2"'}),
        ("", {"BRAIN_PROBE_OPTIONS": '{"password": "hunter2"'}),
        ("", {"BRAIN_PROBE_STORE__PASSWRD": "hunter2"}),
        ("", {"CLICKHOUSE_PASSWORD": "hunter2"}),
    ],
)
def test_secrets_are_in_no_message_and_no_traceback(
    text: str, variables: dict[str, str], yaml_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml_file.write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        Settings.load({})
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_secrets_are_not_shown_with_the_object_nor_with_the_validation_error() -> None:
    settings = Settings.load({"device": "d", "token": "hunter2-and-more", "store": {"password": "hunter2"}})
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"token": "hunter2"})
    assert "hunter2" not in str(raised.value)


def test_rule_between_fields_is_told_in_its_own_words_and_shows_no_other_value() -> None:
    assert problems_of({"device": "d", "speed": 200, "store": {"password": "hunter2"}}) == [
        "token is missing: speed=200 needs it"
    ]
