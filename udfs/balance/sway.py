"""Sway: frequency of the centre of pressure; path, velocity and ellipse are those of `udfs.gait.pressure_centre`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import signal

from udfs.gait.contact import FloatArray

MIN_FREQUENCY_DURATION_S = 25.0
"""Clinical stabilometry: at least 25 s (Scoppa et al. 2013, Gait & Posture 37(2):290)."""


class MeanFrequency(NamedTuple):
    """Mean frequencies in Hz: of both coordinates together and of each."""

    both: float
    x: float
    y: float


def mean_frequency(x: FloatArray, y: FloatArray, *, sample_rate_hz: float) -> MeanFrequency:
    """Mean frequency of a trial: integral of f P over integral of P.

    P by Welch's method: Hann window, overlap of a half, segments of half the trial, mean removed from each
    segment; for both coordinates together P = Px + Py. Gives COPmfreq of all 60 BDS trials at hand within 2 %,
    half of them within 0.05 %.

    Args:
        x: shape [n], without gaps, any unit.
        y: likewise.
        sample_rate_hz: samples per second.

    Returns:
        NaN for a coordinate that never moves.
    """
    segment = -(-x.size // 2)
    # One signal at a time: the transform of a batch may round otherwise than that of a row.
    frequency, power_x = signal.welch(x, sample_rate_hz, window="hann", nperseg=segment, detrend="constant")
    _, power_y = signal.welch(y, sample_rate_hz, window="hann", nperseg=segment, detrend="constant")
    return MeanFrequency(
        _centroid(frequency, power_x + power_y), _centroid(frequency, power_x), _centroid(frequency, power_y)
    )


def _centroid(frequency: FloatArray, power: FloatArray) -> float:
    total = float(np.trapezoid(power, frequency))
    return float(np.trapezoid(frequency * power, frequency)) / total if total > 0.0 else float("nan")
