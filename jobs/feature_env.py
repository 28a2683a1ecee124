"""rawframes-processed -> features-env: climate and air of each device in windows of sensor time."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.features import describe_environment
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.settings import JobSettings
from jobs.runtime.windows import gather_windows
from schemas.topics import Topic
from udfs.environment_rows import ENVIRONMENT_WINDOWS

# A row is a whole window with its readings: a day of four sensors at one a minute is 1 MB.
BATCH_ROWS = 64


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "feature_env", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("describe_environment", describe_environment(settings.device_places()))
    create_source(job, "rawframes_processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    create_sink(job, "features_env", settings.topic(Topic.FEATURES_ENV))

    gather_windows(job, "gathered", "rawframes_processed", ENVIRONMENT_WINDOWS)
    job.insert(
        "features_env",
        """
        SELECT record_key, feature_row
        FROM (SELECT record_key, describe_environment(record_key, window_ms, window_s, last_append, frame_values)
                     AS feature_row FROM gathered)
        WHERE feature_row IS NOT NULL
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
