"""When a service is ready: it must answer a real request, not merely listen."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack.endpoints import StackEndpoints

_TIMEOUT_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one service; `answers` never raises.

    Attributes:
        process: the supervised process whose readiness this is.
        endpoint: shown to the user.
    """

    process: str
    endpoint: str
    answers: Callable[[], bool]


def probes(endpoints: StackEndpoints) -> list[Probe]:
    """The probes of the whole stack."""
    native = f"{endpoints.clickhouse_host}:{endpoints.clickhouse_tcp_port}"
    slots = endpoints.task_slots
    both = f"{native}, http {endpoints.clickhouse_http_port}"
    return [
        Probe("kafka", endpoints.kafka_bootstrap, lambda: kafka_answers(endpoints.kafka_bootstrap)),
        Probe("jobmanager", endpoints.flink_rest_url, lambda: jobmanager_answers(endpoints.flink_rest_url)),
        Probe("taskmanager", f"{slots} slots", lambda: task_slots_registered(endpoints.flink_rest_url) >= slots),
        Probe("clickhouse", both, lambda: clickhouse_answers(endpoints)),
    ]


def kafka_answers(bootstrap: str) -> bool:
    """Whether the broker lists its metadata."""
    host, _, port = bootstrap.rpartition(":")
    # librdkafka waits longer and longer after a refused connection: knock first.
    if not is_listening(host, int(port)):
        return False
    # Through a logger, or librdkafka writes to standard error.
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2}, logger=_log)
    try:
        metadata = admin.list_topics(timeout=_TIMEOUT_S)
    except KafkaException:
        return False
    return len(metadata.brokers) > 0


def is_listening(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def jobmanager_answers(rest_url: str) -> bool:
    """Whether Flink's REST interface serves."""
    try:
        return httpx.get(f"{rest_url}/overview", timeout=_TIMEOUT_S).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def task_slots_registered(rest_url: str) -> int:
    """How many slots the registered TaskManagers offer; 0 when Flink does not answer."""
    try:
        answer = httpx.get(f"{rest_url}/taskmanagers", timeout=_TIMEOUT_S)
        return sum(manager["slotsNumber"] for manager in answer.raise_for_status().json()["taskmanagers"])
    except (httpx.HTTPError, ValueError, KeyError):
        return 0


def clickhouse_answers(endpoints: StackEndpoints) -> bool:
    """Whether a SELECT works over the native protocol and the HTTP interface is up."""
    # Knock first: the driver writes a stack trace to the log for every refused connection.
    if not is_listening(endpoints.clickhouse_host, endpoints.clickhouse_tcp_port):
        return False
    client = Client(
        endpoints.clickhouse_host,
        port=endpoints.clickhouse_tcp_port,
        user=endpoints.clickhouse_user,
        password=endpoints.clickhouse_password,
        connect_timeout=_TIMEOUT_S,
        send_receive_timeout=_TIMEOUT_S,
    )
    http_url = f"http://{endpoints.clickhouse_host}:{endpoints.clickhouse_http_port}/ping"
    try:
        selected = client.execute("SELECT 1") == [(1,)]
        return selected and httpx.get(http_url, timeout=_TIMEOUT_S).status_code == httpx.codes.OK
    except (OSError, EOFError, ClickHouseError, httpx.HTTPError):
        return False
    finally:
        client.disconnect()
