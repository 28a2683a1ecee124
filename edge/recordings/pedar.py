"""Recordings of novel pedar insoles: text as the novel software exports it (.asc).

A few header lines (sensor type, frame rate, unit, mask definition), a line of column names, then one line a frame: time
in s, the pressures of the 99 left sensors and of the 99 right ones in kPa. The areas of the sensors are not in the
file; the type of the insole is, and becomes part of the sensor type.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from edge.recordings.recording import Recording
from edge.recordings.text_files import check_steps, parse_numbers, read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.pressure_devices import PEDAR, PEDAR_BY_TYPE, PEDAR_SENSORS, PressureDevice

COLUMN_LINE = "time[secs]"
MAX_HEADER_LINES = 40
_RATE = re.compile(r"scanning rate \[Hz\]:\s*(\d+(?:\.\d+)?)")
_TYPE = re.compile(r"sensor type:\s*([a-z]+)", re.IGNORECASE)
_UNIT = re.compile(r"pressure values in\s+(\S+)")
_EVERY_SENSOR = ",".join(str(number) for number in range(1, PEDAR_SENSORS + 1))


expand_address = whole_file


def recognises(path: Path) -> bool:
    """Whether the file begins like a pedar export."""
    head = read_head(path)
    return "sensor type:" in head and "scanning rate [Hz]" in head and "left insole:" in head


def read_recordings(address: str) -> list[Recording]:
    """The recording of a file such as `walk.asc` or `walk.asc.gz`.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    lines = read_lines(path)
    header = _header(path, lines)
    rate_hz, device = _rate_hz(path, header), _device(path, header)
    _check_masks(path, header)
    rows = [(number, line) for number, line in enumerate(lines[len(header) :], start=len(header) + 1) if line.strip()]
    if not rows:
        raise RecordingError(f"{path}: no frame under the line of column names")
    values = parse_numbers(path, rows, ("time", *device.channels))
    check_steps(path, values[:, 0], 1.0 / rate_hz, [number for number, _ in rows])
    samples = np.ascontiguousarray(values[:, 1:])
    wrong = np.argwhere((samples < 0.0) | (samples > device.valid_max))
    if len(wrong):
        row, column = (int(index) for index in wrong[0])
        raise RecordingError(
            f"{path}: line {rows[row][0]}, column {column + 2} ({device.channels[column]}): {samples[row, column]:g} "
            f"kPa, valid 0..{device.valid_max:g}"
        )
    return [
        Recording(
            name=stem(path),
            sensor_type=device.sensor_type,
            channels=device.channels,
            unit=device.unit,
            sample_rate_hz=rate_hz,
            samples=samples,
            start_s=max(float(values[0, 0]), 0.0),
        )
    ]


def _header(path: Path, lines: list[str]) -> list[str]:
    """All lines up to that of the column names."""
    for number, line in enumerate(lines[:MAX_HEADER_LINES], start=1):
        if line.startswith(COLUMN_LINE):
            return lines[:number]
    raise RecordingError(f"{path}: none of the first {MAX_HEADER_LINES} lines begins with {COLUMN_LINE!r}")


def _rate_hz(path: Path, header: list[str]) -> float:
    found = _RATE.search("\n".join(header))
    rate_hz = float(found[1]) if found else 0.0
    if not 0.0 < rate_hz <= PEDAR.max_frame_rate_hz:
        raise RecordingError(f"{path}: no scanning rate between 0 and {PEDAR.max_frame_rate_hz:g} Hz in the header")
    return rate_hz


def _device(path: Path, header: list[str]) -> PressureDevice:
    text = "\n".join(header)
    unit = _UNIT.search(text)
    if unit is None or unit[1] != PEDAR.unit:
        raise RecordingError(f"{path}: pressure values in {unit[1] if unit else 'no unit'}, expected {PEDAR.unit}")
    kind = _TYPE.search(text)
    return PEDAR_BY_TYPE.get(kind[1].lower(), PEDAR) if kind else PEDAR


def _check_masks(path: Path, header: list[str]) -> None:
    """The columns are the sensors 1 to 99 of the left insole, then of the right: the header must say so."""
    masks = [(line.partition(":")[0], line.partition(":")[2]) for line in header if "insole:" in line]
    found = [(name.strip(), numbers.replace(" ", "").strip(",")) for name, numbers in masks]
    if found != [("left insole", _EVERY_SENSOR), ("right insole", _EVERY_SENSOR)]:
        names = ", ".join(name for name, _ in found) or "none"
        raise RecordingError(
            f"{path}: mask definition ({names}) is not that of {PEDAR_SENSORS} left and {PEDAR_SENSORS} right sensors"
        )
