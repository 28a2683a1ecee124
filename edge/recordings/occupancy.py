"""Recordings of two UCI data sets of rooms with people: Occupancy Detection (357) and Room Occupancy Estimation (864).

Occupancy Detection: quoted CSV, one row a minute (stamps wobble by one second), temperature, humidity, light, CO2,
HumidityRatio, Occupancy; each row begins with a number that the header does not name. One device per file.
Room Occupancy Estimation: one row in about 30.6 s, with gaps; four temperature nodes S1..S4 and one CO2 node S5, a
device each (`Occupancy_Estimation-S1`).

The labels (who was there) never become part of a recording; `read_labels` gives them to training and tests.
Times have no zone and count as UTC. `start_s` is in s since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from edge.recordings.table import Floats, Table, read_table
from edge.recordings.text_files import read_head, stem, whole_file

_DETECTION_HEADER = '"date","Temperature","Humidity","Light","CO2","HumidityRatio","Occupancy"'
_ESTIMATION_HEADER = "Date,Time,S1_Temp,"
_DETECTION_SPACING = Spacing(step_s=60.0, tolerance_s=1.0)
_ESTIMATION_SPACING = Spacing(step_s=30.6, tolerance_s=1.0)
_DETECTION_SENSORS = {"TEMP": "Temperature", "HUMID": "Humidity", "CO2": "CO2"}
_ESTIMATION_SENSORS = {"S1": "S1_Temp", "S2": "S2_Temp", "S3": "S3_Temp", "S4": "S4_Temp", "S5": "S5_CO2"}


@dataclass(frozen=True, slots=True)
class Labels:
    """Ground truth of a file, shape [n] each.

    Attributes:
        time_s: s since the epoch, as in the recordings.
        people: Occupancy Detection knows only 0 and 1 (somebody is there), Room Occupancy Estimation counts 0 to 3.
    """

    time_s: Floats
    people: NDArray[np.int64]


def recognises(path: Path) -> bool:
    """Whether a file has the header of one of the two data sets."""
    return _is_detection(path) or _is_estimation(path)


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    if _is_estimation(path):
        table, time_s = _read_estimation(path)
        return [
            recording
            for node, column in _ESTIMATION_SENSORS.items()
            for recording in evenly_spaced(
                f"{stem(path)}-{node}",
                "CO2" if node == "S5" else "TEMP",
                time_s,
                table.numbers(column),
                _ESTIMATION_SPACING,
            )
        ]
    table, time_s = _read_detection(path)
    return [
        recording
        for sensor_type, column in _DETECTION_SENSORS.items()
        for recording in evenly_spaced(stem(path), sensor_type, time_s, table.numbers(column), _DETECTION_SPACING)
    ]


def read_labels(path: Path) -> Labels:
    """The ground truth of a file, for training and tests only.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    if _is_estimation(path):
        table, time_s = _read_estimation(path)
        return Labels(time_s, table.numbers("Room_Occupancy_Count").astype(np.int64))
    table, time_s = _read_detection(path)
    return Labels(time_s, table.numbers("Occupancy").astype(np.int64))


def _is_detection(path: Path) -> bool:
    return read_head(path).startswith(_DETECTION_HEADER)


def _is_estimation(path: Path) -> bool:
    return read_head(path).startswith(_ESTIMATION_HEADER)


def _read_detection(path: Path) -> tuple[Table, Floats]:
    table = read_table(path, unnamed=1)
    return table, table.ascending(table.times(("date",), "%Y-%m-%d %H:%M:%S"), "date")


def _read_estimation(path: Path) -> tuple[Table, Floats]:
    table = read_table(path)
    return table, table.ascending(table.times(("Date", "Time"), "%Y/%m/%d %H:%M:%S"), "Date")
