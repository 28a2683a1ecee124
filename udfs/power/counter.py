"""Energy counters: what a series of readings says after rollover, reset and faulty readings are taken out.

Order of the rules, each on what the ones before leave:
1. readings with the time of the one before are duplicates and left out;
2. zeros between two readings that fit each other are momentary and left out;
3. one reading above both neighbours that could not be reached at the largest power, or below both neighbours
   while these fit each other, is a spike (too fast) or a dent (backward) and left out;
4. a step back from above 0.9 M to below 0.1 M (M = 10^digits x resolution) is a rollover: M is added;
5. a step back to below 0.1 of the old value is a reset: the new value is the energy since;
6. any other step back counts 0;
7. a step that needs more than the largest power counts 0 (a rollover that does is tried as a reset first).
Two readings fit each other when the later one is not lower and is reachable at the largest power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.power.window import US_PER_S, FloatArray, IntArray

ROLLOVER_HIGH, ROLLOVER_LOW, RESET_BELOW = 0.9, 0.1, 0.1
GAP_INTERVALS = 3.0
_ROUNDING = 1e-6
"""Relative: a counter travels as single precision."""
_WATT_SECONDS_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class Register:
    """How large a counter can grow and run.

    Attributes:
        modulus_kwh: value at which it starts again; 0 = unknown.
        max_power_watt: a faster step is not believed.
    """

    modulus_kwh: float
    max_power_watt: float


@dataclass(frozen=True, slots=True)
class CounterEnergy:
    """Energy between the first and the last reading, raw and corrected, and what was corrected how often.

    Attributes:
        first_us, last_us: times of the first and last usable reading.
    """

    raw_kwh: float
    corrected_kwh: float
    rollovers: int
    resets: int
    momentary_zeros: int
    backward_steps: int
    duplicates: int
    gaps: int
    too_fast: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class _Series:
    time_us: IntArray
    value: FloatArray

    def without(self, drop: NDArray[np.bool_]) -> _Series:
        return _Series(self.time_us[~drop], self.value[~drop]) if drop.any() else self


def counter_energy(time_us: IntArray, value_kwh: FloatArray, register: Register) -> CounterEnergy | None:
    """Apply the rules of this module; None with fewer than two usable readings.

    Args:
        time_us: [n] in order.
        value_kwh: [n], NaN or negative where lost.
        register: what is known about the meter.
    """
    with np.errstate(invalid="ignore"):
        given = _Series(time_us, value_kwh).without(~(np.isfinite(value_kwh) & (value_kwh >= 0.0)))
    duplicate = np.concatenate(([False], np.diff(given.time_us) == 0))[: given.time_us.size]
    series = given.without(duplicate)
    if series.time_us.size < 2:
        return None
    zero = _momentary_zeros(series, register)
    series = series.without(zero)
    spike, dent = _single_outliers(series, register)
    series = series.without(spike | dent)
    steps = _Steps.of(series, register)
    return CounterEnergy(
        raw_kwh=float(given.value[-1] - given.value[0]),
        corrected_kwh=float(np.add.reduce(steps.energy)),
        rollovers=int(np.count_nonzero(steps.rollover)),
        resets=int(np.count_nonzero(steps.reset)),
        momentary_zeros=int(np.count_nonzero(zero)),
        backward_steps=int(np.count_nonzero(steps.backward) + np.count_nonzero(dent)),
        duplicates=int(np.count_nonzero(duplicate)),
        gaps=_count_gaps(given.without(duplicate).time_us),
        too_fast=int(np.count_nonzero(steps.too_fast) + np.count_nonzero(spike)),
        first_us=int(series.time_us[0]),
        last_us=int(series.time_us[-1]),
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps of a series [n - 1]: their energy, and which rule made it."""

    energy: FloatArray
    rollover: NDArray[np.bool_]
    reset: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    too_fast: NDArray[np.bool_]

    @classmethod
    def of(cls, series: _Series, register: Register) -> _Steps:
        old, new = series.value[:-1], series.value[1:]
        limit = _reachable_kwh(np.diff(series.time_us), register) + _ROUNDING * np.maximum(old, new)
        step, modulus = new - old, register.modulus_kwh
        falls = step < -_ROUNDING * old
        rollover = falls & (modulus > 0.0) & (old > ROLLOVER_HIGH * modulus) & (new < ROLLOVER_LOW * modulus)
        rollover &= step + modulus <= limit
        reset = falls & ~rollover & (new < RESET_BELOW * old) & (new <= limit)
        energy = np.where(rollover, step + modulus, np.where(reset, new, np.maximum(step, 0.0)))
        too_fast = energy > limit
        return cls(np.where(too_fast, 0.0, energy), rollover, reset, falls & ~rollover & ~reset, too_fast)


def _reachable_kwh(elapsed_us: IntArray, register: Register) -> FloatArray:
    return np.asarray(register.max_power_watt * (elapsed_us / US_PER_S) / _WATT_SECONDS_PER_KWH)


def _fits(earlier: FloatArray, later: FloatArray, elapsed_us: IntArray, register: Register) -> NDArray[np.bool_]:
    tolerance = _ROUNDING * np.maximum(earlier, later)
    step = later - earlier
    return np.asarray((step >= -tolerance) & (step <= _reachable_kwh(elapsed_us, register) + tolerance))


def _momentary_zeros(series: _Series, register: Register) -> NDArray[np.bool_]:
    """Zeros whose nearest readings above zero, before and after, fit each other."""
    zero = series.value == 0.0
    index = np.arange(zero.size)
    before = np.maximum.accumulate(np.where(zero, -1, index))
    after = np.minimum.accumulate(np.where(zero, zero.size, index)[::-1])[::-1]
    between = zero & (before >= 0) & (after < zero.size)
    low, high = np.where(between, before, 0), np.where(between, after, 0)
    elapsed = series.time_us[high] - series.time_us[low]
    return np.asarray(between & _fits(series.value[low], series.value[high], elapsed, register))


def _single_outliers(series: _Series, register: Register) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Readings out of line between neighbours that fit each other: too high (spikes) and too low (dents)."""
    none = np.zeros(series.value.size, dtype=np.bool_)
    if series.value.size < 3:
        return none, none
    earlier, middle, later = series.value[:-2], series.value[1:-1], series.value[2:]
    neighbours_fit = _fits(earlier, later, series.time_us[2:] - series.time_us[:-2], register)
    limit = _reachable_kwh(np.diff(series.time_us)[:-1], register)
    spike = neighbours_fit & (middle - earlier > limit + _ROUNDING * middle) & (middle > later)
    dent = neighbours_fit & (middle < earlier * (1.0 - _ROUNDING)) & (middle < later)
    ends = [False]
    return np.concatenate((ends, spike, ends)), np.concatenate((ends, dent, ends))


def _count_gaps(time_us: IntArray) -> int:
    steps = np.diff(time_us)
    return int(np.count_nonzero(steps > GAP_INTERVALS * float(np.median(steps)))) if steps.size > 1 else 0
