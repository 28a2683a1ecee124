"""Features of voltage and current waveforms."""

from __future__ import annotations

import numpy as np

from schemas.power import PowerGroup, PowerReason, Supply
from schemas.power_columns import HARMONIC_ORDERS
from udfs.power.compliance import NARROW_BAND_PCT, WIDE_BAND_PCT, deviation_pct, share_within_pct
from udfs.power.events import VoltageEvents, find_voltage_events
from udfs.power.findings import Findings
from udfs.power.flicker import short_term_flicker
from udfs.power.harmonics import MAX_ORDER, WINDOW_CYCLES, Blocks, Spectrum
from udfs.power.rms import crest_factor, largest, least
from udfs.power.signature import inrush_ratio
from udfs.power.unbalance import magnitude_unbalance_pct, sequence_unbalance_pct
from udfs.power.waveform import Timing, Wave, whole_cycle_hz
from udfs.power.window import FloatArray

FREQUENCY_INTERVAL_S = 10.0
_THREE = (0, 1, 2)


def describe_voltage(
    wave: Wave, timing: Timing, spectra: tuple[Spectrum, ...], supply: Supply, found: Findings
) -> None:
    """RMS, deviation, crest, frequency, events, unbalance and flicker of a voltage waveform."""
    phases, sliding = wave.track.phases, wave.half_cycle_rms
    found.put_phases("volt_rms_{}_volt", phases, wave.rms)
    found.put("volt_half_cycle_min_volt", least(sliding))
    found.put("volt_half_cycle_max_volt", largest(sliding))
    describe_against_nominal(phases, wave.rms, _ten_cycle_rms(wave, timing), supply, found)
    if supply.nominal_volt is not None and sliding.size:
        times_s = timing.grid.half_cycles()[: sliding.shape[1] + 1] / wave.track.rate_hz
        put_events(find_voltage_events(sliding, times_s, supply, supply.nominal_volt), supply.nominal_volt, found)
    _describe_frequency(wave, timing, found)
    _describe_unbalance(wave, spectra, found)
    _describe_flicker(wave, timing, supply, found)


def describe_current(wave: Wave, timing: Timing, found: Findings) -> None:
    """RMS, inrush and unbalance of a current waveform."""
    phases, sliding = wave.track.phases, wave.half_cycle_rms
    found.put_phases("amp_rms_{}_ampere", phases, wave.rms)
    found.put("amp_half_cycle_max_ampere", largest(sliding))
    if phases == _THREE:
        found.put("amp_unbalance_magnitude_pct", magnitude_unbalance_pct(wave.rms))
    if not np.any(wave.rms > 0.0):
        found.refuse(PowerGroup.CURRENT, PowerReason.ZERO_CURRENT)
    found.put_or_refuse("amp_inrush_ratio", PowerGroup.INRUSH, inrush_ratio(sliding[0], timing.grid.cycle_hz))


def describe_shape(
    sensor: PowerGroup, wave: Wave, timing: Timing, spectra: tuple[Spectrum, ...], found: Findings
) -> None:
    """Crest factor and harmonics of either waveform; refused for a saturated one, whose shape is unknown."""
    if wave.saturated:
        found.refuse(sensor, PowerReason.SATURATED)
        return
    prefix, track = "volt" if sensor is PowerGroup.VOLTAGE else "amp", wave.track
    found.put_phases(
        prefix + "_crest_{}",
        track.phases,
        [
            crest_factor(row, timing.of_phase(phase), rms)
            for row, phase, rms in zip(track.samples, track.phases, wave.rms, strict=True)
        ],
    )
    found.put_phases(prefix + "_thd_{}_pct", track.phases, [spectrum.thd_pct for spectrum in spectra])
    for order in HARMONIC_ORDERS:
        shares = np.array([spectrum.share_pct(order) for spectrum in spectra])
        found.put(f"{prefix}_harmonic_{order}_pct", largest(shares))
    if prefix == "volt":
        found.put("volt_interharmonic_pct", largest(np.array([spectrum.interharmonic_pct for spectrum in spectra])))


def describe_windows(blocks: Blocks | None, found: Findings) -> None:
    """What the harmonics rest on: the cycles of the DFT window and the highest order."""
    if blocks is None or blocks.max_order < 1:
        found.refuse(PowerGroup.HARMONICS, PowerReason.WINDOW_TOO_SHORT)
        return
    found.put("harmonic_window_cycles", blocks.cycles)
    found.put("harmonic_order_max", blocks.max_order)
    if blocks.cycles == 1:
        found.refuse(PowerGroup.HARMONICS, PowerReason.SINGLE_CYCLE_WINDOW)
    if blocks.max_order < MAX_ORDER:
        found.refuse(PowerGroup.HARMONICS, PowerReason.BAND_LIMITED)


