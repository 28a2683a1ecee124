"""Known answers of voltage and current waveforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.power import Supply
from tests.builders_power import ROOT2, signal, sine, three_phases, waveforms
from udfs.power.cycles import free_grid, track_cycles
from udfs.power.harmonics import analyse, cut_windows
from udfs.power.rms import half_cycles, root_mean_square
from udfs.power.window import PhaseSignal

VECTOR_RATE_HZ = 10_240.0


def distorted() -> np.ndarray:
    """230 V + 5 % h3 + 3 % h5 + 1 % at 175 Hz, ten cycles of 50 Hz at 10.24 kHz."""
    time_s = np.arange(2_048) / VECTOR_RATE_HZ
    wave = sine(seconds=0.2, rate_hz=VECTOR_RATE_HZ, harmonics=((3, 0.05), (5, 0.03)))
    return wave + 2.3 * ROOT2 * np.sin(2.0 * np.pi * 175.0 * time_s)


def test_a_clean_sine_has_the_textbook_values() -> None:
    row, reasons = waveforms(signal(sine(seconds=12.0)))
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0, rel=1e-9)
    assert row["volt_crest_l1"] == pytest.approx(ROOT2, rel=1e-4)
    assert row["frequency_hz"] == pytest.approx(50.0, abs=1e-6)
    assert row["frequency_min_hz"] == pytest.approx(50.0, abs=1e-6)
    assert row["frequency_max_hz"] == pytest.approx(50.0, abs=1e-6)
    assert row["volt_thd_l1_pct"] == pytest.approx(0.0, abs=1e-6)
    assert row["volt_deviation_l1_pct"] == pytest.approx(0.0, abs=1e-6)
    assert row["volt_within_10_share_pct"] == 100.0
    assert row["harmonic_window_cycles"] == 10.0
    assert row["harmonic_order_max"] == 40.0
    assert np.isnan(row["volt_rms_l2_volt"])
    assert "current:no_sensor" in reasons
    assert "flicker:window_too_short" in reasons


def test_the_published_distorted_wave_has_the_published_thd_and_interharmonic_group() -> None:
    row, reasons = waveforms(signal(distorted(), rate_hz=VECTOR_RATE_HZ))
    assert row["volt_thd_l1_pct"] == pytest.approx(5.831, abs=5e-4)
    assert row["volt_harmonic_3_pct"] == pytest.approx(5.0, abs=1e-6)
    assert row["volt_harmonic_5_pct"] == pytest.approx(3.0, abs=1e-6)
    assert row["volt_interharmonic_pct"] == pytest.approx(1.0, abs=1e-6)
    blocks = cut_windows(free_grid(2_048, VECTOR_RATE_HZ, 50.0), 2_048, VECTOR_RATE_HZ, 50.0)
    assert blocks is not None
    assert analyse(distorted(), blocks).interharmonic[3] == pytest.approx(2.3, abs=1e-9)
    assert not any(reason.startswith("harmonics:") for reason in reasons)


def test_published_phasors_have_the_published_unbalance() -> None:
    row, _ = waveforms(signal(*three_phases((230.0, 230.0, 220.0))))
    assert row["volt_unbalance_negative_pct"] == pytest.approx(1.4706, abs=5e-5)
    assert row["volt_unbalance_zero_pct"] == pytest.approx(1.4706, abs=5e-5)
    mean = 680.0 / 3.0
    assert row["volt_unbalance_magnitude_pct"] == pytest.approx(100.0 * (mean - 220.0) / mean, rel=1e-6)


def test_swapped_phases_are_named_and_have_no_unbalance() -> None:
    first, second, third = three_phases()
    row, reasons = waveforms(signal(first, third, second))
    assert "unbalance:reversed_sequence" in reasons
    assert np.isnan(row["volt_unbalance_negative_pct"]) and np.isnan(row["volt_unbalance_zero_pct"])


def test_power_of_a_lagging_current_with_harmonics() -> None:
    volt = sine(seconds=2.0)
    amp = sine(10.0, seconds=2.0, phase_deg=-30.0) + 2.0 * ROOT2 * np.sin(2 * np.pi * 250.0 * np.arange(20_000) / 1e4)
    row, _ = waveforms(signal(volt), signal(amp))
    rms = np.hypot(10.0, 2.0)
    active = 2_300.0 * np.cos(np.pi / 6)
    assert row["amp_rms_l1_ampere"] == pytest.approx(rms, rel=1e-6)
    assert row["amp_thd_l1_pct"] == pytest.approx(20.0, abs=1e-6)
    assert row["active_power_l1_watt"] == row["active_power_total_watt"] == pytest.approx(active, rel=1e-6)
    assert row["apparent_power_total_va"] == pytest.approx(230.0 * rms, rel=1e-6)
    assert row["reactive_power_fundamental_var"] == pytest.approx(1_150.0, rel=1e-6)
    assert row["nonactive_power_total_va"] == pytest.approx(np.sqrt((230.0 * rms) ** 2 - active**2), rel=1e-6)
    assert row["power_factor"] == pytest.approx(active / (230.0 * rms), rel=1e-6)
    assert row["displacement_power_factor"] == pytest.approx(np.cos(np.pi / 6), rel=1e-6)


@pytest.mark.parametrize("phase_deg", [0.0, -60.0, 90.0])
def test_the_loop_of_sines_has_the_area_pi_sine_phi(phase_deg: float) -> None:
    row, _ = waveforms(signal(sine()), signal(sine(5.0, phase_deg=phase_deg)))
    assert row["vi_trajectory_area"] == pytest.approx(np.pi * abs(np.sin(np.radians(phase_deg))), abs=2e-3)


def test_three_phases_add_up_and_power_may_flow_back() -> None:
    volt, amp = three_phases(), three_phases((5.0, 10.0, 15.0), phase_deg=180.0)
    row, _ = waveforms(signal(*volt), signal(*amp))
    assert [row[f"active_power_l{phase}_watt"] for phase in (1, 2, 3)] == pytest.approx([-1_150.0, -2_300.0, -3_450.0])
    assert row["active_power_total_watt"] == pytest.approx(-6_900.0)
    assert row["apparent_power_total_va"] == pytest.approx(6_900.0)
    assert row["power_factor"] == pytest.approx(-1.0)
    assert row["amp_unbalance_magnitude_pct"] == pytest.approx(50.0)


def test_a_step_of_the_voltage_is_aggregated_as_the_root_of_mean_squares() -> None:
    volt = np.concatenate((sine(200.0, seconds=1.0), sine(240.0, seconds=1.0)))
    row, _ = waveforms(signal(volt))
    # The last cycle ends with the record and is not whole.
    assert row["volt_rms_l1_volt"] == pytest.approx(np.sqrt((50 * 200.0**2 + 49 * 240.0**2) / 99), rel=1e-4)
    assert row["volt_half_cycle_min_volt"] == pytest.approx(200.0, rel=1e-4)
    assert row["volt_half_cycle_max_volt"] == pytest.approx(240.0, rel=1e-4)
    assert root_mean_square(np.array([200.0, 240.0, np.nan])) == pytest.approx(np.sqrt(48_800.0))


@given(
    hz=st.floats(44.0, 56.0),
    rate_hz=st.sampled_from([5_000.0, 9_973.3, 10_000.0, 12_800.0]),
    phase_deg=st.floats(0.0, 360.0),
)
@settings(max_examples=40)
def test_off_nominal_frequency_at_any_rate_and_phase_keeps_rms_thd_and_frequency(
    hz: float, rate_hz: float, phase_deg: float
) -> None:
    volt = sine(hz=hz, seconds=4.0, rate_hz=rate_hz, phase_deg=phase_deg, harmonics=((3, 0.05), (7, 0.03)))
    row, _ = waveforms(signal(volt, rate_hz=rate_hz), supply=Supply(nominal_frequency_hz=50.0))
    assert row["frequency_hz"] == pytest.approx(hz, abs=0.002)
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0 * np.sqrt(1.0 + 0.05**2 + 0.03**2), rel=2e-5)
    assert row["volt_thd_l1_pct"] == pytest.approx(100.0 * np.hypot(0.05, 0.03), rel=0.005)


def test_a_wandering_frequency_is_followed() -> None:
    time_s = np.arange(600_000) / 1e4
    angle = 2.0 * np.pi * np.cumsum(50.0 + 0.1 * np.sin(2.0 * np.pi * time_s / 30.0)) / 1e4
    volt = 230.0 * ROOT2 * (np.sin(angle) + 0.05 * np.sin(3.0 * angle))
    row, _ = waveforms(signal(volt))
    assert row["volt_thd_l1_pct"] == pytest.approx(5.0, rel=0.01)
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0 * np.sqrt(1.0025), rel=1e-5)
    assert row["frequency_min_hz"] < 49.95
    assert row["frequency_max_hz"] > 50.05


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 50))
@settings(max_examples=25)
def test_ratios_do_not_depend_on_scale(scale: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0.0, 3.0, 10_000)
    volt = sine(seconds=1.0, harmonics=((5, 0.04),)) + noise
    plain, _ = waveforms(signal(volt), supply=Supply(nominal_volt=None))
    scaled, _ = waveforms(signal(volt * scale), supply=Supply(nominal_volt=None))
    assert scaled["volt_rms_l1_volt"] == pytest.approx(plain["volt_rms_l1_volt"] * scale, rel=1e-9)
    for name in ("volt_thd_l1_pct", "volt_crest_l1", "volt_harmonic_5_pct", "frequency_hz"):
        assert scaled[name] == pytest.approx(plain[name], rel=1e-7)


def test_sixty_hertz_is_found_and_takes_twelve_cycles() -> None:
    row, _ = waveforms(signal(sine(120.0, hz=60.0, harmonics=((3, 0.1),))), supply=Supply(nominal_volt=120.0))
    assert row["harmonic_window_cycles"] == 12.0
    assert row["volt_thd_l1_pct"] == pytest.approx(10.0, rel=1e-3)
    assert row["frequency_hz"] == pytest.approx(60.0, abs=1e-4)


def test_the_sixty_hertz_interharmonic_group_ends_two_bins_before_the_next_harmonic() -> None:
    time_s = np.arange(2_400) / 12_000.0
    near, far = (
        sine(100.0, hz=60.0, seconds=0.2, rate_hz=12_000.0) + np.sin(2 * np.pi * hz * time_s) for hz in (235.0, 230.0)
    )
    blocks = cut_windows(free_grid(2_400, 12_000.0, 60.0), 2_400, 12_000.0, 60.0)
    assert blocks is not None and blocks.cycles == 12
    assert analyse(near, blocks).interharmonic[3] == pytest.approx(0.0, abs=1e-9)
    assert analyse(near, blocks).subgroup[4] == pytest.approx(1.0 / ROOT2)
    assert analyse(far, blocks).interharmonic[3] == pytest.approx(1.0 / ROOT2)


def test_one_cycle_gives_one_cycle_harmonics_and_says_so() -> None:
    volt = sine(120.0, hz=60.0, seconds=1 / 60.0, rate_hz=30_000.0, harmonics=((2, 0.02), (40, 0.01)))
    assert len(volt) == 500
    row, reasons = waveforms(signal(volt, rate_hz=30_000.0), supply=Supply(nominal_volt=120.0))
    assert row["harmonic_window_cycles"] == 1.0
    assert row["volt_thd_l1_pct"] == pytest.approx(100.0 * np.hypot(0.02, 0.01), abs=1e-9)
    assert np.isnan(row["frequency_hz"]) and np.isnan(row["volt_interharmonic_pct"])
    assert {"harmonics:single_cycle_window", "frequency:window_too_short"} <= set(reasons)


def test_a_low_rate_reaches_fewer_orders_and_says_so() -> None:
    row, reasons = waveforms(signal(sine(rate_hz=2_000.0, harmonics=((7, 0.06),)), rate_hz=2_000.0))
    assert row["harmonic_order_max"] == 19.0
    assert row["volt_thd_l1_pct"] == pytest.approx(6.0, rel=1e-6)
    assert "harmonics:band_limited" in reasons


def test_a_waveform_begins_at_twenty_samples_a_cycle() -> None:
    fast, _ = waveforms(signal(sine(rate_hz=1_000.0), rate_hz=1_000.0))
    slow, reasons = waveforms(signal(np.full(999, 231.0), rate_hz=999.0))
    assert fast["harmonic_order_max"] == 9.0
    assert slow["volt_rms_l1_volt"] == pytest.approx(231.0)
    assert "harmonics:needs_waveform" in reasons


def test_currents_that_start_later_are_shifted_by_whole_samples() -> None:
    volt, amp = sine(seconds=2.0), sine(4.0, seconds=2.0)[3_000:]
    row, _ = waveforms(signal(volt), signal(amp, start_us=300_000))
    assert row["active_power_l1_watt"] == pytest.approx(920.0, rel=1e-6)
    assert row["power_factor"] == pytest.approx(1.0, abs=1e-6)


def test_lost_samples_drop_the_cycles_they_touch() -> None:
    volt = sine(seconds=4.0)
    volt[10_000:15_000] = np.nan
    row, _ = waveforms(signal(volt))
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0, rel=1e-6)
    assert row["frequency_hz"] == pytest.approx(50.0, abs=1e-4)
    assert row["volt_thd_l1_pct"] == pytest.approx(0.0, abs=0.01)
    assert row["volt_coverage_pct"] == pytest.approx(100.0 * 3.5 / 60.0)
    assert row["dip_count"] == 0.0


def test_inrush_is_the_first_cycle_over_the_steady_current() -> None:
    envelope = np.concatenate((np.zeros(10_000), np.full(1_000, 6.0), np.full(29_000, 1.0)))
    row, reasons = waveforms(signal(sine(seconds=4.0)), signal(sine(10.0, seconds=4.0) * envelope))
    assert row["amp_inrush_ratio"] == pytest.approx(6.0, rel=0.02)
    assert not any(reason.startswith("inrush") for reason in reasons)
    _, steady = waveforms(signal(sine(seconds=4.0)), signal(sine(10.0, seconds=4.0)))
    assert "inrush:no_switch_on" in steady


def test_half_cycles_of_a_coherent_sine_are_exact_wherever_they_begin() -> None:
    wave = sine(1.0, seconds=0.4)
    bounds = np.arange(37.3, 3_900.0, 100.0)
    cycles = half_cycles(wave * wave, bounds).sliding()
    assert np.sqrt(cycles) == pytest.approx(np.ones(len(cycles)), rel=1e-12)


def test_cycles_start_at_the_rising_zero_of_the_fundamental() -> None:
    grid = track_cycles(sine(hz=49.7, phase_deg=-40.0), 10_000.0, 50.0)
    assert grid is not None
    first_rise = 40.0 / 360.0 / 49.7 * 10_000.0
    period = 10_000.0 / 49.7
    assert np.min(np.abs(grid.half_cycles() - first_rise)) < 0.05
    assert np.diff(grid.half_cycles()) == pytest.approx(period / 2.0, abs=0.05)


def test_channels_may_come_in_any_order() -> None:
    first, second, third = three_phases((231.0, 232.0, 233.0))
    shuffled = PhaseSignal(0, 10_000.0, ("L3", "L1", "L2"), np.stack((third, first, second), axis=1))
    row, _ = waveforms(shuffled)
    assert [row[f"volt_rms_l{phase}_volt"] for phase in (1, 2, 3)] == pytest.approx([231.0, 232.0, 233.0], rel=1e-6)
