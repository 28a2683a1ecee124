"""Judging records, and the dead letters of those that fail.

A dead letter is the original record, key, value, headers and time, with why and where from as further headers.
"""

from __future__ import annotations

from jobs.runtime.environment import JobEnvironment, evaluate_once
from jobs.runtime.kafka_tables import create_frame_sink

REASON, DETAIL, STAGE = "reason", "detail", "stage"
SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET = "source_topic", "source_partition", "source_offset"
DEAD_LETTER_HEADERS = (REASON, DETAIL, STAGE, SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET)


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
    _insert_dead_letters(job, "dead_letters", topic, "judged", "reason", "COALESCE(detail, '')")


def insert_dead_letters_of(job: JobEnvironment, stored: str, topic: str) -> None:
    """Sends every row of a view with a `refusal` (`reason: detail`) to the topic of dead letters."""
    reason = "SPLIT_INDEX(refusal, ':', 0)"
    detail = "SUBSTRING(refusal FROM POSITION(':' IN refusal) + 2)"
    view = f"{stored}_refused"
    job.view(view, f"SELECT *, {reason} AS reason, {detail} AS detail FROM {stored} WHERE refusal IS NOT NULL")
    _insert_dead_letters(job, f"{stored}_dead_letters", topic, view, "reason", "detail")


def _insert_dead_letters(job: JobEnvironment, sink: str, topic: str, view: str, reason: str, detail: str) -> None:
    create_frame_sink(job, sink, topic)
    why = {
        REASON: reason,
        DETAIL: detail,
        STAGE: f"'{job.name}'",
        SOURCE_TOPIC: "record_topic",
        SOURCE_PARTITION: "CAST(record_partition AS STRING)",
        SOURCE_OFFSET: "CAST(record_offset AS STRING)",
    }
    added = ", ".join(f"'{name}', ENCODE({value}, 'UTF-8')" for name, value in why.items())
    job.insert(
        sink,
        f"""
        SELECT record_key, record_value, COALESCE(MAP_UNION(headers, MAP[{added}]), MAP[{added}]), append_time
        FROM {view} WHERE reason IS NOT NULL
        """,
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
