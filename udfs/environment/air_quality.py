"""PM2.5: correction of low-cost sensors, NowCast, and the air quality index of 2024."""

from __future__ import annotations

import numpy as np

from udfs.environment.window import FloatArray

AQI_BREAKPOINTS: tuple[tuple[float, float, int, int], ...] = (
    (0.0, 9.0, 0, 50),
    (9.1, 35.4, 51, 100),
    (35.5, 55.4, 101, 150),
    (55.5, 125.4, 151, 200),
    (125.5, 225.4, 201, 300),
    (225.5, 325.4, 301, 500),
)
"""PM2.5 24-hour mean from and to in ug/m3, AQI from and to: 40 CFR 58 Appendix G as of 6 May 2024 (89 FR 16202)."""
NOWCAST_HOURS = 12
NOWCAST_RECENT_HOURS = 3
NOWCAST_MIN_RECENT = 2
NOWCAST_MIN_WEIGHT = 0.5
BARKJOHN_SLOPE, BARKJOHN_HUMID, BARKJOHN_OFFSET = 0.524, 0.0862, 5.75

_TENTHS = 10.0
_ROUNDING_ERROR = 1e-6
"""In tenths of ug/m3: 35.4 * 10 may be 353.99999999999994 in binary, and must not be cut to 353."""


def truncate_to_tenth(value: FloatArray) -> FloatArray:
    """Cut to one decimal, as PM2.5 is before the index is looked up (40 CFR 58 Appendix G); any shape, ug/m3."""
    return np.asarray(np.floor(value * _TENTHS + _ROUNDING_ERROR) / _TENTHS)


def pm25_aqi(mean_ug_per_m3: FloatArray) -> FloatArray:
    """Air quality index of 2024 of a PM2.5 24-hour mean (or NowCast), whole numbers; any shape in ug/m3.

    The concentration is cut to 0.1, interpolated within its row of `AQI_BREAKPOINTS` and rounded half up. Above
    325.4 ug/m3 the slope of the last row goes on past 500 ("beyond the index"). NaN below 0.
    Source: 89 FR 16202 (final rule of 6 March 2024, effective 6 May 2024); slope past 500: AirNow technical document.
    """
    # Whole tenths: the gaps between rows (9.0 to 9.1) then hold no value, and every limit is exact.
    tenths = np.floor(np.asarray(mean_ug_per_m3, dtype=np.float64) * _TENTHS + _ROUNDING_ERROR)
    index = np.full(tenths.shape, np.nan)
    for low, high, index_low, index_high in AQI_BREAKPOINTS:
        first, last = round(low * _TENTHS), round(high * _TENTHS)
        value = (index_high - index_low) * (tenths - first) / (last - first) + index_low
        index = np.where(tenths >= first, value, index)
    return np.asarray(np.floor(index + 0.5))


def nowcast_pm25(hourly_ug_per_m3: FloatArray) -> FloatArray:
    """NowCast of PM2.5 from hourly means, ug/m3, cut to 0.1.

    sum(w^k c_k) / sum(w^k) over the hours there are, with k = hours ago (counted over missing hours too) and
    w = max(0.5, 1 - (max - min) / max). NaN unless 2 of the latest 3 hours are there.

    Args:
        hourly_ug_per_m3: shape [m, 12], the latest hour first, NaN for a missing hour; not truncated before.

    Returns:
        Shape [m].

    Source: US EPA, "Transitioning to a new NowCast method" (P100X0J6), AirNow; PM form with the floor of 0.5.
    """
    hours = np.asarray(hourly_ug_per_m3, dtype=np.float64)
    there = np.isfinite(hours)
    lowest = np.where(there, hours, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(there, hours, -np.inf).max(axis=1, initial=-np.inf)
    some = highest > 0.0
    ratio = np.where(some, lowest, 1.0) / np.where(some, highest, 1.0)
    weight = np.maximum(NOWCAST_MIN_WEIGHT, ratio)
    total, weights, power = (np.zeros(len(hours)), np.zeros(len(hours)), np.ones(len(hours)))
    # Hour by hour, so that every row is summed in the same order however many there are.
    for hour in range(hours.shape[1]):
        total = total + np.where(there[:, hour], power * hours[:, hour], 0.0)
        weights = weights + np.where(there[:, hour], power, 0.0)
        power = power * weight
    recent = there[:, :NOWCAST_RECENT_HOURS].sum(axis=1)
    complete = recent >= NOWCAST_MIN_RECENT
    mean = np.where(complete, total, np.nan) / np.where(complete, weights, 1.0)
    return truncate_to_tenth(mean)


def correct_barkjohn_2021(cf1_ug_per_m3: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """US-wide correction of PurpleAir sensors: 0.524 PM(cf_1) - 0.0862 RH + 5.75, ug/m3, not below 0; any shape.

    For the cf_1 output of Plantower sensors only, outdoors in the USA; fitted to 24-hour means up to about
    110 ug/m3. Source: Barkjohn, Gantt & Clements 2021, Atmos. Meas. Tech. 14, 4617.
    """
    corrected = BARKJOHN_SLOPE * cf1_ug_per_m3 - BARKJOHN_HUMID * humid_pct + BARKJOHN_OFFSET
    return np.asarray(np.maximum(corrected, 0.0))
