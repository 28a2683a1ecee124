"""The text form of gaitpdb: 19 columns, white space between them, one line each 10 ms.

Columns: time in s; L1..L8 and R1..R8 in N; total of the left and of the right foot in N.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RecordingError
from schemas.sensors import SENSORS

SAMPLE_RATE_HZ = 100.0
COLUMNS = ("time", *SENSORS["GRF"].channel_names, "total left", "total right")
TOTALS_TOLERANCE_NEWTON = 0.1
"""Nine values rounded to 0.01 N differ by at most 0.045 N; totals printed with one decimal by 0.05 N more."""

_GZIP_MAGIC = b"\x1f\x8b"
_STEP_S = 1.0 / SAMPLE_RATE_HZ
_STEP_TOLERANCE_S = _STEP_S / 2
"""The originals step by 9.9 to 10.0 ms; a lost or doubled line is off by a whole step."""
_MEAN_STEP_TOLERANCE_S = _STEP_S * 0.01
_LARGEST = float(np.finfo(np.float32).max)


def read_text(path: Path) -> tuple[float, NDArray[np.float64]]:
    """Time of the first line in s, and the samples [n, 16] in N.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    text = _read(path)
    if not text.strip():
        raise RecordingError(f"{path}: the file is empty")
    values = _parse(path, text)
    problem = _first_problem(values)
    if problem is not None:
        row, column, what = problem
        raise RecordingError(f"{path}: line {_line_of(text, row)}, column {column + 1} ({COLUMNS[column]}): {what}")
    return float(values[0, 0]), np.ascontiguousarray(values[:, 1:17])


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
    except EOFError as error:
        raise RecordingError(f"{path}: the gzip file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RecordingError(f"{path}: the gzip file is damaged: {error}") from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    # Every byte is a character of latin-1, so a stray byte reaches the report of the bad cell.
    return content.decode("latin-1")


def _parse(path: Path, text: str) -> NDArray[np.float64]:
    try:
        values: NDArray[np.float64] = np.loadtxt(io.StringIO(text), dtype=np.float64, comments=None, ndmin=2)
    except ValueError as error:
        raise RecordingError(f"{path}: {_first_bad_cell(text) or error}") from error
    if values.shape[1] != len(COLUMNS):
        raise RecordingError(f"{path}: {_first_bad_cell(text)}")
    return values


def _first_bad_cell(text: str) -> str | None:
    """Where the text stops being 19 numbers a line; runs only after numpy has refused it."""
    for line_number, line in enumerate(io.StringIO(text), start=1):
        cells = line.split()
        if cells and len(cells) != len(COLUMNS):
            return f"line {line_number} has {len(cells)} columns instead of {len(COLUMNS)}"
        for column, cell in enumerate(cells):
            if not _is_number(cell):
                return f"line {line_number}, column {column + 1} ({COLUMNS[column]}): {cell[:40]!r} is not a number"
    return None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _line_of(text: str, row: int) -> int:
    """The line (from 1) of a data row (from 0): blank lines hold no row."""
    lines = [number for number, line in enumerate(io.StringIO(text), start=1) if line.strip()]
    return lines[row]


def _first_problem(values: NDArray[np.float64]) -> tuple[int, int, str] | None:
    """Row, column (both from 0) and description of the first thing wrong, or None."""
    with np.errstate(invalid="ignore"):
        unusable = np.argwhere(~(np.abs(values) <= _LARGEST))
    if len(unusable):
        row, column = (int(index) for index in unusable[0])
        return row, column, f"{values[row, column]} is not a finite single-precision number"
    return _time_problem(values[:, 0]) or _totals_problem(values)


def _time_problem(time_s: NDArray[np.float64]) -> tuple[int, int, str] | None:
    if time_s[0] < 0.0:
        return 0, 0, f"the recording begins at {time_s[0]:g} s, before 0"
    steps_s = np.diff(time_s)
    wrong = np.flatnonzero(np.abs(steps_s - _STEP_S) > _STEP_TOLERANCE_S)
    if len(wrong):
        row = int(wrong[0]) + 1
        kind = "does not increase" if steps_s[row - 1] <= 0.0 else "jumps"
        return row, 0, f"time {kind}: {time_s[row - 1]:g} s, then {time_s[row]:g} s (step {_STEP_S:g} s)"
    if len(steps_s) and abs(steps_s.mean() - _STEP_S) > _MEAN_STEP_TOLERANCE_S:
        return len(time_s) - 1, 0, f"{1.0 / steps_s.mean():.2f} samples per second, expected {SAMPLE_RATE_HZ:g}"
    return None


def _totals_problem(values: NDArray[np.float64]) -> tuple[int, int, str] | None:
    sums = np.stack((values[:, 1:9].sum(axis=1), values[:, 9:17].sum(axis=1)), axis=1)
    wrong = np.argwhere(np.abs(sums - values[:, 17:19]) > TOTALS_TOLERANCE_NEWTON)
    if len(wrong) == 0:
        return None
    row, side = (int(index) for index in wrong[0])
    return row, 17 + side, f"total {values[row, 17 + side]:g} N, but its eight sensors sum to {sums[row, side]:.2f} N"
