"""Harmonics by subgroups of the 10/12-cycle DFT (IEC 61000-4-7:2002 + A1:2008, 4.4.1 and 5.5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from udfs.power.cycles import CycleGrid
from udfs.power.window import FloatArray

MAX_ORDER = 40
WINDOW_CYCLES = {50.0: 10, 60.0: 12}
_COHERENT_CYCLES = 2e-4
"""A window this close to whole cycles, and a fundamental that keeps its phase this well, leak less than 0.005 %."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the DFT windows of a record lie.

    Attributes:
        starts: [b], first sample of each window.
        length: samples per window.
        cycles: 10, 12, or 1 in a record that holds no longer window.
        excess: [b], how much longer each window is than its cycles, in cycles of the fundamental.
        step: mean angle of the fundamental per sample, rad.
    """

    starts: NDArray[np.intp]
    length: int
    cycles: int
    excess: FloatArray
    step: float

    @property
    def coherent(self) -> bool:
        """Whether the windows are whole cycles of a steady fundamental."""
        return bool(np.max(np.abs(self.excess)) <= _COHERENT_CYCLES)

    def drift(self) -> FloatArray:
        """What the angle per sample of each window differs from the mean, [b], rad."""
        return np.asarray(2.0 * np.pi * (self.cycles + self.excess) / self.length - self.step)

    @property
    def max_order(self) -> int:
        """The highest order whose subgroup lies below half the sample rate, at most 40."""
        last_bin = (self.length - 1) // 2
        return max(0, min(MAX_ORDER, (last_bin - (self.cycles > 1)) // self.cycles))


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What the windows of one channel hold.

    Attributes:
        fundamental: [b] complex amplitude (peak) of the fundamental in each window, NaN where samples are lost.
        subgroup: [max_order + 1] RMS of the harmonic subgroups, aggregated over the windows; order 0 is NaN.
        interharmonic: [max_order] RMS of the interharmonic centred subgroups h + 0.5; NaN for one-cycle windows.
    """

    fundamental: NDArray[np.complex128]
    subgroup: FloatArray
    interharmonic: FloatArray

    def share_pct(self, order: int) -> float:
        """100 G_h / G_1, NaN when the order is out of reach or there is no fundamental."""
        if order >= len(self.subgroup) or not self.subgroup[1] > 0.0:
            return float("nan")
        return float(100.0 * self.subgroup[order] / self.subgroup[1])

    @property
    def thd_pct(self) -> float:
        """THDS = 100 sqrt(sum of G_h^2, h = 2..40) / G_1."""
        return self._share_of(self.subgroup[2:])

    @property
    def interharmonic_pct(self) -> float:
        """100 sqrt(sum of all interharmonic centred subgroups squared) / G_1."""
        return self._share_of(self.interharmonic)

    def _share_of(self, rms: FloatArray) -> float:
        if rms.size == 0 or not self.subgroup[1] > 0.0:
            return float("nan")
        return float(100.0 * np.sqrt(np.add.reduce(rms * rms)) / self.subgroup[1])


