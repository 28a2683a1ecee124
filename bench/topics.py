"""Empty topics before a contender, and a topic whose watermark has passed every session."""

from __future__ import annotations

import time
from collections.abc import Collection

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, but not by __all__
    AdminClient,
    TopicMetadata,
)

from bench.errors import BenchError
from schemas.topics import APPEND_TIME, Topic, TopicSpec, topic_specs
from stack.topics import ensure_topics

_TIMEOUT_S = 30.0
_POLL_S = 0.2
_ERRORS_ONLY = 3
_HEARTBEAT_TIMEOUT_S = 15.0
_LEADER_UNKNOWN = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)

RESULTS_TOPIC = "bench-results"
"""Where the peers write their session rows; ours write session-features."""

OUTPUTS = (Topic.RAWFRAMES_PROCESSED.value, Topic.SESSION_FEATURES.value, Topic.RAWFRAMES.dead_letters, RESULTS_TOPIC)
"""What contenders write."""


def empty_topics(bootstrap: str, names: Collection[str], *, partitions: int) -> None:
    """Removes the topics, if they are there, and makes them again.

    Raises:
        BenchError: if Kafka does not remove them in time.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": _ERRORS_ONLY})
    present = [name for name in names if name in admin.list_topics(timeout=_TIMEOUT_S).topics]
    for future in admin.delete_topics(present, operation_timeout=_TIMEOUT_S).values() if present else ():
        future.result(timeout=_TIMEOUT_S)
    deadline = time.monotonic() + _TIMEOUT_S
    while set(present) & set(admin.list_topics(timeout=_TIMEOUT_S).topics):
        if time.monotonic() > deadline:
            raise BenchError(f"Kafka did not remove {', '.join(present)}")
        time.sleep(_POLL_S)
    specs = [*topic_specs(partitions), TopicSpec(RESULTS_TOPIC, partitions, dict(APPEND_TIME))]
    ensure_topics(bootstrap, [spec for spec in specs if spec.name in names])
    _await_leaders(bootstrap, names)


def _await_leaders(bootstrap: str, names: Collection[str]) -> None:
    """A new topic is known to the broker some moments after it was made; until then it seems to have no partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": _ERRORS_ONLY})
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        topics = admin.list_topics(timeout=_TIMEOUT_S).topics
        if all(name in topics and _has_leaders(topics[name]) for name in names):
            return
        if time.monotonic() > deadline:
            raise BenchError(f"not all of {', '.join(names)} have got a leader")
        time.sleep(_POLL_S)


def _has_leaders(topic: TopicMetadata) -> bool:
    partitions = topic.partitions.values()
    return bool(partitions) and all(partition.error is None and partition.leader >= 0 for partition in partitions)


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """The partitions of a topic.

    Raises:
        BenchError: if the broker knows of none.
    """
    partitions = sorted(consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions)
    if not partitions:
        raise BenchError(f"topic {topic} has no partitions")
    return partitions


def end_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    """Partition -> the offset that its next record will have.

    Raises:
        BenchError: if the broker does not tell.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-offsets"})
    try:
        return {number: _end_offset(consumer, topic, number) for number in partitions_of(consumer, topic)}
    except KafkaException as error:
        raise BenchError(f"no offsets of {topic}: {error}") from error
    finally:
        consumer.close()


def _end_offset(consumer: Consumer, topic: str, partition: int) -> int:
    """A topic that was made again a moment ago may have changed its leader once more: then the question is repeated."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_S)[1]
        except KafkaException as error:
            if error.args[0].code() not in _LEADER_UNKNOWN or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)


def await_heartbeats(bootstrap: str, topic: str, *, after_s: float) -> None:
    """Waits so long and then until every partition has got another record, which the stack's ticker writes.

    Raises:
        BenchError: if a partition stays silent: its watermark would hold every session open.
    """
    time.sleep(after_s)
    before = end_offsets(bootstrap, topic)
    deadline = time.monotonic() + _HEARTBEAT_TIMEOUT_S
    while True:
        now = end_offsets(bootstrap, topic)
        silent = [number for number, offset in before.items() if now[number] <= offset]
        if not silent:
            return
        if time.monotonic() > deadline:
            raise BenchError(f"no heartbeat in partitions {silent} of {topic}: is the ticker running?")
        time.sleep(_POLL_S)
