"""The writer without a broker: every record's fate is known within the deadline. With a broker: tests/integration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.envelope import Record
from services.ingestion.kafka import PROMISES, REFUSALS, KafkaWriter
from services.ingestion.settings import IngestionSettings
from services.ingestion.writer import Delivery, Fate

RECORD = Record(b"t/d/s/GRF", b"value", {"sensor_ms": b"0"})


@pytest.fixture
def writer() -> Iterator[KafkaWriter]:
    settings = IngestionSettings(kafka_bootstrap_servers="127.0.0.1:1", delivery_timeout_ms=100)
    made = KafkaWriter(settings.kafka_config())
    made.start()
    yield made
    made.close()


def _write(writer: KafkaWriter, *records: Record) -> list[Delivery]:
    async def work() -> list[Delivery]:
        return await writer.write("rawframes", records)

    return asyncio.run(work())


def test_promises_are_the_settings_that_make_an_answer_true() -> None:
    assert PROMISES["enable.idempotence"] is True
    assert PROMISES["acks"] == "all"
    assert PROMISES["partitioner"] == "murmur2_random"


def test_without_a_broker_the_fate_is_unknown_after_the_deadline(writer: KafkaWriter) -> None:
    deliveries = _write(writer, RECORD, RECORD)
    assert [delivery.fate for delivery in deliveries] == [Fate.UNKNOWN] * 2
    assert "timed out" in deliveries[0].error


def test_no_records_have_no_fates(writer: KafkaWriter) -> None:
    assert _write(writer) == []


def test_what_is_too_large_for_any_broker_is_refused_at_once(writer: KafkaWriter) -> None:
    small, large = _write(writer, RECORD, Record(b"k", bytes(9 * 1024 * 1024), {}))
    assert (small.fate, large.fate) == (Fate.UNKNOWN, Fate.REFUSED)
    assert "too large" in large.error


def test_a_full_queue_fails_the_record_and_does_not_wait() -> None:
    config: dict[str, Any] = {
        "bootstrap.servers": "127.0.0.1:1",
        "message.timeout.ms": 100,
        "queue.buffering.max.messages": 1,
    }
    writer = KafkaWriter(config)
    writer.start()
    try:
        errors = [delivery.error for delivery in _write(writer, RECORD, RECORD)]
    finally:
        writer.close()
    assert errors[1] == "the queue to Kafka is full"


def test_a_topic_without_a_broker_has_a_problem(writer: KafkaWriter) -> None:
    assert "Kafka does not answer" in writer.topic_problem("rawframes")


def test_what_may_be_mended_is_no_refusal() -> None:
    assert KafkaError.TOPIC_AUTHORIZATION_FAILED not in REFUSALS
    assert KafkaError.UNKNOWN_TOPIC_OR_PART not in REFUSALS
    assert KafkaError.NOT_ENOUGH_REPLICAS not in REFUSALS


def test_a_producer_that_failed_for_good_is_replaced(writer: KafkaWriter) -> None:
    first = writer._producer
    writer._on_error(KafkaError(KafkaError._FATAL, "lost its place", fatal=True))
    deliveries = _write(writer, RECORD)
    assert deliveries[0].fate is Fate.UNKNOWN
    assert writer._producer is not first
