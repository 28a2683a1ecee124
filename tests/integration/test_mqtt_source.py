"""The MQTT source against a real broker: what is acknowledged, when, and what comes again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.instant import InstantClock
from edge.pace import SystemClock
from edge.sources.mqtt import MqttSource
from tests.collecting_outlet import running
from tests.integration.mosquitto import Mosquitto
from tests.integration.mqtt_agent import (
    VERSIONS,
    acknowledge,
    agent_of,
    is_connected,
    mqtt_settings,
    mqtt_source,
    publish_temperatures,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as one:
        yield one


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_on_disk_comes_again_to_the_next_agent(broker: Mosquitto, version: str) -> None:
    with agent_of(broker, version, on_disk=False) as source:
        source.outlet.wait_for(is_connected)
        publish_temperatures(broker, 1, 2, 3)
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 3)
        # Only the second is on disk when the agent goes.
        acknowledge(source.outlet, 1)
    with agent_of(broker, version) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) >= 2)
        publish_temperatures(broker, 4)
        source.outlet.wait_for(lambda outlet: 4.0 in outlet.values())
    assert source.outlet.values() == [1.0, 3.0, 4.0]
    with agent_of(broker, version) as source:
        source.outlet.wait_for(is_connected)
        publish_temperatures(broker, 5)
        source.outlet.wait_for(lambda outlet: outlet.taken)
    assert source.outlet.values() == [5.0]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_published_while_the_agent_is_away_waits_at_the_broker(broker: Mosquitto, version: str) -> None:
    with agent_of(broker, version) as source:
        source.outlet.wait_for(is_connected)
    publish_temperatures(broker, *range(20))
    with agent_of(broker, version) as source:
        source.outlet.wait_for(lambda outlet: len(outlet.taken) == 20 and is_connected(outlet))
        assert "resumed" in source.outlet.states[0][1]
    assert source.outlet.values() == list(range(20))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_that_restarts_is_found_again_and_nothing_is_read_twice(broker: Mosquitto, version: str) -> None:
    with agent_of(broker, version, on_disk=False) as source:
        outlet = source.outlet
        outlet.wait_for(is_connected)
        publish_temperatures(broker, 1, 2, 3)
        outlet.wait_for(lambda one: len(one.taken) == 3)
        broker.stop()
        outlet.wait_for(lambda one: not is_connected(one))
        # This one reaches the disk while there is nobody to tell.
        acknowledge(outlet, 0)
        broker.start()
        outlet.wait_for(is_connected)
        publish_temperatures(broker, 4)
        outlet.wait_for(lambda one: 4.0 in one.values())
        for place in range(1, 4):
            acknowledge(outlet, place)
        assert outlet.values() == [1.0, 2.0, 3.0, 4.0]
        publish_temperatures(broker, 5)
        outlet.wait_for(lambda one: 5.0 in one.values())
        acknowledge(outlet, 4)
    with agent_of(broker, version) as source:
        source.outlet.wait_for(is_connected)
        publish_temperatures(broker, 6)
        source.outlet.wait_for(lambda one: one.taken)
    assert source.outlet.values() == [6.0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_that_has_lost_its_sessions_is_subscribed_again(tmp_path: Path, version: str) -> None:
    with Mosquitto(tmp_path, "persistence false") as broker, running(mqtt_source(broker, version)) as source:
        source.outlet.wait_for(is_connected)
        broker.kill()
        source.outlet.wait_for(lambda outlet: not is_connected(outlet))
        broker.start()
        source.outlet.wait_for(is_connected)
        assert "session new" in source.outlet.states[-1][1]
        publish_temperatures(broker, 7)
        source.outlet.wait_for(lambda outlet: outlet.taken)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_agent_that_is_killed_before_the_disk_gets_the_message_again(broker: Mosquitto, version: str) -> None:
    settings = mqtt_settings(broker, version).model_dump_json()
    agent = subprocess.Popen(
        [sys.executable, "-c", _AGENT, settings], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert agent.stdout is not None
    assert agent.stdout.readline() == "connected\n"
    publish_temperatures(broker, 1, 2)
    assert [agent.stdout.readline() for _ in range(2)] == ["1.0\n", "2.0\n"]
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    agent.stdout.close()
    with running(mqtt_source(broker, version)) as source:
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
    with running(mqtt_source(broker, receive_maximum=3), on_disk=False) as source:
        outlet = source.outlet
        outlet.wait_for(is_connected)
        publish_temperatures(broker, *range(10))
        broker.wait_for_log("Received DISCONNECT from auto-", 1)
        # The broker has all ten now, and keeps seven.
        assert broker.log().count("Sending PUBLISH to agent") == 3
        for place in range(10):
            outlet.wait_for(lambda one, wanted=place: len(one.taken) > wanted)
            acknowledge(outlet, place)
    assert outlet.values() == list(range(10))


def test_a_slow_disk_does_not_break_the_connection(broker: Mosquitto) -> None:
    with running(mqtt_source(broker, keep_alive_s=5)) as source:
        outlet = source.outlet
        outlet.wait_for(is_connected)
        outlet.open.clear()
        publish_temperatures(broker, *range(50))
        # A broker ends a connection that is silent for one and a half times the keep-alive.
        broker.wait_for_log("PINGREQ from agent", broker.log().count("PINGREQ from agent") + 2)
        outlet.open.set()
        outlet.wait_for(lambda one: len(one.taken) == 50)
        assert [connected for connected, _ in outlet.states] == [True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_network_thread_that_an_error_has_ended_is_begun_anew_and_loses_nothing(broker: Mosquitto) -> None:
    answers = iter([True, False])

    def is_synchronised() -> bool:
        if next(answers, False):
            raise OSError("the clock is away")
        return True

    source = MqttSource(mqtt_settings(broker, "5"), InstantClock(SystemClock(), is_synchronised), random.Random(1))
    with running(source) as one:
        one.outlet.wait_for(is_connected)
        publish_temperatures(broker, 1, 2)
        # One may come twice: what was acknowledged on the broken connection did not arrive.
        one.outlet.wait_for(lambda outlet: {1.0, 2.0} == set(outlet.values()))
    assert (False, "failed; connecting again") in one.outlet.states
