"""The MQTT source against a broker that is none; the real one is in tests/integration/test_mqtt_source.py."""

from __future__ import annotations

import random
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.mqtt import MqttSource
from edge.sources.settings import MqttSettings
from tests.collecting_outlet import running

CONNACK = bytes([0x20, 0x03, 0x00, 0x00, 0x00])
SUBACK = bytes([0x90, 0x04, 0x00, 0x01, 0x00, 0x01])


@contextmanager
def _server(answer: bytes) -> Iterator[tuple[int, threading.Semaphore]]:
    """A server that answers each connection with these bytes and hangs up; counts the connections."""
    connections = threading.Semaphore(0)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4_096)
            self.request.sendall(answer)
            connections.release()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1], connections
        server.shutdown()
        thread.join()


def _source(port: int) -> MqttSource:
    settings = MqttSettings.model_validate(
        {
            "kind": "mqtt",
            "name": "broker",
            "host": "127.0.0.1",
            "port": port,
            "client_id": "agent",
            "subscriptions": [{"topic": "{device}", "reading": {"sensors": [{"sensor_type": "TEMP"}]}}],
        }
    )
    return MqttSource(settings, InstantClock(SystemClock(), lambda: True), random.Random(1))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="a web server"),
        pytest.param(CONNACK + SUBACK + b"\x32\x04\xff\xff\x00\x00", id="a message whose topic is longer than itself"),
        pytest.param(CONNACK + b"\x32\x09\x00\x01\xff\x00\x01\x00{}\x00", id="a topic that is no text"),
        pytest.param(bytes([0x20, 0x06, 0x00, 0x00, 0x03, 0xFF, 0x01, 0x02]), id="properties that there are not"),
    ],
)
def test_whatever_a_broker_sends_the_source_comes_back_and_stops_when_asked(answer: bytes) -> None:
    with _server(answer) as (port, connections), running(_source(port)) as source:
        for _ in range(2):
            assert connections.acquire(timeout=60.0)
    assert source.outlet.taken == []
    assert not source.outlet.states[-1][0]


def test_a_broker_that_is_away_is_told_and_the_source_stops_when_asked() -> None:
    with _server(b"") as (port, _):
        free = port
    with running(_source(free)) as source:
        source.outlet.wait_for(lambda outlet: outlet.states)
    assert "does not answer" in source.outlet.states[0][1]
