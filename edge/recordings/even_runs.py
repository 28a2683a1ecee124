"""Evenly spaced runs: recordings cut where samples are lost, because a recording has no room for a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.recordings.recording import Recording
from schemas.sensors import SENSORS


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the rows of a file lie in time.

    Attributes:
        step_s: time from one row to the next.
        slot: [n], number of steps from the source's zero to each row, increasing; a jump is a gap.
        offset_s: time of slot 0.
    """

    step_s: float
    slot: NDArray[np.int64]
    offset_s: float = 0.0


def cut_runs(
    name: str, sensor_type: str, channels: tuple[str, ...], values: NDArray[np.float64], grid: Grid
) -> list[Recording]:
    """The recordings of one sensor, all of one name: a row of [n, channels] with NaN, and every gap, ends one."""
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    if rows.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(grid.slot[rows]) != 1) + 1
    return [
        Recording(
            name=name,
            sensor_type=sensor_type,
            channels=channels,
            unit=SENSORS[sensor_type].unit,
            sample_rate_hz=1.0 / grid.step_s,
            samples=np.ascontiguousarray(values[run]),
            start_s=grid.offset_s + float(grid.slot[run[0]]) * grid.step_s,
        )
        for run in np.split(rows, breaks)
    ]
