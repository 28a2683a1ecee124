"""rawframes -> rawframes-processed, session-features, rawframes-dlq: validates every frame once, makes sessions."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions import summarize, validate
from jobs.runtime.judging import insert_dead_letters, judge
from jobs.runtime.kafka_tables import create_frame_sink, create_sink, create_source, text_headers
from jobs.runtime.kafka_topics import topic_id
from jobs.runtime.sessions import gather_sessions
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.topics import Topic

# A row is a frame of up to some kB, after the window the summaries of a session's frames.
BATCH_ROWS = 2_000


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "sessionizer", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("validate", validate)
    job.tables.create_temporary_function("summarize", summarize)
    create_source(job, "rawframes", settings.topic(Topic.RAWFRAMES))
    create_frame_sink(job, "processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    create_sink(job, "session_features", settings.topic(Topic.SESSION_FEATURES))

    judge(
        job,
        "rawframes",
        f"validate(record_key, record_value, headers['{headers.SENSOR_MS}'], append_time)",
        "bucket_ms, summary",
    )
    insert_dead_letters(job, settings.dead_letters(Topic.RAWFRAMES))

    # The frame's own append time goes along: the watermark of the next job then follows arrival at the first
    # topic, however long this job was stopped in between. So does its position there: a frame that is copied
    # again after a restart is known by it.
    origin = text_headers(
        {
            headers.BUCKET_MS: "CAST(bucket_ms AS STRING)",
            headers.ORIGIN_TOPIC_ID: f"'{topic_id(settings, Topic.RAWFRAMES)}'",
            headers.ORIGIN_PARTITION: "CAST(record_partition AS STRING)",
            headers.ORIGIN_OFFSET: "CAST(record_offset AS STRING)",
        }
    )
    job.insert(
        "processed",
        f"SELECT record_key, record_value, MAP_UNION(headers, {origin}), append_time FROM judged WHERE reason IS NULL",
    )

    job.view("summaries", "SELECT record_key, bucket_ms, summary, arrival FROM judged WHERE summary IS NOT NULL")
    gather_sessions(job, "gathered", "summaries", "arrival", "ARRAY_AGG(summary) AS frame_summaries")
    job.insert(
        "session_features",
        """
        SELECT record_key, session_row
        FROM (SELECT record_key, summarize(record_key, bucket_ms, frame_summaries) AS session_rows FROM gathered)
        CROSS JOIN UNNEST(session_rows) AS sessions(session_row)
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
