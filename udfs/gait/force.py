"""Vertical force in stance: peaks, rates, impulse, and how the curve varies from stride to stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.gait.contact import FloatArray, IntArray
from udfs.gait.strides import FootStrides

CURVE_POINTS = 101


@dataclass(frozen=True, slots=True)
class StanceWindows:
    """The samples of each stance as rows of one matrix, one sample before heel strike and one after toe-off included.

    Attributes:
        index: shape [k, w], sample numbers, clipped to the stance at the right end.
        inside: shape [k, w], True from the first to the last sample at or above the contact threshold.
        strike, off: shape [k], in samples.
        origin: shape [k], sample number of column 0.
        bounds: shape [2 k], first sample and past-the-last sample of each stance in turn.
    """

    index: IntArray
    inside: NDArray[np.bool_]
    strike: FloatArray
    off: FloatArray
    origin: IntArray
    bounds: IntArray

    @classmethod
    def of(cls, strides: FootStrides, *, sample_rate_hz: float) -> StanceWindows:
        """Lay out the stances of one foot."""
        origin = strides.first - 1
        end = strides.last + 1
        width = int(np.max(end - origin, initial=0)) + 1
        index = origin[:, np.newaxis] + np.arange(width)
        inside = (index >= strides.first[:, np.newaxis]) & (index <= strides.last[:, np.newaxis])
        clipped = np.minimum(index, end[:, np.newaxis])
        bounds = np.column_stack([strides.first, end]).ravel()
        return cls(clipped, inside, strides.strike * sample_rate_hz, strides.off * sample_rate_hz, origin, bounds)

    def masked(self, signal: FloatArray) -> FloatArray:
        """The signal, shape [n], cut into stances, [k, w]; NaN outside the stance."""
        return np.where(self.inside, signal[self.index], np.nan)

    def sums(self, signals: FloatArray) -> FloatArray:
        """Sum of each signal, shape [c, n], over each stance: [c, k]."""
        return np.asarray(np.add.reduceat(signals, self.bounds, axis=1)[:, ::2])

    def maxima(self, signals: FloatArray) -> FloatArray:
        """Maximum of each signal, shape [c, n], over each stance: [c, k]."""
        return np.asarray(np.maximum.reduceat(signals, self.bounds, axis=1)[:, ::2])


@dataclass(frozen=True, slots=True)
class StancePeaks:
    """Per stance, arrays of shape [k]: force in the unit of the signal, instants in samples."""

    first: FloatArray
    first_at: FloatArray
    second: FloatArray
    second_at: FloatArray
    valley: FloatArray


def find_peaks(windows: StanceWindows, force: FloatArray) -> StancePeaks:
    """F1 = max of the first half of stance, F2 = max of the second half, Fmin = min between the two.

    Halves by time between heel strike and toe-off. Source: GaitRec (Horsak 2020) and common VGRF practice.
    """
    curve = force[windows.index]
    middle = ((windows.strike + windows.off) / 2)[:, np.newaxis]
    early = windows.inside & (windows.index <= middle)
    late = windows.inside & (windows.index > middle)
    rows = np.arange(curve.shape[0])
    first_column = np.argmax(np.where(early, curve, -np.inf), axis=1)
    second_column = np.argmax(np.where(late, curve, -np.inf), axis=1)
    column = np.arange(curve.shape[1])
    between = (column >= first_column[:, np.newaxis]) & (column <= second_column[:, np.newaxis])
    return StancePeaks(
        first=curve[rows, first_column],
        first_at=windows.index[rows, first_column].astype(np.float64),
        second=curve[rows, second_column],
        second_at=windows.index[rows, second_column].astype(np.float64),
        valley=np.min(np.where(between, curve, np.inf), axis=1),
    )


def loading_rate_max(
    windows: StanceWindows, force: FloatArray, peaks: StancePeaks, *, sample_rate_hz: float
) -> FloatArray:
    """Steepest rise between heel strike and F1: max dF/dt over sample steps, force per second; shape [k]."""
    slopes = _slopes(windows, force, sample_rate_hz, stop=peaks.first_at)
    return np.asarray(np.max(slopes, axis=1, initial=-np.inf))


def unloading_rate_max(
    windows: StanceWindows, force: FloatArray, peaks: StancePeaks, *, sample_rate_hz: float
) -> FloatArray:
    """Steepest fall between F2 and toe-off: max -dF/dt over sample steps, force per second; shape [k]."""
    slopes = _slopes(windows, -force, sample_rate_hz, start=peaks.second_at)
    return np.asarray(np.max(slopes, axis=1, initial=-np.inf))


def _slopes(
    windows: StanceWindows,
    force: FloatArray,
    sample_rate_hz: float,
    *,
    start: FloatArray | None = None,
    stop: FloatArray | None = None,
) -> FloatArray:
    """Slopes of the sample steps from `start` to `stop` (samples); -inf outside."""
    left = windows.index[:, :-1]
    wanted = windows.index[:, 1:] > left
    if start is not None:
        wanted &= left >= start[:, np.newaxis]
    if stop is not None:
        wanted &= left < stop[:, np.newaxis]
    return np.where(wanted, np.diff(force[windows.index], axis=1) * sample_rate_hz, -np.inf)


def loading_rate_20_80(
    windows: StanceWindows, force: FloatArray, peaks: StancePeaks, *, sample_rate_hz: float
) -> FloatArray:
    """Mean slope from 20 % to 80 % of the time from heel strike to F1, force per second; shape [k] (Milner 2006)."""
    rise = peaks.first_at - windows.strike
    low = _at(force, windows.strike + 0.2 * rise)
    high = _at(force, windows.strike + 0.8 * rise)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(rise > 0, (high - low) * sample_rate_hz / (0.6 * rise), np.nan))


def stance_impulse(windows: StanceWindows, force: FloatArray, *, threshold: float, sample_rate_hz: float) -> FloatArray:
    """Integral of the force from heel strike to toe-off (trapezoid, sub-sample ends), force x second; shape [k]."""
    curve = np.where(windows.inside, force[windows.index], 0.0)
    rows = np.arange(curve.shape[0])
    count = np.sum(windows.inside, axis=1)
    first, last = curve[rows, 1], curve[rows, count]
    inner = np.sum(curve, axis=1) - 0.5 * (first + last)
    head = (windows.origin + 1 - windows.strike) * (threshold + first) / 2
    tail = (windows.off - windows.origin - count) * (threshold + last) / 2
    return np.asarray((inner + head + tail) / sample_rate_hz)


def stance_curves(windows: StanceWindows, force: FloatArray) -> FloatArray:
    """Each stance resampled to 101 points from heel strike to toe-off (linear), shape [k, 101]."""
    share = np.linspace(0.0, 1.0, CURVE_POINTS)
    return stance_values(windows, force, share)


def stance_values(windows: StanceWindows, signal: FloatArray, share: FloatArray) -> FloatArray:
    """The signal, shape [n], at shares of each stance, shape [p] (0 = heel strike, 1 = toe-off): shape [k, p]."""
    duration = (windows.off - windows.strike)[:, np.newaxis]
    return _at(signal, windows.strike[:, np.newaxis] + duration * share)


def curve_spread(curves: FloatArray) -> float:
    """Stride-to-stride SD (n-1) at each point of the stance curve, mean over the points; NaN below two stances."""
    return float(np.mean(np.std(curves, axis=0, ddof=1))) if curves.shape[0] > 1 else float("nan")


def _at(force: FloatArray, at: FloatArray) -> FloatArray:
    """The force at fractional sample positions (linear interpolation)."""
    left = np.clip(np.floor(at).astype(np.int64), 0, max(force.size - 2, 0))
    weight = at - left
    return np.asarray(force[left] * (1.0 - weight) + force[left + 1] * weight)
