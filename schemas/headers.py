"""The names of Kafka headers, each written here and nowhere else. Values are text in UTF-8."""

from __future__ import annotations

SENSOR_MS = "sensor_ms"
"""On every frame: its sensor time, decimal."""

BUCKET_MS = "bucket_ms"
"""On a validated frame: where its longest-session bucket begins, decimal."""

ORIGIN = "origin"
"""On a record that a job copied: where the original stands, as topic id/partition/offset. Kafka's id, not its name."""

REASON = "reason"
DETAIL = "detail"
STAGE = "stage"
SOURCE_TOPIC = "source_topic"
SOURCE_PARTITION = "source_partition"
SOURCE_OFFSET = "source_offset"
ATTEMPT = "attempt"
DEAD_LETTER = (STAGE, REASON, DETAIL, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, ATTEMPT)
"""Added to a dead letter; its other headers are the record's own."""
