"""Centre of pressure (CoP): where the force acts, how far and how fast that point moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.gait.contact import FloatArray

CHI2_95_TWO_DF = 5.991
"""95 % point of the chi-squared distribution with two degrees of freedom."""


def pressure_centre(force: FloatArray, position: FloatArray, *, total: FloatArray) -> FloatArray:
    """One coordinate of the CoP: sum(x_i F_i) / sum(F_i).

    Args:
        force: shape [c, n], each sensor's force, N, not negative.
        position: shape [c], the sensors' coordinate.
        total: shape [n], the sum over the sensors; the result is NaN where it is not above zero.

    Returns:
        Shape [n], in the unit of `position`.
    """
    moment = np.zeros(force.shape[1])
    for channel, at in zip(force, position, strict=True):
        if at != 0.0:
            moment += at * channel
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, moment / total, np.nan)


def cop_path_length(x: FloatArray, y: FloatArray) -> FloatArray:
    """Path = sum of the step lengths of the CoP along the last axis; shape [..., n] gives [...] (Prieto 1996).

    Missing samples (NaN) at the ends of a row are left out with their steps; one inside breaks the path there.
    """
    return np.asarray(np.nansum(np.hypot(np.diff(x, axis=-1), np.diff(y, axis=-1)), axis=-1))


def cop_velocity(x: FloatArray, y: FloatArray, *, sample_rate_hz: float) -> FloatArray:
    """Mean velocity = path / T with T = N / sample rate; shape [..., n] gives [...], NaN for an empty row.

    Reproduces COPvelo of the BDS table (Santos & Duarte 2016) from unfiltered signals; Prieto 1996.
    """
    count = np.sum(np.isfinite(x) & np.isfinite(y), axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, cop_path_length(x, y) * sample_rate_hz / count, np.nan))


def cop_ellipse_area_95(x: FloatArray, y: FloatArray) -> FloatArray:
    """Area of the 95 % prediction ellipse = pi 5.991 sqrt(det cov), covariance with n-1; [..., n] gives [...].

    NaN samples are left out; NaN below three samples. Source: Prieto 1996; the BDS table within 0.1 %.
    """
    known = np.isfinite(x) & np.isfinite(y)
    count = np.sum(known, axis=-1)
    usable = count > 2
    degrees = np.where(usable, count - 1, 1)
    dx, dy = _centred(x, known, count), _centred(y, known, count)
    var_x, var_y = np.sum(dx * dx, axis=-1) / degrees, np.sum(dy * dy, axis=-1) / degrees
    cov = np.sum(dx * dy, axis=-1) / degrees
    determinant = np.maximum(var_x * var_y - cov * cov, 0.0)
    return np.asarray(np.where(usable, np.pi * CHI2_95_TWO_DF * np.sqrt(determinant), np.nan))


def cop_range(values: FloatArray) -> FloatArray:
    """Excursion = max - min along the last axis; [..., n] gives [...], NaN for a row without a value."""
    known = np.isfinite(values)
    high = np.max(np.where(known, values, -np.inf), axis=-1, initial=-np.inf)
    low = np.min(np.where(known, values, np.inf), axis=-1, initial=np.inf)
    return np.asarray(np.where(np.any(known, axis=-1), high - low, np.nan))


def _centred(values: FloatArray, known: NDArray[np.bool_], count: FloatArray) -> FloatArray:
    """Deviations from the mean of the known values; zero where unknown."""
    filled = np.where(known, values, 0.0)
    centre = np.sum(filled, axis=-1, keepdims=True) / np.maximum(count, 1)[..., np.newaxis]
    return np.where(known, filled - centre, 0.0)
