"""What a device measured, ready to be framed: samples, a counter's reading or a foot scan, each with its sensor time.

Recordings and live sources give measurements; `edge.framer.frame` wraps each in the envelope in which it travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edge.framing import BlockEncoding, Framing
from schemas.proto.envelope_pb2 import COUNTER_READING, MESH, SAMPLE_BLOCK, CounterReading, Mesh, PayloadType
from schemas.samples import encode_float32, encode_scaled_int16
from schemas.sensors import COUNTER_SENSOR, SCAN_SENSOR

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Evenly spaced samples of one sensor.

    Attributes:
        sensor_type: a key of `schemas.sensors.SENSORS`.
        channels: names of the catalogue, in the order of the columns.
        unit: of every value.
        sample_rate_hz: 0 for a single reading without a rate.
        start_us: sensor time of the first sample, us since the epoch.
        values: shape [n, channels], n >= 1.
    """

    sensor_type: str
    channels: tuple[str, ...]
    unit: str
    sample_rate_hz: float
    start_us: int
    values: NDArray[np.float64]

    @property
    def end_us(self) -> int:
        """The end of the last sample's period."""
        if self.sample_rate_hz == 0.0:
            return self.start_us
        return self.start_us + samples_us(len(self.values), self.sample_rate_hz)

    def payload(self, framing: Framing) -> tuple[PayloadType, bytes]:
        """Kind and bytes of the payload.

        Raises:
            InvalidMessage: if a value does not fit into the int16 of the framing.
        """
        if framing.encoding is BlockEncoding.SCALED_INT16:
            block = encode_scaled_int16(self.values, framing.int16_scale)
        else:
            block = encode_float32(self.values)
        block.start_us = self.start_us
        block.sample_rate_hz = self.sample_rate_hz
        block.channels.extend(self.channels)
        block.unit = self.unit
        return SAMPLE_BLOCK, block.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class Register:
    """How an energy meter counts: it starts again at 10^digits x resolution; 0 where unknown."""

    digits: int = 0
    resolution: float = 0.0


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """The register of an energy meter at one moment.

    Attributes:
        start_us: sensor time, us since the epoch.
        value: in `unit`.
    """

    start_us: int
    value: float
    unit: str
    register: Register

    @property
    def sensor_type(self) -> str:
        """Always that of a counter."""
        return COUNTER_SENSOR

    @property
    def end_us(self) -> int:
        """A reading has no length."""
        return self.start_us

    def payload(self, framing: Framing) -> tuple[PayloadType, bytes]:
        """Kind and bytes of the payload; a counter has more digits than the framing's encodings hold."""
        del framing
        reading = CounterReading(
            reading_us=self.start_us,
            value=self.value,
            unit=self.unit,
            digits=self.register.digits,
            resolution=self.register.resolution,
        )
        return COUNTER_READING, reading.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of one foot, taken at `start_us` of sensor time."""

    start_us: int
    mesh: Mesh

    @property
    def sensor_type(self) -> str:
        """Always that of a scanner."""
        return SCAN_SENSOR

    @property
    def end_us(self) -> int:
        """A scan has no length."""
        return self.start_us

    def payload(self, framing: Framing) -> tuple[PayloadType, bytes]:
        """Kind and bytes of the payload."""
        del framing
        return MESH, self.mesh.SerializeToString(deterministic=True)


Measurement = Samples | RegisterReading | Scan


def samples_us(samples: int, sample_rate_hz: float) -> int:
    """How long so many samples last, us: from their number and not from sum to sum, so that nothing drifts."""
    # A float of this size is off by up to half a microsecond before it is rounded.
    return round(Fraction(samples * US_PER_S) / Fraction(sample_rate_hz))
