"""The settings of the services: defaults < environment < flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import SettingsError
from schemas.topics import Topic


class TickerSettings(BaseSettings):
    """What the ticker needs; built with `load_ticker_settings`.

    Attributes:
        kafka_bootstrap_servers: `host:port`, several separated by commas.
        ticker_topic: gets one heartbeat for each of its partitions.
        ticker_interval_ms: between two rounds; the watermark moves in steps of this size when all is silent.
    """

    model_config = SettingsConfigDict(frozen=True)

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")
    ticker_topic: str = Topic.RAWFRAMES.value
    ticker_interval_ms: int = Field(1_000, ge=50, le=60_000)


def load_ticker_settings(flags: Mapping[str, Any]) -> TickerSettings:
    """Read the ticker's settings once, at the entry.

    Args:
        flags: setting name -> value as given on the command line.

    Raises:
        SettingsError: naming every wrong setting at once.
    """
    try:
        return TickerSettings(**flags)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, detail['loc']))} ({'_'.join(map(str, detail['loc'])).upper()}): "
            f"{detail['msg']}, got {detail['input']!r}"
            for detail in error.errors()
        ]
        raise SettingsError("wrong settings:\n" + "\n".join(lines)) from error
