"""The ingestion service as a process of its own, before a real Kafka; and what stands in its topic."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
from confluent_kafka import Consumer, Message, TopicPartition

from bench.ingestion import free_port
from tests.ingestion_client import new_key

START_S = 60


class IngestionProcess:
    """Starts and stops one service; the port and the keys stay the same.

    Attributes:
        token: of a key for every device of tenant `lab`.
        process: as it runs now.
    """

    def __init__(self, bootstrap: str, topic: str, folder: Path, **settings: object) -> None:
        self.keys_path = folder / "keys.yaml"
        self.token = new_key(self.keys_path, devices=["*"])
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "service.log"
        given = {"topic": topic, "kafka_bootstrap_servers": bootstrap, "port": self.port, "keys_file": self.keys_path}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("INGESTION_")}
        self._environment |= {f"INGESTION_{name.upper()}": str(value) for name, value in {**given, **settings}.items()}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-protobuf"}

    def start(self, *, ready: bool = True) -> None:
        command = [sys.executable, "-m", "services.cli", "ingestion"]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        if ready:
            self.await_page("/ready")

    def await_page(self, path: str, status: int = 200) -> httpx.Response:
        return until(lambda: self._page(path, status), f"{path} is not {status}:\n{self.log[-2_000:]}")

    def _page(self, path: str, status: int) -> httpx.Response | None:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-2_000:]
        try:
            response = httpx.get(f"{self.url}{path}")
        except httpx.TransportError:
            return None
        return response if response.status_code == status else None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ends it as a service manager does; returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.terminate()
        return self.process.wait(60)


Found = TypeVar("Found")


def until(find: Callable[[], Found | None], message: str) -> Found:
    """Waits for something to be there."""
    deadline_s = time.monotonic() + START_S
    while (found := find()) is None:
        assert time.monotonic() < deadline_s, message
        time.sleep(0.05)
    return found


def read_topic(bootstrap: str, topic: str) -> list[Message]:
    """Everything in a topic, up to the ends at the time of the call."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        places = [TopicPartition(topic, partition, 0) for partition in partitions]
        count = sum(consumer.get_watermark_offsets(place, timeout=30)[1] for place in places)
        consumer.assign(places)
        messages: list[Message] = []
        deadline_s = time.monotonic() + 60
        while len(messages) < count:
            assert time.monotonic() < deadline_s, f"{len(messages)} of {count} records"
            messages += consumer.consume(1_000, timeout=1.0)
    finally:
        consumer.close()
    return messages
