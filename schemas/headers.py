"""The names of Kafka headers, each written here and nowhere else. Values are text in UTF-8."""

from __future__ import annotations

SENSOR_MS = "sensor_ms"
"""On every frame: its sensor time, decimal."""

BUCKET_MS = "bucket_ms"
"""On a validated frame: where its longest-session bucket begins, decimal."""

ORIGIN_TOPIC_ID = "origin_topic_id"
ORIGIN_PARTITION = "origin_partition"
ORIGIN_OFFSET = "origin_offset"
ORIGIN = (ORIGIN_TOPIC_ID, ORIGIN_PARTITION, ORIGIN_OFFSET)
"""On a record that a job copied: Kafka's id of the topic it was copied from, and its position there."""

REASON = "reason"
DETAIL = "detail"
STAGE = "stage"
SOURCE_TOPIC = "source_topic"
SOURCE_PARTITION = "source_partition"
SOURCE_OFFSET = "source_offset"
ATTEMPT = "attempt"
DEAD_LETTER = (STAGE, REASON, DETAIL, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, ATTEMPT)
"""Added to a dead letter; its other headers are the record's own."""
