"""Moist air from temperature and relative humidity.

Everything is over liquid water at all temperatures, below 0 degC too: WMO-No. 8 defines the relative humidity that a
sensor reports over water. Formulas over ice (ASHRAE, psychrolib below 0.01 degC) give a higher dew point there: at
-10 degC and 70 % -13.96 degC against -14.44 degC here.

There are two formulas of saturation, because the standards behind the features differ: Magnus (WMO) for dew point,
absolute humidity and deficit, Hyland & Wexler (ASHRAE) for the humidity ratio. Magnus is up to 0.3 % lower at room
temperature.

All functions are element by element: arrays of any one shape in, the same shape out. They compute, and do not judge:
the Magnus coefficients hold from -45 to 60 degC, which `udfs.environment.joined` checks.
"""

from __future__ import annotations

import math

import numpy as np

from udfs.environment.window import FloatArray

MAGNUS_A_HPA = 6.112
MAGNUS_B = 17.62
MAGNUS_C_DEGC = 243.12
MAGNUS_MIN_DEGC = -45.0
MAGNUS_MAX_DEGC = 60.0
WATER_VAPOUR_G_K_PER_HPA_M3 = 216.679
"""100 Pa/hPa * 1000 g/kg / 461.5 J/(kg K), the gas constant of water vapour."""
MASS_RATIO_WATER_AIR = 0.621945
"""Molar mass of water over that of dry air, ASHRAE Fundamentals 2017, chapter 1."""
ZERO_DEGC_KELVIN = 273.15
HPA_PER_KPA = 10.0
PA_PER_HPA = 100.0
LN_100 = math.log(100.0)


def saturation_pressure_hpa(temp_degc: FloatArray) -> FloatArray:
    """Saturation vapour pressure es = 6.112 exp(17.62 T / (243.12 + T)), hPa, over water, -45 to 60 degC.

    Source: Magnus with the coefficients of Sonntag 1990, as in WMO-No. 8, Vol. I, Annex 4.B.
    """
    return np.asarray(MAGNUS_A_HPA * np.exp(MAGNUS_B * temp_degc / (MAGNUS_C_DEGC + temp_degc)))


def saturation_pressure_ashrae_hpa(temp_degc: FloatArray) -> FloatArray:
    """Saturation vapour pressure of ASHRAE, hPa, over water, 0 to 200 degC, used below 0 degC for supercooled water.

    ln(es in Pa) = -5800.2206/T + 1.3914993 - 0.048640239 T + 4.1764768e-5 T^2 - 1.4452093e-8 T^3 + 6.5459673 ln T,
    T in K. Source: Hyland & Wexler 1983; ASHRAE Fundamentals 2017, chapter 1, eq. 6.
    """
    kelvin = temp_degc + ZERO_DEGC_KELVIN
    power = -0.048640239 + (4.1764768e-5 - 1.4452093e-8 * kelvin) * kelvin
    return np.asarray(
        np.exp(-5800.2206 / kelvin + 1.3914993 + power * kelvin + 6.5459673 * np.log(kelvin)) / PA_PER_HPA
    )


def vapour_pressure_hpa(temp_degc: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """Vapour pressure e = es RH / 100, hPa; source as `saturation_pressure_hpa`."""
    return np.asarray(saturation_pressure_hpa(temp_degc) * humid_pct / 100.0)


def dew_point_degc(temp_degc: FloatArray, humid_pct: FloatArray) -> FloatArray:
    """Dew point Td = 243.12 g / (17.62 - g), g = ln(RH / 100) + 17.62 T / (243.12 + T), degC, over water.

    NaN where RH is not above 0. Source: the inverse of `saturation_pressure_hpa` (WMO-No. 8, Vol. I, Annex 4.B).
    """
    positive = np.where(humid_pct > 0.0, humid_pct, np.nan)
    exponent = np.log(positive) - LN_100 + MAGNUS_B * temp_degc / (MAGNUS_C_DEGC + temp_degc)
    return np.asarray(MAGNUS_C_DEGC * exponent / (MAGNUS_B - exponent))


def absolute_humidity_g_per_m3(temp_degc: FloatArray, vapour_hpa: FloatArray) -> FloatArray:
    """Mass of vapour in a volume of moist air, 216.679 e / (T + 273.15), g/m3; the ideal gas law."""
    return np.asarray(WATER_VAPOUR_G_K_PER_HPA_M3 * vapour_hpa / (temp_degc + ZERO_DEGC_KELVIN))


def humidity_ratio_kg_per_kg(vapour_hpa: FloatArray, pressure_hpa: float) -> FloatArray:
    """Mass of vapour per mass of dry air, 0.621945 e / (p - e), kg/kg; ASHRAE Fundamentals 2017, chapter 1, eq. 20.

    e comes from `saturation_pressure_ashrae_hpa`. NaN where it is not below the air pressure.
    """
    dry_hpa = pressure_hpa - vapour_hpa
    return np.asarray(MASS_RATIO_WATER_AIR * vapour_hpa / np.where(dry_hpa > 0.0, dry_hpa, np.nan))


def vapour_pressure_deficit_kpa(temp_degc: FloatArray, vapour_hpa: FloatArray) -> FloatArray:
    """Vapour pressure deficit VPD = (es - e) / 10, kPa, of the air; FAO Irrigation and Drainage Paper 56, 1998."""
    return np.asarray((saturation_pressure_hpa(temp_degc) - vapour_hpa) / HPA_PER_KPA)
