"""The running line as tests see it: send records, run our own programs, read topics and tables, wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_driver import Client
from confluent_kafka import Consumer, Producer, TopicPartition

from jobs.runtime.flink_rest import FlinkRest, JobOverview
from schemas.columns import Kind
from schemas.envelope import Record
from schemas.rows import Row
from stack.endpoints import StackEndpoints

PROGRAMS = Path(sys.executable).parent
WAIT_S = 150.0


class Message(NamedTuple):
    """A record as a consumer reads it."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int


class Line:
    """The stack of a test session, with its jobs."""

    def __init__(self, endpoints: StackEndpoints, scan_store: Path) -> None:
        self.endpoints = endpoints
        # Tests send at once what a device sends in minutes: no need to wait for its next reading.
        quick = {"BRAIN_JOBS_WINDOW_IDLE_MS": "5000"}
        stores = dict.fromkeys(("BRAIN_JOBS_SCAN_STORE", "BRAIN_EDGE_SCAN_STORE"), str(scan_store))
        self.environment = quick | stores | dict(os.environ) | endpoints.to_env()
        self._producer = Producer(
            {
                "bootstrap.servers": endpoints.kafka_bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "message.max.bytes": 4_000_000,
            }
        )

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs one of our console scripts against this stack."""
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, f"{program}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done

    def submit(self, *arguments: str) -> str:
        """`brain-jobs submit`, and waits until the jobs run."""
        output = self.run("brain-jobs", "submit", *arguments).stdout
        self.wait_until(self.all_running, "the jobs to run")
        return output

    def all_running(self) -> bool:
        """Whether no live job is on its way up."""
        return all(job.state == "RUNNING" and job.running_tasks == job.total_tasks for job in self.live().values())

    def live(self) -> dict[str, JobOverview]:
        """Live jobs by name."""
        with FlinkRest(self.endpoints.flink_rest_url) as flink:
            return flink.live_jobs()

    def restarts(self, job: str) -> int:
        """How often Flink has restarted a job."""
        with FlinkRest(self.endpoints.flink_rest_url) as flink:
            (metric,) = flink.get(f"/jobs/{self.live()[job].job_id}/metrics", get="numRestarts")
        return int(metric["value"])

    def send(self, records: Iterable[Record], topic: str = "rawframes") -> None:
        """Sends records and waits for their acknowledgement."""
        failures: list[str] = []
        for record in records:
            self._producer.produce(
                topic,
                key=record.key,
                value=record.value,
                headers=list(record.headers.items()),
                on_delivery=lambda error, _: failures.append(str(error)) if error else None,
            )
            self._producer.poll(0)
        assert self._producer.flush(60) == 0
        assert not failures

    def read(self, topic: str, wanted: Callable[[Message], bool] = lambda message: True) -> list[Message]:
        """All messages that are on a topic now."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.endpoints.kafka_bootstrap,
                "group.id": "tests",
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 8_000_000,
            }
        )
        try:
            return [message for message in _read_all(consumer, topic) if wanted(message)]
        finally:
            consumer.close()

    def client(self) -> Client:
        """A ClickHouse client."""
        return Client(self.endpoints.clickhouse_host, port=self.endpoints.clickhouse_tcp_port)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Runs a query."""
        rows: list[tuple[Any, ...]] = self.client().execute(sql, parameters)
        return rows

    def stored(self, row: Row, **where: str) -> list[dict[str, Any]]:
        """Stored rows of one kind as they stood on their topic: times in milliseconds, missing floats None."""
        columns = ", ".join(
            f"toUnixTimestamp64Milli({column.name})" if column.kind is Kind.TIMESTAMP_MS else column.name
            for column in row.columns
        )
        condition = " AND ".join(f"{name} = %({name})s" for name in where)
        order = ", ".join(row.natural_key)
        found = self.query(f"SELECT {columns} FROM brain.{row.table} FINAL WHERE {condition} ORDER BY {order}", **where)
        return [dict(zip(row.column_names, values, strict=True)) for values in found]

    def wait_for_rows(self, row: Row, count: int, **where: str) -> list[dict[str, Any]]:
        """Waits until so many rows are stored, and returns them."""
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found[:] = self.stored(row, **where)
            return len(found) >= count

        self.wait_until(arrived, f"{count} {row.name} rows of {where}")
        return found

    def wait_until(self, done: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        """Waits, and fails naming what did not happen."""
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain for {what}"
            time.sleep(0.25)


def _read_all(consumer: Consumer, topic: str) -> Iterable[Message]:
    partitions = [TopicPartition(topic, number, 0) for number in consumer.list_topics(topic).topics[topic].partitions]
    ends = {part.partition: consumer.get_watermark_offsets(part, timeout=10)[1] for part in partitions}
    left = {number for number, end in ends.items() if end > 0}
    consumer.assign([part for part in partitions if part.partition in left])
    while left:
        message = consumer.poll(10)
        assert message is not None, f"{topic} ends early"
        assert message.error() is None, message.error()
        number, offset = message.partition(), message.offset()
        if number in left and offset is not None:
            yield Message(number, message.key(), message.value(), dict(message.headers() or []), message.timestamp()[1])
            if offset >= ends[number] - 1:
                left.discard(number)


def json_lines(text: str) -> list[Mapping[str, Any]]:
    """JSON lines as objects."""
    return [json.loads(line) for line in text.splitlines()]
