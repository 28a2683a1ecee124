"""Counters with faults of every kind and exact truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.power import Supply
from tests.builders_power import Row, counter, describe
from udfs.power import CounterSeries, PhaseSignal, PowerWindow
from udfs.power.counter import Register, counter_energy

FIVE_DIGITS = {"digits": 5, "resolution_kwh": 1.0}
TEN_KILOWATT = Supply(contract_power_watt=10_000.0)
COUNTS = ("rollovers", "resets", "momentary_zeros", "backward_steps", "duplicates", "gaps", "too_fast")


def read(series: CounterSeries, supply: Supply = TEN_KILOWATT) -> tuple[Row, tuple[str, ...]]:
    return describe(PowerWindow(0, 86_400.0, kwh=series), supply)


def counts(row: Row) -> dict[str, int]:
    return {name: int(row[f"counter_{name}"]) for name in COUNTS if row[f"counter_{name}"]}


def hourly(*value: float, **register: float) -> CounterSeries:
    return counter([60.0 * hour for hour in range(len(value))], value, **(register or FIVE_DIGITS))


@pytest.mark.parametrize(
    ("series", "raw", "corrected", "found"),
    [
        (hourly(100, 103, 107, 107), 7, 7, {}),
        (hourly(99_996, 99_999, 2, 5), -99_991, 9, {"rollovers": 1}),
        (hourly(5_000, 5_004, 3, 7), -4_993, 11, {"resets": 1}),
        (hourly(500, 503, 0, 507), 7, 7, {"momentary_zeros": 1}),
        (hourly(500, 503, 0, 0, 0, 507), 7, 7, {"momentary_zeros": 3}),
        (hourly(500, 503, 501, 507), 7, 7, {"backward_steps": 1}),
        (hourly(500, 503, 400, 404, 409), -91, 12, {"backward_steps": 1}),
        (hourly(500, 503, 9_000, 507), 7, 7, {"too_fast": 1}),
        (hourly(500, 503, 9_000, 9_005, 9_006), 8_506, 9, {"too_fast": 1}),
        (hourly(500, np.nan, 503, -1, 507), 7, 7, {}),
        (counter([0, 60, 60, 120], [1, 4, 4, 6], **FIVE_DIGITS), 5, 5, {"duplicates": 1}),
        (counter([0, 60, 120, 600, 660], [1, 4, 6, 40, 42], **FIVE_DIGITS), 41, 41, {"gaps": 1}),
        # Beyond 0.9 M, but what follows would need more than the connection carries: a new meter, not a rollover.
        (hourly(99_000, 99_003, 8, 11), -98_989, 14, {"resets": 1}),
        # A restart whose first reading is beyond reach counts nothing.
        (hourly(5_000, 5_004, 400, 403), -4_597, 7, {"backward_steps": 1}),
    ],
)
def test_a_fault_is_corrected_and_counted(
    series: CounterSeries, raw: float, corrected: float, found: dict[str, int]
) -> None:
    row, _ = read(series)
    assert row["counter_raw_kwh"] == pytest.approx(raw)
    assert row["counter_corrected_kwh"] == pytest.approx(corrected)
    assert counts(row) == found


def test_without_digits_a_rollover_is_a_reset_and_the_reason_says_so() -> None:
    row, reasons = read(hourly(99_996, 99_999, 2, 5, digits=0, resolution_kwh=1.0))
    assert counts(row) == {"resets": 1}
    assert row["counter_corrected_kwh"] == pytest.approx(8.0)
    assert "counter:rollover_unknown" in reasons


@pytest.mark.parametrize("value", [[], [5.0], [np.nan, np.nan], [np.nan, 7.0]])
def test_fewer_than_two_readings_are_refused(value: list[float]) -> None:
    row, reasons = read(hourly(*value))
    assert np.isnan(row["counter_corrected_kwh"])
    assert "counter:too_few_readings" in reasons


def test_times_out_of_order_are_refused() -> None:
    _, reasons = read(counter([60, 0], [1, 2], **FIVE_DIGITS))
    assert "counter:wrong_rate" in reasons


def test_the_counter_is_checked_against_the_integral_of_watts() -> None:
    minutes = np.arange(0, 1_440)
    watt = PhaseSignal(0, 1.0 / 60.0, ("value",), np.full((1_440, 1), 1_200.0))
    series = counter(minutes, 100.0 + 1.2 * minutes / 60.0, digits=6, resolution_kwh=0.1)
    row, reasons = describe(PowerWindow(0, 86_400.0, watt=watt, kwh=series))
    assert row["counter_watt_difference_pct"] == pytest.approx(0.0, abs=1e-9)
    slow = CounterSeries(series.time_us, 100.0 + 0.95 * (series.value - 100.0), 6, 0.1)
    row, _ = describe(PowerWindow(0, 86_400.0, watt=watt, kwh=slow))
    assert row["counter_watt_difference_pct"] == pytest.approx(-5.0)
    assert not any(reason.startswith("cross_check") for reason in reasons)


def test_power_known_for_half_of_the_time_checks_nothing() -> None:
    watt = PhaseSignal(0, 1.0 / 60.0, ("value",), np.full((700, 1), 1_200.0))
    row, reasons = describe(PowerWindow(0, 86_400.0, watt=watt, kwh=hourly(*range(24))))
    assert np.isnan(row["counter_watt_difference_pct"])
    assert "cross_check:low_coverage" in reasons


@given(
    steps=st.lists(st.floats(0.0, 9.0), min_size=8, max_size=60),
    start=st.floats(50_000.0, 99_990.0),
    faults=st.sets(st.sampled_from(["zero", "dent", "spike", "double"])),
    at=st.integers(2, 5),
)
def test_single_faults_anywhere_never_change_the_energy(
    steps: list[float], start: float, faults: set[str], at: int
) -> None:
    """Truth is the running sum; the register wraps at 100,000 kWh; each fault hits a reading of its own."""
    truth = start + np.concatenate(([0.0], np.cumsum(steps)))
    value = np.mod(truth, 100_000.0)
    wraps = int(np.count_nonzero(np.diff(value) < 0))
    time_us = np.arange(len(value)) * 3_600_000_000
    if value.min() < 1_000.0:
        faults = faults & {"double"}
    if "zero" in faults:
        value[at] = 0.0
    if "dent" in faults and len(value) > at + 3:
        value[at + 2] = value[at + 1] * 0.5
    if "spike" in faults and len(value) > at + 5:
        value[at + 4] = value[at + 3] + 5_000.0
    if "double" in faults:
        time_us, value = np.insert(time_us, 1, time_us[1]), np.insert(value, 1, value[1])
    energy = counter_energy(time_us, value, Register(100_000.0, 10_000.0))
    assert energy is not None
    assert energy.corrected_kwh == pytest.approx(float(np.sum(steps)), abs=1e-6)
    assert energy.rollovers == wraps
    assert energy.resets == 0
    assert energy.duplicates == int("double" in faults)
    assert energy.momentary_zeros == int("zero" in faults)
