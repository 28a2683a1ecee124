"""The names under which the jobs' settings are found in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.runtime.settings import JobSettings
from schemas.errors import SettingsError
from schemas.topics import Topic


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(JobSettings.prefix) or name in (JobSettings.yaml_variable, *JobSettings.shared_variables):
            monkeypatch.delenv(name)


def value_of(settings: JobSettings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_defaults_are_the_local_stack() -> None:
    settings = JobSettings.load()
    assert settings.kafka_bootstrap_servers == "localhost:9092"
    assert settings.flink_rest_url == "http://localhost:8081"
    assert (settings.clickhouse.host, settings.clickhouse.port) == ("localhost", 9000)
    assert (settings.model_version, settings.alert_threshold) == ("latest", 0.7)


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("INFERENCE_KAFKA_BOOTSTRAP_SERVERS", "kafka:9", "kafka_bootstrap_servers", "kafka:9"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9", "kafka_bootstrap_servers", "kafka:9"),
        ("INFERENCE_REQUESTS_TOPIC", "asked", "requests_topic", "asked"),
        ("INFERENCE_RESULTS_TOPIC", "answered", "results_topic", "answered"),
        ("INFERENCE_ALERTS_TOPIC", "alarms", "alerts_topic", "alarms"),
        ("MODEL_VERSION", "1.0.0", "model_version", "1.0.0"),
        ("INFERENCE_ALERT_THRESHOLD", "0.25", "alert_threshold", 0.25),
        ("FLINK_REST_URL", "http://flink:1", "flink_rest_url", "http://flink:1"),
        ("FLINK_CHECKPOINT_DIR", "file:///c", "checkpoint_dir", "file:///c"),
        ("CLICKHOUSE_HOST", "db", "clickhouse.host", "db"),
        ("CLICKHOUSE_PORT", "9440", "clickhouse.port", 9440),
        ("CLICKHOUSE_USER", "writer", "clickhouse.user", "writer"),
        ("CLICKHOUSE_DATABASE", "other", "clickhouse.database", "other"),
        ("BRAIN_JOBS_PARALLELISM", "3", "parallelism", 3),
        ("BRAIN_JOBS_CLICKHOUSE__HOST", "db", "clickhouse.host", "db"),
        ("BRAIN_JOBS_FLINK_OPTIONS", '{"pipeline.Name": "x"}', "flink_options", {"pipeline.Name": "x"}),
    ],
)
def test_variable_gives_its_field_and_no_other(
    variable: str, text: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = JobSettings.load()
    monkeypatch.setenv(variable, text)
    settings = JobSettings.load()
    assert value_of(settings, name) == value
    field = name.split(".", maxsplit=1)[0]
    assert settings.model_dump(exclude={field}) == before.model_dump(exclude={field})


def test_every_shared_variable_gives_a_field_that_exists() -> None:
    for name in JobSettings.shared_variables.values():
        value_of(JobSettings(), name)


def test_names_of_the_first_service_go_before_the_ones_that_all_programs_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "everybody:1")
    monkeypatch.setenv("INFERENCE_KAFKA_BOOTSTRAP_SERVERS", "inference:1")
    assert JobSettings.load().kafka_bootstrap_servers == "inference:1"
    monkeypatch.setenv("BRAIN_JOBS_KAFKA_BOOTSTRAP_SERVERS", "own:1")
    assert JobSettings.load().kafka_bootstrap_servers == "own:1"


def test_yaml_file_is_weaker_than_the_environment_and_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(
        "parallelism: 2\nresume_from: file\nmodel_version: file\nclickhouse: {host: file, insert_rows: 7}\n"
    )
    monkeypatch.setenv("FLINK_CONFIG_YAML", str(file))
    monkeypatch.setenv("MODEL_VERSION", "1.0.0")
    monkeypatch.setenv("CLICKHOUSE_HOST", "db")
    settings = JobSettings.load({"resume_from": "flag", "resume": None})
    assert (settings.parallelism, settings.model_version, settings.resume_from) == (2, "1.0.0", "flag")
    assert (settings.clickhouse.host, settings.clickhouse.insert_rows) == ("db", 7)


def test_renamed_topics_rename_their_dead_letters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_REQUESTS_TOPIC", "asked")
    settings = JobSettings.load()
    assert settings.topic(Topic.INFERENCE_REQUESTS) == "asked"
    assert settings.dead_letters(Topic.INFERENCE_REQUESTS) == "asked-dlq"
    assert settings.topic(Topic.RAWFRAMES) == "rawframes"


def test_every_wrong_variable_is_named_under_the_name_that_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_ALERT_THRESHOLD", "1.5")
    monkeypatch.setenv("CLICKHOUSE_PORT", "http")
    monkeypatch.setenv("BRAIN_JOBS_PARALELISM", "2")
    monkeypatch.setenv("FLINK_CONFIG_YAML", "nowhere.yaml")
    with pytest.raises(SettingsError) as raised:
        JobSettings.load()
    message = str(raised.value)
    assert "alert_threshold (BRAIN_JOBS_ALERT_THRESHOLD or INFERENCE_ALERT_THRESHOLD)" in message
    assert "'1.5'" in message
    assert "clickhouse.port (BRAIN_JOBS_CLICKHOUSE__PORT or CLICKHOUSE_PORT)" in message
    assert "'http'" in message
    assert "BRAIN_JOBS_PARALELISM: there is no such setting" in message
    assert "FLINK_CONFIG_YAML: can't read nowhere.yaml" in message
    assert len(message.splitlines()) == 1 + 4


def test_passwords_are_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "hunter2")
    monkeypatch.setenv("BRAIN_JOBS_KAFKA_PROPERTIES", '{"sasl.jaas.config": "hunter2"}')
    monkeypatch.setenv("BRAIN_JOBS_FLINK_OPTIONS", '{"s3.secret-key": "hunter2"}')
    settings = JobSettings.load()
    assert settings.clickhouse.password.get_secret_value() == settings.kafka_properties["sasl.jaas.config"] == "hunter2"
    assert "hunter2" not in repr(settings)
