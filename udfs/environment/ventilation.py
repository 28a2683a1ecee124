"""How much outdoor air a room gets, from its CO2: fits of a decay, steady level, rebreathed air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.environment.window import FloatArray

EXHALED_CO2_PPM = 38_000.0
RATE_LOW_PER_H, RATE_HIGH_PER_H = 0.02, 20.0
"""Air changes that a free fit may find; buildings lie within 0.05 and 15 per hour."""
_COARSE_RATES = 200
_FINE_RATES = 41
_REFINEMENTS = 3
STEADY_HOURS = 3
STEADY_SHARE = 0.05
STEADY_MIN_EXCESS_PPM = 200.0
L_PER_M3 = 1_000.0
S_PER_H = 3_600.0


@dataclass(frozen=True, slots=True)
class LineFit:
    """A straight line through ln(C - Cbg), arrays of any one shape.

    Attributes:
        rate_per_h: air changes per hour, minus the slope; NaN where there is no line.
        r2: 1 - SSE / SST of the logarithms.
        start_ppm: C - Cbg on the line at 0 h.
    """

    rate_per_h: FloatArray
    r2: FloatArray
    start_ppm: FloatArray


@dataclass(frozen=True, slots=True)
class FreeFit:
    """C = background + amplitude * exp(-rate t)."""

    rate_per_h: float
    background_ppm: float
    amplitude_ppm: float
    r2: float


def fit_log_decay(time_h: FloatArray, co2_ppm: FloatArray, background_ppm: float) -> LineFit:
    """Air changes of an empty room from ln(C - Cbg) = ln(C0 - Cbg) - k t, by least squares.

    Args:
        time_h: shape [k] or [s, k] (s segments), h; NaN where a segment has no reading.
        co2_ppm: same shape, ppm. A reading that is not above the background has no logarithm: its segment gets NaN.
        background_ppm: Cbg, the CO2 of the air that comes in.

    Returns:
        Shape [] or [s]. Source: ASTM E741-11 (decay method), ASTM D6245-18, Batterman 2017.
    """
    there = np.isfinite(time_h) & np.isfinite(co2_ppm)
    excess = co2_ppm - background_ppm
    usable = ~np.any(there & ~(excess > 0.0), axis=-1)
    log = np.where(there, np.log(np.where(there & (excess > 0.0), excess, 1.0)), 0.0)
    time = np.where(there, time_h, 0.0)
    count = np.where(usable & (there.sum(axis=-1) > 1), there.sum(axis=-1), np.nan)
    time_mean, log_mean = time.sum(axis=-1) / count, log.sum(axis=-1) / count
    time = np.where(there, time - time_mean[..., None], 0.0)
    log = np.where(there, log - log_mean[..., None], 0.0)
    spread, both, whole = (time * time).sum(axis=-1), (time * log).sum(axis=-1), (log * log).sum(axis=-1)
    slope = both / np.where(spread > 0.0, spread, np.nan)
    r2 = np.clip(slope * both / np.where(whole > 0.0, whole, np.nan), 0.0, 1.0)
    return LineFit(rate_per_h=-slope, r2=r2, start_ppm=np.exp(log_mean - slope * time_mean))


def fit_free_decay(time_h: FloatArray, co2_ppm: FloatArray) -> FreeFit | None:
    """Air changes and background together: least squares of C = Cbg + A exp(-k t) over Cbg, A and k.

    Args:
        time_h: shape [n], h, all finite.
        co2_ppm: shape [n], ppm, all finite.

    Returns:
        None below four readings or where the CO2 does not change. For each k the best Cbg and A are known in closed
        form, so only k is searched: a geometric grid from 0.02 to 20 1/h, refined to 1e-5 of itself.
    """
    deviation = co2_ppm - co2_ppm.mean() if co2_ppm.size else co2_ppm
    whole = float((deviation * deviation).sum())
    if co2_ppm.size < 4 or not whole > 0.0:
        return None
    rates = np.geomspace(RATE_LOW_PER_H, RATE_HIGH_PER_H, _COARSE_RATES)
    ratio = float(rates[1] / rates[0])
    best = 0
    for _ in range(_REFINEMENTS):
        amplitudes, shapes, errors = _best_amplitudes(rates, time_h, deviation)
        best = int(np.argmin(errors))
        found = float(rates[best]), float(amplitudes[best]), float(shapes[best]), float(errors[best])
        rates = found[0] * np.geomspace(1.0 / ratio, ratio, _FINE_RATES)
        ratio = float(rates[1] / rates[0])
    rate, amplitude, shape_mean, error = found
    return FreeFit(rate, float(co2_ppm.mean()) - amplitude * shape_mean, amplitude, 1.0 - error / whole)


def _best_amplitudes(
    rates: FloatArray, time_h: FloatArray, deviation: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each rate, shape [r]: best amplitude, mean of exp(-k t), and the squared error left."""
    shape = np.exp(-rates[:, None] * time_h)
    shape_mean = shape.mean(axis=1)
    shape = shape - shape_mean[:, None]
    size = (shape * shape).sum(axis=1)
    amplitude = (shape * deviation).sum(axis=1) / np.where(size > 0.0, size, np.inf)
    rest = deviation - amplitude[:, None] * shape
    return amplitude, shape_mean, (rest * rest).sum(axis=1)


