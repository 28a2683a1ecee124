"""Uvicorn's HTTP protocol with what it leaves to a proxy: deadlines for headers and bodies, a cap on connections.

An ASGI application first hears of a request when its headers are complete, so a client that sends them a byte at a
time, or that feeds a body to an answer that was given long ago, can only be met here.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.ingestion.problems import Fault, ProblemError
from services.ingestion.settings import IngestionSettings

LOG = logging.getLogger(__name__)

_AFTER_ANSWER_S = 1.0
"""The application's own deadline for bodies comes first and answers 408; this one only closes."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `guarded_by` makes the class that uvicorn is given."""

    limits: IngestionSettings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self._reading_headers = True
        self._header_bytes = 0
        self._refusal: ProblemError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuses at once what is too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(ProblemError(Fault.BUSY, f"over {self.limits.max_connections} connections", retry_after_s=5))
            return
        self._arm(self.limits.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the deadline."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of headers that have no end yet, and leaves no connection without a deadline."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._reading_headers and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.max_header_bytes:
                self._refuse(self._headers_too_large())
        # Any byte ends uvicorn's wait of an idle connection, even one that begins no request.
        if self._deadline is None and self._is_idle():
            self._arm(self.limits.header_timeout_s)

    def _is_idle(self) -> bool:
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)

    def on_message_begin(self) -> None:
        """A request begins: its headers have a deadline."""
        super().on_message_begin()
        self._reading_headers, self._header_bytes = True, 0
        self._arm(self.limits.header_timeout_s)

    def on_headers_complete(self) -> None:
        """The headers are there: the body has a deadline."""
        size_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size_bytes > self.limits.max_header_bytes:
            self._refusal = self._headers_too_large()
            raise ValueError("headers too large")
        self._reading_headers = False
        self._arm(self.limits.body_timeout_s + _AFTER_ANSWER_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there as a whole: how long its answer takes is not the client's doing."""
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, and what `on_headers_complete` has refused."""
        self._refuse(self._refusal or ProblemError(Fault.MALFORMED_BODY, msg))

    def _refuse(self, problem: ProblemError) -> None:
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            # In the middle of an answer there is no room for another one.
            self.transport.close()
            return
        problem.close = True
        response = problem.response()
        lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        self.transport.close()

    def _headers_too_large(self) -> ProblemError:
        return ProblemError(Fault.LARGE_HEADERS, f"the headers have over {self.limits.max_header_bytes} bytes")

    def _arm(self, timeout_s: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(timeout_s, self._on_deadline)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        if not self.transport.is_closing():
            LOG.info("connection closed: the request did not come in time")
            # Not `close`, which would wait for a peer that does not read.
            self.transport.abort()


def guarded_by(settings: IngestionSettings) -> type[GuardedProtocol]:
    """The protocol with these limits."""
    return type("BoundProtocol", (GuardedProtocol,), {"limits": settings})
