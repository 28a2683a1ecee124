"""Recordings of hourly PM2.5 of US monitors in the wide form of the AirMonitor package (AirNow, AQS, WRCC, AIRSIS).

CSV, gzipped or not: `datetime` with its zone, then one column per monitor, ug/m3, empty where missing. Each monitor is
a device; one is addressed as `NW_Megafires_hourly_pm25_wide.csv.gz#dbed7c534d194ccf_wrcc.s215`. A stamp is the
beginning of the hour of which the value is the mean. `start_s` is in s since the epoch.
"""

from __future__ import annotations

from pathlib import Path

from edge.recordings.archives import split_address
from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from edge.recordings.table import Floats, Table, read_table
from edge.recordings.text_files import read_head
from schemas.errors import RecordingError

_TIME = "datetime"
_SPACING = Spacing(step_s=3_600.0, tolerance_s=0.5)
_MISSING = ("", "NA")


def recognises(path: Path) -> bool:
    """Whether a file has the header of the wide form and says that it holds PM2.5."""
    return "pm25" in path.name.lower() and read_head(path).startswith(f"{_TIME},")


def expand_address(address: str) -> list[str]:
    """The addresses of all monitors behind `address`.

    Raises:
        RecordingError: if the file cannot be read or names no monitor.
    """
    path, monitor = split_address(address)
    if monitor is not None:
        return [address]
    return [f"{address}#{name}" for name in _monitors(read_table(path))]


def read_recordings(address: str) -> list[Recording]:
    """The recordings of one monitor, or of all of a file: one for each stretch without a missing hour.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path, monitor = split_address(address)
    table = read_table(path)
    monitors = _monitors(table)
    if monitor is not None and monitor not in monitors:
        raise RecordingError(f"{path}: has no monitor {monitor!r}; it has {', '.join(monitors[:3])} ({len(monitors)})")
    time_s = table.ascending(table.times((_TIME,), "%Y-%m-%d %H:%M:%S%z"), _TIME)
    chosen = monitors if monitor is None else [monitor]
    return [recording for name in chosen for recording in _recordings(table, time_s, name)]


def _recordings(table: Table, time_s: Floats, monitor: str) -> list[Recording]:
    value = table.numbers(monitor, missing=_MISSING)
    return evenly_spaced(monitor, "PM25", time_s, value, _SPACING)


def _monitors(table: Table) -> list[str]:
    monitors = [name for name in table.header if name != _TIME]
    if not monitors or table.header[0] != _TIME:
        raise RecordingError(f"{table.path}: line 1 names no monitor behind {_TIME!r}")
    if len(set(monitors)) < len(monitors) or "" in monitors:
        raise RecordingError(f"{table.path}: line 1 names a monitor twice or not at all")
    return monitors
