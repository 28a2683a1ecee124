"""Judging records, and the dead letters of those that fail.

A dead letter is the original record, key, value, headers and time, with why and where from as further headers.
"""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, evaluate_once
from jobs.runtime.kafka_tables import create_frame_sink, header_map, text
from schemas import headers


def judge(job: JobEnvironment, source: str, call: str, columns: str) -> None:
    """Names `judged` the result of a vectorised function over a source, computed once for all who read it.

    Args:
        job: to which the view is added.
        source: a table of `create_source`.
        call: the function call; its ROW has reason and detail, NULL for a good record.
        columns: the ROW's further fields, separated by commas.
    """
    fields = ", ".join(f"verdict.{name} AS {name}" for name in f"reason, detail, {columns}".split(", "))
    evaluate_once(
        job,
        "judged",
        job.tables.sql_query(
            f"""
            SELECT record_key, record_value, headers, append_time, record_topic, record_partition, record_offset,
                   {fields}
            FROM (SELECT *, {call} AS verdict FROM {source})
            """
        ),
    )


def insert_dead_letters(job: JobEnvironment, topic: str) -> None:
    """Sends every row of `judged` that has a reason to the topic of dead letters."""
    _insert_dead_letters(job, "dead_letters", topic, "SELECT * FROM judged WHERE reason IS NOT NULL")


def insert_refused(job: JobEnvironment, stored: str, topic: str) -> None:
    """Sends every row of a view that has a `refusal` (`reason: detail`) to the topic of dead letters."""
    query = f"""
        SELECT *, SPLIT_INDEX(refusal, ':', 0) AS reason, SUBSTRING(refusal FROM POSITION(':' IN refusal) + 2) AS detail
        FROM {stored} WHERE refusal IS NOT NULL
    """
    _insert_dead_letters(job, f"{stored}_dead_letters", topic, query)


def _insert_dead_letters(job: JobEnvironment, sink: str, topic: str, rows: str) -> None:
    create_frame_sink(job, sink, topic)
    added = header_map(
        {
            headers.REASON: text("reason"),
            headers.DETAIL: text("COALESCE(detail, '')"),
            headers.STAGE: text(f"'{job.name}'"),
            headers.SOURCE_TOPIC: text("record_topic"),
            headers.SOURCE_PARTITION: text("CAST(record_partition AS STRING)"),
            headers.SOURCE_OFFSET: text("CAST(record_offset AS STRING)"),
        }
    )
    job.insert(
        sink,
        f"SELECT record_key, record_value, COALESCE(MAP_UNION(headers, {added}), {added}), append_time FROM ({rows})",
    )


def insert_rows(job: JobEnvironment, sink: str) -> None:
    """Sends every element of `output_rows` of every row of `judged`, under the key of its record."""
    job.insert(
        sink,
        """
        SELECT record_key, output_row
        FROM (SELECT record_key, output_rows FROM judged WHERE reason IS NULL)
        CROSS JOIN UNNEST(output_rows) AS made(output_row)
        """,
    )
