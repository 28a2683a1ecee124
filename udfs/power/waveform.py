"""A waveform cut into cycles: the parts from which every feature of a voltage or current waveform is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.power import PowerReason, Supply
from udfs.power.cycles import (
    CycleGrid,
    find_nominal_hz,
    free_grid,
    hann_phasors,
    phase_between,
    track_cycles,
)
from udfs.power.harmonics import Blocks, Spectrum, analyse, cut_windows
from udfs.power.rms import HalfCycles, half_cycles
from udfs.power.window import DEFAULT_FREQUENCY_HZ, FloatArray, Track

SATURATED_SHARE = 0.1
_SATURATED_LEVELS = 32
_SATURATION_PROBE = 20_000


@dataclass(frozen=True, slots=True)
class Timing:
    """How a record is cut.

    Attributes:
        grid: cycles of the reference phase.
        nominal_hz: 50 or 60.
        bounds: half-cycle starts of each phase index, in samples.
        blocks: DFT windows; None in a record below one cycle.
        live: False for a dead line, whose cycles are only assumed.
    """

    grid: CycleGrid
    nominal_hz: float
    bounds: dict[int, FloatArray]
    blocks: Blocks | None
    live: bool = True

    def of_phase(self, phase: int) -> FloatArray:
        """Half-cycle starts of a phase, those of the reference for a phase that has none of its own."""
        return self.bounds.get(phase, next(iter(self.bounds.values())))


@dataclass(frozen=True, slots=True)
class Wave:
    """One waveform sensor.

    Attributes:
        track: its samples.
        squares: per row, the integral of the square over half cycles.
        rms: [rows] RMS over all whole cycles, NaN where there is none.
        saturated: whether a row sits at the end of its range.
    """

    track: Track
    squares: tuple[HalfCycles, ...]
    rms: FloatArray
    saturated: bool

    @property
    def half_cycle_rms(self) -> FloatArray:
        """X_rms(1/2) of every row, [rows, h], as long as the shortest row."""
        rows = [np.sqrt(square.sliding()) for square in self.squares]
        shortest = min(len(row) for row in rows)
        return np.stack([row[:shortest] for row in rows])

    def spectra(self, blocks: Blocks) -> tuple[Spectrum, ...]:
        """The spectrum of every row."""
        return tuple(analyse(row, blocks) for row in self.track.samples)


def time_waveform(track: Track, supply: Supply) -> Timing | PowerReason:
    """Cut a waveform at the zero crossings of its fundamental.

    A record shorter than 3 cycles is cut from its first sample on at the nominal frequency, and so is a dead line
    (below the interruption threshold), in which an interruption is to be seen.
    """
    row, nominal_hz = _reference(track, supply.nominal_frequency_hz)
    if nominal_hz is None:
        if not _is_dead(track, supply):
            return PowerReason.NO_FUNDAMENTAL
        return _free_timing(track, supply.nominal_frequency_hz or DEFAULT_FREQUENCY_HZ, live=False)
    signal = track.samples[row]
    grid = track_cycles(signal, track.rate_hz, nominal_hz)
    if grid is None:
        return _free_timing(track, nominal_hz, live=True)
    bounds = {track.phases[row]: grid.half_cycles()}
    reference = hann_phasors(signal, track.rate_hz, grid.cycle_hz)[1]
    for other, phase in enumerate(track.phases):
        if other != row:
            channel = hann_phasors(track.samples[other], track.rate_hz, grid.cycle_hz)[1]
            bounds[phase] = grid.half_cycles(phase_between(channel, reference))
    return Timing(grid, nominal_hz, bounds, cut_windows(grid, track.length, track.rate_hz, nominal_hz))


def cut_wave(track: Track, timing: Timing) -> Wave:
    """Integrate the squares of every row over the half cycles."""
    squares = tuple(
        half_cycles(row * row, timing.of_phase(phase)) for row, phase in zip(track.samples, track.phases, strict=True)
    )
    rms = np.array([np.sqrt(_mean_over_cycles(square)) for square in squares])
    return Wave(track, squares, rms, any(is_saturated(row) for row in track.samples))


def is_saturated(signal: FloatArray) -> bool:
    """Whether more than a tenth of [n] sits exactly at its largest or smallest value.

    A sine sits there for 1 % of the time even in 12 bits. A signal of few levels (an idle converter, a square wave)
    does not count: at least 32 different values must occur.
    """
    limit = SATURATED_SHARE * len(signal)
    ends = (np.fmax.reduce(signal), np.fmin.reduce(signal))
    if ends[0] == ends[1] or max(int(np.count_nonzero(signal == end)) for end in ends) <= limit:
        return False
    return bool(np.unique(signal[:_SATURATION_PROBE]).size >= _SATURATED_LEVELS)


def whole_cycle_hz(grid: CycleGrid, rate_hz: float) -> float:
    """Whole cycles over their duration (IEC 61000-4-30:2015, 5.1).

    In a record below a second two crossings carry too much of the noise: there it is the median phase advance.
    """
    if not grid.aligned:
        return grid.cycle_hz
    bounds = grid.half_cycles()
    cycles = (len(bounds) - 1) // 2
    return cycles * rate_hz / float(bounds[2 * cycles] - bounds[0]) if cycles > 0 else float("nan")


def _free_timing(track: Track, nominal_hz: float, *, live: bool) -> Timing:
    grid = free_grid(track.length, track.rate_hz, nominal_hz)
    bounds = dict.fromkeys(track.phases, grid.half_cycles())
    return Timing(grid, nominal_hz, bounds, cut_windows(grid, track.length, track.rate_hz, nominal_hz), live)


def _reference(track: Track, nominal_hz: float | None) -> tuple[int, float | None]:
    """The first row that holds a fundamental, and its nominal frequency."""
    for row, signal in enumerate(track.samples):
        found = find_nominal_hz(signal, track.rate_hz, (nominal_hz,) if nominal_hz else None)
        if found is not None:
            return row, found
    return 0, None


def _is_dead(track: Track, supply: Supply) -> bool:
    if supply.nominal_volt is None:
        return False
    mean_square = np.nanmean(track.samples * track.samples, axis=1)
    return bool(np.sqrt(mean_square.max()) < supply.interruption_pct / 100.0 * supply.nominal_volt)


def _mean_over_cycles(square: HalfCycles) -> float:
    means = square.over_cycles()
    known = means[np.isfinite(means)]
    return float(np.add.reduce(known) / known.size) if known.size else float("nan")
