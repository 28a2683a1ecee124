"""Trials of the public balance data set BDS (Santos & Duarte 2016): a force plate at 100 Hz.

Text, tab separated, one header line: time s, Fx Fy Fz N, Mx My Mz N m, COPx COPy cm. The CoP columns do not travel:
they follow from the wrench (`udfs.balance.plate`) and are checked here against it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from edge.recordings.text_files import check_steps, parse_numbers, read_head, read_lines, stem, whole_file
from schemas.balance import PLATE_CHANNELS
from schemas.errors import RecordingError

SENSOR_TYPE = "FORCE_PLATE"
UNIT = "N,Nm"
"""N for the three forces, N m for the three moments."""
SAMPLE_RATE_HZ = 100.0
HEADER = ("Time[s]", "Fx[N]", "Fy[N]", "Fz[N]", "Mx[Nm]", "My[Nm]", "Mz[Nm]", "COPx[cm]", "COPy[cm]")
COP_TOLERANCE_CM = 0.001
"""Six printed decimals of force and moment give the CoP to 1e-6 cm; more than this is another wrench."""
LOADED_NEWTON = 20.0


expand_address = whole_file


def recognises(path: Path) -> bool:
    """Whether the file begins with the header of a trial."""
    return tuple(read_head(path).split("\n", 1)[0].split()) == HEADER


def read_recordings(address: str) -> list[Recording]:
    """The trial of a file `BDS00004.txt` or `BDS00004.txt.gz`.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    lines = read_lines(path)
    header = tuple(lines[0].split())
    if header != HEADER:
        raise RecordingError(f"{path}: line 1 is {' '.join(header)[:100]!r}, expected {' '.join(HEADER)!r}")
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if not rows:
        raise RecordingError(f"{path}: no line of numbers under the header")
    values = parse_numbers(path, rows, HEADER)
    numbers = [number for number, _ in rows]
    if values[0, 0] < 0.0:
        raise RecordingError(f"{path}: line {numbers[0]}, column 1 (Time[s]): begins at {values[0, 0]:g} s, before 0")
    check_steps(path, values[:, 0], 1.0 / SAMPLE_RATE_HZ, numbers)
    _check_cop(path, values, numbers)
    return [
        Recording(
            name=stem(path),
            sensor_type=SENSOR_TYPE,
            channels=PLATE_CHANNELS,
            unit=UNIT,
            sample_rate_hz=SAMPLE_RATE_HZ,
            samples=np.ascontiguousarray(values[:, 1:7]),
            start_s=float(values[0, 0]),
        )
    ]


def _check_cop(path: Path, values: NDArray[np.float64], numbers: list[int]) -> None:
    force_z = values[:, 3]
    loaded = force_z > LOADED_NEWTON
    divisor = np.where(loaded, force_z, 1.0)
    expected = np.column_stack([-100.0 * values[:, 5] / divisor, 100.0 * values[:, 4] / divisor])
    wrong = np.argwhere(loaded[:, np.newaxis] & (np.abs(expected - values[:, 7:9]) > COP_TOLERANCE_CM))
    if len(wrong):
        row, axis = (int(index) for index in wrong[0])
        raise RecordingError(
            f"{path}: line {numbers[row]}, column {8 + axis} ({HEADER[7 + axis]}): {values[row, 7 + axis]:g} cm, "
            f"but force and moment give {expected[row, axis]:.6f} cm"
        )
