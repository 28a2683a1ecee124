"""The ingestion application under test: driven in this thread, with a Kafka in memory and keys in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from schemas.envelope import Record
from schemas.proto.ingest_pb2 import IngestBatch
from services.ingestion.app import create_app
from services.ingestion.key_file import KeyRing, write_keys
from services.ingestion.keys import KeyEntry, KeyFile, add_key
from services.ingestion.settings import IngestionSettings
from services.ingestion.writer import ACKNOWLEDGED, Delivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@dataclass
class MemoryWriter:
    """A `RecordWriter` that keeps what it acknowledges.

    Attributes:
        fate: of a record in a topic; decides what is acknowledged.
        stored: topic and record, in order.
        calls: topic and number of records of every write.
        gate: awaited before anything is answered.
    """

    fate: Callable[[str, Record], Delivery] = lambda topic, record: ACKNOWLEDGED
    problem: str = ""
    stored: list[tuple[str, Record]] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    closed: bool = False

    async def write(self, topic: str, records: Sequence[Record]) -> list[Delivery]:
        self.calls.append((topic, len(records)))
        if self.gate is not None:
            await self.gate.wait()
        fates = [self.fate(topic, record) for record in records]
        self.stored += [(topic, record) for record, fate in zip(records, fates, strict=True) if fate == ACKNOWLEDGED]
        return fates

    def topic_problem(self, topic: str) -> str:
        return self.problem

    def start(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def new_key(path: Path, *, tenant: str = "lab", devices: Sequence[str] = ("walker-1",), **fields: Any) -> str:
    """Adds a key to the file and returns its token."""
    from services.ingestion.key_file import read_keys

    def entry(digest: str) -> KeyEntry:
        return KeyEntry(secret_sha256=digest, tenant_id=tenant, devices=tuple(devices), created=NOW, **fields)

    file = read_keys(path) if path.exists() else KeyFile()
    count = len(file.keys)
    new = add_key(file, entry, now=NOW, entropy=lambda size: bytes([count + 1]) * size)
    write_keys(path, new.file)
    return new.token


@dataclass
class Service:
    """The application with everything around it.

    Attributes:
        token: of a key for device `walker-1` of tenant `lab`.
        now_s: seconds of the clock that the keys' age is counted by.
    """

    writer: MemoryWriter
    keys_path: Path
    token: str
    settings: IngestionSettings
    keys: KeyRing
    now_s: list[float]
    wall: list[datetime]

    @classmethod
    def make(cls, folder: Path, **flags: Any) -> Service:
        path = folder / "keys.yaml"
        token = new_key(path)
        settings = IngestionSettings(keys_file=path, **flags)
        now_s, wall = [0.0], [NOW]
        keys = KeyRing(path, max_stale_s=settings.keys_max_stale_s, monotonic_s=lambda: now_s[0], now=lambda: wall[0])
        return cls(MemoryWriter(), path, token, settings, keys, now_s, wall)

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self.app = create_app(self.settings, writer=self.writer, keys=self.keys)
        self._life = self.app.router.lifespan_context(self.app)
        self._runner.run(self._life.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._life.__aexit__(None, None, None))
        self._runner.close()

    def run(self, work: Any) -> Any:
        """Runs a coroutine in the application's loop."""
        return self._runner.run(work)

    async def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **kwargs)

    def get(self, path: str) -> httpx.Response:
        response: httpx.Response = self.run(self.request("GET", path))
        return response

    def post(self, *, token: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any) -> httpx.Response:
        response: httpx.Response = self.run(self.post_later(token=token, headers=headers, **kwargs))
        return response

    async def post_later(
        self, *, token: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        given = {"Authorization": f"Bearer {self.token if token is None else token}", **(headers or {})}
        return await self.request("POST", "/v1/ingest", headers=given, **kwargs)

    def post_envelopes(self, values: Sequence[bytes], **kwargs: Any) -> httpx.Response:
        return self.post(headers=PROTOBUF, content=batch(values), **kwargs)


def batch(values: Sequence[bytes]) -> bytes:
    """The body of a request."""
    return IngestBatch(envelopes=values).SerializeToString()


def reading(**fields: Any) -> dict[str, Any]:
    """A reading in JSON, valid by default."""
    block = {"unit": "degC", "channels": ["value"], "start_us": 1_760_000_000_000_000, "values": [[21.5]]}
    return {
        "device_id": "walker-1",
        "session_id": "s-1",
        "sensor_type": "TEMP",
        "boot_id": "b-1",
        "sequence": 0,
        "sample_block": block | fields.pop("block", {}),
        **fields,
    }
