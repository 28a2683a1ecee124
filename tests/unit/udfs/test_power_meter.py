"""Meters that send RMS readings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders_power import describe
from udfs.power import PhaseSignal, PowerWindow, Readings

NEEDS_WAVEFORM = {f"{group}:needs_waveform" for group in ("frequency", "harmonics", "flicker", "power", "unbalance")}


def slow(*columns: float, count: int = 60, start_us: int = 0, rate_hz: float = 1.0) -> PhaseSignal:
    channels = ("value",) if len(columns) == 1 else ("L1", "L2", "L3")
    return PhaseSignal(start_us, rate_hz, channels, np.tile(np.array(columns), (count, 1)))


def test_readings_give_rms_apparent_power_and_the_factor_of_the_power_meter() -> None:
    row, reasons = describe(PowerWindow(0, 60.0, volt=slow(230.0), amp=slow(5.0), watt=slow(920.0)))
    assert row["volt_rms_l1_volt"] == 230.0
    assert row["apparent_power_total_va"] == pytest.approx(1_150.0)
    assert row["active_power_total_watt"] == row["active_power_l1_watt"] == pytest.approx(920.0)
    assert row["power_factor"] == pytest.approx(0.8)
    assert row["nonactive_power_total_va"] == pytest.approx(690.0)
    assert np.isnan(row["reactive_power_fundamental_var"])
    assert set(reasons) >= NEEDS_WAVEFORM


def test_mean_readings_are_roots_of_mean_squares() -> None:
    volt = PhaseSignal(0, 1.0, ("value",), np.array([[200.0], [240.0], [np.nan]]))
    row, _ = describe(PowerWindow(0, 60.0, volt=volt))
    assert row["volt_rms_l1_volt"] == pytest.approx(np.sqrt((200.0**2 + 240.0**2) / 2))
    assert row["volt_within_10_share_pct"] == pytest.approx(50.0)
    assert row["volt_within_15_10_share_pct"] == pytest.approx(100.0)


def test_events_have_the_resolution_of_the_readings() -> None:
    values = np.full((60, 1), 230.0)
    values[20:25] = 190.0
    values[40:43] = 2.0
    row, _ = describe(PowerWindow(0, 60.0, volt=PhaseSignal(0, 1.0, ("value",), values)))
    assert (row["dip_count"], row["interruption_count"]) == (1.0, 1.0)
    assert row["dip_duration_max_s"] == pytest.approx(5.0)
    assert row["interruption_duration_s"] == pytest.approx(3.0)
    assert row["dip_residual_volt"] == pytest.approx(190.0)


def test_readings_at_their_own_times_need_the_same_times_for_power() -> None:
    time_us = (np.array([0, 3, 11, 40]) * 1e6).astype(np.int64)
    volt = Readings(time_us, ("value",), np.full((4, 1), 230.0))
    amp = Readings(time_us, ("value",), np.array([[1.0], [2.0], [3.0], [np.nan]]))
    row, _ = describe(PowerWindow(0, 60.0, volt=volt, amp=amp))
    assert row["apparent_power_total_va"] == pytest.approx(460.0)
    later = Readings(time_us + 1_000_000, ("value",), amp.values)
    row, reasons = describe(PowerWindow(0, 60.0, volt=volt, amp=later))
    assert np.isnan(row["apparent_power_total_va"])
    assert "power:not_aligned" in reasons


def test_a_total_on_one_channel_is_no_power_of_the_first_phase() -> None:
    window = PowerWindow(0, 60.0, volt=slow(230.0, 231.0, 232.0), amp=slow(1.0, 2.0, 3.0), watt=slow(1_300.0))
    row, _ = describe(window)
    assert np.isnan(row["active_power_l1_watt"])
    assert row["active_power_total_watt"] == pytest.approx(1_300.0)
    assert row["apparent_power_total_va"] == pytest.approx(230.0 + 462.0 + 696.0)
    assert row["volt_unbalance_magnitude_pct"] == pytest.approx(100.0 / 231.0)


def test_more_watts_than_volt_amperes_have_no_power_factor() -> None:
    row, reasons = describe(PowerWindow(0, 60.0, volt=slow(230.0), amp=slow(1.0), watt=slow(920.0)))
    assert np.isnan(row["power_factor"]) and np.isnan(row["nonactive_power_total_va"])
    assert "power:inconsistent" in reasons


def test_negative_rms_readings_are_refused() -> None:
    row, reasons = describe(PowerWindow(0, 60.0, volt=slow(-230.0), amp=slow(3.0)))
    assert np.isnan(row["volt_rms_l1_volt"])
    assert "voltage:negative_readings" in reasons


def test_a_waveform_beside_readings_gives_each_its_own_but_no_power() -> None:
    time_s = np.arange(20_000) / 1e4
    volt = PhaseSignal(0, 1e4, ("value",), (325.27 * np.sin(2 * np.pi * 50 * time_s))[:, None])
    row, reasons = describe(PowerWindow(0, 60.0, volt=volt, amp=slow(5.0)))
    assert row["volt_rms_l1_volt"] == pytest.approx(230.0, rel=1e-4)
    assert row["amp_rms_l1_ampere"] == pytest.approx(5.0)
    assert np.isnan(row["apparent_power_total_va"])
    assert "power:rates_differ" in reasons
