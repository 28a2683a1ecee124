"""Kafka topics as tables: one shape for every source and every sink, raw bytes in key and value.

Raw, because a malformed value must reach the dead letters with its original bytes; a format that parses on
the JVM would fail the job or drop the record. The codecs are `schemas/envelope.py` and `schemas/rows.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from jobs.runtime.environment import JobEnvironment


def create_source(job: JobEnvironment, name: str, topic: str) -> None:
    """Registers a topic as a source.

    Columns: record_key, record_value BYTES; headers MAP<STRING, BYTES>; append_time, the record's timestamp and
    the rowtime; record_topic, record_partition, record_offset. The watermark needs no lag: append time never runs
    back within a partition. An idle partition is not skipped: the ticker writes to every one, and skipping
    would let the others run ahead of frames that are merely delayed.
    """
    job.tables.execute_sql(
        f"""
        CREATE TEMPORARY TABLE {name} (
            record_key BYTES,
            record_value BYTES,
            headers MAP<STRING, BYTES> METADATA VIRTUAL,
            append_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
            record_topic STRING METADATA FROM 'topic' VIRTUAL,
            record_partition INT METADATA FROM 'partition' VIRTUAL,
            record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
            WATERMARK FOR append_time AS append_time
        ) WITH (
            {_options(job, topic)},
            'properties.group.id' = 'brain-{job.name}',
            'properties.isolation.level' = 'read_committed',
            'scan.startup.mode' = 'earliest-offset'
        )
        """
    )


def create_sink(job: JobEnvironment, name: str, topic: str) -> None:
    """Registers a topic as a sink with columns record_key, record_value BYTES."""
    _create_sink(job, name, topic, "")


def create_frame_sink(job: JobEnvironment, name: str, topic: str) -> None:
    """Registers a topic as a sink that also takes headers and the record's timestamp."""
    _create_sink(
        job,
        name,
        topic,
        ", headers MAP<STRING, BYTES> METADATA, append_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'",
    )


def _create_sink(job: JobEnvironment, name: str, topic: str, metadata: str) -> None:
    guarantee = job.settings.sink_guarantee
    prefix = f",'sink.transactional-id-prefix' = 'brain-{job.name}-{name}'" if guarantee == "exactly-once" else ""
    job.tables.execute_sql(
        f"""
        CREATE TEMPORARY TABLE {name} (record_key BYTES, record_value BYTES {metadata}) WITH (
            {_options(job, topic)},
            'sink.delivery-guarantee' = '{guarantee}' {prefix},
            'properties.max.request.size' = '{8 * 1024 * 1024}',
            'properties.linger.ms' = '5',
            'properties.batch.size' = '131072'
        )
        """
    )


def text(sql: str) -> str:
    """SQL of a header's bytes from SQL of its text."""
    return f"ENCODE({sql}, 'UTF-8')"


def header_map(values: Mapping[str, str]) -> str:
    """SQL of a MAP of headers: name -> SQL of its bytes."""
    return "MAP[" + ", ".join(f"'{name}', {value}" for name, value in values.items()) + "]"


def _options(job: JobEnvironment, topic: str) -> str:
    options = {
        "connector": "kafka",
        "topic": topic,
        "key.format": "raw",
        "key.fields": "record_key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "properties.bootstrap.servers": job.settings.kafka_bootstrap_servers,
        **{f"properties.{name}": value for name, value in job.settings.kafka_properties.items()},
    }
    return ",\n            ".join(f"'{name}' = '{_quoted(value)}'" for name, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")
