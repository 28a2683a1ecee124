"""What a source is: evenly spaced samples of one sensor, in pieces, as they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidMessage, Reason
from schemas.sensors import SENSORS


class Source(Protocol):
    """One sensor's samples at a fixed rate.

    File replay and the synthetic walker give one piece, the whole recording. A serial, MQTT or HTTP source
    gives a piece whenever samples arrive. The framer cuts both the same way.
    """

    @property
    def name(self) -> str:
        """What the source is called in messages, and the default of its device and session ids."""
        ...

    @property
    def sensor_type(self) -> str:
        """A key of `schemas.sensors.SENSORS`."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names of the catalogue, in the order of the sample columns."""
        ...

    @property
    def unit(self) -> str:
        """The unit of every value."""
        ...

    @property
    def sample_rate_hz(self) -> float:
        """Samples per second."""
        ...

    @property
    def start_s(self) -> float:
        """Time of the first sample in s, counted from the source's own zero."""
        ...

    def pieces(self) -> Iterator[NDArray[np.float64]]:
        """Samples [any number, channels] in order, without gaps between the pieces."""
        ...


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished recording: a `Source` whose samples are all there.

    What several sensors of a device measured are several recordings of one name. So are the parts of a series with
    gaps: a recording has no room for a gap.

    Attributes:
        name: of the recording, such as "GaCo01_01".
        start_s: time of the first sample in s by the recording's own time column.
        samples: [n, channels], n >= 1, in `unit`.
        dated: whether `start_s` is Unix time, s since the epoch in UTC; else it counts from a zero of the file's own.

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

    def pieces(self) -> Iterator[NDArray[np.float64]]:
        """All samples as one piece."""
        yield self.samples

    def first_seconds(self, limit_s: float) -> Self:
        """The first `limit_s` seconds, at least one sample."""
        return replace(self, samples=self.samples[: max(1, round(limit_s * self.sample_rate_hz))])


def check_catalogue(source: Source) -> None:
    """Hold what a source says of itself against the sensor catalogue; its values are not looked at.

    Raises:
        InvalidMessage: with the reason with which the line would refuse every frame of the source.
    """
    sensor = SENSORS.get(source.sensor_type)
    if sensor is None:
        raise InvalidMessage(Reason.UNKNOWN_SENSOR, f"sensor_type {source.sensor_type!r} is not in the catalogue")
    who = f"{source.name}, {sensor.sensor_type}"
    if source.unit != sensor.unit:
        raise InvalidMessage(Reason.UNIT_MISMATCH, f"{who}: unit {source.unit!r}, the catalogue has {sensor.unit!r}")
    unknown = sorted(set(source.channels) - set(sensor.channel_names))
    if unknown or len(set(source.channels)) < len(source.channels):
        what = f"no channels of the catalogue: {', '.join(unknown[:5])}" if unknown else "a channel twice"
        raise InvalidMessage(Reason.BAD_CHANNELS, f"{who}: {what}")
    if source.sample_rate_hz > sensor.max_sample_rate_hz:
        raise InvalidMessage(
            Reason.BAD_SAMPLE_RATE, f"{who}: {source.sample_rate_hz:g} Hz, at most {sensor.max_sample_rate_hz:g}"
        )
