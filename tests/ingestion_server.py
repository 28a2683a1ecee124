"""The ingestion service on a real port, in a thread of the test's process, with a Kafka in memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from services.ingestion.app import create_app
from services.ingestion.key_file import KeyRing
from services.ingestion.server import uvicorn_config
from services.ingestion.settings import IngestionSettings
from tests.ingestion_client import NOW, MemoryWriter, new_key


class RunningServer:
    """A server in a thread of this process, with a Kafka in memory."""

    def __init__(self, folder: Path, **flags: Any) -> None:
        path = folder / "keys.yaml"
        self.token = new_key(path)
        self.writer = MemoryWriter()
        settings = IngestionSettings(keys_file=path, port=0, **flags)
        keys = KeyRing(path, max_stale_s=60, monotonic_s=lambda: 0.0, now=lambda: NOW)
        self._server = uvicorn.Server(uvicorn_config(create_app(settings, writer=self.writer, keys=keys), settings))

    @contextmanager
    def running(self) -> Iterator[RunningServer]:
        started = threading.Event()
        startup = self._server.startup

        async def start(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            started.set()

        self._server.startup = start  # type: ignore[method-assign]
        thread = threading.Thread(target=self._server.run)
        thread.start()
        try:
            assert started.wait(30)
            self.port = self._server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
            yield self
        finally:
            self._server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def head(self, *lines: str) -> bytes:
        given = ["POST /v1/ingest HTTP/1.1", "Host: test", f"Authorization: Bearer {self.token}"]
        return "\r\n".join([*given, "Content-Type: application/x-protobuf", *lines, "", ""]).encode()
