"""Prints with a known truth: blocks of sensors that are loaded one after the other, heel to toes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.plantar import PlantarSession, SensorLayout, grid_layout
from udfs.plantar.layout import Side

Array = NDArray[np.float64]

PITCH_MM = 5.0
ROWS, COLUMNS = 60, 26
CENTRE = 13


@dataclass(frozen=True)
class Block:
    """Sensors from `low` to `high` mm from the heel, `left` and `right` columns beside the middle, at one pressure."""

    low: float
    high: float
    left: int
    right: int
    kpa: float


HEEL = Block(0.0, 70.0, 5, 5, 200.0)
MIDFOOT = Block(70.0, 140.0, 0, 5, 60.0)
FOREFOOT = Block(140.0, 205.0, 8, 8, 250.0)
TOES = Block(220.0, 250.0, 6, 2, 150.0)
RIGHT_FOOT = (HEEL, MIDFOOT, FOREFOOT, TOES)
"""A right foot seen from above: the midfoot touches down on the right of the middle, the great toe on the left."""


def peak_picture(blocks: tuple[Block, ...] = RIGHT_FOOT) -> Array:
    """Peak pressure [rows, columns]; row 0 is the front of the device."""
    from_heel = (ROWS - 0.5 - np.arange(ROWS)) * PITCH_MM - 20.0
    column = np.arange(COLUMNS)
    picture = np.zeros((ROWS, COLUMNS))
    for block in blocks:
        along = (from_heel > block.low) & (from_heel < block.high)
        across = (column >= CENTRE - block.left) & (column < CENTRE + block.right)
        picture[np.ix_(along, across)] = block.kpa
    return picture


def roll_over(picture: Array, *, frames: int = 70) -> Array:
    """One stance [frames, rows, columns]: every row is loaded for 60 % of the time, the heel from the first frame."""
    loaded_rows = np.flatnonzero(picture.any(axis=1))
    share = (loaded_rows.max() - np.arange(ROWS)) / max(float(np.ptp(loaded_rows)), 1.0)
    time = np.arange(frames)[:, None] / (frames - 1)
    begin = 0.4 * np.clip(share, 0.0, 1.0)[None, :]
    phase = np.clip((time - begin) / 0.6, 0.0, 1.0)
    inside = (time >= begin - 1e-9) & (time <= begin + 0.6 + 1e-9)
    wave = np.where(inside, 0.2 + 0.8 * np.sin(np.pi * phase), 0.0)
    return wave[:, :, None] * picture[None]


def layout(side: Side = "right", *, insole: bool = False) -> SensorLayout:
    """All sensors of the device, row by row."""
    rows, columns = np.meshgrid(np.arange(1, ROWS + 1), np.arange(1, COLUMNS + 1), indexing="ij")
    return grid_layout(rows.ravel(), columns.ravel(), pitch_mm=(PITCH_MM, PITCH_MM), side=side, insole=insole)


def platform_session(
    picture: Array | None = None, *, side: Side = "right", rate_hz: float = 100.0, scale: float = 1.0
) -> PlantarSession:
    """One step onto a platform."""
    frames = scale * roll_over(peak_picture() if picture is None else picture)
    return PlantarSession(frames.reshape(len(frames), -1), layout(side), rate_hz)


def insole_session(
    *, steps: int = 4, side: Side = "right", rate_hz: float = 100.0, cut_first: bool = False
) -> PlantarSession:
    """Walking on one insole: stances of 70 frames, 50 frames apart; `cut_first` begins within a stance."""
    stance = roll_over(peak_picture()).reshape(70, -1)
    swing = np.zeros((50, stance.shape[1]))
    frames = np.concatenate([swing, *([stance, swing] * steps)])
    return PlantarSession(frames[70:] if cut_first else frames, layout(side, insole=True), rate_hz)
