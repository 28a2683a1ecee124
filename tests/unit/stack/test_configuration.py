"""What is generated for each process, without starting any."""

from __future__ import annotations

import configparser
import shlex
import stat
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from supervisor.options import UnhosedConfigParser

from schemas.errors import SettingsError
from stack import broker, clickhouse, flink_home, processes, supervision
from stack.endpoints import StackEndpoints
from stack.errors import MissingComponentError, StackConfigError, StackNotRunningError
from stack.home import StackHome
from stack.lifecycle import endpoints_of
from stack.processes import ProcessSpec, Tier
from stack.settings import StackSettings


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings.load({"home": tmp_path / "home", "taskmanager_memory_mb": 2_560})


@pytest.fixture
def home(settings: StackSettings) -> StackHome:
    home = settings.stack_home()
    home.make_directories()
    return home


def properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_kafka_listens_on_loopback_only_and_makes_no_topics(settings: StackSettings, home: StackHome) -> None:
    template = (broker.KAFKA.pins / "server.properties").read_text()
    generated = properties(broker.server_properties(template, settings, home))
    assert generated["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert generated["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert generated["auto.create.topics.enable"] == "false"
    assert int(generated["message.max.bytes"]) == int(generated["replica.fetch.max.bytes"]) == 8 * 1024 * 1024
    assert generated["group.initial.rebalance.delay.ms"] == "0"
    assert generated["log.dirs"] == str(home.data / "kafka")


@given(st.text("abcdefgh", min_size=1))
def test_cluster_id_is_valid_and_depends_only_on_the_home(name: str) -> None:
    first = broker.cluster_id(Path("/") / name)
    assert first == broker.cluster_id(Path("/") / name)
    assert len(first) == 22
    assert not first.startswith("-")


def test_flink_configuration_joins_the_committed_file_and_this_machine(
    settings: StackSettings, home: StackHome
) -> None:
    flink_home.prepare(settings, home)
    configuration = yaml.safe_load((home.flink_conf / "config.yaml").read_text())
    assert configuration["execution.checkpointing.interval"] == "5 s"
    assert configuration["execution.checkpointing.dir"] == (home.data / "flink" / "checkpoints").as_uri()
    assert configuration["rest.port"] == 8081
    assert configuration["python.executable"] == configuration["python.client.executable"] == sys.executable
    assert configuration["taskmanager.numberOfTaskSlots"] == 12
    addresses = [value for key, value in configuration.items() if key.endswith(("address", "bind-host", ".host"))]
    assert set(addresses) == {"127.0.0.1"}


def test_flink_home_holds_runnable_scripts_and_flink_python_in_its_library(
    settings: StackSettings, home: StackHome
) -> None:
    connector = home.jars / "flink-connectors" / "connector-1.jar"
    connector.parent.mkdir(parents=True)
    connector.touch()
    flink_home.prepare(settings, home)
    flink_home.prepare(settings, home)
    assert all(script.stat().st_mode & stat.S_IXUSR for script in (home.flink / "bin").iterdir())
    names = {jar.name for jar in (home.flink / "lib").iterdir() if jar.exists()}
    assert {"connector-1.jar", "flink-dist-2.3.0.jar", "flink-python-2.3.0.jar"} <= names


def test_directory_of_somebody_else_is_not_replaced(settings: StackSettings, home: StackHome) -> None:
    (home.flink).mkdir()
    (home.flink / "thesis.txt").write_text("mine")
    with pytest.raises(StackConfigError, match="is not the stack's"):
        flink_home.prepare(settings, home)
    assert (home.flink / "thesis.txt").read_text() == "mine"


def test_flink_environment_drops_other_flink_settings(home: StackHome) -> None:
    inherited = {"FLINK_ENV_JAVA_OPTS": "-Xbad", "FLINK_CONF_DIR": "/other", "LANG": "C", "PATH": "/bin"}
    environment = flink_home.environment(inherited, home, java=Path("/java"))
    assert "FLINK_ENV_JAVA_OPTS" not in environment
    assert environment["FLINK_CONF_DIR"] == str(home.flink_conf)
    assert environment["JAVA_HOME"] == "/java"
    assert environment["LANG"] == "C"
    assert environment["PATH"].endswith("/bin")


def test_java_without_a_binary_is_an_error_that_names_the_cure(tmp_path: Path) -> None:
    settings = StackSettings.load({"home": tmp_path, "java_home": tmp_path / "nothing"})
    with pytest.raises(MissingComponentError, match="BRAIN_STACK_JAVA_HOME"):
        flink_home.java_home(settings)


def test_clickhouse_configuration_is_loopback_with_bounded_memory_and_logs(
    settings: StackSettings, home: StackHome
) -> None:
    root = ET.fromstring(clickhouse.server_configuration(settings, home))  # noqa: S314  # our own text
    assert [element.text for element in root.iter("listen_host")] == ["127.0.0.1"]
    assert root.findtext("tcp_port") == "9000"
    assert root.findtext("max_server_memory_usage") == str(2_048 * 1024 * 1024)
    assert root.findtext("logger/count") == "3"


def test_clickhouse_on_the_path_goes_before_the_wheel(
    settings: StackSettings, home: StackHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    launcher = clickhouse.command(settings, home)
    assert launcher is not None
    assert launcher[1:3] == ["-m", "stack.clickhouse_launcher"]
    binary = tmp_path / "clickhouse"
    binary.touch(mode=0o755)
    server = clickhouse.command(settings, home)
    assert server is not None
    assert server[:2] == [str(binary), "server"]


def test_server_of_the_user_goes_before_everything(tmp_path: Path) -> None:
    url = "clickhouse://me:p%40ss@db.example:9440/?http_port=8443"
    settings = StackSettings.load({"home": tmp_path, "clickhouse_url": url})
    assert clickhouse.command(settings, settings.stack_home()) is None
    endpoints = endpoints_of(settings)
    assert (endpoints.clickhouse_host, endpoints.clickhouse_tcp_port) == ("db.example", 9440)
    assert endpoints.clickhouse_http_port == 8443
    assert (endpoints.clickhouse_user, endpoints.clickhouse_password) == ("me", "p@ss")
    assert "clickhouse" not in {spec.name for spec in processes.build(settings, settings.stack_home())}


@pytest.mark.parametrize(
    "url", ["http://me:secret@db:8123", "clickhouse://", "db", "clickhouse://db:port", "clickhouse://db/?http_port=x"]
)
def test_malformed_clickhouse_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="BRAIN_STACK_CLICKHOUSE_URL") as raised:
        StackSettings.load({"clickhouse_url": url})
    assert "secret" not in str(raised.value)


def test_supervisor_runs_every_process_and_stops_users_before_stores(settings: StackSettings, home: StackHome) -> None:
    specs = processes.build(settings, home)
    parser = configparser.ConfigParser()
    parser.read_string(supervision.configuration(specs, home))
    programs = {section.removeprefix("program:") for section in parser.sections() if section.startswith("program:")}
    assert programs == {"kafka", "clickhouse", "jobmanager", "taskmanager", "ticker"}
    assert parser["group:store"]["programs"] == "kafka,clickhouse"
    assert parser["group:line"]["programs"] == "jobmanager,taskmanager,ticker"
    assert int(parser["group:store"]["priority"]) < int(parser["group:line"]["priority"])
    for name in programs:
        assert parser[f"program:{name}"]["autorestart"] == "true"
        assert parser[f"program:{name}"]["killasgroup"] == "true"


@given(st.lists(st.text("ab c%'\"$*/=:", min_size=1), min_size=1))
def test_command_comes_out_of_the_supervisors_file_as_it_went_in(command: list[str]) -> None:
    spec = ProcessSpec("odd", tuple(command), Tier.LINE)
    text = supervision.configuration([spec], StackHome(Path("/home"), Path("/jars")))
    parser = UnhosedConfigParser()
    parser.read_string(text)
    assert shlex.split(parser["program:odd"]["command"] % {}) == command


def test_unknown_process_has_no_log(home: StackHome) -> None:
    assert processes.log_files(home, "kafka") == [home.logs / "kafka.log", home.logs / "kafka.out"]
    assert processes.log_files(home, "ticker") == [home.logs / "ticker.out"]
    with pytest.raises(StackConfigError, match="no process 'zookeeper'"):
        processes.log_files(home, "zookeeper")


def test_socket_of_a_deep_home_fits_into_a_socket_address(tmp_path: Path) -> None:
    assert StackHome(Path("/short"), tmp_path).socket == Path("/short/run/supervisor.sock")
    deep = StackHome(Path("/" + "deep/" * 40), tmp_path)
    other = StackHome(Path("/" + "deep/" * 41), tmp_path)
    assert len(str(deep.socket)) < 104
    assert deep.socket != other.socket


def test_endpoints_are_read_back_and_kept_from_other_users(settings: StackSettings, home: StackHome) -> None:
    endpoints = endpoints_of(settings)
    endpoints.save(home)
    assert StackEndpoints.load(home.root) == endpoints
    assert stat.S_IMODE(home.endpoints_json.stat().st_mode) == 0o600
    assert f"export KAFKA_BOOTSTRAP_SERVERS={endpoints.kafka_bootstrap}\n" in home.endpoints_env.read_text()
    assert endpoints.to_env()["CLICKHOUSE_PORT"] == "9000"


def test_endpoints_of_a_stack_that_never_ran_say_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(StackNotRunningError, match="brain-stack up"):
        StackEndpoints.load(tmp_path)
