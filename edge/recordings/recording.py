"""What a recording is: the samples of one sensor, or one scan, with names and a time axis of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edge.framing import Framing
from edge.measurement import US_PER_S, Measurement, Register, RegisterReading, Samples, Scan, samples_us
from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import Mesh
from schemas.sensors import SCAN_SENSOR, SENSORS


class Taken(NamedTuple):
    """A measurement of a recording, and when it was complete: s after the recording's first sample."""

    after_s: float
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Recording:
    """Evenly spaced samples of one sensor.

    What several sensors of a device measured are several recordings of one name. So are the parts of a series with
    gaps: a recording has no room for a gap.

    Attributes:
        name: of the recording, such as "GaCo01_01".
        start_s: time of the first sample in s by the recording's own time column.
        samples: [n, channels], n >= 1, in `unit`.
        dated: whether `start_s` is Unix time, s since the epoch in UTC; else it counts from a zero of the file's own.
        register: of an energy meter, whose samples are readings of its register; None for all other sensors.

    Raises:
        ValueError: if shape, channels and rate do not fit together; that is a fault of the reader.
    """

    name: str
    sensor_type: str
    channels: tuple[str, ...]
    unit: str
    sample_rate_hz: float
    samples: NDArray[np.float64]
    start_s: float = 0.0
    dated: bool = False
    register: Register | None = None

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[1] != len(self.channels) or len(self.samples) == 0:
            raise ValueError(f"{self.name}: samples {self.samples.shape} for {len(self.channels)} channels")
        if not 0.0 < self.sample_rate_hz < float("inf"):
            raise ValueError(f"{self.name}: sample_rate_hz={self.sample_rate_hz}")

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last sample's period."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def last_sample_s(self) -> float:
        """Time of the last sample in s, by the same zero as `start_s`."""
        return self.start_s + (len(self.samples) - 1) / self.sample_rate_hz

    def measurement_count(self, framing: Framing) -> int:
        """How many measurements `measurements` gives."""
        return -(-len(self.samples) // self._block_samples(framing))

    def measurements(self, origin_us: int, framing: Framing) -> Iterator[Taken]:
        """The recording cut into measurements, in order.

        Args:
            origin_us: wall clock at the recording's own zero, us since the epoch.
            framing: how long they are; a meter's readings are each a measurement.
        """
        size, rate_hz = self._block_samples(framing), self.sample_rate_hz
        first_us = first_sample_us(self, origin_us)
        for begin in range(0, len(self.samples), size):
            values = self.samples[begin : begin + size]
            start_us = first_us + samples_us(begin, rate_hz)
            yield Taken((begin + len(values)) / rate_hz, self._measurement(start_us, values))

    def _block_samples(self, framing: Framing) -> int:
        return 1 if self.register else framing.block_samples(len(self.channels), self.sample_rate_hz)

    def _measurement(self, start_us: int, values: NDArray[np.float64]) -> Measurement:
        if self.register:
            return RegisterReading(start_us, float(values[0, 0]), self.unit, self.register)
        return Samples(self.sensor_type, self.channels, self.unit, self.sample_rate_hz, start_us, values)

    def first_seconds(self, limit_s: float) -> Self:
        """The first `limit_s` seconds, at least one sample."""
        return replace(self, samples=self.samples[: max(1, round(limit_s * self.sample_rate_hz))])


@dataclass(frozen=True, slots=True)
class ScanRecording:
    """A scan of one foot; what `Recording` says of a series of samples, it says of one moment.

    Attributes:
        name: of the person or session, the same for both feet.
        mesh: as it travels.
    """

    name: str
    mesh: Mesh
    start_s: float = 0.0
    dated: bool = False

    @property
    def sensor_type(self) -> str:
        """Always that of a scanner."""
        return SCAN_SENSOR

    @property
    def duration_s(self) -> float:
        """A scan is a moment."""
        return 0.0

    @property
    def last_sample_s(self) -> float:
        """The moment of the scan."""
        return self.start_s

    def measurement_count(self, framing: Framing) -> int:
        """One."""
        del framing
        return 1

    def measurements(self, origin_us: int, framing: Framing) -> Iterator[Taken]:
        """The scan."""
        del framing
        yield Taken(0.0, Scan(first_sample_us(self, origin_us), self.mesh))

    def first_seconds(self, limit_s: float) -> Self:
        """The scan: it is not divided."""
        del limit_s
        return self


@dataclass(frozen=True, slots=True)
class RecordedFrames:
    """What one sensor of a device sent: measurements at their own times, of any lengths and with any gaps.

    Attributes:
        name: of the device.
        taken: in the order of sensor time, at least one.
    """

    name: str
    sensor_type: str
    taken: tuple[Measurement, ...]
    dated: bool = True

    @property
    def start_s(self) -> float:
        """Sensor time of the first measurement, s since the epoch."""
        return self.taken[0].start_us / US_PER_S

    @property
    def last_sample_s(self) -> float:
        """Sensor time at which the last measurement begins."""
        return self.taken[-1].start_us / US_PER_S

    @property
    def duration_s(self) -> float:
        """From the first measurement to the end of the last."""
        return (self.taken[-1].end_us - self.taken[0].start_us) / US_PER_S

    def measurement_count(self, framing: Framing) -> int:
        """As many as were recorded."""
        del framing
        return len(self.taken)

    def measurements(self, origin_us: int, framing: Framing) -> Iterator[Taken]:
        """What was recorded, moved to where the recording is placed."""
        del framing
        first_us = self.taken[0].start_us
        for one in self.taken:
            moved = replace(one, start_us=one.start_us + origin_us)
            yield Taken((one.end_us - first_us) / US_PER_S, moved)

    def first_seconds(self, limit_s: float) -> Self:
        """The measurements that begin in the first `limit_s` seconds; at least one."""
        end_us = self.taken[0].start_us + round(limit_s * US_PER_S)
        kept = tuple(one for one in self.taken if one.start_us < end_us)
        return replace(self, taken=kept or self.taken[:1])


AnyRecording = Recording | ScanRecording | RecordedFrames


def first_sample_us(recording: AnyRecording, origin_us: int) -> int:
    """Wall clock of the first sample, us since the epoch, where the recording's own zero is `origin_us`."""
    return origin_us + round(recording.start_s * US_PER_S)


def check_catalogue(recording: AnyRecording) -> None:
    """Hold what a recording says of itself against the sensor catalogue; its values are not looked at.

    Raises:
        InvalidMessage: with the reason with which the line would refuse every frame of the recording.
    """
    if not isinstance(recording, Recording):
        return
    sensor = SENSORS.get(recording.sensor_type)
    if sensor is None:
        raise InvalidMessage(Reason.UNKNOWN_SENSOR, f"sensor_type {recording.sensor_type!r} is not in the catalogue")
    who = f"{recording.name}, {sensor.sensor_type}"
    if recording.unit != sensor.unit:
        raise InvalidMessage(Reason.UNIT_MISMATCH, f"{who}: unit {recording.unit!r}, the catalogue has {sensor.unit!r}")
    unknown = sorted(set(recording.channels) - set(sensor.channel_names))
    if unknown or len(set(recording.channels)) < len(recording.channels):
        what = f"no channels of the catalogue: {', '.join(unknown[:5])}" if unknown else "a channel twice"
        raise InvalidMessage(Reason.BAD_CHANNELS, f"{who}: {what}")
    if recording.sample_rate_hz > sensor.max_sample_rate_hz:
        raise InvalidMessage(
            Reason.BAD_SAMPLE_RATE, f"{who}: {recording.sample_rate_hz:g} Hz, at most {sensor.max_sample_rate_hz:g}"
        )
