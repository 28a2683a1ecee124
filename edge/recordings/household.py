"""The household series of the UCI machine learning repository (data set 235): one row a minute.

Semicolons between columns: date d/m/yyyy, time, active power kW, reactive power kvar, voltage V, current A, three
sub-meters Wh. Power, voltage and current become WATT, VOLT and AMP on `value`, one sample a minute; KWH is the register
of a meter that began at 0 with the file and counts that power in steps of 1 Wh. `?` marks a missing value; it and every
gap in time end a recording and begin the next. The recordings' zero is midnight of the first row's date.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.measurement import Register
from edge.recordings.even_runs import Grid, cut_runs
from edge.recordings.recording import Recording
from edge.recordings.text_files import read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.sensors import COUNTER_SENSOR, SENSORS

HEADER = (
    "Date",
    "Time",
    "Global_active_power",
    "Global_reactive_power",
    "Voltage",
    "Global_intensity",
    "Sub_metering_1",
    "Sub_metering_2",
    "Sub_metering_3",
)
STEP_S = 60.0
MISSING = "?"
WATT_PER_KILOWATT = 1_000.0
_WH_PER_KWH = 1_000.0
_S_PER_HOUR = 3_600.0
_REGISTER = Register(digits=8, resolution=1.0 / _WH_PER_KWH)
_SENSORS = (("WATT", 2, WATT_PER_KILOWATT), ("VOLT", 4, 1.0), ("AMP", 5, 1.0))
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_CLOCK = re.compile(r"(\d{2}):(\d{2}):(\d{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_DAY_MIN = 1_440


def recognises(path: Path) -> bool:
    """Whether the file begins with the header of the series."""
    return tuple(read_head(path).split("\n", 1)[0].strip().split(";")) == HEADER


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file such as `household_power_consumption.txt`, plain or gzipped.

    Raises:
        RecordingError: naming file, line and column of what is wrong; also when every value is missing.
    """
    path = Path(address)
    lines = read_lines(path)
    if tuple(lines[0].strip().split(";")) != HEADER:
        raise RecordingError(f"{path}: line 1 is not the header {';'.join(HEADER[:3])};...;{HEADER[-1]}")
    rows = [(number, line.strip().split(";")) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if not rows:
        raise RecordingError(f"{path}: no row under the header")
    grid = _grid(path, rows)
    recordings = [
        recording
        for sensor_type, column, factor in _SENSORS
        for recording in cut_runs(
            stem(path), sensor_type, ("value",), _values(path, rows, sensor_type, column) * factor, grid
        )
    ]
    recordings += _register(path, rows, grid)
    if not recordings:
        raise RecordingError(f"{path}: every value of its {len(rows)} rows is missing")
    return recordings


def _register(path: Path, rows: list[tuple[int, list[str]]], grid: Grid) -> list[Recording]:
    """What a meter would have shown at the beginning of each minute; where the power is missing it stood still."""
    sensor_type, column, factor = _SENSORS[0]
    watt = _values(path, rows, sensor_type, column) * factor
    steps_wh = np.nan_to_num(watt) * (STEP_S / _S_PER_HOUR)
    # Kept to a thousandth of a step before it is floored: sums of floats come out just below whole numbers.
    before_wh = np.floor(np.round(np.cumsum(steps_wh, axis=0) - steps_wh, 3))
    shown = np.where(np.isnan(watt), np.nan, before_wh / _WH_PER_KWH)
    readings = cut_runs(stem(path), COUNTER_SENSOR, ("value",), shown, grid)
    return [replace(recording, register=_REGISTER) for recording in readings]


def _grid(path: Path, rows: list[tuple[int, list[str]]]) -> Grid:
    """Slots of one minute since midnight of the first date; rows must be in order."""
    minutes = np.array([_minute(path, number, cells) for number, cells in rows], dtype=np.int64)
    wrong = np.flatnonzero(np.diff(minutes) <= 0)
    if wrong.size:
        row = int(wrong[0]) + 1
        raise RecordingError(f"{path}: line {rows[row][0]}, column 2 (Time): time does not increase")
    return Grid(STEP_S, minutes - minutes[0] // _DAY_MIN * _DAY_MIN)


def _minute(path: Path, line: int, cells: list[str]) -> int:
    """Minutes since year 1 of a row."""
    if len(cells) != len(HEADER):
        raise RecordingError(f"{path}: line {line} has {len(cells)} columns instead of {len(HEADER)}")
    day, clock = _DATE.fullmatch(cells[0]), _CLOCK.fullmatch(cells[1])
    try:
        days = date(int(day[3]), int(day[2]), int(day[1])).toordinal() if day else None
    except ValueError:
        days = None
    if days is None:
        raise RecordingError(f"{path}: line {line}, column 1 (Date): {cells[0][:40]!r} is not a date d/m/yyyy")
    hour, minute, second = (int(part) for part in clock.groups()) if clock else (24, 0, 0)
    if hour > 23 or minute > 59 or second != 0:
        raise RecordingError(f"{path}: line {line}, column 2 (Time): {cells[1][:40]!r} is not a whole minute hh:mm:00")
    return days * _DAY_MIN + hour * 60 + minute


def _values(path: Path, rows: list[tuple[int, list[str]]], sensor_type: str, column: int) -> NDArray[np.float64]:
    """One column [n, 1], NaN where missing; an empty cell is missing too, as in the set's own gaps."""
    values = np.empty((len(rows), 1))
    for row, (number, cells) in enumerate(rows):
        cell = cells[column].strip()
        if cell in (MISSING, ""):
            values[row, 0] = np.nan
        elif _NUMBER.fullmatch(cell):
            values[row, 0] = float(cell)
        else:
            place = f"line {number}, column {column + 1} ({HEADER[column]})"
            raise RecordingError(f"{path}: {place}: {cell[:40]!r} is not a number")
    sensor = SENSORS[sensor_type]
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero((values[:, 0] < sensor.valid_min) | (values[:, 0] > sensor.valid_max))
    if wrong.size:
        number = rows[int(wrong[0])][0]
        raise RecordingError(f"{path}: line {number}, column {column + 1} ({HEADER[column]}): out of range")
    return values
