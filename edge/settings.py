"""The settings of the edge agent: defaults < YAML file < environment (`BRAIN_EDGE_*`) < flags.

The YAML file is named by BRAIN_EDGE_CONFIG; its keys are the names of the fields below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import AwareDatetime, Field, field_validator

from edge.framing import BlockEncoding, Framing
from edge.pace import AS_FAST_AS_POSSIBLE
from edge.senders.kafka_settings import KafkaConnection
from edge.sources.model import Identifier
from schemas.settings import ProgramSettings


class EdgeSettings(KafkaConnection, ProgramSettings):
    """Everything that can be set about the edge agent.

    Attributes:
        device_id: of every recording; by default each recording is a device of its own, named as the recording.
        session_id: of every recording; by default the recording's name.
        boot_id: by default new at every start. The same boot id and start time give the same events again.
        speed: multiple of real time; 0 or "max" is as fast as possible.
        start: wall clock at the recordings' own zero, with time zone; "now" keeps every sample behind the clock.
            Dated recordings keep their dates with "now"; else the earliest of them begins at `start`.
        limit_s: only the first seconds of each measurement: of all sensors and parts behind one address together.
        scan_store: folder or URL for meshes that are too large for a frame, as fsspec takes it.
    """

    prefix: ClassVar[str] = "BRAIN_EDGE_"
    yaml_variable: ClassVar[str] = "BRAIN_EDGE_CONFIG"
    shared_variables: ClassVar[Mapping[str, str]] = {"KAFKA_BOOTSTRAP_SERVERS": "bootstrap_servers"}

    tenant_id: Identifier = "local"
    site_id: Identifier = "local"
    device_id: Identifier | None = None
    session_id: Identifier | None = None
    boot_id: Identifier | None = None

    speed: float = Field(1.0, ge=0.0, allow_inf_nan=False)
    start: AwareDatetime | None = None
    limit_s: float | None = Field(None, gt=0.0, allow_inf_nan=False)
    one_after_another: bool = False
    scan_store: str | None = Field(None, min_length=1)
    block_s: float = Field(1.0, gt=0.0, le=60.0)
    encoding: BlockEncoding = BlockEncoding.FLOAT32
    int16_scale: float = Field(0.1, gt=0.0, allow_inf_nan=False)

    @field_validator("speed", mode="before")
    @classmethod
    def _max_is_zero(cls, value: object) -> object:
        return AS_FAST_AS_POSSIBLE if value == "max" else value

    @field_validator("start", mode="before")
    @classmethod
    def _now_is_none(cls, value: object) -> object:
        return None if value == "now" else value

    def framing(self) -> Framing:
        """How recordings are cut into blocks."""
        return Framing(self.block_s, self.encoding, self.int16_scale)
