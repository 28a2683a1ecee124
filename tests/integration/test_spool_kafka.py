"""From the spool to a real broker: everything arrives once, whatever the broker refuses and however long it is away."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.senders.kafka import KafkaSender
from edge.settings import EdgeSettings
from edge.spool.drain import Drain
from edge.spool.settings import DrainSettings, SpoolSettings
from edge.spool.spool import Spool
from schemas.envelope import EventEnvelope, Record, to_record, unseal
from schemas.topics import APPEND_TIME, TopicSpec
from stack.endpoints import StackEndpoints
from stack.settings import StackSettings
from stack.supervision import Supervisor
from stack.topics import ensure_topics
from tests.builders import FrameBuilder, scalar_records

pytestmark = pytest.mark.integration

PARTITIONS = 3
DEADLINE_S = 60.0


@pytest.fixture
def topic(stack: StackEndpoints) -> Iterator[str]:
    """A topic that takes messages of 20 kB, of this test alone."""
    name = f"spool-{time.time_ns()}"
    config = {**APPEND_TIME, "max.message.bytes": "20000"}
    ensure_topics(stack.kafka_bootstrap, [TopicSpec(name, PARTITIONS, config)])
    yield name
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    admin.delete_topics([name])[name].result(30)


@pytest.fixture
def make_sender(stack: StackEndpoints, topic: str) -> Callable[[], KafkaSender]:
    flags = {"bootstrap_servers": stack.kafka_bootstrap, "batch_max_bytes": 10_000, "compression": "none"}
    config = EdgeSettings.load(flags).kafka_config()
    return lambda: KafkaSender(config, topic=topic, clock=SystemClock(), interruption=Interruption())


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(SpoolSettings(directory=tmp_path / "spool", min_free_bytes=0))
    yield opened
    opened.close()


def _append(spool: Spool, records: list[Record]) -> None:
    spool.append(records)
    spool.commit()


def _drain(drain: Drain, spool: Spool) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    drain.run(lambda: spool.stats().depth_records > 0 and time.monotonic() < deadline_s)
    assert spool.stats().depth_records == 0, drain.stats()


def _read_all(bootstrap: str, topic: str) -> list[EventEnvelope]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    try:
        places = [TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)]
        count = sum(consumer.get_watermark_offsets(place, timeout=30)[1] for place in places)
        consumer.assign(places)
        values: list[bytes] = []
        while len(values) < count:
            messages = consumer.consume(1_000, timeout=5.0)
            assert messages, f"{len(values)} of {count} records"
            values += [message.value() or b"" for message in messages]
    finally:
        consumer.close()
    return [unseal(value) for value in values]


def _devices(count: int) -> list[Record]:
    return [record for n in range(10) for record in scalar_records(count // 10, device_id=f"device-{n}")]


def _huge(sequence: int) -> Record:
    envelope = FrameBuilder(device_id="huge", sequence=sequence).envelope()
    envelope.payload += bytes(30_000)
    return to_record(envelope)


def test_all_arrives_once_and_what_the_topic_refuses_is_put_aside(
    stack: StackEndpoints, topic: str, spool: Spool, make_sender: Callable[[], KafkaSender], tmp_path: Path
) -> None:
    records = _devices(2_000)
    _append(spool, [*records[:1_000], _huge(0), *records[1_000:], _huge(1)])
    drain = Drain(spool, make_sender, DrainSettings(), clock=SystemClock())
    _drain(drain, spool)
    envelopes = _read_all(stack.kafka_bootstrap, topic)
    expected = {unseal(record.value).event_id for record in records}
    assert sorted(envelope.event_id for envelope in envelopes) == sorted(expected)
    assert not any(envelope.resent for envelope in envelopes)
    lines = [json.loads(line) for line in (tmp_path / "spool" / "rejected.jsonl").read_text().splitlines()]
    assert {line["position"] for line in lines} == {1_000, 2_001}
    assert all("too large" in line["reason"] for line in lines)
    assert (spool.stats().rejected, drain.stats().sender_failures) == (2, 0)


def test_a_broker_killed_in_the_middle_loses_and_doubles_nothing(
    stack: StackEndpoints,
    stack_settings: StackSettings,
    topic: str,
    spool: Spool,
    make_sender: Callable[[], KafkaSender],
) -> None:
    records = _devices(5_000)
    drain = Drain(spool, make_sender, DrainSettings(window_records=500), clock=SystemClock())
    _append(spool, records[:2_500])
    deadline_s = time.monotonic() + DEADLINE_S
    drain.run(lambda: drain.stats().acknowledged < 500 and time.monotonic() < deadline_s)
    os.kill(Supervisor(stack_settings.stack_home()).states()["kafka"].pid, signal.SIGKILL)
    _append(spool, records[2_500:])
    _drain(drain, spool)
    envelopes = _read_all(stack.kafka_bootstrap, topic)
    ids = [envelope.event_id for envelope in envelopes]
    assert set(ids) == {unseal(record.value).event_id for record in records}
    # A new producer cannot know what the old one got through: what comes twice is flagged.
    again = [envelope for envelope in envelopes if ids.count(envelope.event_id) > 1]
    assert sum(not envelope.resent for envelope in again) == len({envelope.event_id for envelope in again})
    assert len(again) == 0 or drain.stats().sender_failures > 0
