"""rawframes-processed -> features-health: gait features of every session of a ground-reaction-force sensor."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions import extract_health
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.sessions import gather_sessions
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.sensors import GAIT_SENSOR
from schemas.topics import Topic

# A row is a whole session with its samples: half an hour of 16 channels at 100 Hz is 12 MB.
BATCH_ROWS = 16


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "feature_health", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("extract_health", extract_health)
    create_source(job, "rawframes_processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    create_sink(job, "features_health", settings.topic(Topic.FEATURES_HEALTH))

    job.view(
        "frames",
        f"""
        SELECT record_key, record_value, append_time,
               CAST(DECODE(headers['{headers.BUCKET_MS}'], 'UTF-8') AS BIGINT) AS bucket_ms
        FROM rawframes_processed WHERE DECODE(record_key, 'UTF-8') LIKE '%/{GAIT_SENSOR}'
        """,
    )
    gather_sessions(
        job,
        "gathered",
        "frames",
        "append_time",
        "MAX(append_time) AS last_append, ARRAY_AGG(record_value) AS frame_values",
    )
    job.insert(
        "features_health",
        """
        SELECT record_key, feature_row
        FROM (SELECT record_key, extract_health(record_key, last_append, frame_values) AS feature_rows FROM gathered)
        CROSS JOIN UNNEST(feature_rows) AS features(feature_row)
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
