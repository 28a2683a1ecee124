"""The metrics of the ingestion service, each named here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from services.ingestion.screening import Screened
from services.ingestion.writer import Delivery, Fate

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class IngestionMetrics:
    """Counts of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "brain_ingestion_requests",
            "Requests to /v1/ingest by the status they were answered with.",
            ["status"],
            registry=self._registry,
        )
        self.records = Counter(
            "brain_ingestion_records",
            "Records by what became of them; the reason of those that were rejected.",
            ["result", "reason"],
            registry=self._registry,
        )
        self.dead_letters = Counter(
            "brain_ingestion_dead_letters", "Records that Kafka refused for good.", registry=self._registry
        )
        self.body_bytes = Counter(
            "brain_ingestion_body_bytes",
            "Bodies as they were sent, of requests that were read.",
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "brain_ingestion_request_duration_seconds",
            "From the end of the headers to the answer.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.kafka_seconds = Histogram(
            "brain_ingestion_acknowledge_duration_seconds",
            "From handing a request's records to Kafka to the fate of the last.",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Adds a gauge that is read when it is asked for."""
        Gauge(f"brain_ingestion_{name}", text, registry=self._registry).set_function(value)

    def count_records(self, screened: Sequence[Screened], deliveries: Sequence[Delivery]) -> None:
        """Counts the records of one request."""
        for item in screened:
            if item.rejection is not None:
                self.records.labels("rejected", item.rejection.reason.value).inc()
        acknowledged = sum(delivery.fate is Fate.ACKNOWLEDGED for delivery in deliveries)
        self.records.labels("accepted", "").inc(acknowledged)
        self.records.labels("failed", "").inc(len(deliveries) - acknowledged)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
