"""Active, apparent, reactive and nonactive power of waveforms (IEEE 1459-2010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.power.rms import HalfCycles, half_cycles, mean_known
from udfs.power.window import FloatArray


@dataclass(frozen=True, slots=True)
class PhasePower:
    """Power of one phase over the whole cycles in which voltage and current are known.

    Attributes:
        active_watt: P = mean(u i).
        apparent_va: S = U I, both RMS over the same cycles.
        fundamental_va: P1 + j Q1 = U1 conj(I1), mean over the DFT windows; Q1 > 0 for a lagging (inductive) current.
    """

    active_watt: float
    apparent_va: float
    fundamental_va: complex


@dataclass(frozen=True, slots=True)
class PowerSum:
    """Totals of all phases.

    Attributes:
        apparent_va: arithmetic, the sum of the phases.
        nonactive_var: N = sqrt(S^2 - P^2).
        power_factor: P / S.
        displacement_factor: P1 / sqrt(P1^2 + Q1^2).
    """

    active_watt: float
    apparent_va: float
    reactive_fundamental_var: float
    nonactive_var: float
    power_factor: float
    displacement_factor: float


def phase_power(
    product: HalfCycles, squares: tuple[HalfCycles, HalfCycles], fundamentals: tuple[NDArray[np.complex128], ...]
) -> PhasePower:
    """Power of one phase.

    Args:
        product: integral of u i over the half cycles.
        squares: the same of u^2 and i^2.
        fundamentals: complex amplitudes (peak) of u and i in each DFT window, [b] each.
    """
    active = product.over_cycles()
    volt_square, amp_square = (square.over_cycles() for square in squares)
    known = np.isfinite(active) & np.isfinite(volt_square) & np.isfinite(amp_square)
    # Rounding must not let |P| exceed S: they are of the same cycles, so the bound holds exactly (Cauchy-Schwarz).
    apparent = float(np.sqrt(mean_known(volt_square[known]) * mean_known(amp_square[known])))
    power = mean_known(active[known])
    complex_power = 0.5 * fundamentals[0] * np.conj(fundamentals[1])
    both = complex_power[np.isfinite(complex_power)]
    fundamental = complex(np.add.reduce(both) / both.size) if both.size else complex(np.nan, np.nan)
    return PhasePower(power, max(apparent, abs(power)) if np.isfinite(power) else float("nan"), fundamental)


def multiply(volt: FloatArray, amp: FloatArray, bounds: FloatArray) -> HalfCycles:
    """Integral of u i, both [n], over the half cycles."""
    return half_cycles(volt * amp, bounds)


def total_power(phases: list[PhasePower]) -> PowerSum:
    """Sum of all phases of a device; factors of no power are NaN."""
    active = sum(phase.active_watt for phase in phases)
    apparent = sum(phase.apparent_va for phase in phases)
    fundamental = sum((phase.fundamental_va for phase in phases), complex(0.0, 0.0))
    size = abs(fundamental)
    return PowerSum(
        active_watt=active,
        apparent_va=apparent,
        reactive_fundamental_var=fundamental.imag,
        nonactive_var=nonactive_var(active, apparent),
        power_factor=active / apparent if apparent > 0.0 else float("nan"),
        displacement_factor=fundamental.real / size if size > 0.0 else float("nan"),
    )


def nonactive_var(active_watt: float, apparent_va: float) -> float:
    """N = sqrt(S^2 - P^2); 0 where rounding leaves a negative difference."""
    if np.isnan(active_watt) or np.isnan(apparent_va):
        return float("nan")
    return float(np.sqrt(max(0.0, apparent_va**2 - active_watt**2)))
