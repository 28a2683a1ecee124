"""The ticker: a heartbeat into every partition of a topic, so that watermarks advance while sensors are silent.

A heartbeat is an ordinary keyed record. The jobs copy it, with its key, to the topics behind, so its key must lie in
the same partition there: for each partition the ticker looks for a key that the partitioner puts into it. Only the
append time of a heartbeat matters; jobs filter it out by its sensor part.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.envelope import STATUS_SENSOR, TICKER_DEVICE, TICKER_TENANT, Record, RecordKey, heartbeat
from schemas.kafka import SAFE_PRODUCER

SESSION = "heartbeat"
METADATA_TIMEOUT_S = 5.0
_REFRESH_ROUNDS = 30
_TRIES_PER_PARTITION = 64

_log = logging.getLogger(__name__)


class HeartbeatSink(Protocol):
    """Where heartbeats go: a Kafka topic in production."""

    def partition_count(self) -> int:
        """How many partitions the topic has; 0 while it does not exist or the broker is away."""

    def send(self, record: Record) -> None:
        """Hand over one record; its key says into which partition it goes."""

    def place(self, record: Record) -> int | None:
        """Send one record and tell into which partition it came; None if it did not."""


class KafkaHeartbeatSink:
    """Sends heartbeats with an idempotent producer that partitions as the JVM's does.

    A heartbeat that can't be delivered within seconds is dropped and counted: the next one serves as well.
    """

    def __init__(self, bootstrap_servers: str, *, topic: str) -> None:
        self._topic = topic
        self.failed = 0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "client.id": "brain-ticker",
                **SAFE_PRODUCER,
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

    def send(self, record: Record) -> None:
        """See HeartbeatSink.

        Raises:
            KafkaException: the producer is in a state that it can't leave; the process must start again.
        """
        self._produce(record, self._on_delivery)
        self._producer.poll(0)

    def place(self, record: Record) -> int | None:
        """See HeartbeatSink. Raises as `send` does."""
        partitions: list[int] = []

        def note(error: KafkaError | None, message: Message) -> None:
            self._on_delivery(error, message)
            partition = message.partition()
            if error is None and partition is not None:
                partitions.append(partition)

        self._produce(record, note)
        self._producer.flush(METADATA_TIMEOUT_S)
        return partitions[0] if partitions else None

    def close(self) -> None:
        """Wait a moment for what is under way."""
        self._producer.flush(METADATA_TIMEOUT_S)

    def _produce(self, record: Record, on_delivery: Callable[[KafkaError | None, Message], None]) -> None:
        self._producer.produce(
            self._topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers.items()),
            on_delivery=on_delivery,
        )

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        if error.fatal():
            raise KafkaException(error)
        self.failed += 1
        _log.warning("heartbeat for partition %s not delivered: %s", message.partition(), error)


class Ticker:
    """Writes one heartbeat per partition and round. Every key is a device of its own (`ticker-<number>`)."""

    def __init__(self, sink: HeartbeatSink, *, boot_id: str, now_ms: Callable[[], int]) -> None:
        self._sink = sink
        self._boot_id = boot_id
        self._now_ms = now_ms
        self._partitions = 0
        self._number_of: dict[int, int] = {}
        self._sequences: defaultdict[int, int] = defaultdict(int)
        self._rounds = 0

    def tick(self) -> int:
        """Write one round; returns how many partitions it reached (0 while the topic does not exist)."""
        if self._rounds % _REFRESH_ROUNDS == 0 or len(self._number_of) < self._partitions or not self._partitions:
            self._find_keys(self._sink.partition_count())
        self._rounds += 1
        for number in self._number_of.values():
            self._sink.send(self._record(number))
        return len(self._number_of)

    def _find_keys(self, partitions: int) -> None:
        """Looks for a key for each partition; what is not found in this round is looked for in the next."""
        # Kafka can add partitions to a topic, never remove them; 0 means that the broker is away just now.
        if partitions > self._partitions:
            _log.info("heartbeats into %d partitions", partitions)
            # More partitions move every key.
            self._partitions, self._number_of = partitions, {}
        for number in range(_TRIES_PER_PARTITION * self._partitions):
            if len(self._number_of) == self._partitions:
                return
            partition = self._sink.place(self._record(number))
            if partition is None:
                return
            self._number_of.setdefault(partition, number)

    def _record(self, number: int) -> Record:
        key = RecordKey(TICKER_TENANT, f"{TICKER_DEVICE}{number}", SESSION, STATUS_SENSOR)
        sequence = self._sequences[number]
        self._sequences[number] += 1
        return heartbeat(key, self._boot_id, sequence, self._now_ms())


def run(ticker: Ticker, *, interval_s: float, stop: threading.Event) -> None:
    """Tick until `stop` is set."""
    while not stop.wait(interval_s):
        ticker.tick()
