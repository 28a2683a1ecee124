"""rawframes-processed -> features-power: voltage, current and power of each device in windows of sensor time."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.features import describe_power
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.settings import JobSettings
from jobs.runtime.windows import gather_windows
from schemas.topics import Topic
from udfs.power_rows import POWER_WINDOWS

# A row is a whole window with its samples: ten minutes of three voltages at 10 kHz are 72 MB.
BATCH_ROWS = 16


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "feature_power", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("describe_power", describe_power(settings.device_supplies()))
    create_source(job, "rawframes_processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    create_sink(job, "features_power", settings.topic(Topic.FEATURES_POWER))

    gather_windows(job, "gathered", "rawframes_processed", POWER_WINDOWS)
    job.insert(
        "features_power",
        """
        SELECT record_key, feature_row
        FROM (SELECT record_key, describe_power(record_key, window_ms, window_s, last_append, frame_values)
                     AS feature_row FROM gathered)
        WHERE feature_row IS NOT NULL
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
