"""The text form of gaitpdb: 19 columns, white space between them, one line each 10 ms.

Columns: time in s; L1..L8 and R1..R8 in N; total of the left and of the right foot in N.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.text_files import check_steps, is_number, parse_numbers, read_head, read_lines
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

SAMPLE_RATE_HZ = 100.0
COLUMNS = ("time", *SENSORS["GRF"].channel_names, "total left", "total right")
TOTALS_TOLERANCE_NEWTON = 0.1
"""Nine values rounded to 0.01 N differ by at most 0.045 N; totals printed with one decimal by 0.05 N more."""


def looks_like_text(path: Path) -> bool:
    """Whether the first line with anything in it holds as many numbers as there are columns."""
    cells = read_head(path).lstrip().split("\n", 1)[0].split()
    return len(cells) == len(COLUMNS) and all(map(is_number, cells))


def read_text(path: Path) -> tuple[float, NDArray[np.float64]]:
    """Time of the first line in s, and the samples [n, 16] in N.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    rows = [(number, line) for number, line in enumerate(read_lines(path), start=1) if line.strip()]
    numbers = [number for number, _ in rows]
    values = parse_numbers(path, rows, COLUMNS)
    if values[0, 0] < 0.0:
        raise RecordingError(
            f"{path}: line {numbers[0]}, column 1 (time): the recording begins at {values[0, 0]:g} s, before 0"
        )
    # The originals step by 9.9 to 10.0 ms; a lost or doubled line is off by a whole step.
    check_steps(path, values[:, 0], 1.0 / SAMPLE_RATE_HZ, numbers)
    _check_totals(path, values, numbers)
    return float(values[0, 0]), np.ascontiguousarray(values[:, 1:17])


def _check_totals(path: Path, values: NDArray[np.float64], numbers: list[int]) -> None:
    sums = np.stack((values[:, 1:9].sum(axis=1), values[:, 9:17].sum(axis=1)), axis=1)
    wrong = np.argwhere(np.abs(sums - values[:, 17:19]) > TOTALS_TOLERANCE_NEWTON)
    if len(wrong):
        row, side = (int(index) for index in wrong[0])
        raise RecordingError(
            f"{path}: line {numbers[row]}, column {18 + side} ({COLUMNS[17 + side]}): total "
            f"{values[row, 17 + side]:g} N, but its eight sensors sum to {sums[row, side]:.2f} N"
        )
