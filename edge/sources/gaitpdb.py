"""Recordings of the PhysioNet gaitpdb data set: original text, gzipped text, and the packed npz form.

The set holds the vertical ground reaction force under each foot at 100 Hz, eight sensors a foot. The packed form
keeps many records in one numpy archive: key = record name, value = uint32 [n, 16] in centi-newton, without the
first sample, so that row k is t = (k + 1) * 0.01 s. One record of it is addressed as `gaitpdb_Ga.npz#GaCo01_01`.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from edge.sources.gaitpdb_text import SAMPLE_RATE_HZ, read_text
from edge.sources.source import Recording
from schemas.errors import RecordingError
from schemas.sensors import SENSORS

SENSOR = SENSORS["GRF"]
NPZ_SUFFIX = ".npz"
NPZ_FIRST_SAMPLE_S = 0.01
CENTINEWTON_PER_NEWTON = 100.0
_ARCHIVE_ERRORS = (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error)


def expand_address(address: str) -> list[str]:
    """The addresses of all recordings behind `address`: a bare npz path gives each of its records.

    Raises:
        RecordingError: if the archive cannot be read or is empty.
    """
    path, record = _split(address)
    if path.suffix != NPZ_SUFFIX or record is not None:
        return [address]
    with _open_archive(path) as archive:
        names = list(archive.files)
    if not names:
        raise RecordingError(f"{path}: the archive holds no records")
    return [f"{address}#{name}" for name in names]


def read_recording(address: str) -> Recording:
    """Read one recording: `GaCo01_01.txt`, `GaCo01_01.txt.gz` or `gaitpdb_Ga.npz#GaCo01_01`.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path, record = _split(address)
    if path.suffix == NPZ_SUFFIX:
        if record is None:
            raise RecordingError(f"{path}: name one of its records, as in {path}#GaCo01_01")
        return _recording(record, _read_archive(path, record), start_s=NPZ_FIRST_SAMPLE_S)
    start_s, samples = read_text(path)
    return _recording(path.name.removesuffix(".gz").removesuffix(".txt"), samples, start_s=start_s)


def _split(address: str) -> tuple[Path, str | None]:
    """Path and record name; a `#` counts only behind an npz path, elsewhere it is part of the file name."""
    path, separator, record = address.rpartition("#")
    if separator and path.endswith(NPZ_SUFFIX):
        return Path(path), record
    return Path(address), None


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


def _open_archive(path: Path) -> NpzFile:
    try:
        archive = np.load(path, allow_pickle=False)
    except _ARCHIVE_ERRORS as error:
        raise RecordingError(f"{path}: cannot be read as an npz archive: {error}") from error
    if not isinstance(archive, NpzFile):
        raise RecordingError(f"{path}: holds a single array, not an npz archive of records")
    return archive


def _read_archive(path: Path, record: str) -> NDArray[np.float64]:
    with _open_archive(path) as archive:
        if record not in archive.files:
            raise RecordingError(f"{path}: has no record {record!r}; it holds {_some(archive.files)}")
        try:
            raw = archive[record]
        except _ARCHIVE_ERRORS as error:
            raise RecordingError(f"{path}#{record}: cannot be read: {error}") from error
    expected = len(SENSOR.channels)
    if raw.dtype != np.uint32 or raw.ndim != 2 or raw.shape[1] != expected or len(raw) == 0:
        raise RecordingError(f"{path}#{record}: is {raw.dtype} {raw.shape}, expected uint32 (n >= 1, {expected})")
    samples: NDArray[np.float64] = raw / CENTINEWTON_PER_NEWTON
    return samples


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
