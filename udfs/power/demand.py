"""Energy and demand from power: integral, clock-aligned block means, load factor, ramp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.power.window import US_PER_S, FloatArray, Track

MIN_BLOCK_COVERAGE = 0.9
"""A block of which more than a tenth is unknown has no mean."""
MIN_BASE_BLOCKS = 5
BASE_LOAD_QUANTILE = 0.05
_WATT_SECONDS_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Energy as a running sum over time: its differences are the energy of any span.

    Attributes:
        time_us: [k] in order.
        energy: [k], watt-seconds since the first time.
        known_s: [k], seconds with known power since the first time.
        samples: [n], the known samples, W.
    """

    time_us: FloatArray
    energy: FloatArray
    known_s: FloatArray
    samples: FloatArray

    def between(self, edges_us: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Energy (Ws) and known time (s) between neighbouring edges [e], each [e - 1]; nothing is known outside."""
        energy = np.diff(np.interp(edges_us, self.time_us, self.energy))
        return energy, np.diff(np.interp(edges_us, self.time_us, self.known_s))


def power_curve(track: Track, gap_cap_s: float) -> PowerCurve:
    """The total of all phases over time.

    An even sample holds for its period. Readings at uneven times are joined by trapezoids, but not across more than
    `gap_cap_s`. A time at which a phase is lost is unknown.
    """
    total = np.add.reduce(track.samples, axis=0)
    times = track.times_us()
    known = np.isfinite(total)
    if track.time_us is None:
        period_s = 1.0 / track.rate_hz
        spans_s = np.where(known, period_s, 0.0)
        energy = np.where(known, total, 0.0) * period_s
        times = np.append(times, times[0] + track.length * (US_PER_S / track.rate_hz))
    else:
        times = times[known]
        elapsed_s = np.diff(times) / US_PER_S
        joined = elapsed_s <= gap_cap_s
        readings = total[known]
        energy = np.where(joined, 0.5 * (readings[1:] + readings[:-1]) * elapsed_s, 0.0)
        spans_s = np.where(joined, elapsed_s, 0.0)
    return PowerCurve(times, _running(energy), _running(spans_s), total[known])


def block_means(curve: PowerCurve, start_us: int, length_s: float, block_s: float) -> FloatArray:
    """Mean power of the blocks of `block_s` that begin at multiples of it (UTC) and lie whole in the window.

    [b] in order, NaN where less than 90 % of the block is known.
    """
    if not 0.0 < length_s < np.inf:
        return np.empty(0)
    block_us = block_s * US_PER_S
    first = np.ceil(start_us / block_us)
    count = int((start_us + length_s * US_PER_S) // block_us - first)
    if count < 1:
        return np.empty(0)
    energy, known_s = curve.between((first + np.arange(count + 1)) * block_us)
    enough = known_s >= MIN_BLOCK_COVERAGE * block_s
    return np.where(enough, energy / np.where(enough, known_s, 1.0), np.nan)


def energy_kwh(curve: PowerCurve, start_us: float, end_us: float) -> tuple[float, float]:
    """Energy of the known time between two instants in kWh, and that time in s."""
    energy, known_s = curve.between(np.array([start_us, end_us]))
    return float(energy[0]) / _WATT_SECONDS_PER_KWH, float(known_s[0])


def load_factor(mean_watt: float, blocks: FloatArray) -> float:
    """Mean power over the highest block mean; NaN when there is no block or its power is not above 0."""
    known = blocks[np.isfinite(blocks)]
    return mean_watt / float(known.max()) if known.size and known.max() > 0.0 else float("nan")


def base_load_watt(blocks: FloatArray, samples: FloatArray) -> float:
    """5 % quantile of the block means, or of the samples when there are fewer than 5 blocks."""
    known = blocks[np.isfinite(blocks)]
    values = known if known.size >= MIN_BASE_BLOCKS else samples
    return float(np.quantile(values, BASE_LOAD_QUANTILE)) if values.size else float("nan")


def ramps(blocks: FloatArray) -> tuple[float, float]:
    """Steepest rise and fall (both >= 0) between neighbouring block means; NaN without two neighbours."""
    steps = np.diff(blocks)
    steps = steps[np.isfinite(steps)]
    if steps.size == 0:
        return float("nan"), float("nan")
    return max(0.0, float(steps.max())), max(0.0, -float(steps.min()))


def _running(parts: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(parts)))
