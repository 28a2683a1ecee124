"""Where the sensors of a pressure device lie and how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.pressure_devices import PEDAR_SENSORS
from udfs.gait.contact import FloatArray, IntArray
from udfs.plantar.pedar_areas import PEDAR_AREAS_MM2

Side = Literal["left", "right", "unknown"]
MM2_PER_CM2 = 100.0


@dataclass(frozen=True, eq=False)
class SensorLayout:
    """The sensors of a device, c of them.

    Attributes:
        x_mm: shape [c], to the right as seen from above; NaN where not known.
        y_mm: shape [c]; for an insole towards the toes. NaN where not known.
        area_cm2: shape [c]; NaN where not known.
        side: of each sensor, length c.
        insole: worn, so it records step after step and y points to the toes; else a platform stepped on once.
        pitch_mm: step of the grid in x and y; None when the sensors form none.
    """

    x_mm: FloatArray
    y_mm: FloatArray
    area_cm2: FloatArray
    side: tuple[Side, ...]
    insole: bool
    pitch_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.x_mm.shape == self.y_mm.shape == self.area_cm2.shape == (len(self.side),):
            raise ValueError(f"{len(self.side)} sides for x {self.x_mm.shape}, y {self.y_mm.shape}")

    @property
    def size(self) -> int:
        """Number of sensors."""
        return len(self.side)

    @property
    def has_areas(self) -> bool:
        """Whether the size of every sensor is known."""
        return bool(np.all(self.area_cm2 > 0.0))

    @property
    def has_positions(self) -> bool:
        """Whether the place of every sensor is known."""
        return bool(np.all(np.isfinite(self.x_mm)) and np.all(np.isfinite(self.y_mm)))

    @cached_property
    def neighbours(self) -> IntArray:
        """Pairs of sensors one grid step apart in x or in y, shape [m, 2]; empty without a grid."""
        if self.pitch_mm is None or not self.has_positions:
            return np.empty((0, 2), dtype=np.int64)
        column = np.rint((self.x_mm - np.min(self.x_mm, initial=np.inf)) / self.pitch_mm[0]).astype(np.int64)
        row = np.rint((self.y_mm - np.min(self.y_mm, initial=np.inf)) / self.pitch_mm[1]).astype(np.int64)
        width = int(np.max(column, initial=0)) + 3
        place = row * width + column
        order = np.argsort(place, kind="stable")
        pairs = [_pairs(place, order, step) for step in (1, width)]
        return np.concatenate(pairs)

    def part(self, side: Side) -> tuple[SensorLayout, IntArray]:
        """The sensors of one side, and their places in this layout."""
        places = np.flatnonzero([each == side for each in self.side])
        return (
            SensorLayout(
                self.x_mm[places],
                self.y_mm[places],
                self.area_cm2[places],
                (side,) * places.size,
                self.insole,
                self.pitch_mm,
            ),
            places,
        )


def grid_layout(
    rows: NDArray[Any],
    columns: NDArray[Any],
    *,
    pitch_mm: tuple[float, float],
    side: Side = "unknown",
    insole: bool = False,
) -> SensorLayout:
    """Sensors on a regular grid: x = column * pitch, y = -row * pitch, so row 1 is at the top (the toes of an insole).

    Args:
        rows: shape [c], row numbers as the device prints them.
        columns: shape [c], column numbers.
        pitch_mm: grid step in x and in y; a sensor fills its cell.
        side: of all sensors.
        insole: whether it is worn.
    """
    x = np.asarray(columns, dtype=np.float64) * pitch_mm[0]
    y = -np.asarray(rows, dtype=np.float64) * pitch_mm[1]
    area = np.full(x.shape, pitch_mm[0] * pitch_mm[1] / MM2_PER_CM2)
    return SensorLayout(x, y, area, (side,) * x.size, insole, pitch_mm)


def pedar_layout(insole_type: str) -> SensorLayout:
    """Both pedar insoles, left sensors 1 to 99, then right: areas by insole type, positions not known.

    An insole type that the table lacks has no areas either, so everything that needs them is refused.
    """
    areas = PEDAR_AREAS_MM2.get(insole_type.lower())
    one = np.full(PEDAR_SENSORS, np.nan) if areas is None else np.array(areas, dtype=np.float64) / MM2_PER_CM2
    nowhere = np.full(2 * PEDAR_SENSORS, np.nan)
    sides = (*_repeated("left", PEDAR_SENSORS), *_repeated("right", PEDAR_SENSORS))
    return SensorLayout(nowhere, nowhere, np.concatenate([one, one]), sides, insole=True)


def unplaced_layout(sensors: int, side: Side, *, insole: bool) -> SensorLayout:
    """Sensors of which neither place nor size is known."""
    nothing = np.full(sensors, np.nan)
    return SensorLayout(nothing, nothing, nothing, (side,) * sensors, insole)


def _repeated(side: Side, times: int) -> tuple[Side, ...]:
    return (side,) * times


def _pairs(place: IntArray, order: IntArray, step: int) -> IntArray:
    """Pairs of sensors whose places differ by `step`."""
    ordered = place[order]
    found = np.searchsorted(ordered, ordered + step)
    inside = found < ordered.size
    match = np.flatnonzero(inside)[ordered[found[inside]] == ordered[inside] + step]
    return np.column_stack([order[match], order[found[match]]])
