"""What one window of power sensors holds: plain arrays, and how they are put on phases and on one time axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.power import PowerReason
from schemas.power_columns import PHASES
from schemas.sensors import SENSORS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SINGLE_PHASE = "value"
US_PER_S = 1_000_000.0
WAVEFORM_SAMPLES_PER_CYCLE = 20.0
"""From 20 samples per cycle of the nominal frequency on (1,000 Hz at 50 Hz) a signal is a waveform; below, its
samples are RMS readings of a meter. Without a declared frequency 50 Hz counts."""
DEFAULT_FREQUENCY_HZ = 50.0
MIN_RATE_HZ, MAX_RATE_HZ = 1e-5, SENSORS["VOLT"].max_sample_rate_hz
"""From about a sample a day to what the sensor catalogue allows."""
MAX_ANGLE_ERROR_DEG = 1.0
"""How far the instants of voltage and current may lie apart, in degrees of the fundamental: an error of up to 0.03 in
sin(phi). It is half a sample at 180 samples per cycle."""


@dataclass(frozen=True, slots=True)
class PhaseSignal:
    """Evenly spaced samples, [n, channels], NaN where lost; channels "value" or any of L1, L2, L3."""

    start_us: int
    sample_rate_hz: float
    channels: tuple[str, ...]
    samples: FloatArray


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of a slow meter at any times: time_us [n] in order, values [n, channels], NaN where lost."""

    time_us: IntArray
    channels: tuple[str, ...]
    values: FloatArray


@dataclass(frozen=True, slots=True)
class CounterSeries:
    """Readings of an energy counter.

    Attributes:
        time_us: [n] in order.
        value: [n], kWh, NaN where lost.
        digits: decimal digits of the register; 0 = unknown.
        resolution_kwh: value of its last digit; 0 = unknown.
    """

    time_us: IntArray
    value: FloatArray
    digits: int = 0
    resolution_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class PowerWindow:
    """All that one device sent in one window of sensor time; None for a sensor that sent nothing."""

    start_us: int
    length_s: float
    volt: PhaseSignal | Readings | None = None
    amp: PhaseSignal | Readings | None = None
    watt: PhaseSignal | Readings | None = None
    kwh: CounterSeries | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A checked signal on phases.

    Attributes:
        start_us: of the first sample.
        rate_hz: NaN for readings, which have their own times.
        time_us: [n] for readings, else None.
        phases: indices into PHASES of the rows.
        samples: [len(phases), n], contiguous, NaN where lost.
    """

    start_us: int
    rate_hz: float
    time_us: IntArray | None
    phases: tuple[int, ...]
    samples: FloatArray

    @property
    def length(self) -> int:
        """Samples per phase."""
        return int(self.samples.shape[1])

    def times_us(self) -> FloatArray:
        """Time of every sample, [n]."""
        if self.time_us is not None:
            return self.time_us.astype(np.float64)
        return self.start_us + np.arange(self.length) * (US_PER_S / self.rate_hz)


def read_track(data: PhaseSignal | Readings | None) -> Track | PowerReason:
    """The signal on phases, or why it cannot be used. Infinite values count as lost; `value` is L1."""
    if data is None:
        return PowerReason.NO_SENSOR
    raw = np.asarray(data.samples if isinstance(data, PhaseSignal) else data.values, dtype=np.float64)
    phases = _phase_indices(data.channels)
    if raw.ndim != 2 or phases is None or raw.shape[1] != len(phases):
        return PowerReason.WRONG_SHAPE
    if raw.shape[0] == 0:
        return PowerReason.NO_SAMPLES
    track = _even(data, phases, raw) if isinstance(data, PhaseSignal) else _uneven(data, phases, raw)
    return _present(track) if isinstance(track, Track) else track


def is_waveform(track: Track, nominal_hz: float | None) -> bool:
    """Whether the samples are instants of a waveform and not RMS readings: see WAVEFORM_SAMPLES_PER_CYCLE."""
    return track.rate_hz >= WAVEFORM_SAMPLES_PER_CYCLE * (nominal_hz or DEFAULT_FREQUENCY_HZ)


def align(volt: Track, amp: Track, *, nominal_hz: float) -> tuple[Track, Track] | PowerReason:
    """Both waveforms on one time axis that covers both, NaN where one of them is silent.

    They are shifted by whole samples; what is left between their instants must stay below MAX_ANGLE_ERROR_DEG.
    """
    if volt.rate_hz != amp.rate_hz:
        return PowerReason.RATES_DIFFER
    offset = (amp.start_us - volt.start_us) * volt.rate_hz / US_PER_S
    shift = round(offset)
    if abs(offset - shift) / volt.rate_hz * nominal_hz * 360.0 > MAX_ANGLE_ERROR_DEG:
        return PowerReason.NOT_ALIGNED
    if shift >= volt.length or -shift >= amp.length:
        return PowerReason.NOT_ALIGNED
    first = min(0, shift)
    length = max(volt.length, shift + amp.length) - first
    return _placed(volt, -first, length), _placed(amp, shift - first, length)


def _placed(track: Track, at: int, length: int) -> Track:
    if at == 0 and length == track.length:
        return track
    samples = np.full((len(track.phases), length), np.nan)
    samples[:, at : at + track.length] = track.samples
    start_us = track.start_us - round(at * US_PER_S / track.rate_hz)
    return replace(track, start_us=start_us, samples=samples)


def _phase_indices(channels: tuple[str, ...]) -> tuple[int, ...] | None:
    """Index of each channel's phase; None for no, unknown or doubled channels."""
    if channels == (SINGLE_PHASE,):
        return (0,)
    if not channels or len(set(channels)) != len(channels) or not set(channels) <= set(PHASES):
        return None
    return tuple(PHASES.index(channel) for channel in channels)


def _even(data: PhaseSignal, phases: tuple[int, ...], raw: FloatArray) -> Track | PowerReason:
    rate = float(data.sample_rate_hz)
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        return PowerReason.WRONG_RATE
    return Track(int(data.start_us), rate, None, phases, np.ascontiguousarray(raw.T))


def _uneven(data: Readings, phases: tuple[int, ...], raw: FloatArray) -> Track | PowerReason:
    times = np.asarray(data.time_us, dtype=np.int64)
    if times.shape != (raw.shape[0],):
        return PowerReason.WRONG_SHAPE
    if np.any(np.diff(times) < 0):
        return PowerReason.WRONG_RATE
    return Track(int(times[0]), math.nan, times, phases, np.ascontiguousarray(raw.T))


def _present(track: Track) -> Track | PowerReason:
    """Phases in order, without those that hold no number at all."""
    finite = np.isfinite(track.samples)
    whole = bool(finite.all())
    samples = track.samples if whole else np.where(finite, track.samples, np.nan)
    order = [row for row in np.argsort(track.phases) if whole or finite[row].any()]
    if not order:
        return PowerReason.NO_SAMPLES
    phases = tuple(track.phases[row] for row in order)
    return replace(track, phases=phases, samples=samples if phases == track.phases else samples[order])
