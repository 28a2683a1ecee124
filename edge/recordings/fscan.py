"""Recordings of Tekscan F-Scan soles: text as the Tekscan software exports a movie (.asf).

Header lines `KEY value`, then for each frame a line `Frame n` and one line a row of the sole, comma separated, kPa;
`B` marks a place outside the sole, which becomes no channel. The file says for which foot it is only by its name
(`FrasP01L.fsx`, `testR.asf`); where it does not, the side stays unknown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from edge.recordings.text_files import parse_numbers, read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError
from schemas.pressure_devices import (
    FSCAN,
    FSCAN_COLUMNS,
    FSCAN_LEFT,
    FSCAN_PITCH_MM,
    FSCAN_RIGHT,
    FSCAN_ROWS,
    PressureDevice,
    grid_channel,
)

OUTSIDE = "B"
DATA_LINE = "ASCII_DATA"
END_LINE = "@@"
_SIDE = re.compile(r"(?:[_\W\d]|^)((?i:left|right|l|r))$|(?<=[a-z])([LR])$")
_FRAME = re.compile(r"Frame (\d+)")


class _Header(NamedTuple):
    values: dict[str, str]
    line_count: int


expand_address = whole_file


def recognises(path: Path) -> bool:
    """Whether the file begins like a Tekscan movie of an F-Scan sole."""
    head = read_head(path)
    return head.startswith("DATA_TYPE MOVIE") and "SENSOR_TYPE FSCAN" in head


def read_recordings(address: str) -> list[Recording]:
    """The recording of a file such as `walkL.asf` or `walkL.asf.gz`.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    lines = read_lines(path)
    header = _header(path, lines)
    step_s, first_frame, count = _check_header(path, header.values)
    pressure, on_sole = _frames(path, lines, header, first_frame, count)
    rows, columns = np.nonzero(on_sole)
    device = _device(path, header.values)
    return [
        Recording(
            name=stem(path),
            sensor_type=device.sensor_type,
            channels=tuple(
                grid_channel(int(row) + 1, int(column) + 1) for row, column in zip(rows, columns, strict=True)
            ),
            unit=device.unit,
            sample_rate_hz=1.0 / step_s,
            samples=np.ascontiguousarray(pressure[:, on_sole]),
            start_s=(first_frame - 1) * step_s,
        )
    ]


def _header(path: Path, lines: list[str]) -> _Header:
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        key, _, value = line.partition(" ")
        if key == DATA_LINE:
            return _Header(values, number)
        values.setdefault(key, value.strip())
    raise RecordingError(f"{path}: no line {DATA_LINE!r}: not a Tekscan text file, or cut off in its header")


def _check_header(path: Path, header: dict[str, str]) -> tuple[float, int, int]:
    """Frame period in s, number of the first frame, number of frames."""
    pitch = f"{FSCAN_PITCH_MM:g} mm"
    expected = {
        "SENSOR_TYPE": "FSCAN",
        "ROWS": str(FSCAN_ROWS),
        "COLS": str(FSCAN_COLUMNS),
        "ROW_SPACING": pitch,
        "COL_SPACING": pitch,
        "UNITS": "KPa",
        "MIRROR_ROW": "0",
        "MIRROR_COL": "0",
    }
    for key, value in expected.items():
        if header.get(key, "").upper() != value.upper():
            raise RecordingError(f"{path}: {key} is {header.get(key, 'not given')[:40]!r}, expected {value!r}")
    try:
        step_s = float(header.get("SECONDS_PER_FRAME", ""))
        first, last = int(header.get("START_FRAME", "")), int(header.get("END_FRAME", ""))
    except ValueError as error:
        raise RecordingError(f"{path}: SECONDS_PER_FRAME, START_FRAME or END_FRAME: {error}") from error
    if not 1.0 / FSCAN.max_frame_rate_hz <= step_s <= 1.0:
        raise RecordingError(f"{path}: SECONDS_PER_FRAME is {step_s:g}")
    if not 1 <= first <= last:
        raise RecordingError(f"{path}: START_FRAME {first}, END_FRAME {last}")
    return step_s, first, last - first + 1


def _frames(
    path: Path, lines: list[str], header: _Header, first: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pressures [count, rows, columns], 0 outside the sole, and which places lie on it [rows, columns]."""
    body = [
        (number, line.strip())
        for number, line in enumerate(lines[header.line_count :], start=header.line_count + 1)
        if line.strip() and line.strip() != END_LINE
    ]
    wanted = count * (FSCAN_ROWS + 1)
    for frame in range(count):
        place = frame * (FSCAN_ROWS + 1)
        title = _FRAME.fullmatch(body[place][1]) if place < len(body) else None
        if title is None or int(title[1]) != first + frame:
            where = f"line {body[place][0]}" if place < len(body) else "end of file"
            raise RecordingError(f"{path}: {where}: no line 'Frame {first + frame}'; {count} frames are announced")
    if len(body) != wanted:
        where = f"line {body[wanted][0]} is not expected" if len(body) > wanted else "the last frame is cut off"
        raise RecordingError(f"{path}: {where}: {count} frames are announced")
    rows = [entry for place, entry in enumerate(body) if place % (FSCAN_ROWS + 1)]
    outside = [[cell.strip() == OUTSIDE for cell in line.split(",")] for _, line in rows]
    names = [f"c{column:02d}" for column in range(1, FSCAN_COLUMNS + 1)]
    values = parse_numbers(path, [(number, line.replace(OUTSIDE, "0")) for number, line in rows], names, separator=",")
    pressure = values.reshape(count, FSCAN_ROWS, FSCAN_COLUMNS)
    off_sole = np.array(outside).reshape(pressure.shape)
    _check_places(path, pressure, off_sole, rows)
    return pressure, ~off_sole[0]


def _check_places(
    path: Path, pressure: NDArray[np.float64], off_sole: NDArray[np.bool_], rows: list[tuple[int, str]]
) -> None:
    if np.all(off_sole[0]):
        raise RecordingError(f"{path}: every place is marked {OUTSIDE!r}")
    moved = np.argwhere(off_sole != off_sole[0])
    wrong = np.argwhere((pressure < 0.0) | (pressure > FSCAN.valid_max))
    for places, what in ((moved, "the edge of the sole moves"), (wrong, f"kPa, valid 0..{FSCAN.valid_max:g}")):
        if len(places):
            frame, row, column = (int(index) for index in places[0])
            number = rows[frame * FSCAN_ROWS + row][0]
            cell = rows[frame * FSCAN_ROWS + row][1].split(",")[column].strip()
            raise RecordingError(f"{path}: line {number}, column {column + 1} (c{column + 1:02d}): {cell} {what}")


def _device(path: Path, header: dict[str, str]) -> PressureDevice:
    """The sole of the foot that the recording's own name or the file's name ends with."""
    original = re.split(r"[\\/]", header.get("FILENAME", ""))[-1].rpartition(".")[0]
    sides = {found for found in (_side_in(original), _side_in(stem(path))) if found}
    if len(sides) > 1:
        raise RecordingError(f"{path}: named for one foot, but recorded as {original!r} for the other")
    return {"L": FSCAN_LEFT, "R": FSCAN_RIGHT, "": FSCAN}[sides.pop() if sides else ""]


def _side_in(name: str) -> str:
    found = _SIDE.search(name)
    return (found[1] or found[2])[0].upper() if found else ""
