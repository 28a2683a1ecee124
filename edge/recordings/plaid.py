"""Appliance events of the PLAID data set, packed as one npz archive.

Arrays `voltage` (V) and `current` (A), float64 [events, 500]: each row is one 60 Hz cycle at 30 kHz. One event is
addressed as `plaid.npz#17` and gives two recordings, VOLT and AMP, of one device. The array `label`, which says what
the appliance is, is never read: a name that gave it away would spoil every model trained on the features.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from edge.recordings.archives import NPZ_SUFFIX, open_archive, read_array, split_address
from edge.recordings.recording import Recording
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

SAMPLE_RATE_HZ = 30_000.0
SAMPLES = 500
_ARRAYS = {"VOLT": "voltage", "AMP": "current"}
_EVENT = re.compile(r"\d{1,9}", re.ASCII)


def recognises(path: Path) -> bool:
    """Whether the file is an npz archive with the two arrays of this format."""
    if path.suffix != NPZ_SUFFIX:
        return False
    try:
        with open_archive(path) as archive:
            return set(_ARRAYS.values()) <= set(archive.files)
    except RecordingError:
        return False


def expand_address(address: str) -> list[str]:
    """A bare npz path gives each of its events.

    Raises:
        RecordingError: if the archive cannot be read or holds no events.
    """
    path, event = split_address(address)
    if event is not None:
        return [address]
    with open_archive(path) as archive:
        count = len(_read_events(path, archive, "voltage"))
    return [f"{address}#{number}" for number in range(count)]


def read_recordings(address: str) -> list[Recording]:
    """Voltage and current of one event, such as `plaid.npz#17`.

    Raises:
        RecordingError: naming file, array, event and sample of what is wrong.
    """
    path, event = split_address(address)
    if event is None:
        raise RecordingError(f"{path}: name one of its events, as in {path}#17")
    with open_archive(path) as archive:
        rows = {sensor: _read_events(path, archive, name) for sensor, name in _ARRAYS.items()}
    counts = {len(array) for array in rows.values()}
    if len(counts) > 1:
        raise RecordingError(f"{path}: voltage and current differ in their number of events: {sorted(counts)}")
    if _EVENT.fullmatch(event) is None or int(event) >= min(counts):
        raise RecordingError(f"{path}: has no event {event[:40]!r}; it holds 0 to {min(counts) - 1}")
    number = int(event)
    return [_recording(path, sensor, array[number], number) for sensor, array in rows.items()]


def _read_events(path: Path, archive: NpzFile, name: str) -> NDArray[np.float64]:
    if name not in archive.files:
        raise RecordingError(f"{path}: has no array {name!r}")
    array = read_array(archive, name, f"{path}: array {name!r}")
    if array.dtype != np.float64 or array.ndim != 2 or array.shape[1] != SAMPLES or len(array) == 0:
        raise RecordingError(
            f"{path}: array {name!r} is {array.dtype} {array.shape}, expected float64 (n >= 1, {SAMPLES})"
        )
    return array


def _recording(path: Path, sensor_type: str, row: NDArray[np.float64], number: int) -> Recording:
    sensor = SENSORS[sensor_type]
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((row >= sensor.valid_min) & (row <= sensor.valid_max)))
    if wrong.size:
        sample = int(wrong[0])
        raise RecordingError(
            f"{path}: array {_ARRAYS[sensor_type]!r}, event {number}, sample {sample}: {row[sample]:g} {sensor.unit} "
            f"is out of range"
        )
    return Recording(
        name=f"{path.stem}-{number:03d}",
        sensor_type=sensor_type,
        channels=("value",),
        unit=sensor.unit,
        sample_rate_hz=SAMPLE_RATE_HZ,
        samples=row[:, None].copy(),
    )
