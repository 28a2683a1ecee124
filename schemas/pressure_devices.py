"""Pressure devices: how their sensors travel as channels of a sample block, and what the channels mean.

A matrix device has one channel for each sensor, `r<row>c<column>` with the numbers the device itself prints; a block
carries the channels that lie on the sensor or in the printed part of the plate, each named once a block. Where a
sensor lies follows from its name and the device's pitch, its size from the pitch: nothing else need travel. What
differs by model (the type of a pedar insole, the side of an F-Scan sole) is part of the sensor type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KPA = "kPa"
RAW = "raw"
"""Device units without calibration."""


@dataclass(frozen=True, slots=True)
class PressureDevice:
    """One sensor type that measures pressure.

    Attributes:
        sensor_type: as in the envelope.
        unit: of every value.
        channels: every channel a block may carry.
        valid_max: a higher value cannot come from a working device; the lowest is 0.
        max_frame_rate_hz: more than any model gives.
        side: of all sensors; "both" when the channels name it (L.., R..).
        insole: worn, with row 1 at the toes; else a platform.
        pitch_mm: step between columns and between rows; None without a grid.
    """

    sensor_type: str
    unit: str
    channels: tuple[str, ...]
    valid_max: float
    max_frame_rate_hz: float
    side: Literal["left", "right", "both", "unknown"]
    insole: bool
    pitch_mm: tuple[float, float] | None = None


def grid_channel(row: int, column: int) -> str:
    """The channel of a sensor in a matrix, both numbers from 1."""
    return f"r{row:02d}c{column:02d}"


def grid_place(channel: str) -> tuple[int, int]:
    """Row and column of a grid channel; the inverse of `grid_channel`."""
    row, column = channel[1:].split("c")
    return int(row), int(column)


def _grid(rows: int, columns: int) -> tuple[str, ...]:
    return tuple(grid_channel(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1))


EMED_ROWS, EMED_COLUMNS = 95, 64
EMED_PITCH_MM = 5.0
EMED = PressureDevice(
    "EMED", KPA, _grid(EMED_ROWS, EMED_COLUMNS), 3_000.0, 500.0, "unknown", False, (EMED_PITCH_MM, EMED_PITCH_MM)
)
"""novel emed platform with 4 sensors per cm2."""

FSCAN_ROWS, FSCAN_COLUMNS = 60, 21
FSCAN_PITCH_MM = 5.08
_FSCAN_CHANNELS = _grid(FSCAN_ROWS, FSCAN_COLUMNS)


def _fscan(sensor_type: str, side: Literal["left", "right", "unknown"]) -> PressureDevice:
    pitch = (FSCAN_PITCH_MM, FSCAN_PITCH_MM)
    return PressureDevice(sensor_type, KPA, _FSCAN_CHANNELS, 3_000.0, 1_000.0, side, True, pitch)


FSCAN_LEFT, FSCAN_RIGHT = _fscan("FSCAN_LEFT", "left"), _fscan("FSCAN_RIGHT", "right")
FSCAN = _fscan("FSCAN", "unknown")
"""Tekscan F-Scan sole of which nothing says for which foot it is."""

PEDAR_SENSORS = 99
_PEDAR_CHANNELS = tuple(f"{side}{number:02d}" for side in "LR" for number in range(1, PEDAR_SENSORS + 1))
PEDAR_TYPES = ("u", "v", "w", "x", "y", "uw", "vw", "xw")
"""Insole types with known sensor areas (`udfs.plantar.pedar_areas`)."""


def _pedar(sensor_type: str) -> PressureDevice:
    return PressureDevice(sensor_type, KPA, _PEDAR_CHANNELS, 3_000.0, 500.0, "both", True)


PEDAR = _pedar("PEDAR")
"""novel pedar insoles of a type without known areas."""
PEDAR_BY_TYPE: dict[str, PressureDevice] = {kind: _pedar(f"PEDAR_{kind.upper()}") for kind in PEDAR_TYPES}

STAPPONE = PressureDevice(
    "STAPPONE", RAW, tuple(f"p{number:02d}" for number in range(1, 13)), 65_535.0, 500.0, "unknown", True
)
"""stappone sole: twelve pressures in device units; places and sizes of the sensors are not published."""

PRESSURE_DEVICES: dict[str, PressureDevice] = {
    device.sensor_type: device
    for device in (EMED, FSCAN, FSCAN_LEFT, FSCAN_RIGHT, PEDAR, *PEDAR_BY_TYPE.values(), STAPPONE)
}
