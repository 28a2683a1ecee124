"""session-features -> features-base: the statistics of every channel, for every sensor."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.frames import derive_base
from jobs.runtime.judging import insert_refused, insert_rows, judge
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.settings import JobSettings
from schemas.topics import Topic

BATCH_ROWS = 1_000


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "feature_base", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("derive_base", derive_base)
    create_source(job, "session_features", settings.topic(Topic.SESSION_FEATURES))
    create_sink(job, "features_base", settings.topic(Topic.FEATURES_BASE))

    judge(job, "session_features", "derive_base(record_value)", "output_rows")
    insert_refused(job, "judged", settings.dead_letters(Topic.SESSION_FEATURES))
    insert_rows(job, "features_base")
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
