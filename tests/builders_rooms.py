"""Rooms for tests: days of one office by the mass balance of CO2, as a table of windows or as a file of minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from training.climate import DAY_S, WINDOW_S, RoomTable

BEGIN_S = 1_423_094_400
"""Midnight, 5 February 2015."""
OUTDOOR_PPM = 420.0
AIR_CHANGES_PER_H = 0.7
RISE_PPM_PER_H = 600.0


def present(hour: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Office hours that begin later each day; nobody on the third day."""
    return (hour >= 8.0 + 0.5 * day) & (hour < 16.0 + 0.5 * day) & (day != 2)


def simulate(days: int, step_s: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time in s since the epoch, CO2 in ppm and presence, one value each step."""
    time_s = np.arange(0, days * DAY_S, step_s)
    occupied = present(time_s % DAY_S / 3_600.0, time_s // DAY_S)
    co2 = np.empty(time_s.size)
    level = OUTDOOR_PPM
    for place, there in enumerate(occupied.tolist()):
        level += (RISE_PPM_PER_H * there - AIR_CHANGES_PER_H * (level - OUTDOOR_PPM)) * step_s / 3_600.0
        co2[place] = level
    noise = np.random.default_rng(seed).normal(0.0, 3.0, time_s.size)
    return BEGIN_S + time_s, co2 + noise, occupied


def room_table(days: int = 4, *, seed: int = 0, blind: bool = False) -> RoomTable:
    """Windows with the features of the occupancy model; of a blind room they say nothing."""
    time_s, co2, occupied = simulate(days, WINDOW_S, seed=seed)
    generator = np.random.default_rng(seed + 1)
    rate = np.gradient(co2) * 3_600.0 / WINDOW_S
    warming = 0.3 * occupied + generator.normal(0.0, 0.3, time_s.size)
    features = np.column_stack([warming, co2, rate])
    if blind:
        features = generator.standard_normal(features.shape)
    return RoomTable(features, occupied, time_s, 400.0 * occupied)


def write_detection_file(path: Path, *, days: int = 1, seed: int = 0) -> Path:
    """A file in the form of UCI Occupancy Detection, one row a minute."""
    time_s, co2, occupied = simulate(days, 60, seed=seed)
    lines = ['"date","Temperature","Humidity","Light","CO2","HumidityRatio","Occupancy"']
    for number, (second, ppm, there) in enumerate(
        zip(time_s.tolist(), co2.tolist(), occupied.tolist(), strict=True), 1
    ):
        date = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(
            f'"{number}","{date}",{21 + 2 * there},{27 + 0.01 * (number % 7)},{400 * there},{ppm:.2f},0.004,{there:d}'
        )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path
