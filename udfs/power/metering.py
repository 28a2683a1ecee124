"""Features of power readings (energy, demand) and of energy counters, and the check of one against the other."""

from __future__ import annotations

import math

import numpy as np

from schemas.power import PowerGroup, PowerReason, Supply
from schemas.power_columns import DEMAND_MINUTES
from schemas.sensors import SENSORS
from udfs.power.counter import CounterEnergy, Register, counter_energy
from udfs.power.demand import (
    PowerCurve,
    base_load_watt,
    block_means,
    energy_kwh,
    load_factor,
    power_curve,
    ramps,
)
from udfs.power.findings import Findings
from udfs.power.rms import largest
from udfs.power.window import US_PER_S, CounterSeries, FloatArray, PowerWindow, Track

MIN_CROSS_CHECK_COVERAGE = 0.95
_S_PER_MIN = 60.0


def describe_demand(watt: Track, window: PowerWindow, supply: Supply, found: Findings) -> PowerCurve | None:
    """Energy, mean, base load, demand, load factors and ramps; the curve behind them for the cross-check."""
    curve = power_curve(watt, supply.reading_gap_cap_s)
    if curve.samples.size == 0:
        found.refuse(PowerGroup.ENERGY, PowerReason.TOO_MANY_GAPS)
        return None
    energy, known_s = energy_kwh(curve, window.start_us, window.start_us + window.length_s * US_PER_S)
    if not (known_s > 0.0 and window.length_s > 0.0):
        found.refuse(PowerGroup.ENERGY, PowerReason.TOO_FEW_READINGS)
        return None
    mean_watt = energy * 3.6e6 / known_s
    found.put("watt_coverage_pct", min(100.0, 100.0 * known_s / window.length_s))
    found.put("energy_kwh", energy)
    found.put("watt_mean_watt", mean_watt)
    found.put("watt_max_watt", largest(curve.samples))
    blocks = {
        minutes: block_means(curve, window.start_us, window.length_s, minutes * _S_PER_MIN)
        for minutes in DEMAND_MINUTES
    }
    _describe_blocks(blocks, mean_watt, supply, found)
    found.put("base_load_watt", base_load_watt(blocks[1], curve.samples))
    return curve


def describe_counter(window: PowerWindow, curve: PowerCurve | None, supply: Supply, found: Findings) -> None:
    """Raw and corrected energy of the counter, what was corrected, and the difference to the power readings."""
    if window.kwh is None:
        found.refuse(PowerGroup.COUNTER, PowerReason.NO_SENSOR)
        return
    times = np.asarray(window.kwh.time_us, dtype=np.int64)
    value = np.asarray(window.kwh.value, dtype=np.float64)
    if times.ndim != 1 or times.shape != value.shape:
        found.refuse(PowerGroup.COUNTER, PowerReason.WRONG_SHAPE)
        return
    if np.any(np.diff(times) < 0):
        found.refuse(PowerGroup.COUNTER, PowerReason.WRONG_RATE)
        return
    register = Register(_modulus_kwh(window.kwh), supply.contract_power_watt or SENSORS["WATT"].valid_max)
    if register.modulus_kwh == 0.0:
        found.refuse(PowerGroup.COUNTER, PowerReason.ROLLOVER_UNKNOWN)
    counter = counter_energy(times, value, register)
    if counter is None:
        found.refuse(PowerGroup.COUNTER, PowerReason.TOO_FEW_READINGS)
        return
    _put_counter(counter, found)
    _cross_check(counter, curve, found)


def _modulus_kwh(counter: CounterSeries) -> float:
    """M = 10^digits x resolution; 0 when one of them is unknown."""
    if counter.digits <= 0 or not counter.resolution_kwh > 0.0:
        return 0.0
    return float(10.0**counter.digits * counter.resolution_kwh)


def _put_counter(counter: CounterEnergy, found: Findings) -> None:
    for name, value in (
        ("counter_raw_kwh", counter.raw_kwh),
        ("counter_corrected_kwh", counter.corrected_kwh),
        ("counter_rollovers", counter.rollovers),
        ("counter_resets", counter.resets),
        ("counter_momentary_zeros", counter.momentary_zeros),
        ("counter_backward_steps", counter.backward_steps),
        ("counter_duplicates", counter.duplicates),
        ("counter_gaps", counter.gaps),
        ("counter_too_fast", counter.too_fast),
    ):
        found.put(name, value)


def _cross_check(counter: CounterEnergy, curve: PowerCurve | None, found: Findings) -> None:
    """Relative difference over the counter's own time, as far as the power of 95 % of it is known."""
    if curve is None:
        found.refuse(PowerGroup.CROSS_CHECK, PowerReason.NO_SENSOR)
        return
    energy, known_s = energy_kwh(curve, counter.first_us, counter.last_us)
    span_s = (counter.last_us - counter.first_us) / US_PER_S
    if known_s < MIN_CROSS_CHECK_COVERAGE * span_s or energy <= 0.0:
        found.refuse(PowerGroup.CROSS_CHECK, PowerReason.LOW_COVERAGE)
        return
    found.put("counter_watt_difference_pct", 100.0 * (counter.corrected_kwh - energy) / energy)


def _describe_blocks(blocks: dict[int, FloatArray], mean_watt: float, supply: Supply, found: Findings) -> None:
    for minutes, means in blocks.items():
        if means.size == 0:
            found.refuse(PowerGroup.DEMAND, PowerReason.WINDOW_TOO_SHORT)
        elif not np.isfinite(means).any():
            found.refuse(PowerGroup.DEMAND, PowerReason.TOO_MANY_GAPS)
        found.put(f"demand_{minutes}min_max_watt", largest(means))
    found.put("load_factor_1min", load_factor(mean_watt, blocks[1]))
    found.put("load_factor_15min", load_factor(mean_watt, blocks[15]))
    rise, fall = ramps(blocks[1])
    found.put("ramp_up_watt_per_min", rise)
    found.put("ramp_down_watt_per_min", fall)
    if supply.contract_power_watt is not None and supply.contract_power_watt > 0.0:
        highest = largest(blocks[15])
        found.put(
            "demand_contract_pct", 100.0 * highest / supply.contract_power_watt if math.isfinite(highest) else highest
        )
