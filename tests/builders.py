"""Makes the objects of the domain, valid by default; a test says only what matters to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import SCHEMA_VERSION, Record, make_event_id, to_record
from schemas.proto.envelope_pb2 import COUNTER_READING, MESH, SAMPLE_BLOCK, CounterReading, EventEnvelope, Mesh
from schemas.samples import encode_float32, encode_scaled_int16
from schemas.sensors import SENSORS

START_US = 1_760_000_000_000_000
APPEND_MS = START_US // 1000 + 60_000


@dataclass
class FrameBuilder:
    """One valid frame; change a field to make another."""

    tenant_id: str = "lab"
    device_id: str = "walker-1"
    session_id: str = "s-1"
    sensor_type: str = "TEMP"
    boot_id: str = "boot-1"
    site_id: str = "home"
    sequence: int = 0
    start_us: int = START_US
    session_start_ms: int = START_US // 1000
    sample_rate_hz: float = 1.0
    channels: tuple[str, ...] = ()
    unit: str = ""
    samples: NDArray[np.float64] = field(default_factory=lambda: np.array([[21.5]]))
    resent: bool = False
    int16_scale: float = 0.0

    def envelope(self) -> EventEnvelope:
        """The envelope with its payload."""
        sensor = SENSORS.get(self.sensor_type)
        known = sensor.channel_names[: self.samples.shape[1]] if sensor else ("value",)
        if self.int16_scale:
            block = encode_scaled_int16(self.samples, self.int16_scale)
        else:
            block = encode_float32(self.samples)
        block.start_us = self.start_us
        block.sample_rate_hz = self.sample_rate_hz
        block.channels.extend(self.channels or known)
        block.unit = self.unit or (sensor.unit if sensor else "")
        return EventEnvelope(
            event_id=make_event_id(self.tenant_id, self.device_id, self.boot_id, self.sequence),
            schema_version=SCHEMA_VERSION,
            event_type="samples",
            tenant_id=self.tenant_id,
            site_id=self.site_id,
            device_id=self.device_id,
            session_id=self.session_id,
            sensor_type=self.sensor_type,
            sensor_timestamp_ms=self.start_us // 1000,
            ingest_timestamp_ms=self.start_us // 1000 + 40,
            session_start_ms=self.session_start_ms,
            boot_id=self.boot_id,
            sequence=self.sequence,
            resent=self.resent,
            payload_type=SAMPLE_BLOCK,
            payload=block.SerializeToString(deterministic=True),
        )

    def record(self) -> Record:
        """The Kafka record."""
        return to_record(self.envelope())


def scalar_records(count: int, *, period_us: int = 1_000_000, **fields: object) -> list[Record]:
    """Readings of one sensor, one a period, values 20.0, 20.1, ..."""
    return [
        FrameBuilder(
            sequence=index,
            start_us=START_US + index * period_us,
            samples=np.array([[20 + index / 10]]),
            **fields,  # type: ignore[arg-type]
        ).record()
        for index in range(count)
    ]


def wave_records(samples: NDArray[np.float64], *, rate_hz: float = 100.0, **fields: object) -> list[Record]:
    """A GRF signal [n, channels] in frames of one second."""
    step = round(rate_hz)
    return [
        FrameBuilder(
            sensor_type="GRF",
            sequence=first // step,
            sample_rate_hz=rate_hz,
            start_us=START_US + round(first * 1_000_000 / rate_hz),
            samples=samples[first : first + step],
            **fields,  # type: ignore[arg-type]
        ).record()
        for first in range(0, len(samples), step)
    ]


def counter_record(
    value: float, *, sequence: int = 0, at_s: int = 0, digits: int = 9, unit: str = "kWh", sensor_type: str = "KWH"
) -> Record:
    """A reading of an energy counter whose last digit is 0.01 kWh."""
    start_us = START_US + at_s * 1_000_000
    envelope = FrameBuilder(sensor_type=sensor_type, sequence=sequence, start_us=start_us).envelope()
    envelope.payload_type = COUNTER_READING
    reading = CounterReading(reading_us=start_us, value=value, unit=unit, digits=digits, resolution=0.01)
    envelope.payload = reading.SerializeToString(deterministic=True)
    return to_record(envelope)


def scan_record(mesh: Mesh, *, sequence: int = 0, at_s: int = 0, sensor_type: str = "SCANNER") -> Record:
    """A scan of one foot."""
    envelope = FrameBuilder(sensor_type=sensor_type, sequence=sequence, start_us=START_US + at_s * 1_000_000).envelope()
    envelope.event_type, envelope.payload_type = "scan", MESH
    envelope.payload = mesh.SerializeToString(deterministic=True)
    return to_record(envelope)
