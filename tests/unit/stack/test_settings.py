from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from schemas.errors import SettingsError
from stack.home import REPOSITORY
from stack.settings import StackSettings, default_taskmanager_memory_mb

GIB = 1024**3


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BRAIN_"):
            monkeypatch.delenv(name)


def test_defaults_are_the_usual_ports_in_the_repository_home() -> None:
    settings = StackSettings.load({})
    assert settings.home == REPOSITORY / ".brain"
    usual = {"kafka_port": 9092, "flink_rest_port": 8081, "clickhouse_tcp_port": 9000, "clickhouse_http_port": 8123}
    assert usual.items() <= settings.ports().items()
    assert settings.task_slots == 12


def test_home_is_never_read_from_the_variable_that_names_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert StackSettings.load({}).home == REPOSITORY / ".brain"


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text("kafka_port: 10001\nflink_rest_port: 10002\npartitions: 7\n")
    monkeypatch.setenv("BRAIN_STACK_CONFIG", str(file))
    monkeypatch.setenv("BRAIN_STACK_KAFKA_PORT", "20001")
    monkeypatch.setenv("BRAIN_STACK_FLINK_REST_PORT", "20002")
    settings = StackSettings.load({"kafka_port": "30001"})
    assert (settings.kafka_port, settings.flink_rest_port, settings.partitions) == (30001, 20002, 7)
    assert settings.clickhouse_tcp_port == 9000


@pytest.mark.parametrize(
    ("variables", "flags", "expected"),
    [
        ({"BRAIN_HOME": "/a"}, {}, "/a"),
        ({"BRAIN_HOME": "/a", "BRAIN_STACK_HOME": "/b"}, {}, "/b"),
        ({"BRAIN_HOME": "/a", "BRAIN_STACK_HOME": "/b"}, {"home": "/c"}, "/c"),
    ],
)
def test_home_comes_from_the_nearest_source(
    variables: dict[str, str], flags: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert StackSettings.load(flags).home == Path(expected)


def test_every_wrong_setting_is_named_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAIN_STACK_KAFKA_PORT", "80")
    monkeypatch.setenv("BRAIN_STACK_KAFKA_PROT", "9092")
    with pytest.raises(SettingsError) as raised:
        StackSettings.load({"task_slots": "many", "no_such": 1})
    message = str(raised.value)
    assert "kafka_port (BRAIN_STACK_KAFKA_PORT)" in message
    assert "'80'" in message
    assert "BRAIN_STACK_KAFKA_PROT: there is no such setting" in message
    assert "task_slots" in message
    assert "'many'" in message
    assert "no_such: there is no such setting" in message
    assert len(message.splitlines()) == 1 + 4


@pytest.mark.parametrize("home", ["/with space", "/colon:x", "/a;b", "/quote'", "/100%"])
def test_home_that_flinks_scripts_can_not_handle_is_refused(home: str) -> None:
    with pytest.raises(SettingsError, match=r"home \(BRAIN_STACK_HOME or BRAIN_HOME\).*letters, digits"):
        StackSettings.load({"home": home})


@pytest.mark.parametrize("variable", ["BRAIN_HOME", "BRAIN_STACK_HOME"])
def test_empty_home_is_refused_and_not_the_current_directory(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(SettingsError, match=rf"home .*{variable}.*is empty"):
        StackSettings.load({})


def test_two_services_on_one_port_are_refused() -> None:
    with pytest.raises(SettingsError, match="flink_rest_port and kafka_port are both 9092"):
        StackSettings.load({"flink_rest_port": 9092})


@pytest.mark.parametrize("text", ["kafka_port: [", "- a\n- b\n"])
def test_file_that_is_no_mapping_is_a_settings_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"stack\.yaml"):
        StackSettings.load({}, yaml_file=file)


def test_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"can't read nowhere\.yaml: No such file"):
        StackSettings.load({}, yaml_file=Path("nowhere.yaml"))


def test_server_of_the_user_needs_no_clickhouse_ports() -> None:
    settings = StackSettings.load({"clickhouse_url": "clickhouse://me:secret@db:9440"})
    assert not [name for name in settings.ports() if name.startswith("clickhouse")]
    assert "secret" not in repr(settings)


def test_free_ports_replace_every_port() -> None:
    settings = StackSettings.load({})
    free = settings.with_free_ports(random.Random(7))
    assert isinstance(free, StackSettings)
    assert len(set(free.ports().values())) == len(free.ports()) == len(settings.ports())
    assert not set(free.ports().values()) & set(settings.ports().values())


@pytest.mark.parametrize(("total_gib", "expected_mb"), [(4, 2560), (8, 2560), (24, 4915), (64, 6144)])
def test_taskmanager_gets_a_fifth_of_the_machine_within_bounds(total_gib: int, expected_mb: int) -> None:
    assert default_taskmanager_memory_mb(total_gib * GIB) == expected_mb
