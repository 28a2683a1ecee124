"""The settings of the HTTP sender; a section of the agent's own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

MIB = 1024 * 1024


class HttpSenderSettings(BaseModel):
    """Where and how records are sent.

    Attributes:
        url: of the ingestion service, without a path: `https://ingest.example`.
        key: of the device or gateway, `<key id>.<secret>`; none only for a service in `--insecure-dev`.
        ca_location: PEM file of the authority that signed the service's certificate; else the system's own.
        compression: of each request; `zstd` needs the package zstandard.
        batch_max_records, batch_max_bytes: of a request; a record alone may be larger.
        linger_ms: how long a record waits for others.
        requests_in_flight: with more than one, records of a device may come to stand in another order.
        queue_max_records, queue_max_bytes: bound of the memory; a full queue holds the reader back.
        timeout_s: of a request, from its beginning to its answer.
        backoff_first_s, backoff_max_s: waits between tries, each a random part of a time that doubles.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field("http://127.0.0.1:8080", pattern=r"^https?://[^/?#@\s]+$")
    key: SecretStr | None = None
    ca_location: Path | None = None
    compression: Literal["gzip", "zstd", "none"] = "gzip"
    batch_max_records: int = Field(500, ge=1, le=10_000)
    batch_max_bytes: int = Field(MIB, ge=1_000, le=8 * MIB)
    linger_ms: int = Field(20, ge=0, le=60_000)
    requests_in_flight: int = Field(1, ge=1, le=16)
    queue_max_records: int = Field(20_000, ge=1, le=10_000_000)
    queue_max_bytes: int = Field(64 * MIB, ge=1_000)
    timeout_s: float = Field(30.0, gt=0, le=600)
    backoff_first_s: float = Field(0.5, gt=0, le=60)
    backoff_max_s: float = Field(60.0, gt=0, le=3_600)
