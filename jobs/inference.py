"""inference-requests -> inference-results, inference-alerts, inference-requests-dlq: scores features with ONNX."""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.functions.inference import score
from jobs.runtime.judging import insert_refused, judge
from jobs.runtime.kafka_tables import create_sink, create_source
from jobs.runtime.model import chosen_cards
from jobs.runtime.settings import JobSettings
from schemas.topics import Topic

BATCH_ROWS = 1_000


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "inference", batch_rows=BATCH_ROWS)
    models = [card.name for card in chosen_cards(settings)]
    job.tables.create_temporary_function("score", score(models, settings.alert_threshold))
    create_source(job, "inference_requests", settings.topic(Topic.INFERENCE_REQUESTS))
    create_sink(job, "inference_results", settings.topic(Topic.INFERENCE_RESULTS))
    create_sink(job, "inference_alerts", settings.topic(Topic.INFERENCE_ALERTS))

    judge(job, "inference_requests", "score(record_value)", "result_row, alert_row")
    insert_refused(job, "judged", settings.dead_letters(Topic.INFERENCE_REQUESTS))
    job.insert("inference_results", "SELECT record_key, result_row FROM judged WHERE result_row IS NOT NULL")
    job.insert("inference_alerts", "SELECT record_key, alert_row FROM judged WHERE alert_row IS NOT NULL")
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
