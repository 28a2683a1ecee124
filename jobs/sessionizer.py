"""rawframes -> session-features, rawframes-dlq: validates frames, gathers them into sessions, describes these."""

from __future__ import annotations

from jobs.runtime.environment import FRAME_BUNDLE_ROWS, JobEnvironment, open_environment
from jobs.runtime.functions.frames import summarize, validate
from jobs.runtime.judging import insert_refused, judge
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.sessions import gather_sessions
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.topics import Topic


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "sessionizer", batch_rows=settings.frame_batch_rows, bundle_rows=FRAME_BUNDLE_ROWS)
    job.tables.create_temporary_function("validate", validate(settings.session_idle_ms))
    job.tables.create_temporary_function("summarize", summarize)
    create_source(job, "rawframes", settings.topic(Topic.RAWFRAMES))
    create_sink(job, "session_features", settings.topic(Topic.SESSION_FEATURES))

    judge(
        job,
        "rawframes",
        f"validate(record_key, record_value, headers['{headers.SENSOR_MS}'], append_time)",
        "bucket_ms, summaries",
    )
    insert_refused(job, "judged", settings.dead_letters(Topic.RAWFRAMES))

    job.view("summaries", "SELECT record_key, bucket_ms, summaries, arrival FROM judged WHERE summaries IS NOT NULL")
    gather_sessions(job, "gathered", "summaries", "arrival", "ARRAY_AGG(summaries) AS frame_summaries")
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
