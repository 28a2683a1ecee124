"""POST /v1/ingest: from the request to the answer, one step after another."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from services.ingestion import batches
from services.ingestion.body import BodyReader
from services.ingestion.compression import IDENTITY, decompress, known_encoding
from services.ingestion.intake import Intake
from services.ingestion.json_events import JsonRequest
from services.ingestion.key_file import KeyRing
from services.ingestion.keys import WILDCARD, Grant
from services.ingestion.limits import KeyRates, Memory
from services.ingestion.metrics import IngestionMetrics
from services.ingestion.problems import Fault, ProblemError
from services.ingestion.results import answer
from services.ingestion.screening import Screened, screen_json, screen_protobuf
from services.ingestion.settings import IngestionSettings

SMALL_BODY_BYTES = 32_768
"""A larger body is opened in a thread, so that it does not hold up every other request."""

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class Wire:
    """What the headers say of the body."""

    media_type: str
    encoding: str
    idempotency_key: str

    @classmethod
    def of(cls, request: Request) -> Wire:
        """Reads the headers.

        Raises:
            ProblemError: if one of them is malformed or names what is not supported.
        """
        key = request.headers.get("idempotency-key", "")
        if key and _IDEMPOTENCY_KEY.fullmatch(key) is None:
            detail = "want 1 to 256 visible ASCII characters"
            raise ProblemError(Fault.BAD_HEADER, detail, field="Idempotency-Key")
        media_type = batches.known_media_type(request.headers.get("content-type"))
        return cls(media_type, known_encoding(request.headers.get("content-encoding")), key)


@dataclass(frozen=True, slots=True)
class IngestEndpoint:
    """Answers requests to /v1/ingest.

    Attributes:
        settings: limits and deadlines.
        keys: None lets everybody in, as the insecure tenant.
        intake: to Kafka.
        metrics: what is counted.
        memory, request_rates, record_rates: limits that requests share.
        now_ms: wall clock.
    """

    settings: IngestionSettings
    keys: KeyRing | None
    intake: Intake
    metrics: IngestionMetrics
    memory: Memory
    request_rates: KeyRates
    record_rates: KeyRates
    now_ms: Callable[[], int]

    async def __call__(self, request: Request) -> Response:
        """The answer to a request, whatever it is."""
        begin_s = time.perf_counter()
        with BodyReader(request, self.settings, self.memory) as reader:
            try:
                response = await self._accept(request, reader)
            except ProblemError as problem:
                if not problem.close:
                    await reader.discard()
                problem.close = problem.close or not reader.complete
                response = problem.response()
            except ClientDisconnect:
                # Nobody hears this; it is for the count.
                response = Response(status_code=HTTPStatus.BAD_REQUEST)
        self.metrics.requests.labels(str(response.status_code)).inc()
        self.metrics.request_seconds.observe(time.perf_counter() - begin_s)
        return response

    async def _accept(self, request: Request, reader: BodyReader) -> Response:
        grant = self._admit(request)
        self.request_rates.take(grant.key_id, 1)
        wire = Wire.of(request)
        body = await reader.read()
        self.metrics.body_bytes.inc(len(body))
        screened = await self._screen(body, wire, grant, reader)
        reader.keep(len(body) + sum(len(item.record.value) for item in screened if item.record is not None))
        self.record_rates.take(grant.key_id, len(screened))
        with self.metrics.kafka_seconds.time():
            deliveries = await self.intake.store(screened)
        self.metrics.count_records(screened, deliveries)
        return answer(screened, deliveries)

    def _admit(self, request: Request) -> Grant:
        if self.keys is None:
            return Grant.of("insecure", self.settings.insecure_tenant, [WILDCARD])
        return self.keys.admit(request.headers.get("authorization"))

    async def _screen(self, body: bytes, wire: Wire, grant: Grant, reader: BodyReader) -> list[Screened]:
        limit_bytes = self._opened_limit_bytes(wire)
        if wire.encoding != IDENTITY:
            # Before it is known how large it gets: nothing may be allocated that was not counted.
            reader.take(limit_bytes)
        if len(body) <= SMALL_BODY_BYTES and wire.encoding == IDENTITY:
            return self._open(body, wire, grant)
        return await asyncio.to_thread(self._open, body, wire, grant)

    def _open(self, body: bytes, wire: Wire, grant: Grant) -> list[Screened]:
        opened = decompress(body, wire.encoding, self._opened_limit_bytes(wire))
        if wire.media_type == batches.PROTOBUF:
            envelopes = batches.open_protobuf(opened, self.settings.max_records)
            return screen_protobuf(envelopes, grant, self.now_ms())
        events, path = batches.open_json(opened, self.settings.max_records)
        return screen_json(events, path, grant, JsonRequest(grant.tenant_id, wire.idempotency_key, self.now_ms()))

    def _opened_limit_bytes(self, wire: Wire) -> int:
        limits = self.settings
        return limits.max_json_bytes if wire.media_type == batches.JSON else limits.max_decompressed_bytes
