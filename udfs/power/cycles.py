"""Where the cycles of a waveform lie: nominal frequency, phase of the fundamental, half-cycle boundaries.

Positions are in samples, and sample i stands for the interval i - 0.5 .. i + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.power.window import FloatArray

NOMINAL_HZ = (50.0, 60.0)
LOWEST_HZ, HIGHEST_HZ = 42.5, 69.0
"""IEC 61000-4-30:2015, 5.1: 42.5 to 57.5 Hz and 51 to 69 Hz."""
MIN_FUNDAMENTAL_SHARE = 0.2
"""Of the energy. Noise has far less; a voltage with 200 % THD would still have it."""
MIN_TRACKED_CYCLES = 3.0
"""Shorter records hold too few zero crossings to measure a frequency."""
ALIGNED_CYCLES = 50.0
"""From about a second on, half cycles start at zero crossings, as U_rms(1/2) wants."""
_PROBE_S = 0.1
_WHOLE_TOLERANCE = 0.01
_REFINE_ABOVE = 0.002


@dataclass(frozen=True, slots=True)
class CycleGrid:
    """The half cycles of a record.

    Attributes:
        theta, at: [k] phase of the fundamental (rad, cosine) at positions; its rising zero is -pi/2 + 2 pi m.
        cycle_hz: frequency that cuts the cycles: measured, or nominal where it cannot be.
        measured: whether `cycle_hz` is a measurement.
        aligned: whether half cycles start at zero crossings; in a record below a second they start with the first
            sample, so that no cycle of the few is lost.
    """

    theta: FloatArray
    at: FloatArray
    cycle_hz: float
    measured: bool
    aligned: bool

    def half_cycles(self, phase_shift: float = 0.0) -> FloatArray:
        """Positions [h + 1] of the half-cycle starts of a channel that leads this grid by `phase_shift` rad."""
        if not self.aligned:
            phase = self.theta - self.theta[0]
            count = np.floor(phase[-1] / np.pi + _WHOLE_TOLERANCE * 2.0)
            return np.interp(np.arange(count + 1.0) * np.pi, phase, self.at)
        phase = self.theta + (phase_shift + 0.5 * np.pi)
        first = np.ceil(phase[0] / np.pi - 1e-9)
        last = np.floor(phase[-1] / np.pi + 1e-9)
        return np.interp(np.arange(first, last + 1.0) * np.pi, phase, self.at)


def find_nominal_hz(signal: FloatArray, rate_hz: float, candidates: tuple[float, ...] | None = None) -> float | None:
    """50 or 60 Hz (or of `candidates`), whichever a sine fits best in the strongest whole 0.1 s of [n].

    None when none explains a fifth of the energy.
    """
    length = max(1, min(len(signal), round(_PROBE_S * rate_hz)))
    probes = signal[: len(signal) // length * length].reshape(-1, length)
    probe = probes[int(np.argmax(np.nan_to_num(np.mean(probes * probes, axis=1), nan=-1.0)))]
    hz = max(candidates or NOMINAL_HZ, key=lambda hz: sine_share(probe, rate_hz, hz))
    return hz if sine_share(probe, rate_hz, hz) >= MIN_FUNDAMENTAL_SHARE else None


def sine_share(signal: FloatArray, rate_hz: float, hz: float) -> float:
    """Share of the signal's energy that the best sine of `hz` explains, 0..1; 0 for a signal without energy."""
    signal = signal[np.isfinite(signal)]
    scale = float(np.max(np.abs(signal), initial=0.0))
    if len(signal) < 4 or scale == 0.0:
        return 0.0
    angle = (2.0 * np.pi * hz / rate_hz) * np.arange(len(signal))
    basis = np.stack((np.cos(angle), np.sin(angle), np.ones(len(signal))), axis=1)
    fit = np.linalg.lstsq(basis, signal / scale, rcond=None)[0]
    sine = basis[:, :2] @ fit[:2]
    energy = float(np.add.reduce((signal / scale) ** 2))
    return min(1.0, float(np.add.reduce(sine * sine)) / energy)


