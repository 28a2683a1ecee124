"""rawframes-processed -> features-health, -balance, -plantar, -scanner: sessions of all health sensors."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.features import describe_balance, describe_gait, describe_plantar, describe_scans
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.sessions import gather_sessions
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.pressure_devices import PRESSURE_DEVICES
from schemas.rows import FEATURES_BALANCE, FEATURES_HEALTH, FEATURES_PLANTAR, FEATURES_SCANNER
from schemas.sensors import GAIT_SENSOR, PLATE_SENSOR, SCAN_SENSOR
from schemas.topics import Topic

# A row is a whole session with its samples: half an hour of 16 channels at 100 Hz is 12 MB.
BATCH_ROWS = 16


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "feature_health", batch_rows=BATCH_ROWS)
    create_source(job, "rawframes_processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    job.view(
        "frames",
        f"""
        SELECT record_key, record_value, append_time,
               CAST(DECODE(headers['{headers.BUCKET_MS}'], 'UTF-8') AS BIGINT) AS bucket_ms,
               REGEXP_EXTRACT(DECODE(record_key, 'UTF-8'), '[^/]*$') AS sensor
        FROM rawframes_processed
        """,
    )
    kinds = {
        "gait": (FEATURES_HEALTH, [GAIT_SENSOR], describe_gait()),
        "balance": (FEATURES_BALANCE, [PLATE_SENSOR], describe_balance()),
        "plantar": (FEATURES_PLANTAR, list(PRESSURE_DEVICES), describe_plantar()),
        "scanner": (FEATURES_SCANNER, [SCAN_SENSOR], describe_scans(settings.scan_store)),
    }
    for kind, (row, sensors, describe) in kinds.items():
        job.tables.create_temporary_function(f"describe_{kind}", describe)
        create_sink(job, row.name, settings.topic(row.topic))
        names = ", ".join(f"'{sensor}'" for sensor in sensors)
        job.view(f"{kind}_frames", f"SELECT * FROM frames WHERE sensor IN ({names})")
        aggregates = "MAX(append_time) AS last_append, ARRAY_AGG(record_value) AS frame_values"
        gather_sessions(job, f"{kind}_gathered", f"{kind}_frames", "append_time", aggregates)
        job.insert(
            row.name,
            f"""
            SELECT record_key, feature_row
            FROM (SELECT record_key, describe_{kind}(record_key, last_append, frame_values) AS feature_rows
                  FROM {kind}_gathered)
            CROSS JOIN UNNEST(feature_rows) AS features(feature_row)
            """,
        )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
