"""What a power anomaly model learns from: a household's minute readings in windows of 300 s, grouped by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.household import read_recordings
from edge.recordings.recording import Recording
from schemas.power import POWER_FEATURE_NAMES, Supply
from udfs.power import PhaseSignal, PowerWindow, extract_power_batch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FILE = "household_2006-12-16_2007-01-11.txt.gz"
WINDOW_S = 300
DAY_S = 86_400
STEP_S = 60
PER_WINDOW = WINDOW_S // STEP_S
_US_PER_S = 1_000_000
_FIELDS = {"WATT": "watt", "VOLT": "volt", "AMP": "ampere"}


@dataclass(frozen=True, slots=True)
class Minutes:
    """Readings of every minute from `start_s` on, NaN where there is none.

    Attributes:
        start_s: since midnight of the file's first day, a multiple of WINDOW_S.
        watt, volt, ampere: shape [n], n a multiple of PER_WINDOW.
    """

    start_s: int
    watt: FloatArray
    volt: FloatArray
    ampere: FloatArray

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which windows have all their readings, shape [w]."""
        known = np.isfinite(self.watt) & np.isfinite(self.volt) & np.isfinite(self.ampere)
        return np.asarray(known.reshape(-1, PER_WINDOW).all(axis=1))

    @property
    def window_start_s(self) -> IntArray:
        """Begin of each window, shape [w]."""
        return self.start_s + WINDOW_S * np.arange(len(self.watt) // PER_WINDOW, dtype=np.int64)

    def with_readings(
        self, *, watt: FloatArray | None = None, volt: FloatArray | None = None, ampere: FloatArray | None = None
    ) -> Minutes:
        """The same minutes with other readings of these sensors."""
        return Minutes(
            self.start_s,
            self.watt if watt is None else watt,
            self.volt if volt is None else volt,
            self.ampere if ampere is None else ampere,
        )


@dataclass(frozen=True, slots=True)
class WindowTable:
    """Rows of features with their day.

    Attributes:
        features: shape [r, k].
        days: shape [r], calendar days since the first of the file.
    """

    features: FloatArray
    days: IntArray

    def keep(self, mask: NDArray[np.bool_]) -> WindowTable:
        """The rows where the mask is True."""
        return WindowTable(self.features[mask], self.days[mask])


def read_minutes(folder: Path) -> Minutes:
    """The household's readings, in single precision as in a frame.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    recordings = read_recordings(str(folder / FILE))
    ends_s = [round(each.start_s) + STEP_S * len(each.samples) for each in recordings]
    first_s = min(round(each.start_s) for each in recordings) // WINDOW_S * WINDOW_S
    count = -(-(max(ends_s) - first_s) // WINDOW_S) * PER_WINDOW
    readings = {field: _on_grid(recordings, sensor, first_s, count) for sensor, field in _FIELDS.items()}
    return Minutes(first_s, **readings)


def _on_grid(recordings: list[Recording], sensor_type: str, first_s: int, count: int) -> FloatArray:
    values = np.full(count, np.nan)
    for each in recordings:
        if each.sensor_type == sensor_type:
            at = (round(each.start_s) - first_s) // STEP_S
            values[at : at + len(each.samples)] = each.samples[:, 0].astype(np.float32)
    return values


def build_table(minutes: Minutes, names: Iterable[str], windows: NDArray[np.bool_] | None = None) -> WindowTable:
    """The features of the complete windows, each cut as the streaming job cuts it.

    Args:
        minutes: the readings.
        names: the power features wanted, in order.
        windows: shape [w], which windows to take of the complete ones; None = all.
    """
    taken = minutes.complete if windows is None else minutes.complete & windows
    places = np.flatnonzero(taken).tolist()
    values, _reasons = extract_power_batch([_window(minutes, place) for place in places], Supply())
    columns = [POWER_FEATURE_NAMES.index(name) for name in names]
    # In single precision, as the model will see them.
    features = values[:, columns].astype(np.float32).astype(np.float64)
    return WindowTable(features, minutes.window_start_s[taken] // DAY_S)


def _window(minutes: Minutes, place: int) -> PowerWindow:
    start_us = int(minutes.start_s + place * WINDOW_S) * _US_PER_S
    rows = slice(place * PER_WINDOW, (place + 1) * PER_WINDOW)

    def signal(values: FloatArray) -> PhaseSignal:
        return PhaseSignal(start_us, 1.0 / STEP_S, ("value",), values[rows, np.newaxis])

    return PowerWindow(
        start_us, float(WINDOW_S), volt=signal(minutes.volt), amp=signal(minutes.ampere), watt=signal(minutes.watt)
    )
