"""The ticker: a heartbeat into every partition of a topic, so that watermarks advance while sensors are silent.

Flink skips an idle partition, but when all partitions are silent nothing advances and the last sessions
would never close. Only the append time of a heartbeat matters; jobs filter it out by its sensor part.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.envelope import STATUS_SENSOR, RecordKey, heartbeat

TENANT = "brain"
SESSION = "heartbeat"
METADATA_TIMEOUT_S = 5.0
_REFRESH_ROUNDS = 30

_log = logging.getLogger(__name__)


class HeartbeatSink(Protocol):
    """Where heartbeats go: a Kafka topic in production."""

    def partition_count(self) -> int:
        """How many partitions the topic has; 0 while it does not exist or the broker is away."""

    def send(self, partition: int, *, key: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        """Hand over one record for one partition."""


class KafkaHeartbeatSink:
    """Sends heartbeats with an idempotent producer.

    A heartbeat that can't be delivered within seconds is dropped and counted: the next one serves as well.
    """

    def __init__(self, bootstrap_servers: str, *, topic: str) -> None:
        self._topic = topic
        self.failed = 0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "client.id": "brain-ticker",
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": 5_000,
                "reconnect.backoff.max.ms": 1_000,
            },
            logger=_log,
        )

    def partition_count(self) -> int:
        """See HeartbeatSink."""
        try:
            metadata = self._producer.list_topics(self._topic, timeout=METADATA_TIMEOUT_S)
        except KafkaException as error:
            _log.warning("no metadata of topic %s: %s", self._topic, error)
            return 0
        topic = metadata.topics[self._topic]
        return 0 if topic.error is not None else len(topic.partitions)

    def send(self, partition: int, *, key: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        """See HeartbeatSink.

        Raises:
            KafkaException: the producer is in a state that it can't leave; the process must start again.
        """
        self._producer.produce(
            self._topic,
            key=key,
            value=value,
            headers=list(headers.items()),
            partition=partition,
            on_delivery=self._on_delivery,
        )
        self._producer.poll(0)

    def close(self) -> None:
        """Wait a moment for what is under way."""
        self._producer.flush(METADATA_TIMEOUT_S)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        if error.fatal():
            raise KafkaException(error)
        self.failed += 1
        _log.warning("heartbeat for partition %s not delivered: %s", message.partition(), error)


class Ticker:
    """Writes one heartbeat per partition and round.

    Each partition has a device of its own (`ticker-<partition>`), so that sequence numbers have no gaps.
    """

    def __init__(self, sink: HeartbeatSink, *, boot_id: str, now_ms: Callable[[], int]) -> None:
        self._sink = sink
        self._boot_id = boot_id
        self._now_ms = now_ms
        self._sequences: list[int] = []
        self._rounds = 0

    def tick(self) -> int:
        """Write one round; returns how many heartbeats were written (0 while the topic does not exist)."""
        if not self._sequences or self._rounds % _REFRESH_ROUNDS == 0:
            self._grow_to(self._sink.partition_count())
        self._rounds += 1
        for partition in range(len(self._sequences)):
            self._send(partition)
        return len(self._sequences)

    def _grow_to(self, partitions: int) -> None:
        # Kafka can add partitions to a topic, never remove them; 0 means that the broker is away just now.
        new = partitions - len(self._sequences)
        if new > 0:
            _log.info("heartbeats into %d partitions", partitions)
            self._sequences += [0] * new

    def _send(self, partition: int) -> None:
        key = RecordKey(TENANT, f"ticker-{partition}", SESSION, STATUS_SENSOR)
        record = heartbeat(key, self._boot_id, self._sequences[partition], self._now_ms())
        self._sink.send(partition, key=record.key, value=record.value, headers=record.headers)
        self._sequences[partition] += 1


def run(ticker: Ticker, *, interval_s: float, stop: threading.Event) -> None:
    """Tick until `stop` is set."""
    while not stop.wait(interval_s):
        ticker.tick()
