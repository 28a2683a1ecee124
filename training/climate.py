"""The table an occupancy model learns from: one row of features for each 300 s of a room's climate, grouped by day.

The rows are those of the streaming job: tumbling windows aligned to the epoch, each with the readings whose time lies
in it, features by `udfs.environment`. Light is no sensor of the line; it is read for a baseline only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.occupancy import read_labels, read_recordings
from edge.recordings.recording import Recording
from edge.recordings.table import read_table
from edge.recordings.text_files import read_head
from schemas.environment import ENVIRONMENT_FEATURE_NAMES
from udfs.environment import EnvironmentBatch, Readings, extract_environment_batch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WINDOW_S = 300
DAY_S = 86_400
_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class RoomTable:
    """Rows of features with their time and truth.

    Attributes:
        features: shape [r, k], NaN where missing.
        occupied: shape [r], whether somebody was there for at least half of the window's labels.
        start_s: shape [r], begin of each window by the file's own clock, s since the epoch.
        light_lux: shape [r], mean light; NaN where the file has none.
    """

    features: FloatArray
    occupied: NDArray[np.bool_]
    start_s: IntArray
    light_lux: FloatArray

    @property
    def days(self) -> IntArray:
        """Shape [r]: the calendar day of each row."""
        return self.start_s // DAY_S

    @property
    def hours_of_day(self) -> IntArray:
        """Shape [r]: the hour of the day of each row."""
        return self.start_s % DAY_S // 3_600

    def keep(self, mask: NDArray[np.bool_]) -> RoomTable:
        """The rows where the mask is True."""
        return RoomTable(self.features[mask], self.occupied[mask], self.start_s[mask], self.light_lux[mask])

    def columns(self, names: Iterable[str]) -> RoomTable:
        """The same rows with these of all environment features only, in this order."""
        index = [ENVIRONMENT_FEATURE_NAMES.index(name) for name in names]
        return RoomTable(self.features[:, index], self.occupied, self.start_s, self.light_lux)


def read_room(path: Path) -> RoomTable:
    """Every window of an Occupancy Detection or Room Occupancy Estimation file that has a reading and a label.

    The nodes of a room count as one device: their readings enter its windows together.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    readings = {name: _readings(read_recordings(str(path)), name) for name in ("TEMP", "HUMID", "CO2")}
    windows = np.unique(np.concatenate([_window(time_us) for time_us, _ in readings.values()]))
    temp, humid, co2 = (
        Readings(np.searchsorted(windows, _window(time_us)), time_us, value) for time_us, value in readings.values()
    )
    length_s = np.full(windows.size, float(WINDOW_S))
    start_s = windows * WINDOW_S
    found = extract_environment_batch(
        EnvironmentBatch(start_s * _US_PER_S, length_s, temp, humid, co2, Readings.none())
    )
    labels = read_labels(path)
    of_label = np.floor(labels.time_s / WINDOW_S).astype(np.int64)
    share = _mean_by_window(windows, of_label, (labels.people > 0).astype(np.float64))
    light = _mean_by_window(windows, of_label, _light_lux(path, labels.time_s.size))
    return RoomTable(found.values, share >= 0.5, start_s, light).keep(np.isfinite(share))


def _readings(recordings: Iterable[Recording], sensor_type: str) -> tuple[IntArray, FloatArray]:
    """Time in us and value of all readings of a sensor type, in order of time, in single precision like a frame's."""
    parts = [each for each in recordings if each.sensor_type == sensor_type]
    times = [np.rint((each.start_s + np.arange(len(each.samples)) / each.sample_rate_hz) * _US_PER_S) for each in parts]
    values = [each.samples[:, 0].astype(np.float32) for each in parts]
    time_us = np.concatenate([np.zeros(0), *times]).astype(np.int64)
    value = np.concatenate([np.zeros(0), *values]).astype(np.float64)
    order = np.argsort(time_us, kind="stable")
    return time_us[order], value[order]


def _window(time_us: IntArray) -> IntArray:
    return time_us // (WINDOW_S * _US_PER_S)


def _mean_by_window(windows: IntArray, of_value: IntArray, value: FloatArray) -> FloatArray:
    """Mean of the values in each window, NaN where there is none."""
    place = np.searchsorted(windows, of_value)
    inside = np.isin(of_value, windows)
    count = np.bincount(place[inside], minlength=windows.size)
    total = np.bincount(place[inside], value[inside], minlength=windows.size)
    return np.divide(total, count, out=np.full(windows.size, np.nan), where=count > 0)


def _light_lux(path: Path, rows: int) -> FloatArray:
    """The light of an Occupancy Detection file; the nodes of the other kind differ too much for one number."""
    if '"Light"' not in read_head(path):
        return np.full(rows, np.nan)
    return read_table(path, unnamed=1).numbers("Light")