def track_cycles(signal: FloatArray, rate_hz: float, nominal_hz: float) -> CycleGrid | None:
    """The grid of a reference channel [n]; None when no fundamental can be followed.

    The phase comes from two-cycle Hann windows half a cycle apart: it ignores harmonics and survives dips. Windows
    with lost samples or hardly any fundamental are bridged at the measured frequency.
    """
    if len(signal) < MIN_TRACKED_CYCLES * rate_hz / nominal_hz:
        return None
    centres, phasors = hann_phasors(signal, rate_hz, nominal_hz)
    measured_hz = _mean_hz(centres, phasors, rate_hz, nominal_hz)
    if measured_hz is not None and abs(measured_hz / nominal_hz - 1.0) > _REFINE_ABOVE:
        centres, phasors = hann_phasors(signal, rate_hz, measured_hz)
        measured_hz = _mean_hz(centres, phasors, rate_hz, measured_hz)
    if measured_hz is None or not LOWEST_HZ <= measured_hz <= HIGHEST_HZ:
        return None
    good = _followed(phasors)
    step = 2.0 * np.pi * measured_hz / rate_hz
    at = centres[good]
    theta = np.unwrap(np.angle(phasors[good] * np.exp(-1j * step * at))) + step * at
    ends = np.array([-0.5, len(signal) - 0.5])
    theta = np.concatenate(([theta[0] - step * (at[0] - ends[0])], theta, [theta[-1] + step * (ends[1] - at[-1])]))
    # A phase jump in a fault must not turn time back.
    positions = np.concatenate((ends[:1], at, ends[1:]))
    aligned = len(signal) >= ALIGNED_CYCLES * rate_hz / measured_hz
    return CycleGrid(np.maximum.accumulate(theta), positions, measured_hz, measured=True, aligned=aligned)


def free_grid(length: int, rate_hz: float, nominal_hz: float) -> CycleGrid:
    """Cycles of nominal length from the first sample on: for short records and for a dead line.

    A record within 1 % of a whole number of cycles, up to 50, is taken to hold exactly that number.
    """
    cycles = length * nominal_hz / rate_hz
    whole = round(cycles)
    exact = 0 < whole <= ALIGNED_CYCLES and abs(cycles - whole) <= _WHOLE_TOLERANCE * whole
    cycle_hz = whole * rate_hz / length if exact else nominal_hz
    theta = -0.5 * np.pi + np.array([0.0, 2.0 * np.pi * length * cycle_hz / rate_hz])
    return CycleGrid(theta, np.array([-0.5, length - 0.5]), cycle_hz, measured=False, aligned=False)


def hann_phasors(signal: FloatArray, rate_hz: float, hz: float) -> tuple[FloatArray, NDArray[np.complex128]]:
    """Amplitude and phase of the fundamental, in two-cycle Hann windows half a cycle apart.

    Returns:
        Positions [k] of the window centres, and [k] complex a e^(j phi): a cos(phi) is the fundamental there. NaN
        where the window holds a lost sample.
    """
    half = max(1, round(rate_hz / (2.0 * hz)))
    pieces = len(signal) // half
    offset = np.arange(4 * half) - (4 * half - 1) / 2.0
    window = np.cos(offset * (np.pi / (4 * half))) ** 2
    weights = window * (2.0 / np.add.reduce(window))
    angle = (2.0 * np.pi * hz / rate_hz) * offset
    parts = np.concatenate(((weights * np.cos(angle)).reshape(4, half), (-weights * np.sin(angle)).reshape(4, half)))
    sums = (signal[: pieces * half].reshape(pieces, half) @ parts.T).T
    count = max(0, pieces - 3)
    real, imaginary = (
        sums[row, :count] + sums[row + 1, 1 : count + 1] + sums[row + 2, 2 : count + 2] + sums[row + 3, 3 : count + 3]
        for row in (0, 4)
    )
    return np.arange(count) * half + (4 * half - 1) / 2.0, real + 1j * imaginary


def phase_between(channel: NDArray[np.complex128], reference: NDArray[np.complex128]) -> float:
    """Mean phase in rad by which a channel leads the reference, from `hann_phasors` of the same length."""
    product = channel * np.conj(reference)
    product = product[np.isfinite(product)]
    return float(np.angle(np.add.reduce(product))) if product.size else 0.0


def _followed(phasors: NDArray[np.complex128]) -> NDArray[np.bool_]:
    """Windows strong enough to carry a phase: above a tenth of the median of those with samples."""
    size = np.abs(phasors)
    known = size[np.isfinite(size)]
    if known.size == 0:
        return np.zeros(size.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        return (size > 0.0) & (size >= 0.1 * max(float(np.median(known)), 0.1 * float(known.max())))


def _mean_hz(centres: FloatArray, phasors: NDArray[np.complex128], rate_hz: float, hz: float) -> float | None:
    """Frequency from the median phase advance of neighbouring windows."""
    good = _followed(phasors)
    pairs = good[1:] & good[:-1] if good.size > 1 else np.zeros(0, dtype=np.bool_)
    if not pairs.any():
        return None
    hop = centres[1] - centres[0]
    turn = np.exp(-2j * np.pi * hz * hop / rate_hz)
    advance = np.angle(phasors[1:][pairs] * np.conj(phasors[:-1][pairs]) * turn)
    return float(hz + np.median(advance) * rate_hz / (2.0 * np.pi * hop))
