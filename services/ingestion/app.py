"""The web application: its pages, and what runs behind them from start to end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.ingestion.endpoint import IngestEndpoint
from services.ingestion.intake import Intake
from services.ingestion.key_file import KeyRing
from services.ingestion.limits import KeyRates, Memory
from services.ingestion.metrics import CONTENT_TYPE, IngestionMetrics
from services.ingestion.openapi import DESCRIPTION, complete, request_of_ingest, responses_of_ingest
from services.ingestion.problems import Fault, ProblemError, problem_of_status
from services.ingestion.readiness import Readiness
from services.ingestion.settings import IngestionSettings
from services.ingestion.writer import RecordWriter

LOG = logging.getLogger(__name__)

INGEST_PATH = "/v1/ingest"
_TOPIC_CHECK_S = 5.0
_NANOSECONDS_PER_MS = 1_000_000


def create_app(settings: IngestionSettings, *, writer: RecordWriter, keys: KeyRing | None) -> FastAPI:
    """The application.

    Args:
        settings: limits and deadlines.
        writer: to Kafka; started and closed with the application.
        keys: None lets everybody in, which `settings.insecure_dev` allows on loopback only.
    """
    metrics = IngestionMetrics()
    readiness = Readiness(writer, settings.topic, keys, settings.ready_max_age_s, time.monotonic)
    endpoint = _endpoint(settings, writer, keys, metrics)
    metrics.watch("memory_bytes", "Bodies of requests that are not answered yet.", lambda: endpoint.memory.used_bytes)
    if keys is not None:
        metrics.watch("live_keys", "Device keys that open anything now.", lambda: keys.live)
        metrics.watch("keys_age_seconds", "Since the file of keys was last known to be good.", lambda: keys.stale_s)
    app = FastAPI(
        title="iot-brain ingestion",
        version=version("iot-brain"),
        lifespan=lambda _: _life(writer, readiness, settings),
        redoc_url=None,
    )
    _add_pages(app, endpoint, readiness, metrics)
    _add_problems(app)
    plain = app.openapi
    app.openapi = lambda: app.openapi_schema or complete(plain())  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _endpoint(
    settings: IngestionSettings, writer: RecordWriter, keys: KeyRing | None, metrics: IngestionMetrics
) -> IngestEndpoint:
    return IngestEndpoint(
        settings=settings,
        keys=keys,
        intake=Intake(writer, settings.topic, on_dead_letter=metrics.dead_letters.inc),
        metrics=metrics,
        memory=Memory(settings.memory_max_bytes),
        request_rates=KeyRates(
            "requests", rate_per_s=settings.requests_per_s, burst=settings.requests_burst, now_s=time.monotonic
        ),
        record_rates=KeyRates(
            "records", rate_per_s=settings.records_per_s, burst=settings.records_burst, now_s=time.monotonic
        ),
        now_ms=lambda: time.time_ns() // _NANOSECONDS_PER_MS,
    )


@asynccontextmanager
async def _life(writer: RecordWriter, readiness: Readiness, settings: IngestionSettings) -> AsyncIterator[None]:
    writer.start()
    watches = [
        asyncio.create_task(readiness.watch_topic(min(_TOPIC_CHECK_S, settings.ready_max_age_s / 3))),
        asyncio.create_task(readiness.watch_keys(settings.keys_check_s)),
    ]
    try:
        yield
    finally:
        for watch in watches:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        writer.close()


def _add_pages(app: FastAPI, endpoint: IngestEndpoint, readiness: Readiness, metrics: IngestionMetrics) -> None:
    async def ingest(request: Request) -> Response:
        return await endpoint(request)

    app.add_api_route(
        INGEST_PATH,
        ingest,
        methods=["POST"],
        status_code=202,
        summary="Send events",
        description=DESCRIPTION,
        response_class=JSONResponse,
        response_model=None,
        responses=responses_of_ingest(),
        openapi_extra=request_of_ingest(),
    )

    @app.get("/health", summary="The process is alive")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready", summary="The process can do its work now")
    async def ready() -> Response:
        problems = readiness.problems()
        if problems:
            raise ProblemError(Fault.NOT_READY, "; ".join(problems), retry_after_s=1)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics_page() -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE)


def _add_problems(app: FastAPI) -> None:
    """Every error is problem+json, the framework's own ones too."""

    async def on_problem(request: Request, error: Any) -> Response:
        del request
        response: Response = error.response()
        return response

    async def on_status(request: Request, error: Any) -> Response:
        response = problem_of_status(error.status_code, f"{request.method} {request.url.path[:200]}").response()
        response.headers.update(error.headers or {})
        return response

    async def on_crash(request: Request, error: Exception) -> Response:
        del request
        LOG.error("an error of the service", exc_info=error)
        return ProblemError(Fault.INTERNAL, "see the service's log").response()

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_status)
    app.add_exception_handler(Exception, on_crash)
