"""Sensors of every kind at once through the agent and the line, while the agent is killed again and again."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
import time
import tty
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from edge.recordings.synthetic_gait import synthesize_gait
from edge.testing import write_gaitpdb_text
from schemas.rows import DEVICE_STATUS, FEATURES_HEALTH, SESSION_FEATURES
from tests.integration.mosquitto import Mosquitto
from tests.line import PROGRAMS, Line

pytestmark = pytest.mark.e2e

READINGS = 300
KILLS = 4
SERIAL_READINGS = 50
TOKEN = "a token of the test's own"  # noqa: S105
HTTP_PORT = 18_095


class Serial:
    """A pseudo-terminal: the test is the device, the agent opens the other end."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)

    def write(self, line: str) -> None:
        os.write(self._master, line.encode())


class AgentProcess:
    """`brain-edge run`, killed and started as one likes."""

    def __init__(self, line: Line, config: Path, log: Path) -> None:
        self._command = [str(PROGRAMS / "brain-edge"), "run", "--config", str(config)]
        self._environment = line.environment
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as one:
        yield one


@pytest.fixture(scope="module")
def session_id() -> str:
    return f"agent-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def serial() -> Serial:
    return Serial()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto, serial: Serial, session_id: str) -> Path:
    folder = tmp_path_factory.mktemp("agent")
    walk = write_gaitpdb_text(synthesize_gait(30.0, seed=4).recording, folder / "walk.txt")
    time_of_device = {"field": "at", "format": "epoch_ms"}
    sources: list[dict[str, Any]] = [
        {
            "kind": "mqtt",
            "name": "rooms",
            "host": "127.0.0.1",
            "port": broker.port,
            "client_id": session_id,
            "retry": {"first_s": 0.05, "longest_s": 0.2},
            "subscriptions": [
                {
                    "topic": "rooms/{device}/co2",
                    "reading": {"time": time_of_device, "sensors": [{"sensor_type": "CO2", "field": "ppm"}]},
                }
            ],
        },
        {
            "kind": "http_push",
            "name": "air",
            "port": HTTP_PORT,
            "token": TOKEN,
            "device_id": f"air-{session_id}",
            "reading": {"time": time_of_device, "sensors": [{"sensor_type": "PM25", "field": "pm25"}]},
        },
        {
            "kind": "serial",
            "name": "scale",
            "device_id": f"desk-{session_id}",
            "port": serial.port,
            "split": {"kind": "lines", "first_is_whole": True},
            "reading": {
                "format": {"kind": "text", "columns": ["t", "rh"], "delimiter": ";"},
                "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "rh"}],
            },
        },
        {
            "kind": "replay",
            "name": "walk",
            "addresses": [str(walk)],
            "session_id": session_id,
            "speed": 0.0,
            # Each start of the agent replays it from its beginning: at a fixed time that changes no sample.
            "start": "2026-03-01T10:00:00+00:00",
        },
    ]
    settings = {
        "session_id": session_id,
        "agent_id": f"agent-{session_id}",
        "sources": sources,
        "spool": {"directory": str(folder / "spool"), "min_free_bytes": 0},
        "status": {"interval_s": 0.5},
    }
    path = folder / "edge.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(scope="module")
def published(line: Line, broker: Mosquitto, serial: Serial, config: Path, session_id: str) -> dict[str, set[int]]:
    """Readings that somebody has answered for, by sensor, as their sensor times; the agent was killed in between."""
    agent = AgentProcess(line, config, config.with_name("agent.log"))
    agent.start()
    wait_for_subscription(broker, agent)
    begin_ms = time.time_ns() // 1_000_000
    answered: dict[str, set[int]] = {"CO2": set(), "PM25": set()}
    feeders = [
        threading.Thread(target=publish_all, args=(broker, session_id, begin_ms, answered["CO2"])),
        threading.Thread(target=post_all, args=(begin_ms, answered["PM25"])),
    ]
    for feeder in feeders:
        feeder.start()
    for number in range(KILLS):
        wait_until_up(line, config, agent)
        time.sleep(0.1 + 0.3 * number)
        agent.end(signal.SIGKILL)
        agent.start()
    wait_until_up(line, config, agent)
    for feeder in feeders:
        feeder.join(120)
        assert not feeder.is_alive()
    # A serial line cannot send again, so what it says counts while somebody listens.
    line.wait_until(lambda: connected(config, "scale"), "the serial line to be open")
    for number in range(SERIAL_READINGS):
        serial.write(f"{20 + number / 10:.1f};45\r\n")
    wait_until_sent(line, config)
    assert agent.end(signal.SIGTERM) == 0, config.with_name("agent.log").read_text()[-4000:]
    return answered


