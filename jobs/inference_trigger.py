"""features-health -> inference-requests: asks for a score of every session, in the model's own order of features."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions import request_inference
from jobs.runtime.judging import insert_dead_letters, insert_rows, judge
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.model import chosen_card
from jobs.runtime.settings import JobSettings
from schemas.topics import Topic

BATCH_ROWS = 1_000


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "inference_trigger", batch_rows=BATCH_ROWS)
    job.tables.create_temporary_function("request_inference", request_inference(chosen_card(settings)))
    create_source(job, "features_health", settings.topic(Topic.FEATURES_HEALTH))
    create_sink(job, "inference_requests", settings.topic(Topic.INFERENCE_REQUESTS))

    judge(job, "features_health", "request_inference(record_value)", "output_rows")
    insert_dead_letters(job, settings.dead_letters(Topic.FEATURES_HEALTH))
    insert_rows(job, "inference_requests")
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
