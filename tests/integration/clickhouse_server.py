"""A ClickHouse server of a test's own, which it may kill and start again, and records to store in it."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from jobs.runtime.clickhouse.client import open_client
from jobs.runtime.clickhouse.settings import ClickHouseSettings
from schemas.rows import ROWS
from stack import clickhouse, migrations
from stack.settings import StackSettings
from udfs.table_blocks import KafkaBatch

# Frames that arrived longer ago than the table keeps them would be gone at once.
APPEND_MS = int(time.time() * 1000)


class ClickHouseServer:
    """A server process on free ports, with its data in one folder over several starts."""

    def __init__(self, home: Path) -> None:
        self._stack = StackSettings.load({"home": home}).with_free_ports(random.SystemRandom())
        self._home = self._stack.stack_home()
        self._home.make_directories()
        clickhouse.prepare(self._stack, self._home)
        self.settings = ClickHouseSettings(
            host="127.0.0.1", port=self._stack.clickhouse_tcp_port, longest_pause_s=0.2, request_timeout_s=20
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        command = clickhouse.command(self._stack, self._home)
        assert command is not None
        log = (self._home.logs / "console.log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline_s = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
                return
            except (EOFError, OSError, Error):
                assert self._process.poll() is None, "the server has ended"
                assert time.monotonic() < deadline_s, "the server does not answer"
                time.sleep(0.05)

    def kill(self) -> None:
        """As a power switch would: nothing is flushed, nothing is said."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=30)

    def stop(self) -> None:
        """Ends the server, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=60)

    def execute(self, query: str, **options: Any) -> list[tuple[Any, ...]]:
        """One query on a connection of its own."""
        client: Client = open_client(self.settings.model_copy(update={"database": "default"}))
        try:
            rows: list[tuple[Any, ...]] = client.execute(query, **options)
            return rows
        finally:
            client.disconnect()

    def create_tables(self) -> None:
        """Applies the migrations."""
        client = open_client(self.settings.model_copy(update={"database": "default"}))
        try:
            migrations.apply(client, migrations.load({}))
        finally:
            client.disconnect()

    def empty_tables(self) -> None:
        """Deletes all rows."""
        for table in ["rawframes", "dead_letters", *(row.table for row in ROWS if row.table)]:
            self.execute(f"TRUNCATE TABLE brain.{table}")

    def counts(self) -> tuple[int, int]:
        """Rows and distinct events of rawframes, without FINAL."""
        ((rows, events),) = self.execute("SELECT count(), uniqExact(event_id) FROM brain.rawframes")
        return rows, events


@contextmanager
def running_server(home: Path) -> Iterator[ClickHouseServer]:
    """A server with tables, stopped at the end."""
    server = ClickHouseServer(home)
    try:
        server.start()
        server.create_tables()
        yield server
    finally:
        server.stop()


def batch_of(values: Sequence[bytes], *, first_offset: int = 0, **changed: Any) -> KafkaBatch:
    """Records dealt to four partitions in turn."""
    count = len(values)
    index = np.arange(count)
    batch = KafkaBatch(
        topic_id="first-topic",
        partitions=(index % 4).astype(np.int32),
        offsets=first_offset + index // 4,
        append_ms=APPEND_MS + index,
        keys=[b"key"] * count,
        values=values,
    )
    return replace(batch, **changed)
