"""Sums, extremes and medians per window over readings that lie window after window.

Sums go through `np.bincount`, which adds the readings of a window one by one in their order: a window's sum is the same
to the last bit whatever else is in the batch. (`np.add.reduceat` and `np.sum` add in blocks and are not.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.environment.window import BoolArray, FloatArray, IntArray


def total(window: NDArray[np.intp], value: FloatArray | BoolArray, windows: int) -> FloatArray:
    """Sum per window, shape [m], 0 where there is nothing; value of shape [n]."""
    return np.asarray(np.bincount(window, weights=value, minlength=windows), dtype=np.float64)


def mean(window: NDArray[np.intp], value: FloatArray | BoolArray, count: IntArray) -> FloatArray:
    """Mean per window, shape [m], NaN where count is 0; value of shape [n], count of shape [m]."""
    return total(window, value, count.size) / positive_or_nan(count)


def positive_or_nan(value: FloatArray | IntArray) -> FloatArray:
    """The values above 0; NaN for the others, so that dividing by them gives a missing value and no warning."""
    return np.asarray(np.where(value > 0, value, np.nan), dtype=np.float64)


def lowest(value: FloatArray, count: IntArray) -> FloatArray:
    """Minimum per window, shape [m], NaN where count is 0; value of shape [n] lies window after window."""
    return _extreme(np.minimum, value, count)


def highest(value: FloatArray, count: IntArray) -> FloatArray:
    """Maximum per window; see `lowest`."""
    return _extreme(np.maximum, value, count)


def _extreme(function: np.ufunc, value: FloatArray, count: IntArray) -> FloatArray:
    result = np.full(count.size, np.nan)
    filled = count > 0
    # Windows that hold nothing have no first value to reduce from.
    if filled.any():
        result[filled] = function.reduceat(value, (np.cumsum(count) - count)[filled])
    return result


def lower_median(window: NDArray[np.intp], value: FloatArray, count: IntArray) -> FloatArray:
    """Median per window (the lower one of two), shape [m], NaN where count is 0; arguments as for `mean`."""
    ordered = value[np.lexsort((value, window))]
    filled = count > 0
    middle = np.cumsum(count) - count + (np.maximum(count, 1) - 1) // 2
    result = np.full(count.size, np.nan)
    result[filled] = ordered[middle[filled]]
    return result


def median(window: NDArray[np.intp], value: FloatArray, count: IntArray) -> FloatArray:
    """Median per window (the mean of the middle two), shape [m], NaN where count is 0; arguments as for `mean`."""
    ordered = value[np.lexsort((value, window))]
    filled = count > 0
    first = np.cumsum(count) - count
    low, high = first + (np.maximum(count, 1) - 1) // 2, first + count // 2
    result = np.full(count.size, np.nan)
    result[filled] = (ordered[low[filled]] + ordered[high[filled]]) / 2.0
    return result
