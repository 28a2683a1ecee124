"""The Kafka sender: idempotent, acknowledged by all in-sync replicas, and no record is ever given up.

Why each setting: docs/edge.md, "What the sender promises".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from edge.errors import DeliveryError, GivenUpError
from edge.interruption import Interruption
from edge.pace import Clock
from edge.senders.sender import DeliveryReport, OnDelivery, Refusal
from schemas.envelope import Record
from schemas.kafka import SAFE_PRODUCER
from schemas.topics import MAX_MESSAGE_BYTES

LOG = logging.getLogger(__name__)
LIBRARY_LOG = LOG.getChild("librdkafka")
# librdkafka reports each failed attempt to connect; `_say_if_stuck` says the same once in a while.
LIBRARY_LOG.setLevel(logging.CRITICAL)

PROMISES: dict[str, Any] = {
    **SAFE_PRODUCER,
    # librdkafka would give a record up after 5 minutes; 0 is never.
    "message.timeout.ms": 0,
    "message.max.bytes": MAX_MESSAGE_BYTES,
}
"""What makes the sender safe; no setting overrides it."""

REFUSED_FOR_GOOD = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_TIMESTAMP,
    }
)
"""What a broker says when the record is at fault. Any other failure may pass: a topic comes back, a right is given."""

_FULL_WAIT_S = 0.1
_SERVE_EVERY = 128
"""Records between two looks at the reports: each look costs as much as a record."""
_ANSWER_S = 10.0
_NEW_TOPIC_S = 5.0
"""A topic that has just been created is unknown to the broker for a moment."""
_SAY_AFTER_S = 5.0
_SAY_EVERY_S = 30.0


class KafkaSender:
    """Sends records to one topic; one thread uses it.

    Args:
        config: connection, security and queue size as librdkafka names them.
        topic: where the records go.
        clock: measures how long nothing was acknowledged.
        interruption: insisting on it is the only thing that ends a wait for the broker.
    """

    def __init__(self, config: Mapping[str, Any], *, topic: str, clock: Clock, interruption: Interruption) -> None:
        self._topic = topic
        self._clock = clock
        self._interruption = interruption
        self._sent = self._acknowledged = self._failed = self._unserved = self._reports = 0
        self._first_failure = ""
        self._trouble = ""
        self._fatal = ""
        self._note_progress()
        try:
            self._producer = Producer({**config, **PROMISES, "error_cb": self._on_error}, logger=LIBRARY_LOG)
        except KafkaException as error:
            raise DeliveryError(f"Kafka producer: {_text(error)}") from error

    def check_topic(self) -> None:
        """Find out at once that the topic does not exist; a broker that is away is waited for later.

        Raises:
            DeliveryError: if the broker knows no such topic after 5 s, or forbids it.
        """
        deadline_s = self._clock.monotonic_s() + _NEW_TOPIC_S
        while (problem := self._topic_problem()) is not None:
            if self._clock.monotonic_s() >= deadline_s:
                raise DeliveryError(f"topic {self._topic!r}: {problem.str()}")
            self._clock.sleep(_FULL_WAIT_S)

    def _topic_problem(self) -> KafkaError | None:
        try:
            metadata = self._producer.list_topics(self._topic, timeout=_ANSWER_S)
        except KafkaException as error:
            LOG.warning("the broker does not answer (%s); waiting for it", self._trouble or _text(error))
            return None
        problem: KafkaError | None = metadata.topics[self._topic].error
        return problem

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Queue one record; waits while the queue is full.

        Raises:
            DeliveryError: if this record or an earlier one is refused for good and nobody is told of it; or if the
                producer has failed for good.
            GivenUpError: if the user insists on an end.
        """
        self._raise_failure()
        if self._sent == self._acknowledged + self._failed:
            self._note_progress()
        while not self._produce(record, on_delivery):
            self.poll(_FULL_WAIT_S)
        self._unserved += 1
        if self._unserved >= _SERVE_EVERY:
            self._serve(0.0)

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Serve delivery reports for at most `timeout_s`.

        Raises:
            DeliveryError: if a record is refused for good.
            GivenUpError: if the user insists on an end.
        """
        self._serve(timeout_s)
        self._raise_failure()
        return self._report()

    def close(self) -> DeliveryReport:
        """Wait until every record is acknowledged, however long the broker is away.

        Raises:
            DeliveryError: after all others are acknowledged, if a record was refused for good.
            GivenUpError: if the user insists on an end.
        """
        while len(self._producer) > 0 and not self._fatal:
            self._serve(_FULL_WAIT_S)
        if self._fatal:
            self._failed += self._report().pending
        self._raise_failure()
        return self._report()

    def _produce(self, record: Record, on_delivery: OnDelivery | None) -> bool:
        """Whether the record was queued, or refused at once; False if the queue is full."""
        told = self._on_delivery if on_delivery is None else partial(self._tell, on_delivery)
        try:
            self._producer.produce(self._topic, record.value, record.key, headers=_headers(record), on_delivery=told)
        except BufferError:
            return False
        except KafkaException as error:
            if on_delivery is not None:
                on_delivery(Refusal(_text(error), for_good=error.args[0].code() in REFUSED_FOR_GOOD))
                return True
            self._sent += 1
            self._fail(record.key, _text(error))
            self._raise_failure()
        self._sent += 1
        return True

    def _tell(self, on_delivery: OnDelivery, error: KafkaError | None, message: Message) -> None:
        """Pass on what became of a record that someone else watches over; it is pending no more."""
        del message
        self._reports += 1
        if error is None:
            self._acknowledged += 1
            on_delivery(None)
        else:
            self._sent -= 1
            on_delivery(Refusal(error.str(), for_good=error.code() in REFUSED_FOR_GOOD))

    def _serve(self, timeout_s: float) -> None:
        self._unserved = 0
        before = self._reports
        self._producer.poll(timeout_s)
        if self._reports > before:
            self._note_progress()
        self._say_if_stuck()
        pending = self._report().pending
        if self._interruption.insisted and pending:
            raise GivenUpError(f"{pending} of {self._sent} frames sent are not acknowledged: they may be lost")

    def _report(self) -> DeliveryReport:
        return DeliveryReport(self._sent, self._acknowledged, self._failed)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        self._reports += 1
        if error is None:
            self._acknowledged += 1
        else:
            self._fail(message.key(), error.str())

    def _on_error(self, error: KafkaError) -> None:
        self._trouble = error.str()
        if error.fatal():
            # An idempotent producer that lost its place must not go on: it could not keep its promises.
            self._fatal = f"the Kafka producer has failed for good: {error.str()}"

    def _fail(self, key: bytes | str | None, reason: str) -> None:
        self._failed += 1
        self._first_failure = self._first_failure or f"topic {self._topic!r}, key {key!r}: {reason}"

    def _raise_failure(self) -> None:
        if self._fatal:
            # Whoever waits for reports gets them; the records would hold the dead producer in memory for ever.
            self._producer.purge()
            self._producer.poll(0.0)
        if self._failed or self._fatal:
            raise DeliveryError(
                self._first_failure or self._fatal,
                sent=self._sent,
                acknowledged=self._acknowledged,
                failed=self._failed,
            )

    def _note_progress(self) -> None:
        self._quiet_since_s = self._clock.monotonic_s()
        self._say_at_s = self._quiet_since_s + _SAY_AFTER_S

    def _say_if_stuck(self) -> None:
        """Once in a while, tell that records are waiting and why."""
        now_s = self._clock.monotonic_s()
        pending = self._report().pending
        if pending == 0 or now_s < self._say_at_s:
            return
        self._say_at_s = now_s + _SAY_EVERY_S
        LOG.warning(
            "%d frames wait for the broker, none acknowledged for %.0f s%s",
            pending,
            now_s - self._quiet_since_s,
            f": {self._trouble}" if self._trouble else "",
        )


def _text(error: KafkaException) -> str:
    cause = error.args[0]
    return cause.str() if isinstance(cause, KafkaError) else str(cause)


def _headers(record: Record) -> list[tuple[str, str | bytes | None]]:
    return [*record.headers.items()]
