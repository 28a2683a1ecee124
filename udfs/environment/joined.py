"""Features that need two sensors at one instant: moist air, and PM2.5 beside humidity.

A reading of the first sensor is paired with the nearest reading of the second in the same window, at most
`EnvironmentSettings.pair_tolerance_s` away (of two equally near ones the earlier). The formula is applied to each pair
and then averaged: never the formula of the averages, which differs because none of these formulas is linear.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.environment import HIGH_HUMIDITY_PCT, EnvironmentSettings, Pm25Correction
from schemas.environment import EnvironmentReason as Why
from udfs.environment import comfort, psychrometrics
from udfs.environment.air_quality import correct_barkjohn_2021
from udfs.environment.features import Features, Reasons, first_reason, level_reason
from udfs.environment.segments import highest, lowest, mean
from udfs.environment.window import US_PER_S, BoolArray, FloatArray, Frame, Series


def nearest(first: Series, second: Series, frame: Frame, tolerance_s: float) -> tuple[NDArray[np.intp], BoolArray]:
    """For each reading of the first series the place of the nearest one of the second, and whether there is one.

    Both results have shape [n] of the first series; a place without a partner means nothing.
    """
    if second.value.size == 0:
        return np.zeros(first.value.size, dtype=np.intp), np.zeros(first.value.size, dtype=np.bool_)
    # One axis for all windows, further apart than any two readings of one window: windows never mix.
    stride = int(frame.length_us.max(initial=0)) + 1
    first_at = first.window * stride + (first.time_us - frame.start_us[first.window])
    second_at = second.window * stride + (second.time_us - frame.start_us[second.window])
    after = np.searchsorted(second_at, first_at)
    left, right = np.maximum(after - 1, 0), np.minimum(after, second_at.size - 1)
    left_us, right_us = (_distance_us(first, second, place) for place in (left, right))
    place = np.where(left_us <= right_us, left, right)
    return place, np.minimum(left_us, right_us) <= round(tolerance_s * US_PER_S)


def _distance_us(first: Series, second: Series, place: NDArray[np.intp]) -> NDArray[np.int64]:
    far = np.iinfo(np.int64).max
    same = second.window[place] == first.window
    return np.where(same, np.abs(first.time_us - second.time_us[place]), far)


def moist_air_features(temp: Series, humid: Series, frame: Frame, settings: EnvironmentSettings) -> Features:
    """The groups `humidity`, `heat_index` and `wet_bulb` (see `schemas.environment`).

    Pairs outside -45 to 60 degC or at 0 % relative humidity are left out, and those outside the narrower ranges of
    heat index and wet bulb only there.
    """
    place, paired = nearest(temp, humid, frame, settings.pair_tolerance_s)
    pairs = temp.where(paired)
    relative = humid.value[place[paired]]
    within = (pairs.value >= psychrometrics.MAGNUS_MIN_DEGC) & (pairs.value <= psychrometrics.MAGNUS_MAX_DEGC)
    valid = within & (relative > 0.0)
    air, relative = pairs.where(valid), relative[valid]
    missing = first_reason(
        pair_reason(temp, humid, frame),
        (pairs.count == 0, Why.NO_PAIRS),
        (air.count == 0, Why.OUT_OF_VALIDITY),
    )
    heat_mean, heat_max = _mean_and_max(air, comfort.heat_index_degc(air.value, relative))
    wet_bulb, _ = _mean_and_max(air, comfort.wet_bulb_degc(air.value, relative))
    return Features(
        values={
            "humidity": _humidity(air, relative, settings.pressure_hpa),
            "heat_index": np.column_stack((heat_mean, heat_max)),
            "wet_bulb": wet_bulb[:, None],
        },
        reasons={
            "humidity": missing,
            "heat_index": first_reason(missing, (np.isnan(heat_mean), Why.OUT_OF_VALIDITY)),
            "wet_bulb": first_reason(missing, (np.isnan(wet_bulb), Why.OUT_OF_VALIDITY)),
        },
    )


def pair_reason(first: Series, second: Series, frame: Frame) -> Reasons:
    """Why two sensors cannot be joined for want of readings, shape [m]."""
    return first_reason(
        (frame.bad, Why.BAD_WINDOW),
        (first.given + first.lost == 0, Why.NO_SENSOR),
        (second.given + second.lost == 0, Why.NO_SENSOR),
        level_reason(first, frame),
        level_reason(second, frame),
    )


def _humidity(air: Series, relative: FloatArray, pressure_hpa: float) -> FloatArray:
    """Shape [m, 7] in the order of the group `humidity`; relative humidity in %, shape [n of air]."""
    dew_point = psychrometrics.dew_point_degc(air.value, relative)
    vapour_hpa = psychrometrics.vapour_pressure_hpa(air.value, relative)
    ashrae_hpa = psychrometrics.saturation_pressure_ashrae_hpa(air.value) * relative / 100.0
    averaged = (
        vapour_hpa,
        psychrometrics.absolute_humidity_g_per_m3(air.value, vapour_hpa),
        psychrometrics.humidity_ratio_kg_per_kg(ashrae_hpa, pressure_hpa),
        psychrometrics.vapour_pressure_deficit_kpa(air.value, vapour_hpa),
        comfort.humidex_degc(air.value, vapour_hpa),
    )
    return np.column_stack(
        (
            mean(air.window, dew_point, air.count),
            # Rounding may put the dew point of saturated air a hair above the air itself.
            lowest(np.maximum(air.value - dew_point, 0.0), air.count),
            *(mean(air.window, quantity, air.count) for quantity in averaged),
        )
    )


def _mean_and_max(air: Series, quantity: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Over the pairs for which the quantity (shape [n of air]) is defined, shape [m] each."""
    defined = air.where(~np.isnan(quantity), quantity)
    return mean(defined.window, defined.value, defined.count), highest(defined.value, defined.count)


def particle_series(
    pm25: Series, humid: Series, frame: Frame, settings: EnvironmentSettings
) -> tuple[Series, Features]:
    """The PM2.5 readings that the exposure features use, and the groups `pm25_correction` and `pm25_humidity`.

    With a correction, every window in which PM2.5 and humidity can be paired keeps only its paired readings, corrected;
    a window without any pair keeps its raw readings and its row says "none". The two are never mixed in a window.
    """
    place, paired = nearest(pm25, humid, frame, settings.pair_tolerance_s)
    pairs = pm25.where(paired)
    relative = humid.value[place[paired]]
    missing = first_reason(pair_reason(pm25, humid, frame), (pairs.count == 0, Why.NO_PAIRS))
    moist = 100.0 * mean(pairs.window, relative > HIGH_HUMIDITY_PCT, pairs.count)
    corrected_mean = np.full(frame.count, np.nan)
    used = pm25
    if settings.pm25_correction is Pm25Correction.BARKJOHN_2021:
        value = pm25.value.copy()
        value[paired] = correct_barkjohn_2021(pairs.value, relative)
        used = pm25.where(paired | (pairs.count[pm25.window] == 0), value)
        corrected_mean = mean(pairs.window, value[paired], pairs.count)
        reason = missing
    else:
        reason = first_reason((frame.bad, Why.BAD_WINDOW), (np.ones(frame.count, dtype=np.bool_), Why.NO_METHOD))
    return used, Features(
        values={"pm25_correction": corrected_mean[:, None], "pm25_humidity": moist[:, None]},
        reasons={"pm25_correction": reason, "pm25_humidity": missing},
    )
