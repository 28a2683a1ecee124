"""The MQTT source against a real broker: what its messages say, and who may read them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish

from edge.measurement import Samples
from schemas.errors import Reason
from tests.collecting_outlet import running
from tests.integration.mosquitto import Mosquitto
from tests.integration.mqtt_agent import (
    READING,
    VERSIONS,
    agent_of,
    is_connected,
    mqtt_source,
    publish_raw,
    publish_temperatures,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as one:
        yield one


@pytest.mark.parametrize("version", VERSIONS)
def test_topics_become_devices_and_messages_measurements(broker: Mosquitto, version: str) -> None:
    with running(mqtt_source(broker, version)) as source:
        source.outlet.wait_for(is_connected)
        publish_raw(broker, ("lab/d1/climate", b'{"t": 21.5, "rh": 40}'), ("lab/d2/climate", b'{"t": 22}'))
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
    took = [(one.device_id, one.measurement.sensor_type, _value(one.measurement)) for one in source.outlet.taken]
    assert took == [("d1", "TEMP", 21.5), ("d1", "HUMID", 40.0), ("d2", "TEMP", 22.0)]


def test_messages_that_cannot_be_read_are_rejected_and_acknowledged_as_dead_letters(broker: Mosquitto) -> None:
    with agent_of(broker) as source:
        source.outlet.wait_for(is_connected)
        bad = (b"{", b'{"t": 900}', b'{"t": 21, "rh": 400}')
        publish_raw(broker, *(("lab/d1/climate", payload) for payload in bad), ("lab/d 1/climate", b'{"t": 1}'))
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
    with agent_of(broker) as source:
        source.outlet.wait_for(is_connected)
        publish_temperatures(broker, 5)
        source.outlet.wait_for(lambda outlet: outlet.taken)
    assert source.outlet.rejected == []


def test_raw_payloads_and_sensors_named_by_the_topic(broker: Mosquitto) -> None:
    sensors = [{"sensor_type": "TEMP", "name": "temperature", "unit": "degF"}, {"sensor_type": "CO2", "name": "co2"}]
    text = {"topic": "text/{device}/{sensor}", "reading": {"format": {"kind": "number"}, "sensors": sensors}}
    number = {"kind": "number", "type": "uint16", "byte_order": "big"}
    binary = {"topic": "raw/co2", "device_id": "d9", "reading": {"format": number, "sensors": [{"sensor_type": "CO2"}]}}
    with running(mqtt_source(broker, subscriptions=[text, binary])) as source:
        source.outlet.wait_for(is_connected)
        publish_raw(
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
    with running(mqtt_source(broker, version, subscriptions=topics)) as source:
        outlet = source.outlet
        outlet.wait_for(lambda one: one.taken and one.rejected)
        assert outlet.rejected[0].error.reason is Reason.BAD_TIMESTAMP
        # An acknowledgement that the broker does not get brings the message again.
        broker.wait_for_log("Received PUBACK from agent", 2)
        broker.stop()
        outlet.wait_for(lambda one: not is_connected(one))
        broker.start()
        outlet.wait_for(is_connected)
        publish_temperatures(broker, 3)
        outlet.wait_for(lambda one: len(one.taken) == 2)
    # Nor does it come again with every new connection.
    assert outlet.values() == [2.0, 3.0]
    assert len(outlet.rejected) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_wrong_credentials_are_told_and_right_ones_taken(tmp_path: Path, version: str) -> None:
    passwords = tmp_path / "passwords"
    right, wrong = "right", "wrong"
    passwords.write_text(f"agent:{right}\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    with Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        with running(mqtt_source(broker, version, username="agent", password=wrong)) as source:
            source.outlet.wait_for(lambda outlet: any("refused" in detail for _, detail in outlet.states))
        with running(mqtt_source(broker, version, username="agent", password=right)) as source:
            source.outlet.wait_for(is_connected)


def test_a_broker_with_tls_must_be_the_one_that_is_trusted(tmp_path: Path) -> None:
    ours, others = _certificate(tmp_path, "ours"), _certificate(tmp_path, "others")
    options = (f"certfile {ours}", f"keyfile {ours.with_suffix('.key')}")
    with Mosquitto(tmp_path, *options) as broker:
        with running(mqtt_source(broker, tls={"ca_file": str(others)})) as source:
            source.outlet.wait_for(lambda outlet: outlet.states)
            assert not is_connected(source.outlet)
        with running(mqtt_source(broker, tls={"ca_file": str(ours)})) as source:
            source.outlet.wait_for(is_connected)


def _certificate(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key beside it."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*new, "-days", "2", "-keyout", str(key), "-out", str(certificate), *subject], check=True, capture_output=True
    )
    return certificate


def _value(measurement: object) -> float:
    assert isinstance(measurement, Samples)
    return float(measurement.values[0, 0])
