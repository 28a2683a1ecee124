"""Settings of the ingestion service."""

from __future__ import annotations

import os

import pytest

from schemas.errors import SettingsError
from services.ingestion.kafka import PROMISES
from services.ingestion.settings import IngestionSettings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "INGESTION_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("host", ["::", "192.168.1.5", "sensors.example"])
def test_without_keys_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(SettingsError, match="only on loopback"):
        IngestionSettings.load({"insecure_dev": True, "host": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_without_keys_on_loopback(host: str) -> None:
    assert IngestionSettings.load({"insecure_dev": True, "host": host}).insecure_dev


def test_every_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGESTION_MAX_RECORDS", "many")
    monkeypatch.setenv("INGESTION_PROT", "1")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "nowhere")
    with pytest.raises(SettingsError) as raised:
        IngestionSettings.load()
    for text in ("INGESTION_MAX_RECORDS", "'many'", "INGESTION_PROT", "KAFKA_BOOTSTRAP_SERVERS", "'nowhere'"):
        assert text in str(raised.value)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"tls_key": "/k.pem"}, "belong together"),
        ({"records_burst": 10}, "less than max_records"),
        ({"memory_max_bytes": 2 * 1024 * 1024}, "does not hold one request"),
        ({"security_protocol": "SASL_SSL"}, "sasl_mechanism is missing"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(flags: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        IngestionSettings.load(flags)


def test_the_connection_is_librdkafkas_and_no_setting_is_a_promise() -> None:
    settings = IngestionSettings.load(
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "u", "sasl_password": "p"}
    )
    config = settings.kafka_config()
    assert config["security.protocol"] == "sasl_ssl"
    assert (config["sasl.username"], config["sasl.password"]) == ("u", "p")
    assert config["message.timeout.ms"] == 10_000
    assert not config.keys() & PROMISES.keys()
    assert "'p'" not in repr(settings)
