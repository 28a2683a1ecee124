"""Features of meters that send RMS readings instead of waveforms."""

from __future__ import annotations

import numpy as np

from schemas.power import PowerGroup, PowerReason, Supply
from udfs.power.describe import describe_against_nominal, put_events
from udfs.power.events import find_voltage_events
from udfs.power.findings import Findings
from udfs.power.rms import largest, least, root_mean_square
from udfs.power.unbalance import magnitude_unbalance_pct
from udfs.power.window import US_PER_S, FloatArray, Track, align

_THREE = (0, 1, 2)
_NEED_WAVEFORM = (PowerGroup.FREQUENCY, PowerGroup.HARMONICS, PowerGroup.FLICKER)


def check_readings(track: Track) -> Track | PowerReason:
    """RMS readings are never negative: a slow signal that is holds something else."""
    return PowerReason.NEGATIVE_READINGS if np.fmin.reduce(track.samples, axis=None) < 0.0 else track


def describe_voltage_readings(track: Track, supply: Supply, found: Findings) -> None:
    """RMS, compliance and events at the resolution of the readings, and what only a waveform could give."""
    for group in _NEED_WAVEFORM:
        found.refuse(group, PowerReason.NEEDS_WAVEFORM)
    rms = readings_rms(track)
    found.put_phases("volt_rms_{}_volt", track.phases, rms)
    found.put("volt_half_cycle_min_volt", least(track.samples))
    found.put("volt_half_cycle_max_volt", largest(track.samples))
    describe_against_nominal(track.phases, rms, track.samples, supply, found)
    if supply.nominal_volt is not None:
        events = find_voltage_events(track.samples, _times_s(track), supply, supply.nominal_volt)
        put_events(events, supply.nominal_volt, found)
    found.refuse(PowerGroup.UNBALANCE, PowerReason.NEEDS_WAVEFORM)
    if track.phases == _THREE:
        found.put("volt_unbalance_magnitude_pct", magnitude_unbalance_pct(rms))


def describe_current_readings(track: Track, found: Findings) -> None:
    """RMS, highest reading and unbalance of magnitudes."""
    rms = readings_rms(track)
    found.put_phases("amp_rms_{}_ampere", track.phases, rms)
    found.put("amp_half_cycle_max_ampere", largest(track.samples))
    found.refuse(PowerGroup.INRUSH, PowerReason.NEEDS_WAVEFORM)
    found.refuse(PowerGroup.HARMONICS, PowerReason.NEEDS_WAVEFORM)
    if track.phases == _THREE:
        found.put("amp_unbalance_magnitude_pct", magnitude_unbalance_pct(rms))


def readings_rms(track: Track) -> FloatArray:
    """Root of the mean square of each phase's readings, all of equal weight."""
    return np.array([root_mean_square(row) for row in track.samples])


def apparent_power_va(volt: Track, amp: Track) -> float | PowerReason:
    """Arithmetic apparent power: the sum over phases of mean(U I) at the times when all phases are known.

    Both must have the same phases and the same times: equal sample rate and instants within half a sample, or the
    same reading times.
    """
    if volt.phases != amp.phases:
        return PowerReason.PHASES_DIFFER
    if volt.time_us is None and amp.time_us is None:
        # No phase angle to spoil: readings are aligned to the nearest one.
        pair = align(volt, amp, nominal_hz=0.0)
        if isinstance(pair, PowerReason):
            return pair
        volt, amp = pair
    elif volt.time_us is None or amp.time_us is None:
        return PowerReason.RATES_DIFFER
    elif not np.array_equal(volt.time_us, amp.time_us):
        return PowerReason.NOT_ALIGNED
    apparent = np.add.reduce(volt.samples * amp.samples, axis=0)
    known = apparent[np.isfinite(apparent)]
    return float(np.add.reduce(known) / known.size) if known.size else PowerReason.TOO_MANY_GAPS


def _times_s(track: Track) -> FloatArray:
    """Time of each reading and of the end of the last one's period, [n + 1], from the first one on."""
    times_s = (track.times_us() - track.start_us) / US_PER_S
    period_s = float(np.median(np.diff(times_s))) if times_s.size > 1 else 0.0
    return np.append(times_s, times_s[-1] + period_s)
