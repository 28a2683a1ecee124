"""The MQTT source against a real broker: what is acknowledged, when, and what comes again."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from edge.instant import InstantClock
from edge.measurement import Samples
from edge.pace import SystemClock
from edge.sources.mqtt import MqttSource
from edge.sources.settings import MqttSettings
from schemas.errors import Reason
from tests.collecting_outlet import CollectingOutlet, running
from tests.integration.mosquitto import Mosquitto

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

REPOSITORY = Path(__file__).parents[2]
VERSIONS = ["5", "3.1.1"]
READING = {
    "format": {"kind": "json"},
    "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "rh"}],
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as one:
        yield one


def _settings(broker: Mosquitto, version: str, **more: Any) -> MqttSettings:
    subscriptions = [{"topic": "lab/{device}/climate", "reading": READING}]
    base = {"kind": "mqtt", "name": "broker", "host": "127.0.0.1", "port": broker.port, "client_id": "agent"}
    return MqttSettings.model_validate({**base, "version": version, "subscriptions": subscriptions, **more})


def _source(broker: Mosquitto, version: str = "5", **more: Any) -> MqttSource:
    clock = InstantClock(SystemClock(), lambda: True)
    return MqttSource(_settings(broker, version, **more), clock, random.Random(1))


def _publish(broker: Mosquitto, *temperatures: float, topic: str = "lab/d1/climate") -> None:
    _publish_raw(broker, *((topic, json.dumps({"t": one}).encode()) for one in temperatures))


def _publish_raw(broker: Mosquitto, *messages: tuple[str, bytes]) -> None:
    publish.multiple([(topic, payload, 1, False) for topic, payload in messages], port=broker.port)


def _is_connected(outlet: CollectingOutlet) -> bool:
    return bool(outlet.states) and outlet.states[-1][0]


@pytest.mark.parametrize("version", VERSIONS)
def test_topics_become_devices_and_messages_measurements(broker: Mosquitto, version: str) -> None:
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(_is_connected)
        _publish_raw(broker, ("lab/d1/climate", b'{"t": 21.5, "rh": 40}'), ("lab/d2/climate", b'{"t": 22}'))
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
    took = [(one.device_id, one.measurement.sensor_type, _value(one.measurement)) for one in source.outlet.taken]
    assert took == [("d1", "TEMP", 21.5), ("d1", "HUMID", 40.0), ("d2", "TEMP", 22.0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_on_disk_comes_again_to_the_next_agent(broker: Mosquitto, version: str) -> None:
    with running(_source(broker, version), on_disk=False) as source:
        source.outlet.wait_for(_is_connected)
        _publish(broker, 1, 2, 3)
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
        # Only the second is on disk when the agent goes.
        _acknowledge(source.outlet, 1)
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) >= 2)
        _publish(broker, 4)
        source.outlet.wait_for(lambda outlet: 4.0 in outlet.values())
    assert source.outlet.values() == [1.0, 3.0, 4.0]
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(_is_connected)
        _publish(broker, 5)
        source.outlet.wait_for(lambda outlet: outlet.taken)
    assert source.outlet.values() == [5.0]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_published_while_the_agent_is_away_waits_at_the_broker(broker: Mosquitto, version: str) -> None:
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(_is_connected)
    _publish(broker, *range(20))
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 20)
        assert "resumed" in source.outlet.states[0][1]
    assert source.outlet.values() == list(range(20))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_that_restarts_is_found_again_and_nothing_is_read_twice(broker: Mosquitto, version: str) -> None:
    with running(_source(broker, version), on_disk=False) as source:
        outlet = source.outlet
        outlet.wait_for(_is_connected)
        _publish(broker, 1, 2, 3)
        outlet.wait_for(lambda one: len(one.taken) == 3)
        broker.stop()
        outlet.wait_for(lambda one: not _is_connected(one))
        # This one reaches the disk while there is nobody to tell.
        _acknowledge(outlet, 0)
        broker.start()
        outlet.wait_for(_is_connected)
        _publish(broker, 4)
        outlet.wait_for(lambda one: 4.0 in one.values())
        for place in range(1, 4):
            _acknowledge(outlet, place)
        assert outlet.values() == [1.0, 2.0, 3.0, 4.0]
        _publish(broker, 5)
        outlet.wait_for(lambda one: 5.0 in one.values())
        _acknowledge(outlet, 4)
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(_is_connected)
        _publish(broker, 6)
        source.outlet.wait_for(lambda one: one.taken)
    assert source.outlet.values() == [6.0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_that_has_lost_its_sessions_is_subscribed_again(tmp_path: Path, version: str) -> None:
    with Mosquitto(tmp_path, "persistence false") as broker, running(_source(broker, version)) as source:
        source.outlet.wait_for(_is_connected)
        broker.kill()
        source.outlet.wait_for(lambda outlet: not _is_connected(outlet))
        broker.start()
        source.outlet.wait_for(_is_connected)
        assert "session new" in source.outlet.states[-1][1]
        _publish(broker, 7)
        source.outlet.wait_for(lambda outlet: outlet.taken)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_agent_that_is_killed_before_the_disk_gets_the_message_again(broker: Mosquitto, version: str) -> None:
    settings = _settings(broker, version).model_dump_json()
    agent = subprocess.Popen(
        [sys.executable, "-c", _AGENT, settings], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert agent.stdout is not None
    assert agent.stdout.readline() == "connected\n"
    _publish(broker, 1, 2)
    assert [agent.stdout.readline() for _ in range(2)] == ["1.0\n", "2.0\n"]
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    agent.stdout.close()
    with running(_source(broker, version)) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 2)
    assert source.outlet.values() == [1.0, 2.0]


_AGENT = """
import random, sys, threading
from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.mqtt import MqttSource
from edge.sources.settings import MqttSettings

