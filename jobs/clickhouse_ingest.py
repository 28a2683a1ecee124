"""Every topic -> its ClickHouse table, exactly once; rows that no table can hold -> the topic's dead letters."""

from __future__ import annotations

from jobs.runtime.clickhouse.routes import RAWFRAMES, row_route
from jobs.runtime.environment import JobEnvironment, open_environment
from jobs.runtime.kafka_topics import resolve_topic_ids
from jobs.runtime.settings import JobSettings
from jobs.runtime.storing import store_dead_letters, store_topic
from schemas.rows import ROWS
from schemas.topics import Topic


def build(settings: JobSettings) -> JobEnvironment:
    """Wires the job; `submit` sends it."""
    job = open_environment(settings, "clickhouse_ingest", batch_rows=settings.store_batch_rows)
    routes = {settings.topic(Topic.RAWFRAMES_PROCESSED): RAWFRAMES}
    routes |= {settings.topic(row.topic): row_route(row) for row in ROWS if row.table}
    dead_letters = [settings.dead_letters(topic) for topic in Topic]
    ids = resolve_topic_ids(settings, [*routes, *dead_letters])
    for topic, route in routes.items():
        store_topic(job, topic, ids[topic], route)
    store_dead_letters(job, {topic: ids[topic] for topic in dead_letters})
    return job


if __name__ == "__main__":
    build(JobSettings.load()).submit()
