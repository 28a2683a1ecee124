"""From windows of power sensors to rows of power features, and why values are missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.power import POWER_FEATURE_NAMES, PowerGroup, PowerReason, Supply
from udfs.power.describe import describe_current, describe_shape, describe_voltage, describe_windows
from udfs.power.findings import Findings
from udfs.power.harmonics import Spectrum
from udfs.power.meter import (
    apparent_power_va,
    check_readings,
    describe_current_readings,
    describe_voltage_readings,
)
from udfs.power.metering import describe_counter, describe_demand
from udfs.power.powers import PhasePower, multiply, nonactive_var, phase_power, total_power
from udfs.power.rms import mean_known
from udfs.power.signature import vi_trajectory_area
from udfs.power.waveform import Timing, Wave, cut_wave, time_waveform
from udfs.power.window import (
    US_PER_S,
    FloatArray,
    PhaseSignal,
    PowerWindow,
    Readings,
    Track,
    align,
    is_waveform,
    read_track,
)

_WATT_COLUMN = "active_power_{}_watt"


def extract_power_batch(windows: Sequence[PowerWindow], supply: Supply) -> tuple[FloatArray, list[tuple[str, ...]]]:
    """Extract every power feature of many windows.

    A window is a waveform at its own rate or a handful of readings, so this loops over windows; within one there is
    no loop over samples, cycles or readings. The loop costs about 2 ms a window beside the work on the samples.
    A sensor that is missing or unusable is named once (such as "voltage:no_sensor"); whatever rests on it is
    missing too. Equal to the last bit to one batch per window.

    Returns:
        Values of shape [m, k] in the order of `schemas.power.POWER_FEATURES`, NaN where missing, and for each window
        its sorted reasons, empty when nothing is missing. Never raises for bad numbers.
    """
    values = np.empty((len(windows), len(POWER_FEATURE_NAMES)))
    reasons: list[tuple[str, ...]] = []
    for row, window in enumerate(windows):
        with np.errstate(all="ignore"):
            found = _describe(window, supply)
        values[row] = found.vector()
        reasons.append(tuple(sorted(found.reasons)))
    return values, reasons


def _describe(window: PowerWindow, supply: Supply) -> Findings:
    found = Findings()
    watt = _usable(PowerGroup.ENERGY, read_track(window.watt), found)
    volt = _usable(PowerGroup.VOLTAGE, _read_electric(window.volt, supply), found)
    amp = _usable(PowerGroup.CURRENT, _read_electric(window.amp, supply), found)
    for name, track in (("volt", volt), ("amp", amp)):
        if track is not None:
            found.put(f"{name}_coverage_pct", _coverage_pct(track, window.length_s))
    curve = describe_demand(watt, window, supply, found) if watt is not None else None
    describe_counter(window, curve, supply, found)
    active_watt = _put_watt_sensor(watt, (volt, amp), found)
    if not _describe_waveforms(volt, amp, supply, found):
        _put_readings_power(volt, amp, active_watt, found)
    return found


def _usable(group: PowerGroup, track: Track | PowerReason, found: Findings) -> Track | None:
    if isinstance(track, Track):
        return track
    found.refuse(group, track)
    return None


def _read_electric(data: PhaseSignal | Readings | None, supply: Supply) -> Track | PowerReason:
    track = read_track(data)
    if isinstance(track, PowerReason) or is_waveform(track, supply.nominal_frequency_hz):
        return track
    return check_readings(track)


def _coverage_pct(track: Track, length_s: float) -> float:
    """Share of the window with every phase known; a reading at its own time covers the median interval."""
    known = int(np.count_nonzero(np.isfinite(np.add.reduce(track.samples, axis=0))))
    if track.time_us is None:
        period_s = 1.0 / track.rate_hz
    else:
        period_s = float(np.median(np.diff(track.time_us))) / US_PER_S if track.length > 1 else 0.0
    return min(100.0, 100.0 * known * period_s / length_s) if length_s > 0.0 else float("nan")


def _describe_waveforms(volt: Track | None, amp: Track | None, supply: Supply, found: Findings) -> bool:
    """Describe what each sensor is; True when power has been found or refused from waveforms."""
    hz = supply.nominal_frequency_hz
    waves = [track if track is not None and is_waveform(track, hz) else None for track in (volt, amp)]
    if volt is not None and waves[0] is None:
        describe_voltage_readings(volt, supply, found)
    if amp is not None and waves[1] is None:
        describe_current_readings(amp, found)
    if waves[0] is None and waves[1] is None:
        return False
    pair = _time_together(waves[0], waves[1], supply, found)
    _describe_pair(pair, supply, found)
    if None in waves:
        missing = volt is None or amp is None
        found.refuse(PowerGroup.POWER, PowerReason.NO_SENSOR if missing else PowerReason.RATES_DIFFER)
    return True


_Timed = tuple[Track, Timing] | None


def _time_together(
    volt: Track | None, amp: Track | None, supply: Supply, found: Findings
) -> tuple[_Timed, _Timed, bool]:
    """Both tracks with their timing, and whether they share one: then power can be found."""
    if volt is not None and amp is not None:
        pair = align(volt, amp, nominal_hz=supply.nominal_frequency_hz or 60.0)
        if isinstance(pair, PowerReason):
            found.refuse(PowerGroup.POWER, pair)
        else:
            timing = time_waveform(pair[0], supply)
            if isinstance(timing, Timing):
                return (pair[0], timing), (pair[1], timing), True
            found.refuse(PowerGroup.POWER, timing)
    return (
        _time_alone(PowerGroup.VOLTAGE, volt, supply, found),
        _time_alone(PowerGroup.CURRENT, amp, supply, found),
        False,
    )


def _time_alone(group: PowerGroup, track: Track | None, supply: Supply, found: Findings) -> _Timed:
    if track is None:
        return None
    timing = time_waveform(track, supply)
    if isinstance(timing, Timing):
        return track, timing
    found.refuse(group, timing)
    return None


def _describe_pair(pair: tuple[_Timed, _Timed, bool], supply: Supply, found: Findings) -> None:
    timed_volt, timed_amp, together = pair
    volt = _describe_wave(PowerGroup.VOLTAGE, timed_volt, supply, found)
    amp = _describe_wave(PowerGroup.CURRENT, timed_amp, supply, found)
    if together and timed_volt is not None and volt is not None and amp is not None:
        _describe_power(volt, amp, timed_volt[1], found)


_Described = tuple[Wave, tuple[Spectrum, ...]]


def _describe_wave(group: PowerGroup, timed: _Timed, supply: Supply, found: Findings) -> _Described | None:
    """The features of one waveform; None when no whole cycle of it is known."""
    if timed is None:
        return None
    track, timing = timed
    wave = cut_wave(track, timing)
    if not np.isfinite(wave.rms).any():
        short = len(timing.of_phase(track.phases[0])) < 3
        found.refuse(group, PowerReason.WINDOW_TOO_SHORT if short else PowerReason.TOO_MANY_GAPS)
        return None
    shaped = timing.live and timing.blocks is not None
    spectra = wave.spectra(timing.blocks) if shaped and timing.blocks is not None else ()
    if group is PowerGroup.VOLTAGE:
        describe_voltage(wave, timing, spectra, supply, found)
    else:
        describe_current(wave, timing, found)
    if shaped:
        describe_windows(timing.blocks, found)
        describe_shape(group, wave, timing, spectra, found)
    else:
        found.refuse(PowerGroup.HARMONICS, PowerReason.WINDOW_TOO_SHORT if timing.live else PowerReason.NO_FUNDAMENTAL)
    return wave, spectra


def _describe_power(volt: _Described, amp: _Described, timing: Timing, found: Findings) -> None:
    rows = {phase: row for row, phase in enumerate(amp[0].track.phases)}
    powers: list[PhasePower] = []
    for row, phase in enumerate(volt[0].track.phases):
        if phase not in rows:
            continue
        other, bounds = rows[phase], timing.of_phase(phase)
        u, i = volt[0].track.samples[row], amp[0].track.samples[other]
        fundamentals = (volt[1][row].fundamental, amp[1][other].fundamental) if volt[1] and amp[1] else _NO_PHASORS
        powers.append(phase_power(multiply(u, i, bounds), (volt[0].squares[row], amp[0].squares[other]), fundamentals))
        found.put_phases(_WATT_COLUMN, [phase], [powers[-1].active_watt])
        if len(powers) == 1 and timing.live:
            found.put("vi_trajectory_area", vi_trajectory_area(u, i, bounds))
    if volt[0].track.phases != amp[0].track.phases:
        found.refuse(PowerGroup.POWER, PowerReason.PHASES_DIFFER)
        return
    total = total_power(powers)
    if not np.isfinite(total.active_watt):
        found.refuse(PowerGroup.POWER, PowerReason.TOO_MANY_GAPS)
    _put_power(total.active_watt, total.apparent_va, found)
    found.put("reactive_power_fundamental_var", total.reactive_fundamental_var)
    found.put("displacement_power_factor", total.displacement_factor)


_NO_PHASORS = (np.empty(0, dtype=np.complex128), np.empty(0, dtype=np.complex128))


def _put_power(active_watt: float, apparent_va: float, found: Findings) -> None:
    found.put("active_power_total_watt", active_watt)
    found.put("apparent_power_total_va", apparent_va)
    found.put("nonactive_power_total_va", nonactive_var(active_watt, apparent_va))
    if apparent_va > 0.0:
        found.put("power_factor", active_watt / apparent_va)


def _put_watt_sensor(watt: Track | None, others: tuple[Track | None, ...], found: Findings) -> float:
    """Active power of the WATT sensor, NaN without one; power from waveforms takes its place."""
    if watt is None:
        return float("nan")
    # A total on one channel is no power of L1 where voltage or current have three phases.
    if all(track is None or track.phases == watt.phases for track in others):
        found.put_phases(_WATT_COLUMN, watt.phases, [mean_known(row) for row in watt.samples])
    active = mean_known(np.add.reduce(watt.samples, axis=0))
    found.put("active_power_total_watt", active)
    return active


def _put_readings_power(volt: Track | None, amp: Track | None, active_watt: float, found: Findings) -> None:
    """Power of meters: P from the WATT sensor, S from VOLT and AMP; reactive power needs waveforms."""
    if volt is None or amp is None:
        found.refuse(PowerGroup.POWER, PowerReason.NO_SENSOR)
        return
    found.refuse(PowerGroup.POWER, PowerReason.NEEDS_WAVEFORM)
    apparent = apparent_power_va(volt, amp)
    if isinstance(apparent, PowerReason):
        found.refuse(PowerGroup.POWER, apparent)
    elif abs(active_watt) > apparent:
        found.refuse(PowerGroup.POWER, PowerReason.INCONSISTENT)
        found.put("apparent_power_total_va", apparent)
    else:
        _put_power(active_watt, apparent, found)