class NoDisk:
    def put(self, taken):
        print(float(taken.measurement.values[0, 0]), flush=True)
    def reject(self, rejected):
        print(rejected.error, flush=True)
    def state(self, connected, detail):
        if connected:
            print("connected", flush=True)

settings = MqttSettings.model_validate_json(sys.argv[1])
MqttSource(settings, InstantClock(SystemClock(), bool), random.Random()).run(NoDisk(), threading.Event())
"""


def test_no_more_than_the_receive_maximum_is_on_its_way(broker: Mosquitto) -> None:
    with running(_source(broker, receive_maximum=3), on_disk=False) as source:
        outlet = source.outlet
        outlet.wait_for(_is_connected)
        _publish(broker, *range(10))
        outlet.wait_for(lambda one: len(one.taken) == 3)
        for place in range(10):
            outlet.wait_for(lambda one, wanted=place: len(one.taken) > wanted)
            assert len(outlet.taken) <= place + 3
            _acknowledge(outlet, place)
    assert outlet.values() == list(range(10))


def test_messages_that_cannot_be_read_are_rejected_and_acknowledged_as_dead_letters(broker: Mosquitto) -> None:
    with running(_source(broker)) as source:
        source.outlet.wait_for(_is_connected)
        bad = (b"{", b'{"t": 900}', b'{"t": 21, "rh": 400}')
        _publish_raw(broker, *(("lab/d1/climate", payload) for payload in bad), ("lab/d 1/climate", b'{"t": 1}'))
        source.outlet.wait_for(lambda outlet: len(outlet.rejected) == 4)
    reasons = [(one.device_id, one.error.reason) for one in source.outlet.rejected]
    assert reasons == [
        ("d1", Reason.MALFORMED_PAYLOAD),
        ("d1", Reason.VALUE_OUT_OF_RANGE),
        ("d1", Reason.VALUE_OUT_OF_RANGE),
        ("broker", Reason.BAD_IDENTIFIER),
    ]
    assert source.outlet.rejected[2].raw == bad[2]
    assert source.outlet.values() == [21.0]
    with running(_source(broker)) as source:
        source.outlet.wait_for(_is_connected)
        _publish(broker, 5)
        source.outlet.wait_for(lambda outlet: outlet.taken)
    assert source.outlet.rejected == []


def test_raw_payloads_and_sensors_named_by_the_topic(broker: Mosquitto) -> None:
    sensors = [{"sensor_type": "TEMP", "name": "temperature", "unit": "degF"}, {"sensor_type": "CO2", "name": "co2"}]
    text = {"topic": "text/{device}/{sensor}", "reading": {"format": {"kind": "number"}, "sensors": sensors}}
    number = {"kind": "number", "type": "uint16", "byte_order": "big"}
    binary = {"topic": "raw/co2", "device_id": "d9", "reading": {"format": number, "sensors": [{"sensor_type": "CO2"}]}}
    with running(_source(broker, subscriptions=[text, binary])) as source:
        source.outlet.wait_for(_is_connected)
        _publish_raw(
            broker,
            ("text/d1/temperature", b"212"),
            ("text/d1/co2", b"612.5"),
            ("text/d1/noise", b"1"),
            ("raw/co2", b"\x02\x64"),
        )
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
    took = [(one.device_id, one.measurement.sensor_type, _value(one.measurement)) for one in source.outlet.taken]
    assert took == [("d1", "TEMP", 100.0), ("d1", "CO2", 612.5), ("d9", "CO2", 612.0)]
    (unknown,) = source.outlet.rejected
    assert unknown.error.reason is Reason.UNKNOWN_SENSOR


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retained_message_counts_only_if_it_tells_its_time(broker: Mosquitto, version: str) -> None:
    dated = {**READING, "time": {"field": "at"}}
    topics = [{"topic": "lab/{device}/climate", "reading": READING}, {"topic": "dated/{device}", "reading": dated}]
    for topic, payload in (("lab/d1/climate", b'{"t": 1}'), ("dated/d1", b'{"t": 2, "at": 1700000000}')):
        publish.single(topic, payload, qos=1, retain=True, port=broker.port)
    with running(_source(broker, version, subscriptions=topics)) as source:
        outlet = source.outlet
        outlet.wait_for(lambda one: one.taken and one.rejected)
        assert outlet.rejected[0].error.reason is Reason.BAD_TIMESTAMP
        broker.stop()
        outlet.wait_for(lambda one: not _is_connected(one))
        broker.start()
        outlet.wait_for(_is_connected)
        _publish(broker, 3)
        outlet.wait_for(lambda one: len(one.taken) == 2)
    # Nor does it come again with every new connection.
    assert outlet.values() == [2.0, 3.0]
    assert len(outlet.rejected) == 1


def test_a_slow_disk_does_not_break_the_connection(broker: Mosquitto) -> None:
    with running(_source(broker, keep_alive_s=5)) as source:
        outlet = source.outlet
        outlet.wait_for(_is_connected)
        outlet.open.clear()
        _publish(broker, *range(50))
        # A broker ends a connection that is silent for one and a half times the keep-alive.
        pings = broker.log().count("PINGREQ from agent")
        while broker.log().count("PINGREQ from agent") < pings + 2:
            assert _is_connected(outlet)
            outlet.open.wait(0.05)
        outlet.open.set()
        outlet.wait_for(lambda one: len(one.taken) == 50)
        assert [connected for connected, _ in outlet.states] == [True]


@pytest.mark.parametrize("version", VERSIONS)
def test_wrong_credentials_are_told_and_right_ones_taken(tmp_path: Path, version: str) -> None:
    passwords = tmp_path / "passwords"
    right, wrong = "right", "wrong"
    passwords.write_text(f"agent:{right}\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    with Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        with running(_source(broker, version, username="agent", password=wrong)) as source:
            source.outlet.wait_for(lambda outlet: any("refused" in detail for _, detail in outlet.states))
        with running(_source(broker, version, username="agent", password=right)) as source:
            source.outlet.wait_for(_is_connected)


def test_a_broker_with_tls_must_be_the_one_that_is_trusted(tmp_path: Path) -> None:
    ours, others = _certificate(tmp_path, "ours"), _certificate(tmp_path, "others")
    options = (f"certfile {ours}", f"keyfile {ours.with_suffix('.key')}")
    with Mosquitto(tmp_path, *options) as broker:
        with running(_source(broker, tls={"ca_file": str(others)})) as source:
            source.outlet.wait_for(lambda outlet: outlet.states)
            assert not _is_connected(source.outlet)
        with running(_source(broker, tls={"ca_file": str(ours)})) as source:
            source.outlet.wait_for(_is_connected)


def _certificate(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key beside it."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*new, "-days", "2", "-keyout", str(key), "-out", str(certificate), *subject], check=True, capture_output=True
    )
    return certificate


def _acknowledge(outlet: CollectingOutlet, place: int) -> None:
    acknowledge = outlet.taken[place].acknowledge
    assert acknowledge is not None
    acknowledge()


def _value(measurement: object) -> float:
    assert isinstance(measurement, Samples)
    return float(measurement.values[0, 0])
