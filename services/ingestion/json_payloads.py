"""The payloads of the JSON form: what a device that speaks no protobuf says, as pydantic models."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import (
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    model_validator,
)

from schemas.proto.envelope_pb2 import (
    COUNTER_READING,
    DEVICE_STATUS,
    MESH,
    SAMPLE_BLOCK,
    CounterReading,
    DeviceStatus,
    Mesh,
    PayloadType,
    SampleBlock,
)
from schemas.samples import encode_float64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
UInt64 = Annotated[int, Field(ge=0, lt=2**64)]
UInt32 = Annotated[int, Field(ge=0, lt=2**32)]
Text = Annotated[str, Field(max_length=256)]


def _only_text(value: object) -> object:
    """ISO 8601; a bare number would be taken for seconds or milliseconds, whichever pydantic guesses."""
    if not isinstance(value, str):
        raise ValueError("want ISO 8601 with a time zone")  # of a TypeError pydantic makes no report
    return value


IsoTime = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_only_text)]
Row = Annotated[list[float], FailFast()]


class JsonPayload(BaseModel):
    """What all payloads are: strict, without unknown fields; NaN and infinities are the line's to judge."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    payload_type: ClassVar[PayloadType]
    event_type: ClassVar[str]

    @abstractmethod
    def begin_us(self, now_us: int) -> int:
        """Sensor time of the first sample in microseconds; `now_us` is the service's own."""

    @abstractmethod
    def message(self, begin_us: int) -> SampleBlock | CounterReading | Mesh | DeviceStatus:
        """The payload as its protobuf message."""


class TimedPayload(JsonPayload):
    """A payload that says when; exactly one of the two.

    Attributes:
        start_us: microseconds since the epoch.
        start: ISO 8601 with a time zone.
    """

    start_us: Int64 | None = None
    start: IsoTime | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.start_us is None) == (self.start is None):
            raise ValueError("want one of start_us and start")
        return self

    def begin_us(self, now_us: int) -> int:
        """See JsonPayload."""
        del now_us
        if self.start is not None:
            return (self.start - _EPOCH) // _MICROSECOND
        return self.start_us or 0


class JsonSampleBlock(TimedPayload):
    """Evenly spaced samples, or one reading: `values` is [sample][channel]."""

    payload_type = SAMPLE_BLOCK
    event_type = "samples"

    unit: Text
    channels: Annotated[list[Text], FailFast()] = Field(min_length=1, max_length=10_000)
    sample_rate_hz: float = 0.0
    values: Annotated[list[Row], FailFast()] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_have_every_channel(self) -> Self:
        for index, row in enumerate(self.values):
            if len(row) != len(self.channels):
                raise ValueError(f"values[{index}] has {len(row)} values for {len(self.channels)} channels")
        return self

    def message(self, begin_us: int) -> SampleBlock:
        """The block; numbers keep the double precision that JSON gives them."""
        block = encode_float64(np.array(self.values, dtype=np.float64))
        block.start_us, block.unit, block.sample_rate_hz = begin_us, self.unit, self.sample_rate_hz
        block.channels.extend(self.channels)
        return block


class JsonCounterReading(TimedPayload):
    """The register of a meter."""

    payload_type = COUNTER_READING
    event_type = "counter"

    value: float
    unit: Text
    digits: UInt32 = 0
    resolution: float = 0.0

    def message(self, begin_us: int) -> CounterReading:
        """See JsonPayload."""
        return CounterReading(
            reading_us=begin_us, value=self.value, unit=self.unit, digits=self.digits, resolution=self.resolution
        )


class JsonMesh(TimedPayload):
    """A foot scan, inline as base64 or as the name of one in the scan store.

    Attributes:
        sha256: of the mesh; of an inline one it may be left out.
        extent_mm: its length along x, y and z; a reference needs it.
    """

    payload_type = MESH
    event_type = "scan"

    format: Text
    unit: Text
    side: Text = ""
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    inline: Annotated[Base64Bytes, Field(strict=False)] | None = None
    reference: str | None = Field(None, max_length=2_048)
    extent_mm: list[float] = Field(default_factory=list, max_length=3)

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if (self.inline is None) == (self.reference is None):
            raise ValueError("want one of inline and reference")
        return self

    def message(self, begin_us: int) -> Mesh:
        """See JsonPayload."""
        del begin_us
        body = {"reference": self.reference} if self.inline is None else {"inline": self.inline}
        digest = bytes.fromhex(self.sha256)
        if not digest and self.inline is not None:
            digest = hashlib.sha256(self.inline).digest()
        return Mesh(format=self.format, unit=self.unit, side=self.side, sha256=digest, extent_mm=self.extent_mm, **body)


class JsonDeviceStatus(JsonPayload):
    """What a device says of itself; it is about now."""

    payload_type = DEVICE_STATUS
    event_type = "device_status"

    state: Text
    software_version: Text = ""
    read_count: UInt64 = 0
    spooled_count: UInt64 = 0
    sent_count: UInt64 = 0
    rejected_count: UInt64 = 0
    last_acknowledged_sequence: UInt64 = 0
    clock_synchronised: bool = False
    monotonic_ms: Int64 = 0
    spool_depth_count: UInt64 = 0
    spool_depth_bytes: UInt64 = 0
    lost_count: UInt64 = 0
    dropped_count: UInt64 = 0
    source: Text = ""
    detail: Text = ""
    silent_sensors: list[Text] = Field(default_factory=list)

    def begin_us(self, now_us: int) -> int:
        """See JsonPayload."""
        return now_us

    def message(self, begin_us: int) -> DeviceStatus:
        """See JsonPayload."""
        del begin_us
        return DeviceStatus(**self.model_dump())
