"""What a source is: evenly spaced samples of one sensor, in pieces, as they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray


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

    Attributes:
        name: of the recording, such as "GaCo01_01".
        start_s: time of the first sample in s by the recording's own time column.
        samples: [n, channels], n >= 1, in `unit`.

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

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[1] != len(self.channels) or len(self.samples) == 0:
            raise ValueError(f"{self.name}: samples {self.samples.shape} for {len(self.channels)} channels")
        if not 0.0 < self.sample_rate_hz < float("inf"):
            raise ValueError(f"{self.name}: sample_rate_hz={self.sample_rate_hz}")

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last sample's period."""
        return len(self.samples) / self.sample_rate_hz

    def pieces(self) -> Iterator[NDArray[np.float64]]:
        """All samples as one piece."""
        yield self.samples

    def first_seconds(self, limit_s: float) -> Self:
        """The first `limit_s` seconds, at least one sample."""
        return replace(self, samples=self.samples[: max(1, round(limit_s * self.sample_rate_hz))])
