"""What tells loads apart: the area of the voltage-current loop, and the inrush after switching on."""

from __future__ import annotations

import numpy as np

from schemas.power import PowerReason
from udfs.power.rms import half_cycles, mean_known
from udfs.power.window import FloatArray

OFF_SHARE, ON_SHARE = 0.1, 0.5
"""Of the steady current: below the first a load is off, above the second it is on."""
STEADY_S = 1.0


def vi_trajectory_area(volt: FloatArray, amp: FloatArray, bounds: FloatArray) -> float:
    """Area inside the loop that (u, i) runs through in a cycle, both divided by their peaks.

    |mean over cycles of sum(u_n i_n+1 - u_n+1 i_n) / 2| / (mean peak of u x mean peak of i): pi sin(phi) for sines,
    0 for a resistor (Lam, Fung & Lee 2007). Figures of eight cancel, as the shoelace formula does.

    Args:
        volt: [n], V, of one phase; NaN where lost.
        amp: [n], A, likewise.
        bounds: [h + 1] positions of the half-cycle starts.
    """
    if len(bounds) < 3:
        return float("nan")
    cross = np.empty(len(volt))
    np.multiply(volt[:-1], amp[1:], out=cross[:-1])
    cross[:-1] -= volt[1:] * amp[:-1]
    # Close the loop: the last sample is followed by the one a cycle before.
    cycle = max(1, round((bounds[-1] - bounds[0]) / (len(bounds) - 1) * 2.0))
    after = max(0, len(volt) - cycle)
    cross[-1] = volt[-1] * amp[after] - volt[after] * amp[-1]
    loops = half_cycles(cross, bounds)
    count = len(loops.integral) // 2
    area = mean_known(loops.integral[: 2 * count : 2] + loops.integral[1 : 2 * count : 2]) / 2.0
    peaks = mean_known(cycle_peaks(volt, bounds)) * mean_known(cycle_peaks(amp, bounds))
    return abs(area) / peaks if peaks > 0.0 else float("nan")


def cycle_peaks(signal: FloatArray, bounds: FloatArray) -> FloatArray:
    """Largest |x| of each whole cycle, [h // 2]; NaN where a sample is lost."""
    edges = np.clip(np.ceil(bounds[::2]), 0, len(signal)).astype(np.intp)
    if len(edges) < 2:
        return np.empty(0)
    # reduceat wants indices below the length; whatever the last bound cuts off belongs to no whole cycle.
    size = np.abs(signal[: edges[-1]])
    return np.maximum.reduceat(size, np.minimum(edges[:-1], len(size) - 1))


def inrush_ratio(rms: FloatArray, cycle_hz: float) -> float | PowerReason:
    """RMS of the first whole cycle after switching on over the RMS of the last second.

    Args:
        rms: [h], I_rms(1/2) of one phase.
        cycle_hz: cycles per second.

    Returns:
        The ratio, or NO_SWITCH_ON when the current does not rise from below 10 % to above 50 % of the last second's
        within three half-cycle values, WINDOW_TOO_SHORT when less than a second follows.
    """
    tail = max(1, round(2.0 * cycle_hz * STEADY_S))
    known = rms[-tail:][np.isfinite(rms[-tail:])]
    steady = float(np.sqrt(np.add.reduce(known * known) / known.size)) if known.size else float("nan")
    if not steady > 0.0 or len(rms) < 5:
        return PowerReason.NO_SWITCH_ON
    with np.errstate(invalid="ignore"):
        risen = (rms[:-3] < OFF_SHARE * steady) & (rms[3:] > ON_SHARE * steady)
    if not risen.any():
        return PowerReason.NO_SWITCH_ON
    # The window of value k + 1 is the last that may hold only the beginning; k + 2 .. k + 3 are whole cycles of load.
    at = int(np.flatnonzero(risen)[-1])
    if len(rms) - at - 3 <= tail:
        return PowerReason.WINDOW_TOO_SHORT
    return float(rms[at + 3]) / steady
