from __future__ import annotations

from pathlib import Path

import pytest

from edge.framing import BlockEncoding, Framing
from edge.settings import EdgeSettings
from schemas.errors import SettingsError


@pytest.fixture
def yaml_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "edge.yaml"
    monkeypatch.setenv("BRAIN_EDGE_CONFIG", str(path))
    return path


def test_defaults_are_the_local_stack() -> None:
    settings = EdgeSettings.load({})
    assert settings.topic == "rawframes"
    assert settings.speed == 1.0
    assert settings.framing() == Framing(1.0, BlockEncoding.FLOAT32, 0.1)
    config = settings.kafka_config()
    assert config["bootstrap.servers"] == "127.0.0.1:9092"
    assert config["security.protocol"] == "plaintext"
    assert not any(name.startswith(("sasl", "ssl")) for name in config)


def test_flags_go_before_environment_before_file_before_defaults(
    yaml_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml_file.write_text("bootstrap_servers: file:1\ntenant_id: file\nsite_id: file\nspeed: max\n")
    assert EdgeSettings.load({}).bootstrap_servers == "file:1"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "shared:1")
    assert EdgeSettings.load({}).bootstrap_servers == "shared:1"
    monkeypatch.setenv("BRAIN_EDGE_BOOTSTRAP_SERVERS", "own:1")
    monkeypatch.setenv("BRAIN_EDGE_TENANT_ID", "own")
    assert EdgeSettings.load({}).bootstrap_servers == "own:1"
    settings = EdgeSettings.load({"bootstrap_servers": "flag:1"})
    assert settings.bootstrap_servers == "flag:1"
    assert (settings.tenant_id, settings.site_id, settings.speed) == ("own", "file", 0.0)


def test_every_wrong_setting_is_named_in_one_message(yaml_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml_file.write_text("spee: 3\nstart: '2020-01-01T00:00:00'\n")
    monkeypatch.setenv("BRAIN_EDGE_QUEUE_MAX_FRAMES", "many")
    monkeypatch.setenv("BRAIN_EDGE_SPED", "1")
    with pytest.raises(SettingsError) as caught:
        EdgeSettings.load({"speed": "fast", "tenant_id": "a/b", "limit_s": 0.0})
    message = str(caught.value)
    for name in ("spee: there is no", "start", "queue_max_frames", "BRAIN_EDGE_SPED", "speed", "tenant_id", "limit_s"):
        assert name in message
    assert "'a/b'" in message


@pytest.mark.parametrize("text", ["- a list\n", "a: [\n", "\xff\xfe"])
def test_a_file_that_is_no_mapping_is_named(text: str, yaml_file: Path) -> None:
    yaml_file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"BRAIN_EDGE_CONFIG.*edge\.yaml"):
        EdgeSettings.load({})


def test_a_missing_file_is_named(yaml_file: Path) -> None:
    with pytest.raises(SettingsError, match=rf"BRAIN_EDGE_CONFIG: can't read {yaml_file}: No such file"):
        EdgeSettings.load({})


def test_security_options_reach_librdkafka_as_they_are() -> None:
    settings = EdgeSettings.load(
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "edge",
            "sasl_password": "secret",
            "ssl_ca_location": "ca.pem",
        }
    )
    config = settings.kafka_config()
    assert config["security.protocol"] == "sasl_ssl"
    assert config["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (config["sasl.username"], config["sasl.password"]) == ("edge", "secret")
    assert config["ssl.ca.location"] == "ca.pem"
    assert "secret" not in repr(settings)


def test_missing_credentials_are_named_and_passwords_never_shown() -> None:
    with pytest.raises(SettingsError, match="sasl_mechanism is missing"):
        EdgeSettings.load({"security_protocol": "SASL_SSL"})
    with pytest.raises(SettingsError, match="sasl_username and sasl_password missing"):
        EdgeSettings.load({"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"})
    with pytest.raises(SettingsError) as caught:
        EdgeSettings.load({"sasl_password": 12345})
    assert "sasl_password" in str(caught.value)
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize("speed", ["0", "max", 0])
def test_zero_and_max_are_as_fast_as_possible(speed: object) -> None:
    assert EdgeSettings.load({"speed": speed}).speed == 0.0


@pytest.mark.parametrize("speed", ["-1", "nan", "inf", ""])
def test_speeds_that_are_none_are_refused(speed: str) -> None:
    with pytest.raises(SettingsError, match="speed"):
        EdgeSettings.load({"speed": speed})
