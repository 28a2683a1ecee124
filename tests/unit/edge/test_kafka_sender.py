"""The sender without a broker: what it refuses at once and how it waits. With a broker: tests/integration."""

from __future__ import annotations

import gc
import logging
import weakref

import pytest
from confluent_kafka import KafkaError

from edge.errors import DeliveryError, GivenUpError
from edge.interruption import Interruption
from edge.senders.kafka import PROMISES, KafkaSender
from edge.senders.sender import Refusal
from edge.settings import EdgeSettings
from edge.testing import ManualClock
from schemas.envelope import Record

NOBODY = "127.0.0.1:1"
RECORD = Record(b"t/d/s/GRF", b"value", {"sensor_ms": b"0"})


def _sender(clock: ManualClock | None = None, interruption: Interruption | None = None, **flags: object) -> KafkaSender:
    config = EdgeSettings.load({"bootstrap_servers": NOBODY, **flags}).kafka_config()
    return KafkaSender(
        config, topic="rawframes", clock=clock or ManualClock(), interruption=interruption or Interruption()
    )


def test_promises_are_the_settings_that_make_it_safe() -> None:
    assert PROMISES["enable.idempotence"] is True
    assert PROMISES["acks"] == "all"
    assert PROMISES["message.timeout.ms"] == 0
    assert PROMISES["partitioner"] == "murmur2_random"


def test_no_setting_overrides_a_promise() -> None:
    config = {"bootstrap.servers": NOBODY, "acks": "0", "message.timeout.ms": 1}
    sender = KafkaSender(config, topic="t", clock=ManualClock(), interruption=Interruption())
    sender.send(RECORD)
    # With a timeout of 1 ms the record would be refused by now.
    assert sender.poll(0.5).pending == 1


def test_an_unusable_connection_setting_is_named() -> None:
    with pytest.raises(DeliveryError, match=r"Kafka producer: .*Unsupported SASL mechanism: NONSENSE"):
        _sender(security_protocol="SASL_PLAINTEXT", sasl_mechanism="NONSENSE")


def test_a_record_too_large_for_any_topic_is_refused_by_name() -> None:
    sender = _sender()
    with pytest.raises(DeliveryError, match=r"rawframes.*t/d/s/GRF.*too large") as caught:
        sender.send(Record(RECORD.key, bytes(5 * 1024 * 1024), {}))
    assert (caught.value.sent, caught.value.failed) == (1, 1)
    with pytest.raises(DeliveryError, match="too large"):
        sender.send(RECORD)
    with pytest.raises(DeliveryError, match="too large"):
        sender.close()


def test_records_wait_for_a_broker_that_is_away() -> None:
    sender = _sender()
    for _ in range(3):
        sender.send(RECORD)
    report = sender.poll(0.2)
    assert (report.sent, report.acknowledged, report.failed, report.pending) == (3, 0, 0, 3)


def test_waiting_is_logged_once_in_a_while_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    sender = _sender(clock)
    sender.send(RECORD)
    with caplog.at_level(logging.WARNING, logger="edge"):
        for _ in range(60):
            sender.poll(0.02)
            clock.sleep(1.0)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert all(message.startswith("1 frames wait for the broker, none acknowledged for") for message in messages)
    assert NOBODY in messages[-1]


def test_a_full_queue_holds_the_caller_back_until_he_insists_on_an_end() -> None:
    interruption = Interruption()
    sender = _sender(interruption=interruption, queue_max_frames=2)
    sender.send(RECORD)
    sender.send(RECORD)
    interruption.request()
    interruption.request()
    with pytest.raises(GivenUpError, match="2 of 2 frames sent are not acknowledged"):
        sender.send(RECORD)


def test_close_waits_until_the_user_insists_on_an_end() -> None:
    interruption = Interruption()
    sender = _sender(interruption=interruption)
    sender.send(RECORD)
    interruption.request()
    assert sender.poll(0.1).pending == 1
    interruption.request()
    with pytest.raises(GivenUpError):
        sender.close()


def test_closing_an_unused_sender_does_not_wait() -> None:
    assert _sender().close().sent == 0


def test_who_asks_for_reports_is_told_of_a_record_refused_at_once_and_the_sender_goes_on() -> None:
    sender = _sender()
    told: list[Refusal | None] = []
    sender.send(Record(RECORD.key, bytes(5 * 1024 * 1024), {}), told.append)
    assert [(refusal.for_good, "too large" in refusal.reason) for refusal in told if refusal] == [(True, True)]
    sender.send(RECORD, told.append)
    report = sender.poll(0.1)
    assert (report.sent, report.failed, report.pending, len(told)) == (1, 0, 1, 1)


def test_a_producer_that_has_failed_for_good_reports_what_it_holds_and_can_go() -> None:
    sender = _sender()
    told: list[Refusal | None] = []
    sender.send(RECORD, told.append)
    # librdkafka's own way to make a producer fail for good is not reachable from Python.
    sender._on_error(KafkaError(KafkaError._FATAL, "lost its place", fatal=True))
    with pytest.raises(DeliveryError, match="failed for good: lost its place"):
        sender.poll()
    assert [refusal.for_good for refusal in told if refusal] == [False]
    gone = weakref.ref(sender)
    del sender
    gc.collect()
    assert gone() is None
