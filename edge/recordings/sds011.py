"""Recordings of walks with an SDS011 particle sensor and a DHT22 for humidity and temperature (SensorNetwork2021).

Four lines before the columns: period, sensors, place, and the interval in s (5 or 10), which rows rarely keep. Then
time, lat, lon, alt, DHT-RH %, DHT-T degC, sds-pm2.5, sds-pm10, sds-TSP ug/m3, and sometimes a column without a name;
`nan` where missing. One device per file with TEMP, HUMID and PM25.

Most files stamp only the minute, and the order of rows within a minute is all that is known: a sample may then lie up
to a minute from its stamp, and stamps may go back by a minute. Values that no sensor gives (a humidity of 3306 %) stay:
to refuse them is the business of whoever reads the samples. Times have no zone and count as UTC. `start_s` is in s
since the epoch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from edge.recordings.table import Floats, Table, read_table
from edge.recordings.text_files import read_head, read_lines, stem, whole_file
from schemas.errors import RecordingError

_FIRST_WORDS = "Time Period,start:"
_HEADER_LINE = 5
_INTERVAL_LINE = 4
_SENSORS = {"TEMP": "DHT-T", "HUMID": "DHT-RH", "PM25": "sds-pm2.5"}
_SECONDS = "%Y/%m/%d %H:%M:%S"
_MINUTES = "%Y/%m/%d %H:%M"
_MINUTE_S = 60.0
_LONGEST_INTERVAL_S = 3_600.0


def recognises(path: Path) -> bool:
    """Whether a file begins as these do and names an SDS011."""
    head = read_head(path)
    return head.startswith(_FIRST_WORDS) and "sds-pm2.5" in head


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file, one for each stretch that is evenly spaced and misses nothing.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    interval_s = _interval_s(path)
    table = read_table(path, header_line=_HEADER_LINE)
    time_s = table.times(("time",), _SECONDS, _MINUTES)
    if all(cells[table.column("time")].count(":") > 1 for cells in table.rows):
        table.ascending(time_s, "time")
        spacing = Spacing(interval_s, tolerance_s=1.0)
    else:
        time_s = spread_within_minutes(table, table.ascending(time_s, "time", slack_s=_MINUTE_S))
        spacing = Spacing(_MINUTE_S, tolerance_s=_MINUTE_S)
    return [
        recording
        for sensor_type, column in _SENSORS.items()
        for recording in evenly_spaced(
            stem(path), sensor_type, time_s, table.numbers(column, missing=("", "nan")), spacing
        )
    ]


def spread_within_minutes(table: Table, time_s: Floats) -> Floats:
    """Times that keep the order of the rows: those of one minute are spread evenly over it.

    A stamp that goes back counts as the minute before it: the clock was set, the rows were not.
    """
    minute_s = np.maximum.accumulate(time_s)
    _, first, count = np.unique(minute_s, return_index=True, return_counts=True)
    place = np.arange(len(table.rows)) - np.repeat(first, count)
    return np.asarray(minute_s + _MINUTE_S * place / np.repeat(count, count))


def _interval_s(path: Path) -> float:
    lines = read_lines(path)[:_INTERVAL_LINE]
    cells = lines[-1].split(",") if len(lines) == _INTERVAL_LINE else []
    text = cells[1].strip() if len(cells) > 1 and cells[0].strip() == "Interval time" else ""
    if not text.isascii() or not text.isdigit() or not 0.0 < float(text) <= _LONGEST_INTERVAL_S:
        raise RecordingError(f"{path}: line {_INTERVAL_LINE} does not say `Interval time,<seconds>`")
    return float(text)
