"""Spread of strides: coefficient of variation, detrended deviation, fractal exponent."""

from __future__ import annotations

import numpy as np

from udfs.gait.contact import FloatArray

MIN_DFA_STRIDES = 100
MIN_DFA_BOX = 4
DFA_BOX_COUNT = 12


def mean(values: FloatArray) -> float:
    """Mean of the finite values; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(_mean(finite)) if finite.size else float("nan")


def standard_deviation(values: FloatArray) -> float:
    """SD (n-1) of the finite values; NaN below two."""
    finite = values[np.isfinite(values)]
    if finite.size < 2:
        return float("nan")
    deviation = finite - _mean(finite)
    return float(np.sqrt(np.add.reduce(deviation * deviation) / (finite.size - 1)))


def _mean(values: FloatArray) -> float:
    # The sums of np.mean to the last bit, at a third of its time: a session asks for a hundred means of some strides.
    return np.add.reduce(values) / values.size  # type: ignore[no-any-return]


def coefficient_of_variation_pct(values: FloatArray) -> float:
    """CV = 100 SD(n-1) / mean, % (Hausdorff; Yogev 2005); NaN below two values or for a mean not above zero."""
    centre = mean(values)
    return 100.0 * standard_deviation(values) / centre if centre > 0 else float("nan")


def detrended_sd(values: FloatArray) -> float:
    """SD of the residuals about the least-squares line over the stride number (n-2 degrees of freedom).

    Tells variability from a slow drift of pace. Values: shape [k], any unit; NaN below four values.
    """
    if values.size < 4:
        return float("nan")
    number = np.arange(values.size) - (values.size - 1) / 2
    centred = values - np.mean(values)
    residual = centred - number * (np.sum(number * centred) / np.sum(number * number))
    return float(np.sqrt(np.sum(residual * residual) / (values.size - 2)))


def dfa_alpha(values: FloatArray) -> float:
    """Detrended fluctuation exponent of a series, shape [k]; NaN below 100 values or for a constant series.

    Slope of log F(n) over log n for about twelve box sizes n from 4 to k/4, linear detrending in every box; about 0.5
    for white noise, 1.0 for 1/f noise, 1.5 for a random walk (Peng 1994; Hausdorff 1995 for stride times).
    """
    if values.size < MIN_DFA_STRIDES or not np.all(np.isfinite(values)):
        return float("nan")
    profile = np.cumsum(values - np.mean(values))
    sizes = np.unique(np.geomspace(MIN_DFA_BOX, values.size // 4, DFA_BOX_COUNT).astype(np.int64))
    fluctuation = np.array([_fluctuation(profile, int(size)) for size in sizes])
    if not np.all(fluctuation > 0):
        return float("nan")
    log_size, log_fluctuation = np.log(sizes), np.log(fluctuation)
    centred = log_size - np.mean(log_size)
    return float(np.sum(centred * log_fluctuation) / np.sum(centred * centred))


def _fluctuation(profile: FloatArray, size: int) -> float:
    """Root mean square of the profile about a line in each box of `size` values; a rest at the end is left out."""
    boxes = profile[: profile.size // size * size].reshape(-1, size)
    number = np.arange(size) - (size - 1) / 2
    centred = boxes - np.mean(boxes, axis=1, keepdims=True)
    slope = np.sum(centred * number, axis=1, keepdims=True) / np.sum(number * number)
    residual = centred - slope * number
    return float(np.sqrt(np.mean(residual * residual)))
