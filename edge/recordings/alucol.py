"""Logs of a three-phase network analyser (ALUCOL): comma separated rows of 30 s averages.

Voltages and currents become VOLT and AMP on L1, L2, L3; the total active power becomes WATT on `value`. An overflow of
the analyser's 16 bits shows as cos phi 327.67, an angle of 655.34 degrees, 6276.7 A or 4,915,050 W: a row with a cos
phi beyond +-1, an angle beyond +-360 degrees or a value outside the sensor catalogue is rejected as a whole and
counted. A rejected or missing row ends a recording and begins the next. Rows without voltage are kept: that is what an
interruption of the supply looks like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.even_runs import Grid, cut_runs
from edge.recordings.recording import Recording
from edge.recordings.text_files import parse_numbers, read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

_PHASES = ("L1", "L2", "L3")
_LETTERS = ("A", "B", "C")
VOLTAGES = tuple(f"Vrms ph-n {letter}N Avg" for letter in _LETTERS)
CURRENTS = tuple(f"Current {letter} Avg" for letter in _LETTERS)
ANGLES = tuple(f"Current Phi {letter}N Avg" for letter in _LETTERS)
COSINES = (*(f"Cos Phi {letter}N Avg" for letter in _LETTERS), "Cos Phi Total Avg")
POWERS = tuple(f"{kind} Power Total Avg" for kind in ("Active", "Apparent", "Reactive"))
COLUMNS = (*VOLTAGES, "Vrms ph-n NG Avg", *CURRENTS, *ANGLES, *POWERS, *COSINES)
HEADER = ("", "Date", "Time", *COLUMNS)
STEP_S = 30.0
_SENSORS = (("VOLT", _PHASES, VOLTAGES), ("AMP", _PHASES, CURRENTS), ("WATT", ("value",), POWERS[:1]))
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}) ([AP])M(?:\.(\d{1,6}))?", re.ASCII)
_MAX_ANGLE_DEG = 360.0
_US_PER_S = 1_000_000
_DAY_US = 86_400 * _US_PER_S
_TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class AnalyserLog:
    """A file as read.

    Attributes:
        recordings: what can be sent; their zero is midnight of the first row's date.
        rows: lines of numbers in the file.
        rejected_lines: line numbers of the rows that were out of range.
    """

    recordings: tuple[Recording, ...]
    rows: int
    rejected_lines: tuple[int, ...]


def recognises(path: Path) -> bool:
    """Whether the file begins with the header of such a log."""
    return tuple(read_head(path).split("\n", 1)[0].strip().split(",")) == HEADER


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a log; see `read_log` for how many rows were rejected.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    return list(read_log(address).recordings)


def read_log(address: str) -> AnalyserLog:
    """Read a log such as `power-quality-meter.csv`, plain or gzipped.

    Raises:
        RecordingError: naming file, line and column of what is wrong; also when no row is usable.
    """
    path = Path(address)
    lines = read_lines(path)
    if tuple(lines[0].strip().split(",")) != HEADER:
        raise RecordingError(f"{path}: line 1 is not the header ,Date,Time,{COLUMNS[0]},...,{COLUMNS[-1]}")
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    for number, line in rows:
        if line.count(",") != len(HEADER) - 1:
            raise RecordingError(f"{path}: line {number} has {line.count(',') + 1} columns instead of {len(HEADER)}")
    cells = [line.split(",", 3) for _, line in rows]
    numbers = [number for number, _ in rows]
    table = parse_numbers(
        path, [(number, cell[3]) for number, cell in zip(numbers, cells, strict=True)], COLUMNS, separator=","
    )
    grid = _grid(path, numbers, [(cell[1], cell[2]) for cell in cells])
    rejected = _out_of_range(table)
    table[rejected] = np.nan
    recordings = [
        recording
        for sensor_type, channels, columns in _SENSORS
        for recording in cut_runs(stem(path), sensor_type, channels, table[:, _columns(columns)], grid)
    ]
    if not recordings:
        raise RecordingError(f"{path}: none of its {len(rows)} rows is usable")
    return AnalyserLog(tuple(recordings), len(rows), tuple(np.array(numbers)[rejected].tolist()))


def _columns(names: tuple[str, ...]) -> list[int]:
    return [COLUMNS.index(name) for name in names]


def _out_of_range(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows with a value that the quantity or the sensor cannot have."""
    bad = (np.abs(table[:, _columns(COSINES)]) > 1.0).any(axis=1)
    bad |= (np.abs(table[:, _columns(ANGLES)]) > _MAX_ANGLE_DEG).any(axis=1)
    for sensor_type, _, columns in _SENSORS:
        sensor, values = SENSORS[sensor_type], table[:, _columns(columns)]
        bad |= ((values < sensor.valid_min) | (values > sensor.valid_max)).any(axis=1)
    return np.asarray(bad)


def _grid(path: Path, numbers: list[int], stamps: list[tuple[str, str]]) -> Grid:
    """Slots of 30 s from the first row on; rows must lie on them within 1 s and in order."""
    if not stamps:
        raise RecordingError(f"{path}: no line of numbers under the header")
    times_us = np.array([_microseconds(path, number, *stamp) for number, stamp in zip(numbers, stamps, strict=True)])
    elapsed_s = (times_us - times_us[0]) / _US_PER_S
    slot = np.rint(elapsed_s / STEP_S).astype(np.int64)
    wrong = np.flatnonzero(
        (np.abs(elapsed_s - slot * STEP_S) > _TOLERANCE_S) | (np.diff(slot, prepend=slot[0] - 1) <= 0)
    )
    if wrong.size:
        row = int(wrong[0])
        raise RecordingError(
            f"{path}: line {numbers[row]}, column 3 (Time): {elapsed_s[row]:g} s after the first row, not a later "
            f"multiple of {STEP_S:g} s"
        )
    return Grid(STEP_S, slot, int(times_us[0]) % _DAY_US / _US_PER_S)


def _microseconds(path: Path, line: int, day: str, clock: str) -> int:
    """Microseconds since year 1 of a row's `2019-08-31` and `3:21:43 PM.135`."""
    try:
        days = date.fromisoformat(day).toordinal()
    except ValueError as error:
        raise RecordingError(f"{path}: line {line}, column 2 (Date): {day[:40]!r} is not a date") from error
    match = _CLOCK.fullmatch(clock)
    hour, minute, second = (int(match[part]) for part in (1, 2, 3)) if match else (0, 0, 0)
    if match is None or not (1 <= hour <= 12 and minute < 60 and second < 60):
        raise RecordingError(f"{path}: line {line}, column 3 (Time): {clock[:40]!r} is not a time like 3:21:43 PM.135")
    hours = hour % 12 + (12 if match[4] == "P" else 0)
    seconds = hours * 3_600 + minute * 60 + second
    return days * _DAY_US + seconds * _US_PER_S + int((match[5] or "0").ljust(6, "0"))
