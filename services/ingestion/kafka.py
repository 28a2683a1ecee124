"""The writer to Kafka: idempotent, acknowledged by all in-sync replicas, each record's fate known within a deadline.

confluent-kafka has an asyncio producer, but it refuses headers (2.16.1), and every record of ours carries one. So one
thread serves the callbacks of the ordinary producer, and wakes the event loop once for each batch.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.envelope import Record
from schemas.kafka import SAFE_PRODUCER
from schemas.topics import MAX_MESSAGE_BYTES
from services.ingestion.writer import ACKNOWLEDGED, Delivery, Fate

LOG = logging.getLogger(__name__)

PROMISES: dict[str, Any] = {
    **SAFE_PRODUCER,
    "client.id": "brain-ingestion",
    # Room for a dead letter: a record with some headers more.
    "message.max.bytes": 2 * MAX_MESSAGE_BYTES,
}
"""What makes an answer of 202 true; no setting overrides it."""

REFUSALS = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
    }
)
"""Errors that judge the record; all others judge the broker, the network or the permissions, which may be mended."""

_POLL_S = 0.1
_METADATA_TIMEOUT_S = 3.0
_CLOSE_TIMEOUT_S = 5.0


class KafkaWriter:
    """A `RecordWriter` over one producer; `write` belongs to the event loop in which `start` was called.

    Args:
        config: connection, security, queue and deadline as librdkafka names them.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {**config, **PROMISES, "error_cb": self._on_error}
        self._producer = self._new_producer()
        self._broken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-delivery", daemon=True)

    def start(self) -> None:
        """See RecordWriter."""
        self._thread.start()

    async def write(self, topic: str, records: Sequence[Record]) -> list[Delivery]:
        """See RecordWriter."""
        batch = _Batch(len(records), asyncio.get_running_loop())
        for index, record in enumerate(records):
            self._produce(topic, record, batch, index)
        return await batch.fates

    def _produce(self, topic: str, record: Record, batch: _Batch, index: int) -> None:
        try:
            self._producer.produce(
                topic,
                record.value,
                record.key,
                headers=list(record.headers.items()),
                on_delivery=partial(batch.on_delivery, index),
            )
        except BufferError:
            batch.settle(index, Delivery(Fate.UNKNOWN, "the queue to Kafka is full"))
        except KafkaException as error:
            batch.settle(index, _delivery(error.args[0]))

    def topic_problem(self, topic: str) -> str:
        """See RecordWriter."""
        try:
            metadata = self._producer.list_topics(topic, timeout=_METADATA_TIMEOUT_S)
        except KafkaException as error:
            return f"Kafka does not answer: {error.args[0].str()}"
        problem: KafkaError | None = metadata.topics[topic].error
        return "" if problem is None else f"topic {topic!r}: {problem.str()}"

    def close(self) -> None:
        """See RecordWriter."""
        self._producer.flush(_CLOSE_TIMEOUT_S)
        self._stopping.set()
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)
            if self._broken.is_set():
                self._replace_producer()

    def _replace_producer(self) -> None:
        """An idempotent producer that lost its place can't go on: what it holds is unknown, and a new one begins."""
        broken, self._producer = self._producer, self._new_producer()
        self._broken.clear()
        broken.purge()
        broken.flush(_CLOSE_TIMEOUT_S)

    def _new_producer(self) -> Producer:
        return Producer(self._config, logger=LOG)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            LOG.error("the Kafka producer has failed for good and is replaced: %s", error.str())
            self._broken.set()


class _Batch:
    """The records of one `write`; its future is done when the fate of the last is known."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.fates: asyncio.Future[list[Delivery]] = loop.create_future()
        self._loop = loop
        self._known = [ACKNOWLEDGED] * count
        self._pending = count
        self._lock = threading.Lock()
        if count == 0:
            self.fates.set_result([])

    def on_delivery(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Called in the thread that polls."""
        del message
        self.settle(index, ACKNOWLEDGED if error is None else _delivery(error))

    def settle(self, index: int, delivery: Delivery) -> None:
        """Notes one fate; from any thread."""
        with self._lock:
            self._known[index] = delivery
            self._pending -= 1
            if self._pending:
                return
        # A loop that is closed has nobody waiting.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.fates.done():
            self.fates.set_result(self._known)


def _delivery(error: KafkaError) -> Delivery:
    return Delivery(Fate.REFUSED if error.code() in REFUSALS else Fate.UNKNOWN, error.str())
