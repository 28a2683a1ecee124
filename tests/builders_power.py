"""Waveforms and windows of power sensors with known answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.power import POWER_FEATURE_NAMES, Supply
from schemas.power_columns import PHASES
from udfs.power import CounterSeries, PhaseSignal, PowerWindow, extract_power_batch

Row = dict[str, float]
ROOT2 = np.sqrt(2.0)


def sine(
    rms: float = 230.0,
    *,
    hz: float = 50.0,
    seconds: float = 2.0,
    rate_hz: float = 10_000.0,
    phase_deg: float = 0.0,
    harmonics: Sequence[tuple[float, float]] = (),
) -> np.ndarray:
    """A sine of `rms`, with further ones of (order, share of the fundamental); phases count from the first sample."""
    angle = 2.0 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz + np.radians(phase_deg)
    wave = np.sin(angle)
    for order, share in harmonics:
        wave = wave + share * np.sin(order * angle)
    return rms * ROOT2 * wave


def signal(*rows: np.ndarray, rate_hz: float = 10_000.0, start_us: int = 0) -> PhaseSignal:
    """A signal of one channel `value`, or of L1, L2, L3 as many as rows."""
    channels = ("value",) if len(rows) == 1 else PHASES[: len(rows)]
    return PhaseSignal(start_us, rate_hz, channels, np.stack(rows, axis=1))


def three_phases(rms: Sequence[float] = (230.0, 230.0, 230.0), **options: float) -> list[np.ndarray]:
    """Sines 120 degrees apart, L1 leading."""
    first = options.pop("phase_deg", 0.0)
    return [sine(size, phase_deg=first - 120.0 * index, **options) for index, size in enumerate(rms)]  # type: ignore[arg-type]


def describe(window: PowerWindow, supply: Supply | None = None) -> tuple[Row, tuple[str, ...]]:
    """Features of one window by name, and its reasons."""
    values, reasons = extract_power_batch([window], supply or Supply())
    return dict(zip(POWER_FEATURE_NAMES, values[0].tolist(), strict=True)), reasons[0]


def waveforms(
    volt: PhaseSignal | None = None, amp: PhaseSignal | None = None, supply: Supply | None = None
) -> tuple[Row, tuple[str, ...]]:
    """Features of a window of a minute with these waveforms."""
    return describe(PowerWindow(0, 60.0, volt=volt, amp=amp), supply)


def counter(minutes: Sequence[float], value: Sequence[float], **register: float) -> CounterSeries:
    """A counter read at these minutes."""
    time_us = np.rint(np.asarray(minutes, dtype=np.float64) * 60e6).astype(np.int64)
    return CounterSeries(time_us, np.asarray(value, dtype=np.float64), **register)  # type: ignore[arg-type]
