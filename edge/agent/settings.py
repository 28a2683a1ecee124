"""The settings of the agent: defaults < YAML file < environment (`BRAIN_AGENT_*`) < flags.

The YAML file is named by `--config` or BRAIN_AGENT_CONFIG; its keys are the names of the fields below.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from edge.framing import BlockEncoding, Framing
from edge.senders.http_settings import HttpSenderSettings
from edge.senders.kafka_settings import KafkaConnection
from edge.sources.model import Identifier, Section
from edge.sources.settings import SourceList
from edge.spool.settings import DrainSettings, SpoolSettings
from schemas.settings import ProgramSettings


class Way(StrEnum):
    """Where the agent sends to."""

    KAFKA = "kafka"
    HTTP = "http"


class KafkaWay(Section, KafkaConnection):
    """Straight to the brokers."""


class StatusSettings(Section):
    """What the agent says of itself.

    Attributes:
        interval_s: between two status events of a device, and of the agent.
        silent_after: a sensor is silent after so many times its own cadence.
        silent_least_s: and not before so long.
    """

    interval_s: float = Field(5.0, gt=0.0, le=3_600.0)
    silent_after: float = Field(5.0, gt=1.0)
    silent_least_s: float = Field(5.0, ge=0.0)


class AgentSettings(ProgramSettings):
    """Everything that can be set about the agent.

    Attributes:
        agent_id: the device under which the agent reports its own state.
        session_id: of readings whose source knows none; the jobs cut sessions by pauses anyway.
        sources: what is read, several at once.
        queue_measurements: of each source, on their way to the disk; a source whose queue is full waits.
        max_unreadable_bytes: of the file of what could not be read; when it is full, sources that send such wait.
        encoding, int16_scale: how samples are written.
        stop_s: how long the end waits for acknowledgements; what has none is sent after the next start.
    """

    prefix: ClassVar[str] = "BRAIN_AGENT_"
    yaml_variable: ClassVar[str] = "BRAIN_AGENT_CONFIG"
    shared_variables: ClassVar[Mapping[str, str]] = {"KAFKA_BOOTSTRAP_SERVERS": "kafka.bootstrap_servers"}

    tenant_id: Identifier = "local"
    site_id: Identifier = "local"
    agent_id: Identifier = "agent"
    session_id: Identifier = "live"
    sources: SourceList = Field(min_length=1)
    spool: SpoolSettings = SpoolSettings(directory=Path("brain-spool"))
    drain: DrainSettings = DrainSettings()
    send: Way = Way.KAFKA
    kafka: KafkaWay = KafkaWay()
    http: HttpSenderSettings = HttpSenderSettings()
    status: StatusSettings = StatusSettings()
    queue_measurements: int = Field(1_000, ge=1, le=1_000_000)
    max_unreadable_bytes: int = Field(64 * 1024 * 1024, ge=0)
    encoding: BlockEncoding = BlockEncoding.FLOAT32
    int16_scale: float = Field(0.1, gt=0.0, allow_inf_nan=False)
    stop_s: float = Field(10.0, ge=0.0, le=3_600.0)

    def framing(self) -> Framing:
        """How values are written; live sources cut their blocks themselves."""
        return Framing(encoding=self.encoding, int16_scale=self.int16_scale)
