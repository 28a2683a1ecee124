"""Recordings of the PhysioNet gaitpdb data set: original text, gzipped text, and the packed npz form.

The set holds the vertical ground reaction force under each foot at 100 Hz, eight sensors a foot. The packed form
keeps many records in one numpy archive: key = record name, value = uint32 [n, 16] in centi-newton, without the
first sample, so that row k is t = (k + 1) * 0.01 s. One record of it is addressed as `gaitpdb_Ga.npz#GaCo01_01`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.recordings.archives import NPZ_SUFFIX, open_archive, read_array, split_address
from edge.recordings.gaitpdb_text import SAMPLE_RATE_HZ, looks_like_text, read_text
from edge.recordings.recording import Recording
from edge.recordings.text_files import stem
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

SENSOR = SENSORS["GRF"]
NPZ_FIRST_SAMPLE_S = 0.01
CENTINEWTON_PER_NEWTON = 100.0


def recognises(path: Path) -> bool:
    """Whether the first line has the set's 19 numbers, or the first array of an archive the form of a record."""
    if path.suffix != NPZ_SUFFIX:
        return looks_like_text(path)
    try:
        with open_archive(path) as archive:
            return bool(archive.files) and _is_record(read_array(archive, archive.files[0], f"{path}:"))
    except RecordingError:
        return False


def expand_address(address: str) -> list[str]:
    """The addresses of all recordings behind `address`: a bare npz path gives each of its records.

    Raises:
        RecordingError: if the archive cannot be read or is empty.
    """
    path, record = split_address(address)
    if path.suffix != NPZ_SUFFIX or record is not None:
        return [address]
    with open_archive(path) as archive:
        names = list(archive.files)
    if not names:
        raise RecordingError(f"{path}: the archive holds no records")
    return [f"{address}#{name}" for name in names]


def read_recordings(address: str) -> list[Recording]:
    """The recording of `GaCo01_01.txt`, `GaCo01_01.txt.gz` or `gaitpdb_Ga.npz#GaCo01_01`.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path, record = split_address(address)
    if path.suffix != NPZ_SUFFIX:
        start_s, samples = read_text(Path(address))
        return [_recording(stem(Path(address)), samples, start_s=start_s)]
    if record is None:
        raise RecordingError(f"{path}: name one of its records, as in {path}#GaCo01_01")
    return [_recording(record, _read_record(path, record), start_s=NPZ_FIRST_SAMPLE_S)]


def _recording(name: str, samples: NDArray[np.float64], *, start_s: float) -> Recording:
    return Recording(
        name=name,
        sensor_type=SENSOR.sensor_type,
        channels=SENSOR.channel_names,
        unit=SENSOR.unit,
        sample_rate_hz=SAMPLE_RATE_HZ,
        samples=samples,
        start_s=start_s,
    )


def _read_record(path: Path, record: str) -> NDArray[np.float64]:
    with open_archive(path) as archive:
        if record not in archive.files:
            raise RecordingError(f"{path}: has no record {record!r}; it holds {_some(archive.files)}")
        raw = read_array(archive, record, f"{path}#{record}:")
    if not _is_record(raw):
        shape = f"(n >= 1, {len(SENSOR.channels)})"
        raise RecordingError(f"{path}#{record}: is {raw.dtype} {raw.shape}, expected uint32 {shape}")
    samples: NDArray[np.float64] = raw / CENTINEWTON_PER_NEWTON
    return samples


def _is_record(raw: NDArray[Any]) -> bool:
    return raw.dtype == np.uint32 and raw.ndim == 2 and raw.shape[1] == len(SENSOR.channels) and len(raw) > 0


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
