"""rawframes-processed -> device-status: what agents say of their devices and of themselves."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.frames import describe_status
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.settings import JobSettings
from schemas import headers
from schemas.envelope import TICKER_KEY
from schemas.rows import DEVICE_STATUS
from schemas.topics import Topic


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "device_status", batch_rows=settings.frame_batch_rows)
    job.tables.create_temporary_function("describe_status", describe_status)
    create_source(job, "rawframes_processed", settings.topic(Topic.RAWFRAMES_PROCESSED))
    create_sink(job, DEVICE_STATUS.name, settings.topic(DEVICE_STATUS.topic))
    # Status events stand in no bucket, which a header says: measurements never reach Python here.
    job.insert(
        DEVICE_STATUS.name,
        f"""
        SELECT record_key, status_row
        FROM (SELECT record_key, describe_status(record_value, append_time) AS status_row
              FROM rawframes_processed
              WHERE DECODE(headers['{headers.BUCKET_MS}'], 'UTF-8') = '0'
                AND DECODE(record_key, 'UTF-8') NOT LIKE '{TICKER_KEY}%')
        WHERE status_row IS NOT NULL
        """,
    )
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
