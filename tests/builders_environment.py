"""Windows of environment readings for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from schemas.environment import ENVIRONMENT_FEATURE_NAMES, EnvironmentSettings
from udfs.environment import EnvironmentBatch, EnvironmentResult, Readings, extract_environment_batch

START_US = 1_700_049_600_000_000
"""12:00 UTC, 15 November 2023."""
SENSORS = ("temp", "humid", "co2", "pm25")
Pairs = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Window:
    """One window: per sensor the times in s from its start and the values."""

    length_s: float = 60.0
    readings: Mapping[str, Pairs] = field(default_factory=dict)
    start_us: int = START_US


def window(length_s: float = 60.0, *, every_s: float | None = None, **sensors: Iterable[float]) -> Window:
    """Evenly spaced readings, the first at the window's start; one sensor may have more of them than another."""
    readings = {}
    for name, values in sensors.items():
        value = np.asarray(list(values), dtype=np.float64)
        step = length_s / max(value.size, 1) if every_s is None else every_s
        readings[name] = (np.arange(value.size) * step, value)
    return Window(length_s, readings)


def batch_of(windows: Iterable[Window]) -> EnvironmentBatch:
    """Many windows as columns."""
    rows = list(windows)
    columns = {}
    for sensor in SENSORS:
        parts = [
            (np.full(len(row.readings[sensor][0]), number), row.start_us, *row.readings[sensor])
            for number, row in enumerate(rows)
            if sensor in row.readings
        ]
        columns[sensor] = (
            Readings(
                np.concatenate([number for number, _, _, _ in parts]).astype(np.intp),
                np.concatenate([start + np.rint(time * 1e6).astype(np.int64) for _, start, time, _ in parts]),
                np.concatenate([np.asarray(value, dtype=np.float64) for _, _, _, value in parts]),
            )
            if parts
            else Readings.none()
        )
    return EnvironmentBatch(
        np.array([row.start_us for row in rows], dtype=np.int64),
        np.array([row.length_s for row in rows], dtype=np.float64),
        **columns,
    )


def extract(*windows: Window, settings: EnvironmentSettings | None = None) -> EnvironmentResult:
    """The features of some windows."""
    return extract_environment_batch(batch_of(windows), settings)


def features(one: Window, settings: EnvironmentSettings | None = None) -> dict[str, float]:
    """The features of one window by name."""
    return dict(zip(ENVIRONMENT_FEATURE_NAMES, extract(one, settings=settings).values[0].tolist(), strict=True))


def reasons(one: Window, settings: EnvironmentSettings | None = None) -> set[str]:
    """The reasons of one window."""
    return set(extract(one, settings=settings).reasons[0])


def night(
    rate_per_h: float, *, background_ppm: float = 430.0, peak_ppm: float = 1_400.0, hours: float = 24.0
) -> Window:
    """A day from noon on: a steady peak until 18:00, then an empty room; one reading a minute, 2 ppm of noise."""
    time_s = np.arange(0.0, hours * 3_600.0, 60.0)
    empty_h = np.maximum(time_s / 3_600.0 - 6.0, 0.0)
    level = background_ppm + (peak_ppm - background_ppm) * np.exp(-rate_per_h * empty_h)
    noise = np.random.default_rng(7).normal(0.0, 2.0, time_s.size)
    return Window(hours * 3_600.0, {"co2": (time_s, level + noise)})
