"""features-health, features-power, features-env -> inference-requests: asks the models of each domain for scores."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.inference import request_inference
from jobs.runtime.judging import insert_refused, insert_rows, judge
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.model import cards_of, chosen_cards
from jobs.runtime.settings import JobSettings
from schemas.rows import FEATURES_ENV, FEATURES_HEALTH, FEATURES_POWER
from schemas.sensors import Domain
from schemas.topics import Topic

BATCH_ROWS = 1_000
FEATURES = {Domain.HEALTH: FEATURES_HEALTH, Domain.POWER: FEATURES_POWER, Domain.ENVIRONMENT: FEATURES_ENV}


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "inference_trigger", batch_rows=BATCH_ROWS)
    cards = chosen_cards(settings)
    create_sink(job, "inference_requests", settings.topic(Topic.INFERENCE_REQUESTS))
    for domain, row in FEATURES.items():
        function, source, judged = f"request_{domain}", row.name, f"judged_{domain}"
        job.tables.create_temporary_function(function, request_inference(row, cards_of(domain, cards)))
        create_source(job, source, settings.topic(row.topic))
        judge(job, source, f"{function}(record_value)", "output_rows", name=judged)
        insert_refused(job, judged, settings.dead_letters(row.topic))
        insert_rows(job, "inference_requests", view=judged)
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
