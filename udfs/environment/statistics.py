"""What each sensor did in a window: level, rate of change, gaps, and the signs of a stuck or saturated sensor."""

from __future__ import annotations

import numpy as np

from schemas.environment import EnvironmentReason as Why
from udfs.environment.features import Features, first_reason, level_reason
from udfs.environment.segments import highest, lowest, mean, positive_or_nan, total
from udfs.environment.window import US_PER_H, US_PER_S, FloatArray, Frame, IntArray, Series

STUCK_AFTER_S = 3_600.0
STUCK_MIN_READINGS = 5


def sensor_features(sensor: str, series: Series, frame: Frame, *, pegged: tuple[float, float]) -> Features:
    """The three groups of one sensor: `sensor`, `sensor_rate` and `sensor_stuck` (see `schemas.environment`).

    Args:
        sensor: first part of the feature names, such as "temp".
        series: its usable readings.
        frame: the windows.
        pegged: a reading at or below the first, or at or above the second, is at the end of the sensor's scale.
    """
    count = series.count
    saturated = 100.0 * mean(series.window, (series.value <= pegged[0]) | (series.value >= pegged[1]), count)
    run_count, run_s = _longest_runs(series)
    level = np.column_stack(
        (
            count,
            mean(series.window, series.value, count),
            lowest(series.value, count),
            highest(series.value, count),
            100.0 * (series.given - count) / positive_or_nan(series.given),
            np.where(series.given + series.lost > 0, _longest_gap_s(series, frame), np.nan),
            run_count,
            run_s,
            saturated,
            np.where(count > 0, saturated > 0.0, np.nan),
        )
    )
    missing = level_reason(series, frame)
    rate = slope_per_h(series, frame)
    return Features(
        values={sensor: level, f"{sensor}_rate": rate[:, None], f"{sensor}_stuck": _stuck(series, frame)[:, None]},
        reasons={
            sensor: missing,
            f"{sensor}_rate": first_reason(missing, (np.isnan(rate), Why.TOO_FEW_READINGS)),
            f"{sensor}_stuck": first_reason(
                (frame.length_s < STUCK_AFTER_S, Why.WINDOW_TOO_SHORT),
                missing,
                (count < STUCK_MIN_READINGS, Why.TOO_FEW_READINGS),
            ),
        },
    )


def slope_per_h(series: Series, frame: Frame) -> FloatArray:
    """Least-squares slope over time, shape [m], unit per hour; NaN where all readings lie at one instant."""
    hours = (series.time_us - frame.start_us[series.window]) / US_PER_H
    hours = hours - mean(series.window, hours, series.count)[series.window]
    value = series.value - mean(series.window, series.value, series.count)[series.window]
    spread = total(series.window, hours * hours, frame.count)
    # Readings at one instant leave a spread of rounding errors only.
    moving = (series.count > 1) & (_span_us(series) > 0)
    return np.asarray(total(series.window, hours * value, frame.count) / np.where(moving, spread, np.nan))


def _span_us(series: Series) -> IntArray:
    """First to last reading, shape [m]; 0 where there is none."""
    span = np.zeros(series.count.size, dtype=np.int64)
    filled = series.count > 0
    first = series.first[filled]
    span[filled] = series.time_us[first + series.count[filled] - 1] - series.time_us[first]
    return span


def _longest_gap_s(series: Series, frame: Frame) -> FloatArray:
    """Longest time without a reading, the window's ends included, shape [m]."""
    first, filled = series.first, series.count > 0
    before = np.diff(series.time_us, prepend=0)
    before[first[filled]] = series.time_us[first[filled]] - frame.start_us[filled]
    longest = highest(before.astype(np.float64), series.count)
    last = series.time_us[(first + series.count - 1)[filled]]
    longest[filled] = np.maximum(longest[filled], (frame.start_us + frame.length_us)[filled] - last)
    return np.where(filled, longest, frame.length_us) / US_PER_S


def _longest_runs(series: Series) -> tuple[FloatArray, FloatArray]:
    """Longest run of equal readings, shape [m] each: readings and s (of the run that lasts longest)."""
    if series.value.size == 0:
        return np.full(series.count.size, np.nan), np.full(series.count.size, np.nan)
    begins = np.ones(series.value.size, dtype=np.bool_)
    begins[1:] = (np.diff(series.window) != 0) | (np.diff(series.value) != 0.0)
    first = np.flatnonzero(begins)
    after = np.append(first[1:], series.value.size)
    runs = np.bincount(series.window[first], minlength=series.count.size)
    length_s = (series.time_us[after - 1] - series.time_us[first]) / US_PER_S
    return highest((after - first).astype(np.float64), runs), highest(length_s, runs)


def _stuck(series: Series, frame: Frame) -> FloatArray:
    """1 where a run of five or more equal readings lasts 60 min or more, shape [m]; NaN where that cannot be told.

    Source: the persistence test of Zahumensky 2004 (WMO), with "no change at all" for "no change above 0.1": cheap
    sensors have coarse steps.
    """
    known = (frame.length_s >= STUCK_AFTER_S) & (series.count >= STUCK_MIN_READINGS)
    run_count, run_s = _longest_runs(series)
    stuck = (run_count >= STUCK_MIN_READINGS) & (run_s >= STUCK_AFTER_S)
    return np.where(known, stuck, np.nan)
