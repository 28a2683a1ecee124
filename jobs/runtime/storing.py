"""Storing: each topic goes through a writer into its table; what the writer refuses goes to the dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyflink.table import DataTypes
from pyflink.table.udf import udf

from jobs.runtime.clickhouse.routes import DEAD_LETTERS, Route
from jobs.runtime.clickhouse.sink_function import ClickHouseSink
from jobs.runtime.environment import JobEnvironment
from jobs.runtime.judging import insert_refused
from jobs.runtime.kafka_tables import create_source
from schemas.headers import ORIGIN
from schemas.topics import dead_letters_of


def store_topic(job: JobEnvironment, topic: str, topic_id: str, route: Route) -> None:
    """Stores every record of a topic in the route's table; a refused one becomes a dead letter of the topic."""
    name = topic.replace("-", "_")
    _register_writer(job, f"store_{name}", route, topic_id)
    create_source(job, name, topic)
    job.view(f"{name}_stored", _stored(name, [f"headers['{header}']" for header in route.headers]))
    insert_refused(job, f"{name}_stored", dead_letters_of(topic))


def store_dead_letters(job: JobEnvironment, ids: Mapping[str, str]) -> None:
    """Stores the dead letters of topics, given with their ids, in one table.

    One that is refused shows in the worker's output.
    """
    _register_writer(job, "store_dead_letters", DEAD_LETTERS, "dead-letters")
    create_source(job, "dead_letters", ";".join(ids))
    job.tables.execute_sql(
        "CREATE TEMPORARY TABLE refused_dead_letters (reason STRING, record_topic STRING, record_offset BIGINT) "
        "WITH ('connector' = 'print', 'standard-error' = 'true')"
    )
    whens = " ".join(f"WHEN '{topic}' THEN '{topic_id}'" for topic, topic_id in ids.items())
    # The dead letters of a copied frame have its origin among their headers; here it is where they themselves stand.
    parts = [f"CASE record_topic {whens} END", "CAST(record_partition AS STRING)", "CAST(record_offset AS STRING)"]
    position = " || '/' || ".join(parts)
    values = {name: f"headers['{name}']" for name in DEAD_LETTERS.headers}
    values[ORIGIN] = f"ENCODE({position}, 'UTF-8')"
    job.view("dead_letters_stored", _stored("dead_letters", list(values.values())))
    job.insert(
        "refused_dead_letters",
        "SELECT refusal, record_topic, record_offset FROM dead_letters_stored WHERE refusal IS NOT NULL",
    )


def _register_writer(job: JobEnvironment, name: str, route: Route, topic_id: str) -> None:
    writer = ClickHouseSink(route, topic_id, job.settings.clickhouse)
    job.tables.create_temporary_function(name, udf(writer, result_type=DataTypes.STRING(), func_type="pandas"))


def _stored(source: str, headers: Sequence[str]) -> str:
    arguments = ", ".join(["record_partition", "record_offset", "append_time", "record_key", "record_value", *headers])
    return f"SELECT *, store_{source}({arguments}) AS refusal FROM {source}"
