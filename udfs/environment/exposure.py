"""How long and how much: doses, time above a threshold, shares of readings in the CO2 categories."""

from __future__ import annotations

import numpy as np

from schemas.environment import CO2_CATEGORY_LIMITS_PPM, EnvironmentSettings
from schemas.environment import EnvironmentReason as Why
from udfs.environment.features import Features, first_reason, level_reason
from udfs.environment.segments import lower_median, mean, positive_or_nan, total
from udfs.environment.ventilation import rebreathed_fraction
from udfs.environment.window import US_PER_H, FloatArray, Frame, Series

GAP_STEPS = 2.0
"""A step longer than this many usual steps is a gap: at least one reading is missing."""


def usual_step_us(series: Series) -> FloatArray:
    """The usual time between readings: the lower median of the steps of each window, shape [m]; NaN below two readings.

    NaN too where it is 0: most readings then lie at one instant.
    """
    inside = np.diff(series.window) == 0
    step = np.diff(series.time_us)[inside].astype(np.float64)
    steps = np.maximum(series.count - 1, 0)
    return positive_or_nan(lower_median(series.window[1:][inside], step, steps))


def standing_h(series: Series, frame: Frame, usual_us: FloatArray) -> FloatArray:
    """The time in h for which each reading stands, shape [n].

    Until the next reading; before a gap (more than two usual steps) and at the window's last reading one usual step,
    but never past the window's end. NaN where there is no usual step.
    """
    if series.value.size == 0:
        return np.zeros(0)
    usual = usual_us[series.window]
    end_us = (frame.start_us + frame.length_us)[series.window]
    step = np.append(np.diff(series.time_us), 0).astype(np.float64)
    last = np.append(np.diff(series.window) != 0, True)
    ends = last | (step > GAP_STEPS * usual)
    return (
        np.where(ends, np.minimum(usual, end_us - series.time_us), np.where(np.isnan(usual), np.nan, step)) / US_PER_H
    )


def exposure_features(
    sensor: str, series: Series, frame: Frame, *, threshold: float, baseline: float = 0.0
) -> Features:
    """The group `sensor_exposure`: dose above the baseline (unit h), hours above the threshold, hours covered."""
    usual_us = usual_step_us(series)
    hours = standing_h(series, frame, usual_us)
    known = ~np.isnan(usual_us)
    sums = (
        total(series.window, hours * np.maximum(series.value - baseline, 0.0), frame.count),
        total(series.window, np.where(series.value > threshold, hours, 0.0), frame.count),
        total(series.window, hours, frame.count),
    )
    values = np.column_stack([np.where(known, each, np.nan) for each in sums])
    reason = first_reason(level_reason(series, frame), (~known, Why.TOO_FEW_READINGS))
    return Features(values={f"{sensor}_exposure": values}, reasons={f"{sensor}_exposure": reason})


def co2_level_features(co2: Series, frame: Frame, settings: EnvironmentSettings) -> Features:
    """The group `co2_level`: rebreathed fraction and the share of readings in each category of EN 16798-1:2019."""
    excess = co2.value - settings.outdoor_co2_ppm
    category = np.searchsorted(np.array(CO2_CATEGORY_LIMITS_PPM), excess, side="left")
    shares = [100.0 * mean(co2.window, category == number, co2.count) for number in range(4)]
    rebreathed = mean(co2.window, 100.0 * rebreathed_fraction(co2.value, settings.outdoor_co2_ppm), co2.count)
    return Features(
        values={"co2_level": np.column_stack((rebreathed, *shares))},
        reasons={"co2_level": level_reason(co2, frame)},
    )
