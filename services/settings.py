"""The settings of the services: defaults < YAML file (TICKER_CONFIG) < environment (`TICKER_*`) < flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from schemas.settings import ProgramSettings
from schemas.topics import Topic


class TickerSettings(ProgramSettings):
    """What the ticker needs.

    Attributes:
        kafka_bootstrap_servers: `host:port`, several separated by commas.
        topic: gets one heartbeat for each of its partitions.
        interval_ms: between two rounds; the watermark moves in steps of this size when all is silent.
    """

    prefix: ClassVar[str] = "TICKER_"
    yaml_variable: ClassVar[str] = "TICKER_CONFIG"
    shared_variables: ClassVar[Mapping[str, str]] = {"KAFKA_BOOTSTRAP_SERVERS": "kafka_bootstrap_servers"}

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")
    topic: str = Topic.RAWFRAMES.value
    interval_ms: int = Field(1_000, ge=50, le=60_000)
