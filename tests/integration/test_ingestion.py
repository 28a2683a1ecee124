"""The ingestion service before a real Kafka: what it answers is true, whatever happens to it."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME
from confluent_kafka.admin import AdminClient

from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.senders.http import HttpSender
from edge.senders.http_settings import HttpSenderSettings
from schemas.envelope import unseal
from schemas.topics import APPEND_TIME, TopicSpec
from services.ingestion.key_file import read_keys, write_keys
from services.ingestion.keys import revoke_key, utc_now
from stack.endpoints import StackEndpoints
from stack.settings import StackSettings
from stack.supervision import Supervisor
from stack.topics import ensure_topics
from tests.builders import FrameBuilder, scalar_records
from tests.ingestion_client import batch, new_key
from tests.ingestion_process import IngestionProcess, read_topic, until

pytestmark = pytest.mark.integration

PARTITIONS = 4
Make = Callable[..., IngestionProcess]


@pytest.fixture
def topic(stack: StackEndpoints, request: pytest.FixtureRequest) -> Iterator[str]:
    """A topic of this test alone with its dead letters; it takes records of 20 kB."""
    name = f"ingest-{request.node.name[:60]}".replace("[", "-").replace("]", "")
    specs = [
        TopicSpec(name, PARTITIONS, {**APPEND_TIME, "max.message.bytes": "20000"}),
        TopicSpec(f"{name}-dlq", 1, {}),
    ]
    ensure_topics(stack.kafka_bootstrap, specs)
    yield name
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    for deleted in admin.delete_topics([spec.name for spec in specs]).values():
        deleted.result(30)


@pytest.fixture
def make_service(stack: StackEndpoints, topic: str, tmp_path: Path) -> Iterator[Make]:
    made: list[IngestionProcess] = []

    def make(**settings: object) -> IngestionProcess:
        service = IngestionProcess(stack.kafka_bootstrap, topic, tmp_path, batch_max_bytes=10_000, **settings)
        made.append(service)
        service.start()
        return service

    yield make
    for service in made:
        service.stop()


def sender_to(service: IngestionProcess, **flags: Any) -> HttpSender:
    settings = {"url": service.url, "key": service.token, "backoff_first_s": 0.05, "backoff_max_s": 0.5, **flags}
    return HttpSender(HttpSenderSettings(**settings), clock=SystemClock(), interruption=Interruption())


def test_every_accepted_record_is_in_the_topic_with_key_header_and_append_time(
    stack: StackEndpoints, topic: str, make_service: Make
) -> None:
    service = make_service()
    records = scalar_records(500)
    response = httpx.post(
        f"{service.url}/v1/ingest", content=batch([record.value for record in records]), headers=service.headers
    )
    assert (response.status_code, response.json()["accepted"]) == (202, 500)
    arrived = {message.value(): message for message in read_topic(stack.kafka_bootstrap, topic)}
    assert arrived.keys() == {record.value for record in records}
    for record in records:
        message = arrived[record.value]
        assert message.key() == record.key
        assert dict(message.headers() or []) == record.headers
        assert message.timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME


def test_a_record_too_large_for_the_topic_is_a_dead_letter_and_its_neighbours_are_stored(
    stack: StackEndpoints, topic: str, make_service: Make
) -> None:
    service = make_service()
    rng = random.Random(1)
    good = scalar_records(20)
    big = FrameBuilder(sequence=99, site_id="".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=40_000))).record()
    response = httpx.post(
        f"{service.url}/v1/ingest",
        content=batch([record.value for record in (*good[:10], big, *good[10:])]),
        headers=service.headers,
    )
    assert response.status_code == 202, response.text
    assert [result["index"] for result in response.json()["results"] if result["status"] == "rejected"] == [10]
    stored = {message.value() for message in read_topic(stack.kafka_bootstrap, topic)}
    assert stored == {record.value for record in good}
    (letter,) = read_topic(stack.kafka_bootstrap, f"{topic}-dlq")
    assert (letter.key(), letter.value()) == (big.key, big.value)
    added = dict(letter.headers() or [])
    assert (added["stage"], added["reason"], added["source_topic"]) == (b"ingestion", b"not_storable", topic.encode())


def test_a_broker_that_does_not_answer_is_503_and_the_same_events_pass_later(
    stack: StackEndpoints, stack_settings: StackSettings, topic: str, make_service: Make
) -> None:
    service = make_service(delivery_timeout_ms=500, ready_max_age_s=1)
    pid = Supervisor(stack_settings.stack_home()).states()["kafka"].pid
    body = batch([record.value for record in scalar_records(5)])
    os.kill(pid, signal.SIGSTOP)
    try:
        response = httpx.post(f"{service.url}/v1/ingest", content=body, headers=service.headers, timeout=30)
        assert response.status_code == 503
        assert {result["status"] for result in response.json()["results"]} == {"failed"}
        assert int(response.headers["retry-after"]) >= 1
        service.await_page("/ready", 503)
        assert httpx.get(f"{service.url}/health").status_code == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    service.await_page("/ready")
    until(
        lambda: (
            True
            if httpx.post(f"{service.url}/v1/ingest", content=body, headers=service.headers, timeout=30).status_code
            == 202
            else None
        ),
        "never accepted again",
    )
    ids = {unseal(message.value() or b"").event_id for message in read_topic(stack.kafka_bootstrap, topic)}
    assert len(ids) == 5


def test_a_service_that_is_killed_again_and_again_loses_nothing_it_accepted_and_marks_what_it_has_twice(
    stack: StackEndpoints, topic: str, make_service: Make
) -> None:
    service = make_service()
    records = [FrameBuilder(sequence=number).record() for number in range(4_000)]
    sender = sender_to(service, batch_max_records=20, queue_max_records=100, requests_in_flight=2)
    killing = threading.Event()

    def kill_now_and_then() -> None:
        rng = random.Random(7)
        for _ in range(4):
            killing.wait(rng.uniform(0.1, 0.4))
            service.kill()
            service.start(ready=False)
            service.await_page("/health")

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    for number, record in enumerate(records):
        sender.send(record)
        if killer.is_alive() and number % 20 == 0:
            time.sleep(0.02)
    killer.join()
    report = sender.close()
    assert (report.acknowledged, report.failed) == (4_000, 0)
    arrived = [unseal(message.value() or b"") for message in read_topic(stack.kafka_bootstrap, topic)]
    assert {envelope.event_id for envelope in arrived} == {unseal(record.value).event_id for record in records}
    unmarked = Counter(envelope.event_id for envelope in arrived if not envelope.resent)
    assert max(unmarked.values()) == 1


def test_after_sigterm_requests_under_way_are_answered_and_it_ends_with_0(
    stack: StackEndpoints, topic: str, make_service: Make
) -> None:
    service = make_service(linger_ms=400)
    bodies = [batch([FrameBuilder(sequence=number).record().value]) for number in range(8)]
    answers: list[int] = []

    def post(body: bytes) -> None:
        answers.append(
            httpx.post(f"{service.url}/v1/ingest", content=body, headers=service.headers, timeout=30).status_code
        )

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    until(lambda: True if "memory_bytes 0.0" not in httpx.get(f"{service.url}/metrics").text else None, "no request")
    time.sleep(0.1)
    service.terminate()
    for thread in threads:
        thread.join()
    assert answers == [202] * 8
    assert service.stop() == 0
    assert len(read_topic(stack.kafka_bootstrap, topic)) == 8
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.url}/health")


def test_a_revoked_key_is_refused_within_seconds_and_its_successor_passes(make_service: Make) -> None:
    service = make_service(keys_check_s=0.2)

    def status(token: str) -> int:
        headers = {**service.headers, "Authorization": f"Bearer {token}"}
        body = batch([FrameBuilder().record().value])
        return httpx.post(f"{service.url}/v1/ingest", content=body, headers=headers).status_code

    second = new_key(service.keys_path, devices=["*"])
    until(lambda: True if status(second) == 202 else None, "the new key does not pass")
    assert status(service.token) == 202
    write_keys(service.keys_path, revoke_key(read_keys(service.keys_path), service.token.split(".")[0], now=utc_now()))
    until(lambda: True if status(service.token) == 401 else None, "the revoked key passes")
    assert status(second) == 202
    for secret in (service.token.split(".")[1], second.split(".")[1]):
        assert secret not in service.log
