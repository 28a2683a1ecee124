"""Recordings of the UCI data set Air Quality (360): hourly temperature and humidity beside a road in Italy.

`;` between cells, decimal comma, dates as 10/03/2004, times as 18.00.00, -200 where missing, two empty columns and many
empty lines at the end. One device per file with TEMP (T) and HUMID (RH); the gas columns are no sensors of the
catalogue, and "AH" is no g/m3. Times have no zone and count as UTC. `start_s` is in s since the epoch.
"""

from __future__ import annotations

from pathlib import Path

from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from edge.recordings.table import read_table
from edge.recordings.text_files import read_head, stem, whole_file

_HEADER = "Date;Time;CO(GT);PT08.S1(CO);"
_SPACING = Spacing(step_s=3_600.0, tolerance_s=0.5)
_MISSING = ("", "-200", "-200,0")
_SENSORS = {"TEMP": "T", "HUMID": "RH"}


def recognises(path: Path) -> bool:
    """Whether a file has the data set's header."""
    return read_head(path).startswith(_HEADER)


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file, one for each stretch without a missing hour.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    table = read_table(path, delimiter=";")
    time_s = table.ascending(table.times(("Date", "Time"), "%d/%m/%Y %H.%M.%S"), "Date")
    return [
        recording
        for sensor_type, column in _SENSORS.items()
        for recording in evenly_spaced(
            stem(path), sensor_type, time_s, table.numbers(column, missing=_MISSING, decimal=","), _SPACING
        )
    ]
