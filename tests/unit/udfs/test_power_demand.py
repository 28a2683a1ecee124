"""Energy, demand, load factor and ramp of power readings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.power import Supply
from tests.builders_power import Row, describe
from udfs.power import PhaseSignal, PowerWindow, Readings

DAY_S = 86_400.0
MINUTE_HZ = 1.0 / 60.0


def minutes(values: np.ndarray, *, length_s: float = DAY_S, start_us: int = 0, supply: Supply | None = None) -> Row:
    """Features of a window of one power sample a minute."""
    watt = PhaseSignal(start_us, MINUTE_HZ, ("value",), np.asarray(values, dtype=np.float64)[:, None])
    return describe(PowerWindow(start_us, length_s, watt=watt), supply)[0]


def test_a_day_of_minutes_has_energy_demand_and_load_factor() -> None:
    watts = np.full(1_440, 500.0)
    watts[600:615] = 3_000.0
    watts[607] = 6_000.0
    row = minutes(watts, supply=Supply(contract_power_watt=4_000.0))
    assert row["energy_kwh"] == pytest.approx((1_425 * 500.0 + 14 * 3_000.0 + 6_000.0) / 60_000.0)
    assert row["watt_mean_watt"] == pytest.approx(row["energy_kwh"] * 1_000.0 / 24.0)
    assert row["demand_1min_max_watt"] == pytest.approx(6_000.0)
    assert row["demand_5min_max_watt"] == pytest.approx(3_600.0)
    assert row["demand_15min_max_watt"] == pytest.approx(3_200.0)
    assert row["load_factor_1min"] == pytest.approx(row["watt_mean_watt"] / 6_000.0)
    assert row["load_factor_15min"] == pytest.approx(row["watt_mean_watt"] / 3_200.0)
    assert row["demand_contract_pct"] == pytest.approx(80.0)
    assert row["base_load_watt"] == pytest.approx(500.0)
    assert row["ramp_up_watt_per_min"] == pytest.approx(3_000.0)
    assert row["ramp_down_watt_per_min"] == pytest.approx(3_000.0)
    assert row["watt_coverage_pct"] == pytest.approx(100.0)
    assert row["watt_max_watt"] == 6_000.0


def test_blocks_are_aligned_to_the_clock_and_not_to_the_first_sample() -> None:
    watts = np.zeros(30)
    watts[14:16] = 15_000.0
    row = minutes(watts, length_s=1_800.0)
    assert row["demand_15min_max_watt"] == pytest.approx(1_000.0)


def test_a_minute_has_one_demand_and_names_what_it_has_not() -> None:
    watt = PhaseSignal(0, 1.0, ("value",), np.full((60, 1), 700.0))
    row, reasons = describe(PowerWindow(0, 60.0, watt=watt))
    assert row["demand_1min_max_watt"] == pytest.approx(700.0)
    assert np.isnan(row["demand_5min_max_watt"]) and np.isnan(row["ramp_up_watt_per_min"])
    assert "demand:window_too_short" in reasons


def test_a_block_with_a_tenth_lost_has_no_mean_and_its_energy_is_not_made_up() -> None:
    watts = np.full(300, 1_000.0)
    watts[60:90] = np.nan
    watt = PhaseSignal(0, 1.0, ("value",), watts[:, None])
    row, _ = describe(PowerWindow(0, 300.0, watt=watt))
    assert row["energy_kwh"] == pytest.approx(270.0 / 3_600.0)
    assert row["watt_mean_watt"] == pytest.approx(1_000.0)
    assert row["watt_coverage_pct"] == pytest.approx(90.0)
    assert row["demand_5min_max_watt"] == pytest.approx(1_000.0)


def test_readings_are_joined_by_trapezoids_but_not_across_a_long_gap() -> None:
    time_us = (np.array([0, 60, 120, 1_000, 1_060]) * 1e6).astype(np.int64)
    watt = Readings(time_us, ("value",), np.array([[0.0], [600.0], [600.0], [300.0], [300.0]]))
    row, _ = describe(PowerWindow(0, 3_600.0, watt=watt))
    assert row["energy_kwh"] == pytest.approx((300 * 60 + 600 * 60 + 300 * 60) / 3.6e6)
    assert row["watt_coverage_pct"] == pytest.approx(5.0)
    longer, _ = describe(PowerWindow(0, 3_600.0, watt=watt), Supply(reading_gap_cap_s=1_000.0))
    assert longer["energy_kwh"] == pytest.approx((72_000 + 450 * 880) / 3.6e6)


def test_phases_add_up_and_a_missing_phase_hides_the_total() -> None:
    samples = np.full((60, 3), 100.0)
    samples[30:, 2] = np.nan
    watt = PhaseSignal(0, 1.0, ("L1", "L2", "L3"), samples)
    row, _ = describe(PowerWindow(0, 60.0, watt=watt))
    assert row["watt_mean_watt"] == pytest.approx(300.0)
    assert row["watt_coverage_pct"] == pytest.approx(50.0)
    assert row["active_power_l3_watt"] == pytest.approx(100.0)


@given(st.lists(st.floats(0.0, 1e5), min_size=60, max_size=60), st.integers(1, 59))
def test_energies_of_two_windows_add_up_to_that_of_both(values: list[float], cut: int) -> None:
    watts = np.array(values)
    whole = minutes(watts, length_s=3_600.0)["energy_kwh"]
    first = minutes(watts[:cut], length_s=cut * 60.0)["energy_kwh"]
    second = minutes(watts[cut:], length_s=3_600.0 - cut * 60.0, start_us=cut * 60_000_000)["energy_kwh"]
    assert first + second == pytest.approx(whole, rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(0.0, 1e5), min_size=30, max_size=60))
def test_longer_demand_is_never_higher_and_load_factors_never_above_one(values: list[float]) -> None:
    row = minutes(np.array(values), length_s=len(values) * 60.0)
    slack = 1.0 + 1e-9
    assert row["demand_15min_max_watt"] <= row["demand_5min_max_watt"] * slack <= row["demand_1min_max_watt"] * slack**2
    if row["demand_1min_max_watt"] > 0.0:
        assert 0.0 <= row["load_factor_1min"] <= slack
