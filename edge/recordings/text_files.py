"""Text recordings of measuring devices: plain or gzipped, read whole, with named errors."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RecordingError

MAX_TEXT_BYTES = 256 * 1024 * 1024
"""More than a day of any device here; a small gzip file may hide far more."""
HEAD_BYTES = 4_096
SUFFIXES = (".gz", ".lst", ".asc", ".asf", ".csv", ".txt")

_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST = float(np.finfo(np.float32).max)


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked if it is gzipped.

    Raises:
        RecordingError: naming the file.
    """
    try:
        with path.open("rb") as plain:
            content = plain.read(MAX_TEXT_BYTES + 1)
        if content.startswith(_GZIP_MAGIC):
            with gzip.open(path, "rb") as packed:
                content = packed.read(MAX_TEXT_BYTES + 1)
    except EOFError as error:
        raise RecordingError(f"{path}: the gzip file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RecordingError(f"{path}: the gzip file is damaged: {error}") from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_TEXT_BYTES:
        raise RecordingError(f"{path}: over {MAX_TEXT_BYTES // 1024**2} MiB")
    return content


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without their ends; every byte is a character of latin-1.

    Raises:
        RecordingError: naming the file; also when it holds nothing but white space.
    """
    text = read_bytes(path).decode("latin-1")
    if not text.strip():
        raise RecordingError(f"{path}: the file is empty")
    # Not splitlines: a form feed between pages is no end of line.
    return [line.rstrip("\r") for line in text.split("\n")]


def read_head(path: Path) -> str:
    """The first few thousand characters, empty if the file cannot be read."""
    try:
        with path.open("rb") as plain:
            content = plain.read(HEAD_BYTES)
        if content.startswith(_GZIP_MAGIC):
            with gzip.open(path, "rb") as packed:
                content = packed.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return ""
    return content.decode("latin-1")


def stem(path: Path) -> str:
    """The file's name without the suffixes of text recordings."""
    name = path.name
    while name.lower().endswith(SUFFIXES):
        name = name.rpartition(".")[0]
    return name


def parse_numbers(
    path: Path, lines: Sequence[tuple[int, str]], columns: Sequence[str], *, separator: str | None = None
) -> NDArray[np.float64]:
    """A table of finite single-precision numbers, shape [lines, columns].

    Args:
        path: for the message.
        lines: number (from 1) and text of each.
        columns: their names, for the message; every line must have as many cells.
        separator: between cells; None for white space.

    Raises:
        RecordingError: naming file, line and column of the first bad cell.
    """
    rows = [line.split(separator) for _, line in lines]
    for (number, _), cells in zip(lines, rows, strict=True):
        if len(cells) != len(columns):
            raise RecordingError(f"{path}: line {number} has {len(cells)} columns instead of {len(columns)}")
    wrong = np.empty((0, 2), dtype=np.int64)
    # Python reads 1_0 as 10.
    underscored = any("_" in line for _, line in lines)
    try:
        values = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
        wrong = np.argwhere(~(np.abs(values) <= _LARGEST))
    except ValueError:
        values, underscored = np.empty((0, 0)), True
    if underscored:
        wrong = np.argwhere([[not is_number(cell) for cell in cells] for cells in rows])
    if len(wrong):
        row, column = (int(index) for index in wrong[0])
        place = f"line {lines[row][0]}, column {column + 1} ({columns[column]})"
        cell = rows[row][column].strip()
        kind = "single-precision number" if is_number(cell) and np.isfinite(float(cell)) else "number"
        raise RecordingError(f"{path}: {place}: {cell[:40]!r} is not a finite {kind}")
    return values


def check_steps(path: Path, time_s: NDArray[np.float64], step_s: float, numbers: Sequence[int]) -> None:
    """Whether times increase by the step: each within half of it, all together within 1 %.

    Args:
        path: for the message.
        time_s: shape [n].
        step_s: what it should be.
        numbers: line number of each time.

    Raises:
        RecordingError: naming file and line.
    """
    steps = np.diff(time_s)
    wrong = np.flatnonzero(np.abs(steps - step_s) > step_s / 2)
    if len(wrong):
        row = int(wrong[0]) + 1
        kind = "does not increase" if steps[row - 1] <= 0.0 else "jumps"
        raise RecordingError(
            f"{path}: line {numbers[row]}, column 1 (time): time {kind}: {time_s[row - 1]:g} s, then "
            f"{time_s[row]:g} s (step {step_s:g} s)"
        )
    if len(steps) and abs(float(steps.mean()) - step_s) > step_s * 0.01:
        raise RecordingError(
            f"{path}: line {numbers[-1]}, column 1 (time): {1.0 / steps.mean():.2f} samples per second, "
            f"expected {1.0 / step_s:g}"
        )


def is_number(cell: str) -> bool:
    """Whether a cell is a number, finite or not; Python's own `1_0` is none."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def whole_file(address: str) -> list[str]:
    """The addresses behind that of a file which is read as a whole: `expand_address` of most readers."""
    return [address]
