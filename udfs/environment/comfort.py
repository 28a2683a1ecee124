"""How warm moist air feels: heat index, humidex, wet-bulb temperature; element by element, any one shape."""

from __future__ import annotations

import numpy as np

from udfs.environment.window import FloatArray

HEAT_INDEX_FROM_F = 80.0
"""From this simple index on the regression is used."""
HEAT_INDEX_MAX_DEGC = 50.0
"""The end of Steadman's table of 1979, from which the regression was made."""
WET_BULB_MIN_DEGC, WET_BULB_MAX_DEGC = -20.0, 50.0
WET_BULB_MIN_PCT, WET_BULB_MAX_PCT = 5.0, 99.0


def fahrenheit(degc: FloatArray) -> FloatArray:
    """From degC to F."""
    return np.asarray(degc * 1.8 + 32.0)


def celsius(degf: FloatArray) -> FloatArray:
    """From F to degC."""
    return np.asarray((degf - 32.0) / 1.8)


def heat_index_f(temp_f: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """Heat index of the US National Weather Service, F, from temperature in F and relative humidity in %.

    First the simple index, averaged with the temperature: (0.5 (T + 61 + 1.2 (T - 68) + 0.094 RH) + T) / 2. Below
    80 F that is the result. From 80 F on it is the regression of Rothfusz with both adjustments: minus
    (13 - RH) / 4 * sqrt((17 - |T - 95|) / 17) for RH < 13 and 80 <= T <= 112, plus
    (RH - 85) / 10 * (87 - T) / 5 for RH > 85 and 80 <= T <= 87.

    Not valid far outside Steadman's table (air above 50 degC). In the shade and in a light wind.
    Source: NWS Weather Prediction Center, heatindex_equation.shtml; Rothfusz 1990 (SR 90-23); Steadman 1979.
    """
    simple = (0.5 * (temp_f + 61.0 + (temp_f - 68.0) * 1.2 + 0.094 * humid_pct) + temp_f) / 2.0
    full = _rothfusz_f(temp_f, humid_pct)
    full = full - _dry_adjustment_f(temp_f, humid_pct) + _humid_adjustment_f(temp_f, humid_pct)
    return np.asarray(np.where(simple >= HEAT_INDEX_FROM_F, full, simple))


def heat_index_degc(temp_degc: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """`heat_index_f` with temperatures in degC; NaN above 50 degC."""
    index = celsius(heat_index_f(fahrenheit(temp_degc), humid_pct))
    return np.asarray(np.where(temp_degc <= HEAT_INDEX_MAX_DEGC, index, np.nan))


def humidex_degc(temp_degc: FloatArray, vapour_hpa: FloatArray) -> FloatArray:
    """Humidex T + 5/9 (e - 10), degC; Masterton & Richardson 1979 (Environment Canada), with e over water in hPa."""
    return np.asarray(temp_degc + 5.0 / 9.0 * (vapour_hpa - 10.0))


def wet_bulb_degc(temp_degc: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """Wet-bulb temperature at about 1013 hPa, degC; NaN outside -20 to 50 degC and 5 to 99 %.

    T atan(0.151977 sqrt(RH + 8.313659)) + atan(T + RH) - atan(RH - 1.676331)
    + 0.00391838 RH^1.5 atan(0.023101 RH) - 4.686035; error -1 to +0.65 K. Source: Stull 2011, eq. 1.
    """
    warm = (temp_degc >= WET_BULB_MIN_DEGC) & (temp_degc <= WET_BULB_MAX_DEGC)
    moist = (humid_pct >= WET_BULB_MIN_PCT) & (humid_pct <= WET_BULB_MAX_PCT)
    humid = np.where(moist, humid_pct, np.nan)
    value = (
        temp_degc * np.arctan(0.151977 * np.sqrt(humid + 8.313659))
        + np.arctan(temp_degc + humid)
        - np.arctan(humid - 1.676331)
        + 0.00391838 * humid * np.sqrt(humid) * np.arctan(0.023101 * humid)
        - 4.686035
    )
    return np.asarray(np.where(warm & moist, value, np.nan))


def _rothfusz_f(temp_f: FloatArray, humid_pct: FloatArray) -> FloatArray:
    return np.asarray(
        -42.379
        + 2.04901523 * temp_f
        + 10.14333127 * humid_pct
        - 0.22475541 * temp_f * humid_pct
        - 0.00683783 * temp_f * temp_f
        - 0.05481717 * humid_pct * humid_pct
        + 0.00122874 * temp_f * temp_f * humid_pct
        + 0.00085282 * temp_f * humid_pct * humid_pct
        - 0.00000199 * temp_f * temp_f * humid_pct * humid_pct
    )


def _dry_adjustment_f(temp_f: FloatArray, humid_pct: FloatArray) -> FloatArray:
    applies = (humid_pct < 13.0) & (temp_f >= 80.0) & (temp_f <= 112.0)
    root = np.sqrt(np.maximum(17.0 - np.abs(temp_f - 95.0), 0.0) / 17.0)
    return np.asarray(np.where(applies, (13.0 - humid_pct) / 4.0 * root, 0.0))


def _humid_adjustment_f(temp_f: FloatArray, humid_pct: FloatArray) -> FloatArray:
    applies = (humid_pct > 85.0) & (temp_f >= 80.0) & (temp_f <= 87.0)
    return np.asarray(np.where(applies, (humid_pct - 85.0) / 10.0 * ((87.0 - temp_f) / 5.0), 0.0))
