"""Windows: the frames of all sensors of one device in one stretch of sensor time, opened and without duplicates.

A frame belongs to the window in which it begins. The result is a function of the set of frames: order of arrival,
duplicates and replay speed change nothing but the columns that tell of the arrival itself (`Row.arrival`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.envelope import RecordKey
from schemas.per_device import PerDevice
from schemas.rows import RowValues
from udfs.layouts import MICROSECONDS
from udfs.records import SampleFrame, read_frame

DAY_S = 86_400
SHORT_WINDOWS_S = (60, 300)
"""Lengths of the tumbling windows; beside them there is one of a day, `DAY_S`, and `WAVEFORM_S` for waveforms."""
WAVEFORM_S = 600
"""The period of short-term flicker (IEC 61000-4-15)."""
SLOW_FRAME_BYTES = 1_024
"""Frames up to this size count for the window of a day: blocks of some two hundred values. A waveform's day would be
gigabytes. Longer ones are waveforms."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """Which frames make windows together.

    Attributes:
        key: the sensor part of the windows' record keys: the domain.
        sensors: the sensor types that are joined.
        day_sensors: those that count for the window of a day.
        day_begins_ms: where the day begins, after midnight UTC.
        waveform_sensors: those whose waveforms have a window of `WAVEFORM_S` too.
    """

    key: str
    sensors: tuple[str, ...]
    day_sensors: tuple[str, ...]
    day_begins_ms: int = 0
    waveform_sensors: tuple[str, ...] = ()

    def windows_of(self, key: RecordKey, sensor_ms: int, value: bytes) -> list[tuple[int, int]]:
        """Length in s and begin in ms of each window to which a frame belongs; `jobs/runtime/windows.py` in SQL."""
        if key.sensor_type not in self.sensors:
            return []
        is_slow = len(value) <= SLOW_FRAME_BYTES
        lengths_s = [*SHORT_WINDOWS_S]
        if key.sensor_type in self.waveform_sensors and not is_slow:
            lengths_s.append(WAVEFORM_S)
        windows = [(length_s, sensor_ms - sensor_ms % (length_s * 1000)) for length_s in lengths_s]
        if key.sensor_type in self.day_sensors and is_slow:
            windows.append((DAY_S, sensor_ms - (sensor_ms - self.day_begins_ms) % (DAY_S * 1000)))
        return windows


@dataclass(frozen=True, slots=True)
class WindowGroup:
    """The frames of one device and window that arrived without an idle pause.

    Attributes:
        key: of the device's session; its sensor type is the domain.
        start_ms: where the window begins in sensor time.
        window_s: its length.
        last_append_ms: the broker's append time of the last frame.
        values: sealed envelopes of all its sensors, in any order, duplicates included.
    """

    key: RecordKey
    start_ms: int
    window_s: int
    last_append_ms: int
    values: Sequence[bytes]


T = TypeVar("T")


def describe_by_device(
    groups: Sequence[WindowGroup],
    settings: PerDevice[T],
    describe: Callable[[Sequence[WindowGroup], T], list[RowValues | None]],
) -> list[RowValues | None]:
    """The rows of windows, in their order, each described by the settings of its device.

    Args:
        groups: windows of any devices.
        settings: by device.
        describe: rows of windows of one setting; it is called once for each.
    """
    chosen = [settings.of(group.key) for group in groups]
    rows: list[RowValues | None] = [None] * len(groups)
    for one in dict.fromkeys(map(id, chosen)):
        places = [place for place, value in enumerate(chosen) if id(value) == one]
        for place, row in zip(places, describe([groups[i] for i in places], chosen[places[0]]), strict=True):
            rows[place] = row
    return rows


SensorFrames = dict[str, list[SampleFrame]]
"""Sensor type -> its distinct frames in the order of sensor time."""


def frames_by_sensor(values: Sequence[bytes]) -> SensorFrames:
    """Opens the frames of a window; what is no frame is left out."""
    distinct: dict[bytes, SampleFrame] = {}
    for value in values:
        frame = read_frame(value)
        if frame is not None:
            distinct.setdefault(frame.event, frame)
    sensors: SensorFrames = {}
    for frame in sorted(distinct.values(), key=lambda frame: (frame.block.start_us, frame.event)):
        sensors.setdefault(frame.layout.sensor.sensor_type, []).append(frame)
    return sensors


def sample_times_us(frame: SampleFrame) -> NDArray[np.int64]:
    """Sensor time of each sample of a frame, shape [samples]."""
    rate_hz = frame.layout.sample_rate_hz
    offsets = np.rint(np.arange(frame.layout.samples) * (MICROSECONDS / rate_hz)) if rate_hz else np.zeros(1)
    return frame.block.start_us + offsets.astype(np.int64)


def window_extent(group: WindowGroup, frames: int) -> RowValues:
    """Key and extent of a window in which so many distinct frames stand."""
    return group.key._asdict() | {
        "session_start_ms": group.start_ms,
        "session_end_ms": group.start_ms + group.window_s * 1000,
        "revision": frames,
        "frames": frames,
        "last_append_ms": group.last_append_ms,
        "window_s": group.window_s,
    }
