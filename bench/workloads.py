"""The two workloads: single readings and waveforms, each in sessions of one minute."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.sensors import SENSORS

FRAMES_PER_SESSION = 60
FRAME_MS = 1_000
WAVE_MS = 90_000
"""Sensor time from one wave of sessions to the next: a minute of frames and a silence."""

QUICK_DIVISOR = 10
FLAT_FACTOR = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """What the topic holds.

    Attributes:
        name: as it stands in the table.
        sensor_type: in the catalogue; all its channels are sent.
        samples: of each channel in a frame of one second.
        low, high: values are uniform between them, in the sensor's unit.
        concurrent_sessions: how many sessions are under way at a time, their frames taking turns.
        stages: the sizes of the topic at which contenders are measured, in sessions, ascending.
    """

    name: str
    sensor_type: str
    samples: int
    low: float
    high: float
    concurrent_sessions: int
    stages: tuple[int, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel names of a frame."""
        return SENSORS[self.sensor_type].channel_names

    @property
    def unit(self) -> str:
        """The unit of every value."""
        return SENSORS[self.sensor_type].unit

    def frames(self, stage: int) -> int:
        """How many frames the topic holds at a stage."""
        return self.stages[stage] * FRAMES_PER_SESSION

    def quick(self) -> Workload:
        """A tenth of the size, for development: figures of such a run mean little."""
        return replace(self, stages=tuple(max(1, sessions // QUICK_DIVISOR) for sessions in self.stages))

    def long(self) -> Workload:
        """The second largest size and ten times it, to see whether memory stays flat."""
        return replace(self, stages=(self.stages[-2], self.stages[-2] * FLAT_FACTOR))


SCALAR = Workload("scalar", "TEMP", 1, 15.0, 25.0, concurrent_sessions=1_000, stages=(840, 2_520, 16_650, 66_600))
"""1 value a frame: 50,400, 151,200, 999,000 and 3,996,000 frames."""

WAVEFORM = Workload("waveform", "GRF", 100, 0.0, 800.0, concurrent_sessions=100, stages=(100, 300, 3_000, 9_000))
"""100 samples of 16 channels a frame: 6,000, 18,000, 180,000 and 540,000 frames."""

WORKLOADS = (SCALAR, WAVEFORM)
