"""The HTTP way in: how long a request takes until Kafka has acknowledged all of it, at a steady rate."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import psutil

from bench.errors import BenchError
from bench.ingestion_load import TENANT, Load, bodies
from services.ingestion.key_file import write_keys
from services.ingestion.keys import KeyEntry, KeyFile, add_key

WARM_UP_S = 3.0
CONNECTIONS = 16
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_TIMEOUT_S = 30.0

TARGET_P50_MS, TARGET_P99_MS = 20.0, 100.0


@dataclass(frozen=True, slots=True)
class IngestionResult:
    """What was measured.

    Attributes:
        p50_ms, p99_ms, max_ms: from the moment at which a request was due to the end of its answer.
        requests: sent after the warm-up; all were accepted.
        readings_per_s: acknowledged.
        service_cpu_s: processor seconds of the service per second.
        service_mib: its memory at the end.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    requests: int
    readings_per_s: float
    service_cpu_s: float
    service_mib: float


def measure(bootstrap: str, topic: str, load: Load, *, slow_connections: int = 0) -> IngestionResult:
    """Starts the service before a running Kafka and sends at a steady rate.

    Args:
        bootstrap: of the broker; the topic must be there.
        topic: where records go.
        load: what is sent.
        slow_connections: so many others send their headers a byte a second meanwhile.

    Raises:
        BenchError: if the service does not start, or if a request is not accepted as a whole.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(bootstrap, topic, Path(folder)) as (process, url, token),
    ):
        return asyncio.run(_send(process, url, token, load, slow_connections))


@contextmanager
def running_service(bootstrap: str, topic: str, folder: Path) -> Iterator[tuple[psutil.Process, str, str]]:
    """The service as a process of its own: the process, its address and a key.

    Raises:
        BenchError: if it does not become ready.
    """
    token = _make_key(folder / "keys.yaml")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INGESTION_")}
    environment |= {"INGESTION_TOPIC": topic, "INGESTION_REQUESTS_PER_S": "10000", "INGESTION_REQUESTS_BURST": "10000"}
    options = ["--bootstrap", bootstrap, "--port", str(port), "--keys-file", str(folder / "keys.yaml")]
    log = folder / "service.log"
    with log.open("w") as out:
        child = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "services.cli", "ingestion", *options], env=environment, stdout=out, stderr=out
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, child, log)
        yield psutil.Process(child.pid), url, token
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


async def _send(process: psutil.Process, url: str, token: str, load: Load, slow_connections: int) -> IngestionResult:
    warm_up = round(WARM_UP_S * load.requests_per_s)
    prepared = bodies(load, warm_up + round(load.duration_s * load.requests_per_s))
    media_type = "application/json" if load.json else "application/x-protobuf"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
    async with AsyncExitStack() as stack:
        # A client each, with one connection: a shared pool spends more time on its queue than the service on requests.
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S))
            for _ in range(CONNECTIONS)
        ]
        slow = [asyncio.create_task(_trickle(url)) for _ in range(slow_connections)]
        await _at_rate(clients, prepared[:warm_up], load)
        begin_s, cpu_begin_s = time.monotonic(), _cpu_s(process)
        took_s = await _at_rate(clients, prepared[warm_up:], load)
        passed_s, cpu_s = time.monotonic() - begin_s, _cpu_s(process) - cpu_begin_s
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    p50_s, p99_s, max_s = np.percentile(took_s, [50, 99, 100]).tolist()
    return IngestionResult(
        p50_ms=p50_s * 1_000,
        p99_ms=p99_s * 1_000,
        max_ms=max_s * 1_000,
        requests=len(took_s),
        readings_per_s=len(took_s) * load.readings / passed_s,
        service_cpu_s=cpu_s / passed_s,
        service_mib=process.memory_info().rss / 2**20,
    )


async def _at_rate(clients: Sequence[httpx.AsyncClient], prepared: Sequence[bytes], load: Load) -> list[float]:
    """Seconds that each request took from when it was due: one that waits for its turn counts the wait."""
    took_s = [0.0] * len(prepared)
    waiting = iter(enumerate(prepared))
    begin_s = time.monotonic()

    async def work(client: httpx.AsyncClient) -> None:
        for index, body in waiting:
            due_s = begin_s + index / load.requests_per_s
            await asyncio.sleep(due_s - time.monotonic())
            response = await client.post("/v1/ingest", content=body)
            took_s[index] = time.monotonic() - due_s
            if response.status_code != httpx.codes.ACCEPTED or response.json()["accepted"] != load.readings:
                raise BenchError(f"HTTP {response.status_code}: {response.text[:300]}")

    await asyncio.gather(*map(work, clients))
    return took_s


async def _trickle(url: str) -> None:
    """Connects and sends the headers of a request that never ends, again and again."""
    host, port = url.removeprefix("http://").split(":")
    while True:
        _, writer = await asyncio.open_connection(host, int(port))
        try:
            for byte in b"POST /v1/ingest HTTP/1.1\r\nHost: slow\r\nX-Slow: " + b"x" * 1_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1.0)
        except OSError:
            continue
        finally:
            writer.close()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _make_key(path: Path) -> str:
    now = datetime.now(UTC)

    def entry(digest: str) -> KeyEntry:
        return KeyEntry(secret_sha256=digest, tenant_id=TENANT, devices=("*",), created=now)

    new = add_key(KeyFile(), entry, now=now, entropy=os.urandom)
    write_keys(path, new.file)
    return new.token


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s and child.poll() is None:
        try:
            if httpx.get(f"{url}/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise BenchError(f"the ingestion service is not ready:\n{log.read_text()[-800:]}")
