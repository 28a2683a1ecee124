"""Judging records, and the dead letters of those that fail.

A dead letter is the original record, key, value, headers and time, with why and where from as further headers.
"""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, evaluate_once
from jobs.runtime.kafka_tables import create_frame_sink, header_map, text
from schemas import headers


def judge(job: JobEnvironment, source: str, call: str, columns: str, *, name: str = "judged") -> None:
    """Names `judged`, or `name`, the result of a vectorised function over a source, computed once for all who read it.

    Of the records themselves only refused ones keep their value: Flink copies what goes past a function, and a good
    value is not needed any more.

    Args:
        job: to which the view is added.
        source: a table of `create_source`.
        call: the function call; its ROW has `refusal`, "reason: detail" or NULL for a good record, and `refused_value`,
            the value of a record that has one.
        columns: the ROW's further fields, separated by commas.
        name: of the view.
    """
    fields = ", ".join(f"verdict.{field} AS {field}" for field in f"refusal, {columns}".split(", "))
    evaluate_once(
        job,
        name,
        job.tables.sql_query(
            f"""
            SELECT record_key, verdict.refused_value AS record_value, headers, append_time,
                   record_topic, record_partition, record_offset, {fields}
            FROM (SELECT *, {call} AS verdict FROM {source})
            """
        ),
    )


def insert_refused(job: JobEnvironment, view: str, topic: str) -> None:
    """Sends every row of a view that has a `refusal` (`reason: detail`) to the topic of dead letters."""
    sink = f"{view}_dead_letters"
    create_frame_sink(job, sink, topic)
    added = header_map(
        {
            headers.REASON: text("SPLIT_INDEX(refusal, ':', 0)"),
            headers.DETAIL: text("SUBSTRING(refusal FROM POSITION(':' IN refusal) + 2)"),
            headers.STAGE: text(f"'{job.name}'"),
            headers.SOURCE_TOPIC: text("record_topic"),
            headers.SOURCE_PARTITION: text("CAST(record_partition AS STRING)"),
            headers.SOURCE_OFFSET: text("CAST(record_offset AS STRING)"),
        }
    )
    job.insert(
        sink,
        f"""
        SELECT record_key, record_value, COALESCE(MAP_UNION(headers, {added}), {added}), append_time
        FROM {view} WHERE refusal IS NOT NULL
        """,
    )


def insert_rows(job: JobEnvironment, sink: str, *, view: str = "judged") -> None:
    """Sends every element of `output_rows` of every row of a view of `judge`, under the key of its record."""
    job.insert(
        sink,
        f"""
        SELECT record_key, output_row
        FROM (SELECT record_key, output_rows FROM {view} WHERE refusal IS NULL)
        CROSS JOIN UNNEST(output_rows) AS made(output_row)
        """,
    )
