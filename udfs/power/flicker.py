"""Flicker severity Pst of a voltage waveform (IEC 61000-4-15:2010): ten minutes of samples at 1 kHz or more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from schemas.power import PowerReason
from udfs.power.window import FloatArray

PERIOD_S = 600.0
MIN_RATE_HZ = 1_000.0
SETTLING_S = 20.0
"""Left out at the beginning, until the filters have settled."""
_ADAPTATION_S = 27.3
_SMOOTHING_S = 0.3
_LOWEST_HZ = 0.05
_REDUCED_HZ = 800.0
_REFERENCE_HZ = 8.8
_LOW_VOLTAGE = 150.0

PERCENTILES = (0.1, 0.7, 1.0, 1.5, 2.2, 3.0, 4.0, 6.0, 8.0, 10.0, 13.0, 17.0, 30.0, 50.0, 80.0)
"""Levels that the sensation exceeds for this % of the time."""
_WEIGHTS = (0.0314, 0.0525, 0.0657, 0.28, 0.08)
_GROUPS = (slice(0, 1), slice(1, 4), slice(4, 7), slice(7, 12), slice(12, 15))
"""P0.1, P1s, P3s, P10s and P50s are means of these percentiles."""


@dataclass(frozen=True, slots=True)
class _Lamp:
    """The lamp-eye-brain chain of the standard: gain, angular frequencies / 2 pi, and the 8.8 Hz reference.

    `reference` is the relative voltage change of a sine at 8.8 Hz that is just perceptible (Pinst = 1).
    """

    gain: float
    damping_hz: float
    hz: tuple[float, float, float, float]
    reference: float


LAMP_230 = _Lamp(1.74802, 4.05981, (9.15494, 2.27979, 1.22535, 21.9), 0.00250)
LAMP_120 = _Lamp(1.6357, 4.167375, (9.077169, 2.939902, 1.394468, 17.31512), 0.00321)
_CUTOFF_HZ = {50.0: 35.0, 60.0: 42.0}


def short_term_flicker(
    volt: FloatArray, rate_hz: float, *, nominal_volt: float, nominal_hz: float
) -> float | PowerReason:
    """Pst of the last whole record [n], which must last 600 s without a gap.

    Pst = sqrt(0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s), on the sensation after the first 20 s.
    A declared voltage below 150 V takes the 120 V lamp, others the 230 V lamp.

    Returns:
        Pst, or WINDOW_TOO_SHORT, WRONG_RATE (below 1 kHz), TOO_MANY_GAPS, NO_FUNDAMENTAL (no voltage).
    """
    if len(volt) < round(PERIOD_S * rate_hz):
        return PowerReason.WINDOW_TOO_SHORT
    if rate_hz < MIN_RATE_HZ:
        return PowerReason.WRONG_RATE
    if not np.isfinite(volt).all():
        return PowerReason.TOO_MANY_GAPS
    if not volt.any():
        return PowerReason.NO_FUNDAMENTAL
    lamp = LAMP_120 if nominal_volt < _LOW_VOLTAGE else LAMP_230
    return severity(instantaneous_sensation(volt, rate_hz, lamp=lamp, nominal_hz=nominal_hz))


def instantaneous_sensation(volt: FloatArray, rate_hz: float, *, lamp: _Lamp, nominal_hz: float) -> FloatArray:
    """Pinst from 20 s on, at about 800 Hz: blocks 1 to 4 of the standard.

    The voltage is squared and low-passed (6th order Butterworth, 35 Hz at 50 Hz mains, 42 Hz at 60 Hz), divided by
    its own mean square over the last 27.3 s, high-passed at 0.05 Hz, weighted, squared and smoothed over 0.3 s. The
    gain makes a sine at 8.8 Hz of the reference size peak at 1.
    """
    low_pass = signal.butter(6, _CUTOFF_HZ[nominal_hz], fs=rate_hz, output="sos")
    every = max(1, int(rate_hz // _REDUCED_HZ))
    fs = rate_hz / every
    square = volt * volt
    level = float(np.mean(square[: round(rate_hz)]))
    demodulated = signal.sosfilt(low_pass, square, zi=signal.sosfilt_zi(low_pass) * level)[0][::every]
    slow = signal.butter(1, 1.0 / (2.0 * np.pi * _ADAPTATION_S), fs=fs)
    mean_square = signal.lfilter(*slow, demodulated, zi=signal.lfilter_zi(*slow) * level)[0]
    relative = demodulated / np.maximum(mean_square, 1e-6 * level) - 1.0
    high_pass = signal.butter(1, _LOWEST_HZ, btype="highpass", fs=fs)
    weighting = _weighting(lamp, fs)
    response = signal.lfilter(*weighting, signal.lfilter(*high_pass, relative))
    smoothing = signal.butter(1, 1.0 / (2.0 * np.pi * _SMOOTHING_S), fs=fs)
    sensation = signal.lfilter(*smoothing, response * response)
    gain = signal.sosfreqz(low_pass, worN=[_REFERENCE_HZ], fs=rate_hz)[1][0]
    for filter_ in (high_pass, weighting):
        gain = gain * signal.freqz(*filter_, worN=[_REFERENCE_HZ], fs=fs)[1][0]
    ripple = abs(signal.freqz(*smoothing, worN=[2.0 * _REFERENCE_HZ], fs=fs)[1][0])
    peak = (lamp.reference * abs(gain)) ** 2 / 2.0 * (1.0 + ripple)
    return np.asarray(sensation[round(SETTLING_S * fs) :] / peak)


def severity(sensation: FloatArray) -> float:
    """Pst from the instantaneous sensation [n]: block 5 of the standard."""
    levels = np.quantile(sensation, 1.0 - np.array(PERCENTILES) / 100.0)
    smoothed = [float(np.mean(levels[group])) for group in _GROUPS]
    return float(np.sqrt(sum(weight * level for weight, level in zip(_WEIGHTS, smoothed, strict=True))))


def long_term_flicker(pst: FloatArray) -> float:
    """Plt = cube root of the mean cube of the 12 Pst values of two hours; NaN with any other number of them."""
    if pst.shape != (12,):
        return float("nan")
    return float(np.cbrt(np.mean(pst**3)))


def _weighting(lamp: _Lamp, fs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """H(s) = k w1 s / (s^2 + 2 lambda s + w1^2) x (1 + s / w2) / ((1 + s / w3)(1 + s / w4)), bilinear transform."""
    w1, w2, w3, w4 = (2.0 * np.pi * hz for hz in lamp.hz)
    damping = 2.0 * np.pi * lamp.damping_hz
    above = np.polymul([lamp.gain * w1, 0.0], [1.0 / w2, 1.0])
    below = np.polymul([1.0, 2.0 * damping, w1**2], np.polymul([1.0 / w3, 1.0], [1.0 / w4, 1.0]))
    numerator, denominator = signal.bilinear(above, below, fs)
    return numerator, denominator
