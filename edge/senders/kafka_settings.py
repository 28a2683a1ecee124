"""How the edge sends to Kafka: the settings of whoever does inherit these."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.kafka import KafkaSecurity
from schemas.topics import MAX_MESSAGE_BYTES, Topic


class KafkaConnection(KafkaSecurity):
    """The brokers, the topic and the bounds of the queue before them.

    Attributes:
        queue_max_frames, queue_max_kib: what librdkafka holds at most.
        batch_max_bytes: a topic whose max.message.bytes is less refuses whole batches.
    """

    bootstrap_servers: str = Field("127.0.0.1:9092", min_length=1)
    topic: str = Field(Topic.RAWFRAMES.value, pattern=r"^[A-Za-z0-9._-]{1,249}$")
    compression: str = Field("lz4", pattern="^(none|gzip|snappy|lz4|zstd)$")
    queue_max_frames: int = Field(20_000, ge=1, le=10_000_000)
    queue_max_kib: int = Field(65_536, ge=8_192, le=2_097_151)
    batch_max_bytes: int = Field(1_000_000, ge=1_000, le=MAX_MESSAGE_BYTES)

    def kafka_config(self) -> dict[str, Any]:
        """The connection as librdkafka names it; options that are not set are left to its defaults."""
        return {
            **self.kafka_security(),
            "bootstrap.servers": self.bootstrap_servers,
            "compression.type": self.compression,
            # librdkafka's own 10 s would let a broker that is back wait for its frames.
            "reconnect.backoff.max.ms": 2_000,
            "batch.size": self.batch_max_bytes,
            "queue.buffering.max.messages": self.queue_max_frames,
            "queue.buffering.max.kbytes": self.queue_max_kib,
        }
