"""Unbalance of three phases: symmetrical components (Fortescue 1918) and the deviation of magnitudes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.power import PowerReason
from udfs.power.rms import root_mean_square
from udfs.power.window import FloatArray

_A = np.exp(2j * np.pi / 3.0)


def sequence_unbalance_pct(phasors: NDArray[np.complex128]) -> tuple[float, float] | PowerReason:
    """Negative- and zero-sequence unbalance, u2 and u0 in % (IEC 61000-4-30:2015, 5.7).

    U+ = (U1 + a U2 + a^2 U3) / 3, U- = (U1 + a^2 U2 + a U3) / 3, U0 = (U1 + U2 + U3) / 3 with a = e^(j 120 deg);
    u2 = 100 |U-| / |U+|, u0 = 100 |U0| / |U+|.

    Args:
        phasors: [3, b] fundamental of L1, L2, L3 in each 10/12-cycle window; the result is the RMS over windows.

    Returns:
        u2 and u0, or REVERSED_SEQUENCE where U- is larger than U+: then two phases are swapped.
    """
    first, second, third = phasors
    positive = np.abs(first + _A * second + _A**2 * third)
    negative = np.abs(first + _A**2 * second + _A * third)
    zero = np.abs(first + second + third)
    if root_mean_square(negative) > root_mean_square(positive):
        return PowerReason.REVERSED_SEQUENCE
    with np.errstate(divide="ignore", invalid="ignore"):
        return root_mean_square(100.0 * negative / positive), root_mean_square(100.0 * zero / positive)


def magnitude_unbalance_pct(rms: FloatArray) -> float:
    """100 max |x_k - mean x| / mean x of the three RMS values (NEMA MG 1); not the same quantity as u2."""
    mean = float(np.add.reduce(rms)) / len(rms)
    return float(100.0 * np.max(np.abs(rms - mean)) / mean) if mean > 0.0 else float("nan")