def describe_against_nominal(
    phases: tuple[int, ...], rms: FloatArray, values: FloatArray, supply: Supply, found: Findings
) -> None:
    """Deviation of the RMS [phases], and how many of the values [phases, v] lie within the bands."""
    if supply.nominal_volt is None:
        found.refuse(PowerGroup.VOLTAGE_EVENTS, PowerReason.NO_NOMINAL)
        return
    found.put_phases("volt_deviation_{}_pct", phases, deviation_pct(rms, supply.nominal_volt))
    if values.shape[1] == 0:
        found.refuse(PowerGroup.VOLTAGE, PowerReason.WINDOW_TOO_SHORT)
        return
    for name, band in (("volt_within_10_share_pct", NARROW_BAND_PCT), ("volt_within_15_10_share_pct", WIDE_BAND_PCT)):
        shares = np.array([share_within_pct(row, supply.nominal_volt, band) for row in values])
        found.put(name, least(shares))


def put_events(events: VoltageEvents, nominal_volt: float, found: Findings) -> None:
    """Counts, extremes and durations of the events; extremes of nothing are missing, their number is 0."""
    dips, swells = events.dips, events.swells
    found.put("dip_count", dips.count)
    found.put("swell_count", swells.count)
    found.put("interruption_count", events.interruptions.count)
    found.put("interruption_duration_s", float(np.add.reduce(events.interruptions.duration_s)))
    found.put("voltage_event_cut_count", events.cut_count)
    found.put("dip_residual_volt", least(dips.extreme))
    found.put("dip_depth_pct", -float(deviation_pct(np.array(least(dips.extreme)), nominal_volt)))
    found.put("dip_duration_max_s", largest(dips.duration_s))
    found.put("swell_max_volt", largest(swells.extreme))
    found.put("swell_duration_max_s", largest(swells.duration_s))


def interval_hz(bounds: FloatArray, rate_hz: float, known: FloatArray) -> FloatArray:
    """Frequency of each whole 10 s: whole cycles over their duration; NaN where a half cycle of it is lost.

    `bounds` [h + 1] are the half-cycle starts in samples, `known` [h] is NaN for lost half cycles.
    """
    starts_s = bounds[::2] / rate_hz
    count = int((starts_s[-1] - starts_s[0]) / FREQUENCY_INTERVAL_S + 1e-9) if len(starts_s) else 0
    edges = np.searchsorted(starts_s, starts_s[0] + FREQUENCY_INTERVAL_S * np.arange(count + 1) - 1e-9)
    last = np.minimum(edges[1:], len(starts_s) - 1)
    lost = np.concatenate(([0], np.cumsum(np.isnan(known))))
    hz = (last - edges[:-1]) / (starts_s[last] - starts_s[edges[:-1]])
    return np.where(lost[2 * last] > lost[2 * edges[:-1]], np.nan, hz)


def _ten_cycle_rms(wave: Wave, timing: Timing) -> FloatArray:
    """10/12-cycle RMS of every phase, [phases, b]."""
    rows = [square.over_cycles(WINDOW_CYCLES[timing.nominal_hz]) for square in wave.squares]
    shortest = min(len(row) for row in rows)
    return np.asarray(np.sqrt(np.stack([row[:shortest] for row in rows])))


def _describe_frequency(wave: Wave, timing: Timing, found: Findings) -> None:
    if not timing.grid.measured:
        reason = PowerReason.WINDOW_TOO_SHORT if timing.live else PowerReason.NO_FUNDAMENTAL
        found.refuse(PowerGroup.FREQUENCY, reason)
        return
    bounds, rate_hz = timing.grid.half_cycles(), wave.track.rate_hz
    found.put("frequency_hz", whole_cycle_hz(timing.grid, rate_hz))
    reference = wave.track.phases.index(next(iter(timing.bounds)))
    by_interval = interval_hz(bounds, rate_hz, wave.squares[reference].integral)
    if by_interval.size == 0:
        found.refuse(PowerGroup.FREQUENCY, PowerReason.WINDOW_TOO_SHORT)
    found.put("frequency_min_hz", least(by_interval))
    found.put("frequency_max_hz", largest(by_interval))


def _describe_unbalance(wave: Wave, spectra: tuple[Spectrum, ...], found: Findings) -> None:
    if wave.track.phases != _THREE:
        found.refuse(PowerGroup.UNBALANCE, PowerReason.NOT_THREE_PHASE)
        return
    found.put("volt_unbalance_magnitude_pct", magnitude_unbalance_pct(wave.rms))
    if spectra:
        sequences = sequence_unbalance_pct(np.stack([spectrum.fundamental for spectrum in spectra]))
        if isinstance(sequences, PowerReason):
            found.refuse(PowerGroup.UNBALANCE, sequences)
        else:
            found.put("volt_unbalance_negative_pct", sequences[0])
            found.put("volt_unbalance_zero_pct", sequences[1])


def _describe_flicker(wave: Wave, timing: Timing, supply: Supply, found: Findings) -> None:
    if supply.nominal_volt is None:
        found.refuse(PowerGroup.FLICKER, PowerReason.NO_NOMINAL)
        return
    results = [
        short_term_flicker(row, wave.track.rate_hz, nominal_volt=supply.nominal_volt, nominal_hz=timing.nominal_hz)
        for row in wave.track.samples
    ]
    refusals = [result for result in results if isinstance(result, PowerReason)]
    if refusals:
        found.refuse(PowerGroup.FLICKER, refusals[0])
    found.put("flicker_pst", largest(np.array([result for result in results if isinstance(result, float)])))
