"""Voltage against the declared one: deviation, and the bands of EN 50160:2010, 4.2.2."""

from __future__ import annotations

import numpy as np

from udfs.power.window import FloatArray

NARROW_BAND_PCT = (-10.0, 10.0)
WIDE_BAND_PCT = (-15.0, 10.0)
_ROUNDING = 1e-9


def share_within_pct(rms: FloatArray, nominal_volt: float, band_pct: tuple[float, float]) -> float:
    """Share in % of the known values [n] whose deviation from `nominal_volt` lies in the band, limits included."""
    deviation = deviation_pct(rms[np.isfinite(rms)], nominal_volt)
    if deviation.size == 0:
        return float("nan")
    low, high = band_pct
    inside = (deviation >= low - _ROUNDING) & (deviation <= high + _ROUNDING)
    return float(100.0 * np.count_nonzero(inside) / deviation.size)


def deviation_pct(rms: FloatArray, nominal_volt: float) -> FloatArray:
    """100 (U - U_din) / U_din."""
    return np.asarray(100.0 * (rms - nominal_volt) / nominal_volt)


def complies_with_en50160(ten_minute_rms: FloatArray, nominal_volt: float) -> bool | None:
    """EN 50160 for low voltage: 95 % of a week's 10-min RMS values within +-10 %, all within +10/-15 %.

    Args:
        ten_minute_rms: [1008] for a full week, V, NaN where flagged or unknown; a window of minutes cannot decide it.
        nominal_volt: declared voltage.

    Returns:
        None when less than a week of values is given.
    """
    if len(ten_minute_rms) < 7 * 24 * 6 or not np.isfinite(ten_minute_rms).any():
        return None
    narrow = share_within_pct(ten_minute_rms, nominal_volt, NARROW_BAND_PCT)
    return narrow >= 95.0 and share_within_pct(ten_minute_rms, nominal_volt, WIDE_BAND_PCT) >= 100.0