def wait_for_subscription(broker: Mosquitto, agent: AgentProcess) -> None:
    """The broker keeps messages for the agent from its first subscription on."""
    deadline = time.monotonic() + 60
    while "SUBSCRIBE" not in broker.log():
        assert agent.process is not None and agent.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def publish_all(broker: Mosquitto, session_id: str, begin_ms: int, answered: set[int]) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{session_id}")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for number in range(READINGS):
        at = begin_ms + number * 1_000
        message = json.dumps({"ppm": 400 + number, "at": at})
        client.publish(f"rooms/room-{session_id}/co2", message, qos=1).wait_for_publish(30)
        answered.add(at)
        time.sleep(0.01)
    client.loop_stop()


def post_all(begin_ms: int, answered: set[int]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{HTTP_PORT}", headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for number in range(READINGS):
            at = begin_ms + number * 1_000
            while not posted(client, {"pm25": 5 + number / 100, "at": at}):
                time.sleep(0.05)
            answered.add(at)


def posted(client: httpx.Client, reading: dict[str, float]) -> bool:
    try:
        return client.post("/v1/readings", json=reading, timeout=5.0).status_code == 202
    except httpx.HTTPError:
        return False


def snapshot(config: Path) -> dict[str, Any]:
    """What the agent last wrote; nothing before it has."""
    path = config.with_name("spool") / "status.json"
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"pid": 0, "sources": []}
    return found


def connected(config: Path, source: str) -> bool:
    return any(one["name"] == source and one["connected"] for one in snapshot(config)["sources"])


def wait_until_up(line: Line, config: Path, agent: AgentProcess) -> None:
    process = agent.process
    assert process is not None
    line.wait_until(lambda: bool(snapshot(config)["pid"] == process.pid), "the agent to be up")


def wait_until_sent(line: Line, config: Path) -> None:
    # The figures of a moment: twice, so that what was just written is among them.
    for _ in range(2):
        line.wait_until(lambda: bool(snapshot(config)["spool"]["depth_records"] == 0), "the spool to be empty")
        time.sleep(1.5)


def test_every_reading_that_was_answered_for_is_stored(
    line: Line, published: dict[str, set[int]], session_id: str
) -> None:
    for sensor, times in published.items():
        assert len(times) == READINGS
        stored: list[int] = []

        def arrived(sensor: str = sensor, times: set[int] = times, stored: list[int] = stored) -> bool:
            query = (
                "SELECT toUnixTimestamp64Milli(sensor_timestamp_ms) FROM brain.rawframes "
                "WHERE session_id = %(session)s AND sensor_type = %(sensor)s"
            )
            stored[:] = [row[0] for row in line.query(query, session=session_id, sensor=sensor)]
            return times <= set(stored)

        line.wait_until(arrived, f"{READINGS} readings of {sensor}")
        assert set(stored) == times


def test_what_a_serial_line_says_is_stored(line: Line, published: dict[str, set[int]], session_id: str) -> None:
    query = "SELECT count() FROM brain.rawframes WHERE session_id = %(session)s AND sensor_type = %(sensor)s"
    for sensor in ("TEMP", "HUMID"):

        def arrived(sensor: str = sensor) -> bool:
            return bool(line.query(query, session=session_id, sensor=sensor)[0][0] == SERIAL_READINGS)

        line.wait_until(arrived, f"{SERIAL_READINGS} readings of {sensor}")


def test_no_event_is_stored_twice(line: Line, published: dict[str, set[int]], session_id: str) -> None:
    query = "SELECT count(), uniqExact(event_id) FROM brain.rawframes WHERE session_id = %(session)s"
    ((count, distinct),) = line.query(query, session=session_id)
    assert count == distinct > 2 * READINGS


def test_the_walk_beside_them_is_described(line: Line, published: dict[str, set[int]], session_id: str) -> None:
    assert line.wait_for_rows(SESSION_FEATURES, 1, session_id=session_id, sensor_type="GRF")
    rows = line.wait_for_rows(FEATURES_HEALTH, 1, session_id=session_id)
    assert any(row["quality"] == "ok" for row in rows)


def test_what_the_agent_says_of_itself_is_stored(line: Line, published: dict[str, set[int]], session_id: str) -> None:
    rows = line.wait_for_rows(DEVICE_STATUS, 2, device_id=f"agent-{session_id}", state="started")
    assert 2 <= len({row["boot_id"] for row in rows}) <= KILLS + 1
    rows = line.wait_for_rows(DEVICE_STATUS, 1, device_id=f"agent-{session_id}", state="stopping")
    assert all(row["lost_count"] == row["dropped_count"] == row["rejected_count"] == 0 for row in rows)
    assert line.wait_for_rows(DEVICE_STATUS, 1, device_id=f"desk-{session_id}", source="scale")


def test_status_answers_in_one_screen(line: Line, published: dict[str, set[int]], config: Path) -> None:
    shown = line.run("brain-edge", "status", "--config", str(config)).stdout
    assert "not running" in shown
    assert "0 records wait" in shown
    assert "lost      nothing" in shown
    assert max(map(len, shown.splitlines())) <= 80