def ventilation_l_per_s(air_changes_per_h: FloatArray, room_volume_m3: float) -> FloatArray:
    """Outdoor air into a room, air changes * volume / 3.6, L/s; any shape."""
    return np.asarray(air_changes_per_h * room_volume_m3 * L_PER_M3 / S_PER_H)


def ventilation_per_person_l_per_s(
    steady_co2_ppm: FloatArray, outdoor_co2_ppm: float, generation_l_per_s: float
) -> FloatArray:
    """Outdoor air for each person, 1e6 G / (Css - Cout), L/s; any shape, NaN where Css is not above Cout.

    Only at a steady level, with the same people in the room for about three air changes.
    Source: ASTM D6245-18; G by age and activity in Persily & de Jonge 2017, Indoor Air 27, 868.
    """
    excess = steady_co2_ppm - outdoor_co2_ppm
    return np.asarray(1e6 * generation_l_per_s / np.where(excess > 0.0, excess, np.nan))


def rebreathed_fraction(co2_ppm: FloatArray, outdoor_co2_ppm: float) -> FloatArray:
    """Share of the air that somebody has breathed out before, max(C - Cout, 0) / 38000; any shape.

    Source: Rudnick & Milton 2003, Indoor Air 13, 237.
    """
    return np.asarray(np.maximum(co2_ppm - outdoor_co2_ppm, 0.0) / EXHALED_CO2_PPM)


def steady_level(hourly_ppm: FloatArray, outdoor_co2_ppm: float) -> FloatArray:
    """The highest level at which the CO2 stays for three hours, ppm, shape [m]; NaN where it never does.

    Three hourly means in a row within 5 % of their mean excess over outdoor air, which must be 200 ppm or more. A room
    with k air changes per hour is then within 8 % (k = 0.5) or 15 % (k = 0.2) of its final level.

    Args:
        hourly_ppm: shape [m, h], NaN for a missing hour.
        outdoor_co2_ppm: Cout.
    """
    steady = np.full(len(hourly_ppm), np.nan)
    for hour in range(hourly_ppm.shape[1] - STEADY_HOURS + 1):
        three = hourly_ppm[:, hour : hour + STEADY_HOURS]
        level = (three[:, 0] + three[:, 1] + three[:, 2]) / STEADY_HOURS
        excess = level - outdoor_co2_ppm
        still = three.max(axis=1) - three.min(axis=1) <= STEADY_SHARE * excess
        steady = np.fmax(steady, np.where(still & (excess >= STEADY_MIN_EXCESS_PPM), level, np.nan))
    return steady
