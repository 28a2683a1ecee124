"""Hourly means and what is made from them: NowCast, AQI, 8-hour and 24-hour means, a steady CO2 level.

Hours count from the window's start. An hour has a mean when its readings cover 75 % of it; a reading covers the usual
step of the window's readings (`exposure.usual_step_us`), at most one hour. So a monitor that reports hourly means has a
mean in every hour in which it reports.
"""

from __future__ import annotations

import numpy as np

from schemas.environment import WHO_PM25_24H_UG_PER_M3, EnvironmentSettings
from schemas.environment import EnvironmentReason as Why
from udfs.environment import air_quality, ventilation
from udfs.environment.exposure import usual_step_us
from udfs.environment.features import Features, Reasons, first_reason, level_reason
from udfs.environment.segments import total
from udfs.environment.window import US_PER_H, BoolArray, FloatArray, Frame, IntArray, Series

MIN_COVERAGE = 0.75
EIGHT_HOURS, MIN_OF_EIGHT = 8, 6
DAY_HOURS, MIN_OF_DAY = 24, 18


def hourly_means(series: Series, frame: Frame) -> FloatArray:
    """Means of the whole hours of each window, shape [m, h] with h of the longest window; NaN where there is none."""
    hours = _hours(frame)
    width = int(hours.max(initial=0))
    hour = (series.time_us - frame.start_us[series.window]) // round(US_PER_H)
    whole = hour < hours[series.window]
    cell = series.window[whole] * width + hour[whole]
    cells = frame.count * width
    count = np.bincount(cell, minlength=cells).reshape(frame.count, width)
    sums = total(cell, series.value[whole], cells).reshape(frame.count, width)
    step_h = np.minimum(usual_step_us(series) / US_PER_H, 1.0)
    covered = count * step_h[:, None] >= MIN_COVERAGE
    return np.asarray(sums / np.where(covered, count, np.nan))


def hour_features(sensor: str, series: Series, frame: Frame, hourly: FloatArray) -> Features:
    """The groups `sensor_hours` (from 1 h on) and `sensor_8h` (from 8 h on); hourly means of shape [m, h]."""
    hours = _hours(frame)
    there = np.isfinite(hourly).sum(axis=1)
    short, none = hours < 1, there == 0
    highest = np.where(none, np.nan, np.where(np.isfinite(hourly), hourly, -np.inf).max(axis=1, initial=-np.inf))
    count = np.where(short | (series.given == 0), np.nan, there)
    eight = _highest_running_mean(hourly)
    return Features(
        values={f"{sensor}_hours": np.column_stack((count, highest)), f"{sensor}_8h": eight[:, None]},
        reasons={
            f"{sensor}_hours": _reason(series, frame, 1, none),
            f"{sensor}_8h": _reason(series, frame, EIGHT_HOURS, np.isnan(eight)),
        },
    )


def day_features(pm25: Series, frame: Frame, hourly: FloatArray) -> Features:
    """The groups `nowcast` (from 12 h on) and `pm25_24h` (from 18 h on); hourly means of shape [m, h]."""
    hours = _hours(frame)
    recent = _latest(hourly, hours, air_quality.NOWCAST_HOURS)
    nowcast = np.where(hours >= air_quality.NOWCAST_HOURS, air_quality.nowcast_pm25(recent), np.nan)
    mean = _mean_of(_latest(hourly, hours, DAY_HOURS), MIN_OF_DAY)
    exceeded = np.where(np.isnan(mean), np.nan, mean > WHO_PM25_24H_UG_PER_M3)
    day = (mean, air_quality.pm25_aqi(mean), mean / WHO_PM25_24H_UG_PER_M3, exceeded)
    return Features(
        values={
            "nowcast": np.column_stack((nowcast, air_quality.pm25_aqi(nowcast))),
            "pm25_24h": np.column_stack(day),
        },
        reasons={
            "nowcast": _reason(pm25, frame, air_quality.NOWCAST_HOURS, np.isnan(nowcast)),
            "pm25_24h": _reason(pm25, frame, MIN_OF_DAY, np.isnan(mean)),
        },
    )


def steady_features(co2: Series, frame: Frame, hourly: FloatArray, settings: EnvironmentSettings) -> Features:
    """The group `ventilation_per_person` (from 3 h on); hourly means of CO2 of shape [m, h]."""
    level = ventilation.steady_level(hourly, settings.outdoor_co2_ppm)
    each = ventilation.ventilation_per_person_l_per_s(level, settings.outdoor_co2_ppm, settings.co2_generation_l_per_s)
    reason = first_reason(
        _reason(co2, frame, ventilation.STEADY_HOURS, np.isfinite(hourly).sum(axis=1) < ventilation.STEADY_HOURS),
        (np.isnan(level), Why.NOT_STEADY),
    )
    return Features(
        values={"ventilation_per_person": np.column_stack((each, level))}, reasons={"ventilation_per_person": reason}
    )


def _hours(frame: Frame) -> IntArray:
    """Whole hours of each window, shape [m]."""
    return frame.length_us // round(US_PER_H)


def _reason(series: Series, frame: Frame, min_hours: int, missing: BoolArray) -> Reasons:
    return first_reason(
        (frame.bad, Why.BAD_WINDOW),
        (_hours(frame) < min_hours, Why.WINDOW_TOO_SHORT),
        level_reason(series, frame),
        (missing, Why.TOO_FEW_HOURS),
    )


def _latest(hourly: FloatArray, hours: IntArray, wanted: int) -> FloatArray:
    """The last hours of each window, the latest first, shape [m, wanted]; NaN before the window's start."""
    place = hours[:, None] - 1 - np.arange(wanted)
    if hourly.shape[1] == 0:
        return np.full(place.shape, np.nan)
    taken = np.take_along_axis(hourly, np.maximum(place, 0), axis=1)
    return np.where(place >= 0, taken, np.nan)


def _mean_of(hourly: FloatArray, least: int) -> FloatArray:
    """Mean of the hours that are there, shape [m]; NaN where they are fewer than `least`."""
    there = np.isfinite(hourly)
    sums = np.zeros(len(hourly))
    # Hour by hour: numpy's own sum over an axis would add in an order that depends on the shape.
    for hour in range(hourly.shape[1]):
        sums = sums + np.where(there[:, hour], hourly[:, hour], 0.0)
    count = there.sum(axis=1)
    return np.asarray(sums / np.where(count >= least, count, np.nan))


def _highest_running_mean(hourly: FloatArray) -> FloatArray:
    """Highest mean of eight hours in a row with at least six of them there, shape [m]; NaN where there is none."""
    best = np.full(len(hourly), np.nan)
    for first in range(hourly.shape[1] - EIGHT_HOURS + 1):
        best = np.fmax(best, _mean_of(hourly[:, first : first + EIGHT_HOURS], MIN_OF_EIGHT))
    return best
