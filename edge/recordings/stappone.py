"""Recordings of stappone soles: comma separated text with a header line.

Columns: sole_id, timestamp in ms since the epoch, acceleration, angular rate and magnetic field (three axes each), the
twelve pressures, a flag `corrupt`. All values are whole numbers in device units without calibration. A corrupt row and
a gap in time end a recording and begin the next one, so every recording is evenly spaced and whole.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from edge.recordings.text_files import parse_numbers, read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.pressure_devices import RAW, STAPPONE

IMU_SENSOR_TYPE = "STAPPONE_IMU"
IMU_CHANNELS = tuple(f"{sensor}_{axis}" for sensor in ("accel", "gyro", "magn") for axis in "xyz")
IMU_UNIT = RAW
PRESSURES = tuple(f"pressure_{number:02d}" for number in range(1, 13))
HEADER = ("sole_id", "timestamp", *IMU_CHANNELS, *PRESSURES, "corrupt")
STEP_TOLERANCE_MS = 1.0
MIN_SAMPLES = 2
_FIRST_IMU, _FIRST_PRESSURE, _CORRUPT = 2, 2 + len(IMU_CHANNELS), len(HEADER) - 1
MAX_TIMESTAMP_MS = 2**53


expand_address = whole_file


def recognises(path: Path) -> bool:
    """Whether the file begins with the header of a stappone recording."""
    return tuple(read_head(path).split("\n", 1)[0].strip().split(",")) == HEADER


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file such as `walk.csv` or `walk.csv.gz`: pressures and motion of every sole, without gaps.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    lines = read_lines(path)
    if tuple(lines[0].strip().split(",")) != HEADER:
        raise RecordingError(f"{path}: line 1 is not the header {','.join(HEADER[:3])},...,{HEADER[-1]}")
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if not rows:
        raise RecordingError(f"{path}: no line of numbers under the header")
    values = parse_numbers(path, rows, HEADER, separator=",")
    numbers = np.array([number for number, _ in rows])
    _check_values(path, values, numbers)
    zero_ms = float(np.min(values[:, 1]))
    recordings: list[Recording] = []
    for sole in np.unique(values[:, 0]):
        mine = values[:, 0] == sole
        recordings += _sole_recordings(path, values[mine], numbers[mine], zero_ms)
    if not recordings:
        raise RecordingError(f"{path}: no two whole rows follow each other")
    return recordings


def _check_values(path: Path, values: NDArray[np.float64], numbers: NDArray[np.int64]) -> None:
    pressure = values[:, _FIRST_PRESSURE:_CORRUPT]
    bad = np.zeros(values.shape, dtype=np.bool_)
    bad[:, 0] = (values[:, 0] != np.rint(values[:, 0])) | (np.abs(values[:, 0]) > MAX_TIMESTAMP_MS)
    bad[:, 1] = (values[:, 1] < 0.0) | (values[:, 1] > MAX_TIMESTAMP_MS)
    bad[:, _FIRST_PRESSURE:_CORRUPT] = (pressure < 0.0) | (pressure > STAPPONE.valid_max)
    bad[:, _CORRUPT] = ~np.isin(values[:, _CORRUPT], (0.0, 1.0))
    # What a row marked corrupt holds is not judged.
    bad[values[:, _CORRUPT] == 1.0] = False
    wrong = np.argwhere(bad)
    if len(wrong):
        row, column = (int(index) for index in wrong[0])
        raise RecordingError(
            f"{path}: line {numbers[row]}, column {column + 1} ({HEADER[column]}): {values[row, column]:g} is not valid"
        )


def _sole_recordings(
    path: Path, values: NDArray[np.float64], numbers: NDArray[np.int64], zero_ms: float
) -> list[Recording]:
    whole = values[:, _CORRUPT] == 0.0
    values, numbers = values[whole], numbers[whole]
    steps = np.diff(values[:, 1])
    back = np.flatnonzero(steps <= 0.0)
    if len(back):
        row = int(back[0]) + 1
        raise RecordingError(
            f"{path}: line {numbers[row]}, column 2 (timestamp): time does not increase: {values[row - 1, 1]:.0f} ms, "
            f"then {values[row, 1]:.0f} ms"
        )
    if len(steps) == 0:
        return []
    step_ms = float(np.median(steps))
    if not 1_000.0 / STAPPONE.max_frame_rate_hz <= step_ms <= 1_000.0:
        raise RecordingError(f"{path}: {step_ms:g} ms between rows")
    breaks = np.flatnonzero(np.abs(steps - step_ms) > STEP_TOLERANCE_MS) + 1
    parts = [part for part in np.split(values, breaks) if len(part) >= MIN_SAMPLES]
    return [
        recording
        for number, part in enumerate(parts, start=1)
        for recording in _both(_name(path, part, number, len(parts)), part, step_ms, zero_ms)
    ]


def _name(path: Path, part: NDArray[np.float64], number: int, count: int) -> str:
    name = f"{stem(path)}_sole{int(part[0, 0])}"
    return name if count == 1 else f"{name}_{number}"


def _both(name: str, part: NDArray[np.float64], step_ms: float, zero_ms: float) -> list[Recording]:
    """The pressures and the motion of one stretch of rows."""
    start_s = (float(part[0, 1]) - zero_ms) / 1_000.0
    kinds = (
        (STAPPONE.sensor_type, STAPPONE.channels, STAPPONE.unit, part[:, _FIRST_PRESSURE:_CORRUPT]),
        (IMU_SENSOR_TYPE, IMU_CHANNELS, IMU_UNIT, part[:, _FIRST_IMU:_FIRST_PRESSURE]),
    )
    return [
        Recording(name, sensor_type, channels, unit, 1_000.0 / step_ms, np.ascontiguousarray(samples), start_s)
        for sensor_type, channels, unit, samples in kinds
    ]
