"""RMS over whole cycles from running sums: U_rms(1/2), 10/12-cycle values, and their aggregates.

Aggregates of RMS values are roots of mean squares, never means (IEC 61000-4-30:2015, 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.power.window import FloatArray


@dataclass(frozen=True, slots=True)
class HalfCycles:
    """An integral over each half cycle of one channel.

    Attributes:
        integral: [h], sum of the signal over the half cycle in samples, NaN where a sample is lost.
        length: [h], of the half cycle in samples.
    """

    integral: FloatArray
    length: FloatArray

    def over_cycles(self, cycles: int = 1) -> FloatArray:
        """Mean of the signal over groups of whole cycles, one after another, [h // (2 cycles)]."""
        count = len(self.integral) // (2 * cycles)
        shape = (count, 2 * cycles)
        part = slice(0, count * 2 * cycles)
        sums = np.add.reduce(self.integral[part].reshape(shape), axis=1)
        lengths = np.add.reduce(self.length[part].reshape(shape), axis=1)
        return np.asarray(sums / lengths)

    def sliding(self) -> FloatArray:
        """Mean over one cycle, renewed each half cycle, [h - 1]: its root is U_rms(1/2)."""
        return np.asarray(
            (self.integral[1:] + self.integral[:-1]) / (self.length[1:] + self.length[:-1]), dtype=np.float64
        )


def half_cycles(signal: FloatArray, bounds: FloatArray) -> HalfCycles:
    """Integrate [n] between the positions `bounds` [h + 1]; a sample that a bound cuts counts by its share.

    Over whole cycles of an even sample rate the ends cancel, so the result is exact for coherent sampling.
    """
    lost = np.isnan(signal)
    gaps = bool(lost.any())
    total = _running_sum(np.where(lost, 0.0, signal) if gaps else signal)
    place = np.clip(bounds + 0.5, 0.0, float(len(signal)))
    whole = np.minimum(place.astype(np.intp), len(signal) - 1)
    at_bound = total[whole] + (place - whole) * (total[whole + 1] - total[whole])
    integral = np.diff(at_bound)
    if gaps:
        seen = _running_sum(lost.astype(np.float64))
        last = np.minimum(np.ceil(place).astype(np.intp), len(signal))
        integral[seen[last[1:]] > seen[whole[:-1]]] = np.nan
    return HalfCycles(integral, np.diff(place))


def root_mean_square(rms: FloatArray) -> float:
    """Aggregate RMS values [n]: sqrt(mean of squares), NaN values left out; NaN when none is left."""
    known = rms[np.isfinite(rms)]
    return float(np.sqrt(np.add.reduce(known * known) / known.size)) if known.size else float("nan")


def mean_known(values: FloatArray) -> float:
    """Mean of the values that are there; NaN when none is."""
    known = values[np.isfinite(values)]
    return float(np.add.reduce(known) / known.size) if known.size else float("nan")


def least(values: FloatArray) -> float:
    """Smallest of the values that are there; NaN when none is."""
    known = values[np.isfinite(values)]
    return float(known.min()) if known.size else float("nan")


def largest(values: FloatArray) -> float:
    """Largest of the values that are there; NaN when none is."""
    return -least(-values)


def crest_factor(signal: FloatArray, bounds: FloatArray, rms: float) -> float:
    """Largest |x| over RMS between the first and the last bound; a sine has 1.4142. NaN for RMS 0."""
    first, last = max(0, int(np.ceil(bounds[0]))), min(len(signal), int(np.floor(bounds[-1])) + 1)
    peak = np.fmax(np.fmax.reduce(signal[first:last]), -np.fmin.reduce(signal[first:last])) if last > first else np.nan
    # A square wave has exactly 1, which rounding must not push below.
    return max(1.0, float(peak) / rms) if rms > 0.0 else float("nan")


def _running_sum(signal: FloatArray) -> FloatArray:
    total = np.empty(len(signal) + 1)
    total[0] = 0.0
    np.cumsum(signal, out=total[1:])
    return total
