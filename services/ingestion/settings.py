"""The settings of the ingestion service: defaults < YAML (INGESTION_CONFIG) < environment (`INGESTION_*`) < flags."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from schemas.kafka import KafkaSecurity
from schemas.settings import ProgramSettings
from schemas.topics import MAX_MESSAGE_BYTES, Topic

MIB = 1024 * 1024


class IngestionSettings(KafkaSecurity, ProgramSettings):
    """Everything that can be set about the ingestion service.

    Attributes:
        host, port: where it listens.
        tls_certificate, tls_key: PEM files; without them it speaks plain HTTP, for loopback or behind a proxy.
        keys_file: device keys, of `brain-services ingestion-keys`.
        keys_check_s: how often the file is looked at for changes.
        keys_max_stale_s: with a file that can't be read for so long nobody is let in any more.
        insecure_dev: no keys at all, on loopback only; everything belongs to `insecure_tenant`.
        max_body_bytes: of a request as it is sent; the largest frame fits without compression.
        max_decompressed_bytes: of a request after decompression.
        max_json_bytes: the same of JSON, which takes many times its size in memory.
        max_records: of a request.
        max_header_bytes: request line and headers together.
        header_timeout_s: from the first moment of a connection, or of a request on it, to the end of the headers.
        body_timeout_s: from the end of the headers to the end of the body.
        body_grace_s, body_min_bytes_per_s: after the grace a body must have come at this rate on average.
        keep_alive_s: how long a connection may be idle between requests.
        max_connections: more are refused as they come.
        requests_per_s, records_per_s: of one key; `_burst` is how much it may save up.
        memory_max_bytes: bodies of all requests together, from reading to the answer.
        queue_max_kib: records that wait for Kafka.
        delivery_timeout_ms: a record that Kafka has not acknowledged by then is reported as failed.
        ready_max_age_s: `/ready` wants Kafka to have been seen so recently.
        shutdown_timeout_s: how long requests under way may take after SIGTERM.
    """

    prefix: ClassVar[str] = "INGESTION_"
    yaml_variable: ClassVar[str] = "INGESTION_CONFIG"
    shared_variables: ClassVar[Mapping[str, str]] = {"KAFKA_BOOTSTRAP_SERVERS": "kafka_bootstrap_servers"}

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    topic: str = Field(Topic.RAWFRAMES.value, pattern=r"^[A-Za-z0-9._-]{1,245}$")
    compression: str = Field("lz4", pattern="^(none|gzip|snappy|lz4|zstd)$")
    linger_ms: int = Field(2, ge=0, le=1_000)
    batch_max_bytes: int = Field(1_000_000, ge=1_000, le=MAX_MESSAGE_BYTES)
    queue_max_kib: int = Field(65_536, ge=8_192, le=2_097_151)
    delivery_timeout_ms: int = Field(10_000, ge=100, le=300_000)
    ready_max_age_s: float = Field(15.0, gt=0, le=600)
    shutdown_timeout_s: int = Field(15, ge=1, le=600)

    keys_file: Path = Path(".brain/ingestion-keys.yaml")
    keys_check_s: float = Field(2.0, gt=0, le=30)
    keys_max_stale_s: float = Field(60.0, gt=0, le=3_600)
    insecure_dev: bool = False
    insecure_tenant: str = Field("local", pattern=r"^[A-Za-z0-9._:-]{1,128}$")

    max_body_bytes: int = Field(2 * MIB, ge=1_000, le=64 * MIB)
    max_decompressed_bytes: int = Field(8 * MIB, ge=1_000, le=256 * MIB)
    max_json_bytes: int = Field(MIB, ge=1_000, le=64 * MIB)
    max_records: int = Field(10_000, ge=1, le=100_000)
    max_header_bytes: int = Field(16_384, ge=1_024, le=MIB)
    header_timeout_s: float = Field(10.0, gt=0, le=600)
    body_timeout_s: float = Field(30.0, gt=0, le=600)
    body_grace_s: float = Field(5.0, gt=0, le=600)
    body_min_bytes_per_s: int = Field(1_000, ge=1, le=MIB)
    keep_alive_s: int = Field(5, ge=1, le=600)
    max_connections: int = Field(2_000, ge=1, le=100_000)
    memory_max_bytes: int = Field(64 * MIB, ge=MIB)
    requests_per_s: float = Field(200.0, gt=0)
    requests_burst: float = Field(400.0, ge=1)
    records_per_s: float = Field(20_000.0, gt=0)
    records_burst: float = Field(40_000.0, ge=1)

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> Self:
        if self.insecure_dev and not is_loopback(self.host):
            raise ValueError(f"insecure_dev lets everybody in: only on loopback, not on host={self.host}")
        return self

    @model_validator(mode="after")
    def _tls_is_complete(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        return self

    @model_validator(mode="after")
    def _one_request_fits(self) -> Self:
        if self.records_burst < self.max_records:
            raise ValueError(f"records_burst={self.records_burst} is less than max_records={self.max_records}")
        if self.memory_max_bytes < self.max_body_bytes + self.max_decompressed_bytes:
            raise ValueError(f"memory_max_bytes={self.memory_max_bytes} does not hold one request")
        return self

    def kafka_config(self) -> dict[str, Any]:
        """The connection as librdkafka names it; options that are not set are left to its defaults."""
        return {
            **self.kafka_security(),
            "bootstrap.servers": self.kafka_bootstrap_servers,
            "compression.type": self.compression,
            "linger.ms": self.linger_ms,
            "batch.size": self.batch_max_bytes,
            "queue.buffering.max.kbytes": self.queue_max_kib,
            "message.timeout.ms": self.delivery_timeout_ms,
            "reconnect.backoff.max.ms": 1_000,
        }


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
