"""Agents that read a test's own broker, and what devices say to it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt import publish

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.mqtt import MqttSource
from edge.sources.settings import MqttSettings
from tests.collecting_outlet import CollectingOutlet, RunningSource, running
from tests.integration.mosquitto import Mosquitto

VERSIONS = ["5", "3.1.1"]
READING = {
    "format": {"kind": "json"},
    "sensors": [{"sensor_type": "TEMP", "field": "t"}, {"sensor_type": "HUMID", "field": "rh"}],
}


def mqtt_settings(broker: Mosquitto, version: str, **more: Any) -> MqttSettings:
    subscriptions = [{"topic": "lab/{device}/climate", "reading": READING}]
    base = {"kind": "mqtt", "name": "broker", "host": "127.0.0.1", "port": broker.port, "client_id": "agent"}
    return MqttSettings.model_validate({**base, "version": version, "subscriptions": subscriptions, **more})


def mqtt_source(broker: Mosquitto, version: str = "5", **more: Any) -> MqttSource:
    clock = InstantClock(SystemClock(), lambda: True)
    return MqttSource(mqtt_settings(broker, version, **more), clock, random.Random(1))


@contextmanager
def agent_of(broker: Mosquitto, version: str = "5", *, on_disk: bool = True) -> Iterator[RunningSource]:
    """An agent that the broker has seen leaving before the next one comes: what it said until then counts."""
    left = "Received DISCONNECT from agent"
    before = broker.log().count(left)
    with running(mqtt_source(broker, version), on_disk=on_disk) as source:
        yield source
    broker.wait_for_log(left, before + 1)


def publish_temperatures(broker: Mosquitto, *temperatures: float, topic: str = "lab/d1/climate") -> None:
    publish_raw(broker, *((topic, json.dumps({"t": one}).encode()) for one in temperatures))


def publish_raw(broker: Mosquitto, *messages: tuple[str, bytes]) -> None:
    publish.multiple([(topic, payload, 1, False) for topic, payload in messages], port=broker.port)


def is_connected(outlet: CollectingOutlet) -> bool:
    return bool(outlet.states) and outlet.states[-1][0]


def acknowledge(outlet: CollectingOutlet, place: int) -> None:
    acknowledge = outlet.taken[place].acknowledge
    assert acknowledge is not None
    acknowledge()
