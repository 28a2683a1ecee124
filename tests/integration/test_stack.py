"""The local stack itself: it starts, heals, keeps its data, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from clickhouse_driver.errors import Error as ClickHouseError
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from schemas.topics import Topic, TopicSpec, topic_specs
from stack import initialise, lifecycle, migrations, topics
from stack.cli import app
from stack.endpoints import StackEndpoints
from stack.errors import ChangedMigrationError, PortInUseError, TopicMismatchError
from stack.readiness import clickhouse_answers, is_listening, kafka_answers, task_slots_registered
from stack.settings import StackSettings
from stack.supervision import Supervisor
from tests.small_stack import small_stack_settings

pytestmark = pytest.mark.integration

HEAL_TIMEOUT_S = 120.0
PROCESSES = {"kafka", "jobmanager", "taskmanager", "clickhouse", "ticker"}


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = HEAL_TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(0.2)


def kill(settings: StackSettings, name: str) -> int:
    """Kill one process of the stack with SIGKILL and wait until the supervisor has started another."""
    supervisor = Supervisor(settings.stack_home())
    pid = supervisor.states()[name].pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: supervisor.states()[name].pid not in (0, pid), what=f"another {name} process")
    return pid


def highest_offsets(endpoints: StackEndpoints, topic: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": endpoints.kafka_bootstrap, "group.id": "test-offsets"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in sorted(partitions)]
    finally:
        consumer.close()


LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_every_process_runs_and_every_service_answers(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    states = Supervisor(stack_settings.stack_home()).states()
    assert set(states) == PROCESSES
    assert kafka_answers(stack.kafka_bootstrap)
    assert clickhouse_answers(stack)
    assert task_slots_registered(stack.flink_rest_url) == stack_settings.task_slots
    assert StackEndpoints.load(stack_settings.home) == stack


def test_every_listener_is_on_loopback(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    elsewhere = {
        (process.pid, connection.laddr.ip)
        for process in lifecycle.processes_of(stack_settings.stack_home())
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.ip not in LOOPBACK
    }
    # Beam opens its channels to the Python workers on every interface and has no setting for it (operations.md).
    taskmanager = Supervisor(stack_settings.stack_home()).states()["taskmanager"].pid
    assert {pid for pid, _ in elsewhere} <= {taskmanager}


def test_flink_runs_with_exactly_once_checkpoints_of_five_seconds(stack: StackEndpoints) -> None:
    entries = httpx.get(f"{stack.flink_rest_url}/jobmanager/config").json()
    configuration = {entry["key"]: entry["value"] for entry in entries}
    assert configuration["execution.checkpointing.interval"] == "5 s"
    assert configuration["execution.checkpointing.mode"] == "EXACTLY_ONCE"
    assert configuration["table.exec.uid.generation"] == "ALWAYS"
    assert configuration["classloader.resolve-order"] == "parent-first"


def test_status_says_that_all_is_well(stack: StackEndpoints) -> None:
    result = CliRunner().invoke(app, ["status", "--home", stack.home])
    assert result.exit_code == 0, result.output
    assert "all is well" in result.output
    assert all(name in result.output for name in PROCESSES)


def test_second_up_says_that_the_stack_runs_and_restarts_nothing(
    stack: StackEndpoints, stack_settings: StackSettings
) -> None:
    supervisor = Supervisor(stack_settings.stack_home())
    before = {name: state.pid for name, state in supervisor.states().items()}
    result = CliRunner().invoke(app, ["up", "--home", stack.home])
    assert result.exit_code == 0, result.output
    assert "running already" in result.output
    assert {name: state.pid for name, state in supervisor.states().items()} == before


def test_ticker_writes_to_every_partition_of_rawframes(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    before = highest_offsets(stack, Topic.RAWFRAMES)
    assert len(before) == stack_settings.partitions

    def all_grew() -> bool:
        now = highest_offsets(stack, Topic.RAWFRAMES)
        return all(new >= old + 2 for old, new in zip(before, now, strict=True))

    wait_until(all_grew, what="two heartbeats in every partition", timeout_s=15)


def test_topics_are_created_once_and_then_left_alone(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    specs = topic_specs(stack_settings.partitions)
    report = topics.ensure_topics(stack.kafka_bootstrap, specs)
    assert (report.created, report.altered) == ([], [])
    assert report.existing == [spec.name for spec in specs]


def test_changed_topic_setting_is_brought_to_its_specification(stack: StackEndpoints) -> None:
    topics.ensure_topics(stack.kafka_bootstrap, [TopicSpec("altered", 1, {"retention.ms": "60000"})])
    wanted = [TopicSpec("altered", 1, {"retention.ms": "120000"})]
    assert topics.ensure_topics(stack.kafka_bootstrap, wanted).altered == ["altered: retention.ms 60000 -> 120000"]
    assert topics.ensure_topics(stack.kafka_bootstrap, wanted).existing == ["altered"]


def test_other_partition_count_is_refused_before_anything_is_created(stack: StackEndpoints) -> None:
    topics.ensure_topics(stack.kafka_bootstrap, [TopicSpec("narrow", 1, {})])
    with pytest.raises(TopicMismatchError, match="narrow has 1 partitions, its specification says 2"):
        topics.ensure_topics(stack.kafka_bootstrap, [TopicSpec("narrow", 2, {}), TopicSpec("never-made", 1, {})])
    assert "never-made" not in AdminClient({"bootstrap.servers": stack.kafka_bootstrap}).list_topics(timeout=10).topics


def test_unknown_topic_is_not_made_by_a_client(stack: StackEndpoints) -> None:
    failures: list[str] = []
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap, "message.timeout.ms": 3_000})
    producer.produce("misspelt", b"x", on_delivery=lambda error, message: failures.append(error.name()))
    producer.flush(10)
    assert failures in (["_UNKNOWN_TOPIC"], ["_MSG_TIMED_OUT"], ["UNKNOWN_TOPIC_OR_PART"])
    assert "misspelt" not in producer.list_topics(timeout=10).topics


def test_migrations_are_recorded_and_not_applied_again(
    stack: StackEndpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(migrations.GLOB_VARIABLE, str(tmp_path / "*.sql"))
    table = "CREATE TABLE IF NOT EXISTS brain.probe (s String DEFAULT 'a;b') ENGINE = MergeTree ORDER BY s;"
    (tmp_path / "901_probe.sql").write_text(f"-- one; two\n{table}\nINSERT INTO brain.probe VALUES ('x;y');")
    (tmp_path / "1000_later.sql").write_text("ALTER TABLE brain.probe ADD COLUMN IF NOT EXISTS n UInt8;")

    first = initialise.migrate(stack, os.environ)
    second = initialise.migrate(stack, os.environ)

    assert first.applied == ["901_probe.sql", "1000_later.sql"]
    assert (second.applied, second.skipped) == ([], ["901_probe.sql", "1000_later.sql"])
    client = initialise.clickhouse_client(stack)
    assert client.execute("SELECT s, n FROM brain.probe") == [("x;y", 0)]
    recorded = client.execute("SELECT file_name FROM brain.schema_migrations WHERE file_name LIKE '%0%_%ter.sql'")
    assert recorded == [("1000_later.sql",)]

    (tmp_path / "901_probe.sql").write_text("SELECT 1")
    with pytest.raises(ChangedMigrationError, match=r"901_probe\.sql was changed"):
        initialise.migrate(stack, os.environ)


def test_failing_migration_names_its_statement_and_is_not_recorded(
    stack: StackEndpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(migrations.GLOB_VARIABLE, str(tmp_path / "*.sql"))
    (tmp_path / "950_broken.sql").write_text("SELECT 1; SELECT no_such_column;")
    with pytest.raises(ClickHouseError) as raised:
        initialise.migrate(stack, os.environ)
    assert raised.value.__notes__ == ["in 950_broken.sql, statement 2:\nSELECT no_such_column"]
    client = initialise.clickhouse_client(stack)
    assert client.execute("SELECT count() FROM brain.schema_migrations WHERE file_name = '950_broken.sql'") == [(0,)]


def test_port_in_use_is_named_with_its_owner_before_anything_starts(tmp_path: Path) -> None:
    settings = small_stack_settings(tmp_path)
    with socket.create_server(("127.0.0.1", settings.kafka_port)), pytest.raises(PortInUseError) as raised:
        lifecycle.up(settings, progress=lambda name, seconds: None)
    message = str(raised.value)
    assert str(settings.kafka_port) in message
    assert f"pid {os.getpid()}" in message
    assert "BRAIN_STACK_KAFKA_PORT" in message
    assert lifecycle.processes_of(settings.stack_home()) == []
    assert not settings.stack_home().logs.exists()


def test_killed_clickhouse_comes_back_with_its_rows(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    client = initialise.clickhouse_client(stack)
    client.execute("CREATE TABLE IF NOT EXISTS brain.kept (n UInt64) ENGINE = MergeTree ORDER BY n")
    client.execute("TRUNCATE TABLE brain.kept")
    client.execute("INSERT INTO brain.kept VALUES", [(n,) for n in range(1_000)])
    client.disconnect()
    kill(stack_settings, "clickhouse")
    wait_until(lambda: clickhouse_answers(stack), what="ClickHouse answers")
    assert initialise.clickhouse_client(stack).execute("SELECT count(), sum(n) FROM brain.kept") == [(1_000, 499_500)]


def test_killed_kafka_comes_back_with_its_records(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    topic = TopicSpec("kept", 1, {})
    topics.ensure_topics(stack.kafka_bootstrap, [topic])
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap, "acks": "all"})
    for number in range(100):
        producer.produce(topic.name, str(number).encode())
    assert producer.flush(10) == 0
    before = highest_offsets(stack, topic.name)
    kill(stack_settings, "kafka")
    wait_until(lambda: kafka_answers(stack.kafka_bootstrap), what="Kafka answers")
    assert highest_offsets(stack, topic.name) == before == [100]


def test_killed_taskmanager_comes_back_with_its_slots(stack: StackEndpoints, stack_settings: StackSettings) -> None:
    def slots() -> dict[str, int]:
        managers = httpx.get(f"{stack.flink_rest_url}/taskmanagers").json()["taskmanagers"]
        # All slots, not the free ones: jobs of other tests take theirs again at once.
        return {manager["id"]: manager["slotsNumber"] for manager in managers}

    before = slots()
    kill(stack_settings, "taskmanager")

    def only_another_manager() -> bool:
        now = slots()
        return list(now.values()) == [stack_settings.task_slots] and not now.keys() & before.keys()

    wait_until(only_another_manager, what="one other TaskManager with all its slots")


@pytest.mark.parametrize("supervisor_dies", [False, True])
def test_down_leaves_no_process_and_no_listener(tmp_path: Path, *, supervisor_dies: bool) -> None:
    """Also when the supervisor was killed, so that nobody is left who could stop its children in order."""
    settings = small_stack_settings(tmp_path)
    home = settings.stack_home()
    supervisor = lifecycle.launch(settings)
    try:
        wait_until(lambda: clickhouse_answers(lifecycle.endpoints_of(settings)), what="ClickHouse answers")
        assert {state.pid > 0 for state in supervisor.states().values()} == {True}
        if supervisor_dies:
            os.kill(supervisor.pid(), signal.SIGKILL)
    finally:
        assert lifecycle.down(home, timeout_s=30)
    assert lifecycle.processes_of(home) == []
    assert [port for port in settings.ports().values() if is_listening("127.0.0.1", port)] == []
    assert not lifecycle.down(home, timeout_s=30)
