"""Many windows of readings at once: what goes in, what comes out, and the readings that may be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MAX_WINDOW_S = 7 * 86_400.0
US_PER_S = 1_000_000
US_PER_H = 3_600_000_000.0


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one sensor type for a whole batch.

    Attributes:
        window: shape [n], index of the window each reading belongs to; ascending.
        time_us: shape [n], sensor time in us since the epoch; ascending within a window.
        value: shape [n], in the sensor's unit; NaN is a lost reading.
    """

    window: NDArray[np.intp]
    time_us: IntArray
    value: FloatArray

    @classmethod
    def none(cls) -> Readings:
        """No readings."""
        return cls(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class EnvironmentBatch:
    """m windows of one or many devices.

    Attributes:
        start_us: shape [m], begin of each window in us since the epoch.
        length_s: shape [m], length of each window; a reading at start + length belongs to the next one.
        temp, humid, co2, pm25: degC, %, ppm and ug/m3; any of them may be empty.
    """

    start_us: IntArray
    length_s: FloatArray
    temp: Readings
    humid: Readings
    co2: Readings
    pm25: Readings


@dataclass(frozen=True, slots=True)
class EnvironmentResult:
    """The features of m windows.

    Attributes:
        values: shape [m, len(ENVIRONMENT_FEATURES)] in their order, NaN where missing.
        reasons: per window, sorted, "group:reason" for each group of `schemas.environment.ENVIRONMENT_GROUPS` in which
            a feature is missing; empty when nothing is.
        pm25_correction_method: per window a `schemas.environment.Pm25Correction` value: what was done to the PM2.5
            readings behind every PM2.5 feature but the sensor's own (`pm25_count` to `pm25_stuck_flag`).
    """

    values: FloatArray
    reasons: list[tuple[str, ...]]
    pm25_correction_method: list[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """The windows themselves, shape [m] each; a bad window (see `frame_of`) has length 0 and holds no reading."""

    start_us: IntArray
    length_us: IntArray
    bad: BoolArray

    @property
    def count(self) -> int:
        """How many windows."""
        return self.start_us.size

    @property
    def length_s(self) -> FloatArray:
        """Lengths in s, 0 for a bad window."""
        return self.length_us / US_PER_S


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one sensor that may be used: inside their window, finite and within the valid range.

    Attributes:
        window, time_us, value: shape [n], ordered by window and time.
        count: shape [m], readings per window.
        given: shape [m], finite readings and infinite ones, also those out of range.
        lost: shape [m], NaN readings.
    """

    window: NDArray[np.intp]
    time_us: IntArray
    value: FloatArray
    count: IntArray
    given: IntArray
    lost: IntArray

    @property
    def first(self) -> IntArray:
        """Shape [m], where each window's readings begin."""
        return np.cumsum(self.count) - self.count

    def where(self, keep: BoolArray, value: FloatArray | None = None) -> Series:
        """Some of the readings, shape [n], perhaps with other values."""
        window = self.window[keep]
        count = np.bincount(window, minlength=self.count.size)
        values = (self.value if value is None else value)[keep]
        return Series(window, self.time_us[keep], values, count, self.given, self.lost)


def frame_of(batch: EnvironmentBatch) -> Frame:
    """The windows of a batch; one whose length is not above 0 s and at most seven days is bad."""
    length_s = np.asarray(batch.length_s, dtype=np.float64)
    good = (length_s > 0.0) & (length_s <= MAX_WINDOW_S)
    length_us = np.rint(np.where(good, length_s, 0.0) * US_PER_S).astype(np.int64)
    return Frame(np.asarray(batch.start_us, dtype=np.int64), length_us, ~good)


def usable(readings: Readings, frame: Frame, *, low: float, high: float) -> Series:
    """The readings within low..high, in the order of window and time.

    Raises:
        ValueError: if the arrays differ in length or name a window that is not there: a fault of the caller.
    """
    window, time_us, value = _in_order(readings)
    if window.size and not 0 <= window[0] <= window[-1] < frame.count:
        raise ValueError(f"windows {window[0]} to {window[-1]} in a batch of {frame.count}")
    offset_us = time_us - frame.start_us[window]
    inside = (offset_us >= 0) & (offset_us < frame.length_us[window])
    lost = np.isnan(value)
    with np.errstate(invalid="ignore"):
        valid = inside & (value >= low) & (value <= high)
    kept = window[valid]
    return Series(
        kept,
        time_us[valid],
        value[valid],
        count=np.bincount(kept, minlength=frame.count),
        given=np.bincount(window[inside & ~lost], minlength=frame.count),
        lost=np.bincount(window[inside & lost], minlength=frame.count),
    )


def _in_order(readings: Readings) -> tuple[NDArray[np.intp], IntArray, FloatArray]:
    window = np.asarray(readings.window, dtype=np.intp)
    time_us = np.asarray(readings.time_us, dtype=np.int64)
    value = np.asarray(readings.value, dtype=np.float64)
    if not window.shape == time_us.shape == value.shape == (window.size,):
        raise ValueError(f"readings of shapes {window.shape}, {time_us.shape}, {value.shape}")
    step = np.diff(window)
    if np.any((step < 0) | ((step == 0) & (np.diff(time_us) < 0))):
        order = np.lexsort((time_us, window))
        window, time_us, value = window[order], time_us[order], value[order]
    return window, time_us, value
