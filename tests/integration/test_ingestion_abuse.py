"""The ingestion service under abuse: bombs cost little memory, slow clients keep nobody else out."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import zstandard

from schemas.topics import APPEND_TIME, TopicSpec
from stack.endpoints import StackEndpoints
from stack.topics import ensure_topics
from tests.builders import FrameBuilder
from tests.ingestion_client import batch
from tests.ingestion_process import IngestionProcess

pytestmark = pytest.mark.integration

TOPIC = "ingest-abuse"
MIB = 2**20
MOST_RISE_BYTES = 50 * MIB
SLOW = 300


@pytest.fixture(scope="module")
def service(stack: StackEndpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestionProcess]:
    ensure_topics(stack.kafka_bootstrap, [TopicSpec(TOPIC, 1, {**APPEND_TIME})])
    settings = {"header_timeout_s": 2, "body_timeout_s": 2, "body_grace_s": 1, "requests_per_s": 10_000}
    running = IngestionProcess(stack.kafka_bootstrap, TOPIC, tmp_path_factory.mktemp("abuse"), **settings)
    running.start()
    yield running
    running.stop()


def good(number: int) -> bytes:
    return batch([FrameBuilder(sequence=number).record().value])


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had, as the kernel counted it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _bodies() -> dict[str, tuple[dict[str, str], bytes, int]]:
    zeros = bytes(500 * MIB)
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    json_zeros = b'{"envelopes":[' + b"0," * (50 * MIB)
    return {
        "gzip": ({"Content-Encoding": "gzip"}, gzip.compress(zeros), 413),
        "zstd": ({"Content-Encoding": "zstd"}, stream.compress(zeros) + stream.flush(), 413),
        "zstd declared": ({"Content-Encoding": "zstd"}, zstandard.compress(zeros), 413),
        "json": ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, gzip.compress(json_zeros), 413),
        "records": ({"Content-Encoding": "zstd"}, zstandard.compress(b"\x0a\x00" * 4_000_000), 413),
        "json records": (
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            gzip.compress(b'{"envelopes":[' + b"{}," * 340_000 + b"{}]}"),
            413,
        ),
        "numbers": (
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            gzip.compress(b'{"sample_block":{"values":[[' + b"1.5," * 250_000 + b"1.5]]}}"),
            422,
        ),
    }


def test_bombs_cost_less_than_50_mib(service: IngestionProcess) -> None:
    with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
        for number in range(20):
            assert client.post("/v1/ingest", content=good(number)).status_code == 202
        before = psutil.Process(service.pid).memory_info().rss
        for name, (headers, body, status) in _bodies().items():
            response = client.post("/v1/ingest", content=body, headers=headers)
            assert response.status_code == status, name
            rise = peak_bytes(service.pid) - before
            assert rise < MOST_RISE_BYTES, f"{name}: {rise / MIB:.0f} MiB"


def test_an_endless_body_is_refused_and_costs_nothing(service: IngestionProcess) -> None:
    before = psutil.Process(service.pid).memory_info().rss

    def endless() -> Iterator[bytes]:
        for _ in range(2_000):
            yield bytes(65_536)

    try:
        response = httpx.post(f"{service.url}/v1/ingest", content=endless(), headers=service.headers, timeout=60)
    except httpx.TransportError:
        # The connection was closed while we still sent; that is an answer too.
        pass
    else:
        assert response.status_code == 413
    assert peak_bytes(service.pid) - before < MOST_RISE_BYTES


def test_slow_clients_are_all_closed_and_keep_nobody_out(service: IngestionProcess) -> None:
    head = f"POST /v1/ingest HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {service.token}\r\n".encode()
    body_head = head + b"Content-Type: application/x-protobuf\r\nContent-Length: 5000\r\n\r\n"
    connections = [socket.create_connection(("127.0.0.1", service.port), timeout=60) for _ in range(SLOW)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall((b"", head[:40], body_head)[number % 3])
        with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
            statuses = [client.post("/v1/ingest", content=good(100 + number)).status_code for number in range(50)]
        assert set(statuses) == {202}
        ends = [connection.recv(65_536) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert {end[:12] for end in ends} == {b"", b"HTTP/1.1 408"}
    assert sum(end != b"" for end in ends) == SLOW // 3
