"""Topic names, each written here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000


class Topic(StrEnum):
    """The topics of the line, in the order in which an event passes them."""

    RAWFRAMES = "rawframes"
    RAWFRAMES_PROCESSED = "rawframes-processed"
    SESSION_FEATURES = "session-features"
    FEATURES_BASE = "features-base"
    FEATURES_HEALTH = "features-health"
    FEATURES_BALANCE = "features-balance"
    FEATURES_PLANTAR = "features-plantar"
    FEATURES_SCANNER = "features-scanner"
    FEATURES_POWER = "features-power"
    FEATURES_ENV = "features-env"
    INFERENCE_REQUESTS = "inference-requests"
    INFERENCE_RESULTS = "inference-results"
    INFERENCE_ALERTS = "inference-alerts"
    DEVICE_STATUS = "device-status"

    @property
    def dead_letters(self) -> str:
        """The topic that takes this topic's invalid records."""
        return dead_letters_of(self.value)


def dead_letters_of(topic: str) -> str:
    """The topic that takes the invalid records of a topic, whatever name that is used under."""
    return f"{topic}-dlq"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is created: `config` holds Kafka topic settings."""

    name: str
    partitions: int
    config: dict[str, str]


APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}
RETENTION_MS = 7 * DAY_MS
DLQ_RETENTION_MS = 30 * DAY_MS
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


def topic_specs(partitions: int) -> list[TopicSpec]:
    """All topics of the line with their dead-letter topics.

    rawframes carries the broker's append time: it drives the watermarks, so no device clock can
    (docs/architecture.md, "Two clocks"). Every topic of the line has the same number of partitions,
    so that a key stays in its partition number from hop to hop.
    """
    specs: list[TopicSpec] = []
    for topic in Topic:
        config = {"retention.ms": str(RETENTION_MS), "max.message.bytes": str(MAX_MESSAGE_BYTES)}
        if topic is Topic.RAWFRAMES:
            config |= APPEND_TIME
        specs.append(TopicSpec(topic.value, partitions, config))
        dlq = {"retention.ms": str(DLQ_RETENTION_MS), "max.message.bytes": str(2 * MAX_MESSAGE_BYTES)}
        specs.append(TopicSpec(topic.dead_letters, 1, dlq))
    return specs
