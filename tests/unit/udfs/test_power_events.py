"""Dips, swells, interruptions, compliance: thresholds, hysteresis, polyphase rules."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.power import Supply
from tests.builders_power import signal, sine, three_phases, waveforms
from udfs.power.compliance import complies_with_en50160, share_within_pct
from udfs.power.events import events_below, find_voltage_events

SUPPLY = Supply()


def times(count: int) -> np.ndarray:
    return np.arange(count + 1) * 0.01


def levels(*steps: tuple[float, float]) -> np.ndarray:
    """Two seconds and more of 230 V at 10 kHz, scaled by (seconds, share) steps."""
    envelope = np.concatenate([np.full(round(seconds * 10_000), share) for seconds, share in steps])
    return sine(seconds=len(envelope) / 10_000.0) * envelope


def test_a_dip_has_residual_voltage_depth_and_duration() -> None:
    row, _ = waveforms(signal(levels((1.0, 1.0), (0.2, 0.4), (1.0, 1.0))))
    assert (row["dip_count"], row["swell_count"], row["interruption_count"]) == (1.0, 0.0, 0.0)
    assert row["dip_residual_volt"] == pytest.approx(92.0, rel=1e-3)
    assert row["dip_depth_pct"] == pytest.approx(60.0, abs=0.1)
    # A cycle that holds only half of the edge is below 90 % already: one half cycle longer than the dip itself.
    assert row["dip_duration_max_s"] == pytest.approx(0.21, abs=0.011)
    assert row["voltage_event_cut_count"] == 0.0


def test_a_swell_and_an_interruption_are_told_from_dips() -> None:
    row, _ = waveforms(signal(levels((0.5, 1.0), (0.3, 1.2), (0.5, 1.0), (0.4, 0.01), (0.5, 1.0))))
    assert (row["dip_count"], row["swell_count"], row["interruption_count"]) == (0.0, 1.0, 1.0)
    assert row["swell_max_volt"] == pytest.approx(276.0, rel=1e-3)
    assert row["swell_duration_max_s"] == pytest.approx(0.3, abs=0.021)
    assert row["interruption_duration_s"] == pytest.approx(0.4, abs=0.021)
    assert np.isnan(row["dip_residual_volt"])


def test_eight_percent_residual_is_a_dip_by_en50160_and_an_interruption_by_ieee1159() -> None:
    volt = signal(levels((0.5, 1.0), (0.3, 0.08), (0.5, 1.0)))
    by_en, _ = waveforms(volt)
    by_ieee, _ = waveforms(volt, supply=Supply(interruption_pct=10.0))
    assert (by_en["dip_count"], by_en["interruption_count"]) == (1.0, 0.0)
    assert (by_ieee["dip_count"], by_ieee["interruption_count"]) == (0.0, 1.0)


def test_hysteresis_keeps_one_dip_one() -> None:
    rms = np.array([[230.0, 206.9, 210.0, 206.0, 211.5, 211.7, 230.0]])
    dips = find_voltage_events(rms, times(7), SUPPLY, 230.0).dips
    assert (dips.first.tolist(), dips.end.tolist()) == ([1], [5])
    assert dips.duration_s == pytest.approx([0.04])
    assert dips.extreme == pytest.approx([206.0])


def test_exactly_ninety_percent_is_no_dip_and_ninety_two_ends_one() -> None:
    rms = np.array([[100.0, 90.0, 100.0, 89.9, 92.0, 100.0]])
    dips = find_voltage_events(rms, times(6), SUPPLY, 100.0).dips
    assert (dips.first.tolist(), dips.end.tolist()) == ([3], [4])


def test_any_phase_starts_a_dip_and_all_phases_end_it() -> None:
    low, fine = 150.0, 230.0
    rms = np.array([[fine, low, fine, fine, fine], [fine, fine, low, low, fine], [fine] * 5])
    dips = find_voltage_events(rms, times(5), SUPPLY, 230.0).dips
    assert (dips.first.tolist(), dips.end.tolist()) == ([1], [4])


def test_an_interruption_needs_all_phases() -> None:
    rms = np.array([[230.0, 1.0, 1.0, 230.0], [230.0, 1.0, 230.0, 230.0], [230.0, 1.0, 1.0, 230.0]])
    events = find_voltage_events(rms, times(4), SUPPLY, 230.0)
    assert events.interruptions.duration_s == pytest.approx([0.01])
    two_out = find_voltage_events(rms[:, [0, 2, 3]], times(3), SUPPLY, 230.0)
    assert (two_out.interruptions.count, two_out.dips.count) == (0, 1)


def test_events_at_the_edges_and_at_gaps_are_counted_as_cut() -> None:
    rms = np.array([[200.0, 230.0, 200.0, np.nan, 230.0, 200.0]])
    events = find_voltage_events(rms, times(6), SUPPLY, 230.0)
    assert events.dips.count == 3
    assert events.dips.cut.tolist() == [True, True, True]
    assert events.cut_count == 3


def test_a_dead_line_is_one_interruption_without_frequency() -> None:
    row, reasons = waveforms(signal(np.zeros(20_000)))
    assert row["interruption_count"] == 1.0
    assert row["interruption_duration_s"] == pytest.approx(2.0, abs=0.05)
    assert row["voltage_event_cut_count"] == 1.0
    assert row["volt_rms_l1_volt"] == 0.0
    assert np.isnan(row["frequency_hz"]) and np.isnan(row["volt_thd_l1_pct"])
    assert {"frequency:no_fundamental", "harmonics:no_fundamental"} <= set(reasons)


def test_one_dead_phase_of_three_is_a_dip() -> None:
    first, second, _ = three_phases()
    row, _ = waveforms(signal(first, second, np.zeros(20_000)))
    assert (row["dip_count"], row["interruption_count"]) == (1.0, 0.0)
    assert row["dip_depth_pct"] == pytest.approx(100.0)


def test_without_a_declared_voltage_there_are_no_events() -> None:
    row, reasons = waveforms(signal(sine()), supply=Supply(nominal_volt=None))
    assert np.isnan(row["dip_count"]) and np.isnan(row["volt_deviation_l1_pct"])
    assert "voltage_events:no_nominal_voltage" in reasons


def test_spans_of_nothing_and_of_unknown_values() -> None:
    assert events_below(np.empty(0), np.zeros(1), 1.0, 2.0).count == 0
    assert events_below(np.full(5, np.nan), times(5), 1.0, 2.0).count == 0


def test_bands_include_their_limits() -> None:
    rms = np.array([207.0, 206.9, 253.0, 253.1, 230.0, np.nan])
    assert share_within_pct(rms, 230.0, (-10.0, 10.0)) == pytest.approx(60.0)
    assert np.isnan(share_within_pct(np.array([np.nan]), 230.0, (-10.0, 10.0)))


def test_a_week_decides_compliance_and_less_does_not() -> None:
    week = np.full(1_008, 230.0)
    assert complies_with_en50160(week, 230.0) is True
    assert complies_with_en50160(week[:-1], 230.0) is None
    week[:50] = 200.0
    assert complies_with_en50160(week, 230.0) is True
    week[:51] = 200.0
    assert complies_with_en50160(week, 230.0) is False
    single = np.full(1_008, 230.0)
    single[0] = 190.0
    assert complies_with_en50160(single, 230.0) is False