def cut_windows(grid: CycleGrid, length: int, rate_hz: float, nominal_hz: float) -> Blocks | None:
    """DFT windows one after another from the first sample: 10 or 12 cycles, else 1; None below one cycle.

    Their starts follow the mean frequency, their common length is the nearest number of whole samples.
    """
    step = float((grid.theta[-1] - grid.theta[0]) / (grid.at[-1] - grid.at[0]))
    cycle_hz = step * rate_hz / (2.0 * np.pi)
    for cycles in (WINDOW_CYCLES[nominal_hz], 1):
        span = cycles * rate_hz / cycle_hz
        samples = round(span)
        count = int((length - samples + 0.5) // span) + 1 if length >= samples - 0.5 else 0
        if count > 0 and samples <= length:
            starts = np.minimum(np.rint(np.arange(count) * span), length - samples).astype(np.intp)
            # Sample i stands for i - 0.5 .. i + 0.5, so the window begins half a sample before its first one.
            edges = starts - 0.5
            turned = np.interp(edges + samples, grid.at, grid.theta) - np.interp(edges, grid.at, grid.theta)
            return Blocks(starts, samples, cycles, turned / (2.0 * np.pi) - cycles, step)
    return None


def analyse(signal: FloatArray, blocks: Blocks) -> Spectrum:
    """Spectrum of one channel [n].

    Where the window is no whole number of cycles, the fundamental is fitted and taken out before the DFT, so that
    it cannot leak into the harmonics, and the subgroups are corrected for what their own leakage loses.
    """
    windows = _gather(signal, blocks)
    good = np.isfinite(np.add.reduce(windows, axis=1))
    fundamental = np.full(len(windows), np.nan + 1j * np.nan)
    orders = blocks.max_order
    empty = np.full(orders + 1, np.nan), np.full(orders if blocks.cycles > 1 else 0, np.nan)
    if orders < 1 or not good.any():
        return Spectrum(fundamental, *empty)
    windows = windows if good.all() else windows[good]
    basis = _fundamental_basis(blocks)
    fit = windows @ np.linalg.pinv(basis)
    fundamental[good] = fit[:, 0] - 1j * fit[:, 1]
    around = _bins_around_fundamental(windows, fit, blocks)
    if not blocks.coherent:
        windows = windows - _fundamental_waves(fit, basis, blocks.drift()[good])
    power = _bin_power(windows, blocks)
    reach = around.shape[1] // 2
    power[:, blocks.cycles - reach : blocks.cycles + reach + 1] = around
    return Spectrum(fundamental, _subgroups(power, blocks.excess[good], blocks), _interharmonics(power, blocks))


def _gather(signal: FloatArray, blocks: Blocks) -> FloatArray:
    """The windows [b, length]; a view where they lie side by side."""
    count, length = len(blocks.starts), blocks.length
    if blocks.starts[-1] == (count - 1) * length:
        return signal[: count * length].reshape(count, length)
    return np.lib.stride_tricks.sliding_window_view(signal, length)[blocks.starts]


def _fundamental_basis(blocks: Blocks) -> FloatArray:
    """Cosine and sine [2, length] of the fundamental, at the middle of the bin where the window is coherent."""
    step = 2.0 * np.pi * blocks.cycles / blocks.length if blocks.coherent else blocks.step
    angle = step * np.arange(blocks.length)
    return np.stack((np.cos(angle), np.sin(angle)))


def _fundamental_waves(fit: FloatArray, basis: FloatArray, drift: FloatArray) -> FloatArray:
    """The fundamental in each window [b, length]: a cos + b sin, turned by the window's own drift.

    Turning by d t is, for the small d of a mains, adding d t (b cos - a sin), with t from the window's middle.
    """
    time = np.arange(basis.shape[1]) - (basis.shape[1] - 1) / 2.0
    factors = np.concatenate((fit, drift[:, None] * fit[:, ::-1] * (1.0, -1.0)), axis=1)
    return np.asarray(factors @ np.concatenate((basis, time * basis)))


def _bin_power(windows: FloatArray, blocks: Blocks) -> FloatArray:
    """Squared RMS of each bin of each window, [b, bins], bins 0 .. max_order * cycles + 1."""
    bins = blocks.max_order * blocks.cycles + (2 if blocks.cycles > 1 else 1)
    spectrum = fft.rfft(windows, axis=1)[:, :bins]
    return np.asarray((spectrum.real**2 + spectrum.imag**2) * (2.0 / blocks.length**2))


def _bins_around_fundamental(windows: FloatArray, fit: FloatArray, blocks: Blocks) -> FloatArray:
    """Squared RMS of the bins of the fundamental's subgroup, [b, 3 or 1], of the whole signal."""
    if blocks.cycles == 1:
        # One bin cannot hold a fundamental off its centre: take the fitted one.
        return np.asarray(np.add.reduce(fit**2, axis=1)[:, None] / 2.0)
    bins = np.arange(blocks.cycles - 1, blocks.cycles + 2)
    angle = (2.0 * np.pi / blocks.length) * np.outer(np.arange(blocks.length), bins)
    real, imaginary = windows @ np.cos(angle), windows @ np.sin(angle)
    return np.asarray((real**2 + imaginary**2) * (2.0 / blocks.length**2))


def _subgroups(power: FloatArray, excess: FloatArray, blocks: Blocks) -> FloatArray:
    """G_h = root mean square over windows of the bins cycles*h - 1 .. cycles*h + 1; of bin h in one-cycle windows."""
    orders = np.arange(1, blocks.max_order + 1)
    middle = orders * blocks.cycles
    squared = power[:, middle]
    if blocks.cycles > 1:
        squared = power[:, middle - 1] + squared + power[:, middle + 1]
        if not blocks.coherent:
            squared = squared / _kept_share(np.outer(excess, orders))
    return np.concatenate(([np.nan], np.sqrt(np.add.reduce(squared, axis=0) / len(power))))


def _kept_share(excess: FloatArray) -> FloatArray:
    """Share of a sine's energy in its subgroup when it is `excess` bins off the middle of it, at most one."""
    off = np.clip(np.abs(excess), 0.0, 1.0)
    return np.asarray(np.sinc(off) ** 2 + np.sinc(1.0 - off) ** 2 + np.sinc(1.0 + off) ** 2)


def _interharmonics(power: FloatArray, blocks: Blocks) -> FloatArray:
    """C_h = root mean square of the bins cycles*h + 2 .. cycles*(h + 1) - 2, for h = 0 .. max_order - 1."""
    if blocks.cycles == 1:
        return np.empty(0)
    groups = power[:, : blocks.max_order * blocks.cycles].reshape(len(power), blocks.max_order, blocks.cycles)
    squared = np.add.reduce(groups[:, :, 2 : blocks.cycles - 1], axis=2)
    return np.asarray(np.sqrt(np.add.reduce(squared, axis=0) / len(power)))
