"""Reading the body of a request: no larger than allowed, no slower than allowed, no more than memory allows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Self

from starlette.requests import ClientDisconnect, Request

from services.ingestion.limits import Memory
from services.ingestion.problems import Fault, ProblemError
from services.ingestion.settings import IngestionSettings


@dataclass(slots=True)
class BodyReader:
    """Reads one request's body; as a context manager it gives back the memory that it took.

    Attributes:
        request: whose body.
        settings: limits and deadlines.
        memory: shared by all requests.
        complete: whether the body was read to its end.
    """

    request: Request
    settings: IngestionSettings
    memory: Memory
    complete: bool = False
    _read_bytes: int = 0
    _taken_bytes: int = 0
    _begin_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the memory back."""
        self.memory.give_back(self._taken_bytes)

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            ProblemError: if it is too large, too slow, or there is no memory for it.
            ClientDisconnect: if the client went away.
        """
        self._check_declared()
        chunks: list[bytes] = []
        while not self.complete:
            chunk = await self._next()
            self.take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    def take(self, size_bytes: int) -> None:
        """Takes memory until the end of the request.

        Raises:
            ProblemError: if there is none.
        """
        self.memory.take(size_bytes)
        self._taken_bytes += size_bytes

    def keep(self, size_bytes: int) -> None:
        """Gives back what was taken over `size_bytes`."""
        excess_bytes = max(0, self._taken_bytes - size_bytes)
        self.memory.give_back(excess_bytes)
        self._taken_bytes -= excess_bytes

    async def discard(self) -> None:
        """Reads what is left and keeps nothing, so that the client hears an answer to a body that it still sends.

        A client that waits for `100 Continue` is not asked for its body; a body that is too large or too slow is left.
        """
        if self.complete or self.request.headers.get("expect", "").lower() == "100-continue":
            return
        try:
            self._check_declared()
            while not self.complete:
                await self._next()
        except (ProblemError, ClientDisconnect):
            return

    def _check_declared(self) -> None:
        declared = self.request.headers.get("content-length", "")
        if declared.isdigit() and int(declared[:20]) > self.settings.max_body_bytes:
            raise self._too_large()

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline_s()):
                message = await self.request.receive()
        except TimeoutError:
            detail = f"{self._read_bytes} bytes in {asyncio.get_running_loop().time() - self._begin_s:.1f} s"
            raise ProblemError(Fault.SLOW_BODY, detail, close=True) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        self._read_bytes += len(chunk)
        if self._read_bytes > self.settings.max_body_bytes:
            raise self._too_large()
        return chunk

    def _deadline_s(self) -> float:
        """When the next bytes must have come: the mean rate and the whole time both count."""
        limits = self.settings
        allowed_s = limits.body_grace_s + self._read_bytes / limits.body_min_bytes_per_s
        return self._begin_s + min(allowed_s, limits.body_timeout_s)

    def _too_large(self) -> ProblemError:
        return ProblemError(Fault.TOO_LARGE, f"the body has over {self.settings.max_body_bytes} bytes", close=True)
