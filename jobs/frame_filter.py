"""rawframes -> rawframes-processed: copies the valid frames; dead letters of the others are the sessionizer's."""

from __future__ import annotations

from jobs.runtime.environment import FRAME_BUNDLE_ROWS, JobEnvironment, open_environment
from jobs.runtime.functions.frames import find_buckets
from jobs.runtime.kafka_tables import create_frame_sink, create_source, header_map, text
from jobs.runtime.kafka_topics import topic_id
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.topics import Topic


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(
        settings, "frame_filter", batch_rows=settings.frame_batch_rows, bundle_rows=FRAME_BUNDLE_ROWS
    )
    job.tables.create_temporary_function("find_buckets", find_buckets)
    create_source(job, "rawframes", settings.topic(Topic.RAWFRAMES))
    create_frame_sink(job, "processed", settings.topic(Topic.RAWFRAMES_PROCESSED))

    # The frame's own append time goes along: the watermark of the next job then follows arrival at the first
    # topic, however long this job was stopped in between. So does its position there: a frame that is copied
    # again after a restart is known by it. Three headers and no more: each costs the copy as much as a field.
    origin_topic = topic_id(settings, Topic.RAWFRAMES)
    copied = header_map(
        {
            headers.SENSOR_MS: "sensor_ms",
            headers.BUCKET_MS: text("CAST(bucket_ms AS STRING)"),
            headers.ORIGIN: text(
                f"'{origin_topic}/' || CAST(record_partition AS STRING) || '/' || CAST(record_offset AS STRING)"
            ),
        }
    )
    job.insert(
        "processed",
        f"""
        SELECT record_key, record_value, {copied}, append_time
        FROM (SELECT *, find_buckets(record_key, record_value, sensor_ms, append_time) AS bucket_ms
              FROM (SELECT *, headers['{headers.SENSOR_MS}'] AS sensor_ms FROM rawframes))
        WHERE bucket_ms IS NOT NULL
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
