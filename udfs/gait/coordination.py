"""How the two feet work together: asymmetry and phase coordination."""

from __future__ import annotations

import math

import numpy as np

from udfs.gait.contact import FloatArray
from udfs.gait.variability import coefficient_of_variation_pct, mean

MIN_PCI_STRIDES = 30


def gait_asymmetry_pct(left: float, right: float) -> float:
    """GA = 100 |ln(short / long)|, %, of two positive values, usually mean swing times (Yogev 2007)."""
    if not (left > 0 and right > 0):
        return float("nan")
    return 100.0 * abs(math.log(min(left, right) / max(left, right)))


def symmetry_index_pct(left: float, right: float) -> float:
    """SI = 100 (L - R) / (0.5 (L + R)), %; 0 is symmetric, positive when the left is larger (Robinson 1987)."""
    total = left + right
    return 100.0 * (left - right) / (0.5 * total) if total > 0 else float("nan")


def phase_coordination_index_pct(step_time: FloatArray, stride_time: FloatArray) -> float:
    """PCI = CV(phi) + 100 mean|phi - 180| / 180, %, with the step phase phi = 360 step / stride in degrees.

    Args:
        step_time: shape [k], s: from the heel strike of the foot with the longer swing to the other foot's.
        stride_time: shape [k], s: of the same foot's strides.

    NaN below 30 strides with both. Source: Plotnik 2007.
    """
    phase = 360.0 * step_time / stride_time
    phase = phase[np.isfinite(phase)]
    if phase.size < MIN_PCI_STRIDES:
        return float("nan")
    return coefficient_of_variation_pct(phase) + 100.0 * mean(np.abs(phase - 180.0)) / 180.0
