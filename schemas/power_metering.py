"""The columns of energy, demand and counters."""

from __future__ import annotations

from schemas.features import Feature
from schemas.power_columns import DEMAND_MINUTES, SHARE, SIGNED, count, value

_BLOCK = "block means aligned to the clock, blocks with >= 90 % of their time known"

DEMAND: tuple[Feature, ...] = (
    *value(
        "watt_coverage_pct",
        "%",
        "share of the window with known power",
        "100 x known time / window length",
        "iot-brain",
        SHARE,
    ),
    *value(
        "energy_kwh",
        "kWh",
        "energy of the known time",
        "integral of P: even samples hold for their period, readings are joined by trapezoids up to the gap cap",
        "meter practice",
        SIGNED,
    ),
    *value("watt_mean_watt", "W", "mean power", "energy / known time", "meter practice", SIGNED),
    *value("watt_max_watt", "W", "highest sample", "max P", "meter practice", SIGNED),
    *value(
        "base_load_watt",
        "W",
        "base load",
        "5 % quantile of 1-min block means (of samples below 5 blocks)",
        "load analysis practice",
        SIGNED,
    ),
    *(
        feature
        for minutes in DEMAND_MINUTES
        for feature in value(
            f"demand_{minutes}min_max_watt",
            "W",
            f"highest {minutes}-min demand",
            f"max of {minutes}-min {_BLOCK}",
            "meter practice (maximum demand register)",
            SIGNED,
        )
    ),
    *value(
        "load_factor_1min",
        "1",
        "load factor on 1-min demand",
        "mean power / highest 1-min demand",
        "meter practice",
        SIGNED,
    ),
    *value(
        "load_factor_15min",
        "1",
        "load factor on 15-min demand",
        "mean power / highest 15-min demand",
        "meter practice",
        SIGNED,
    ),
    *value(
        "ramp_up_watt_per_min",
        "W/min",
        "steepest rise",
        "max difference of neighbouring 1-min block means",
        "load analysis practice",
    ),
    *value(
        "ramp_down_watt_per_min",
        "W/min",
        "steepest fall, positive",
        "max fall between neighbouring 1-min block means",
        "load analysis practice",
    ),
    *value(
        "demand_contract_pct",
        "%",
        "highest 15-min demand against the contract",
        "100 demand / contract power",
        "meter practice",
        SIGNED,
    ),
)

_COUNTER_RULE = "`udfs.power.counter`"

COUNTER: tuple[Feature, ...] = (
    *value(
        "counter_raw_kwh",
        "kWh",
        "counter difference as it stands",
        "last reading - first reading",
        "meter practice",
        SIGNED,
    ),
    *value(
        "counter_corrected_kwh", "kWh", "counter energy after correction", "sum of the corrected steps", _COUNTER_RULE
    ),
    *count(
        "counter_rollovers",
        "steps back through the end of the register",
        "old > 0.9 M, new < 0.1 M, M = 10^digits x resolution: step + M",
        _COUNTER_RULE,
    ),
    *count("counter_resets", "restarts from zero", "new < 0.1 old and new <= P_max dt: step = new", _COUNTER_RULE),
    *count("counter_momentary_zeros", "readings of zero between two good ones", "left out", _COUNTER_RULE),
    *count(
        "counter_backward_steps", "falls that are neither", "step = 0; a single low reading is left out", _COUNTER_RULE
    ),
    *count("counter_duplicates", "readings with the time of the one before", "left out", _COUNTER_RULE),
    *count("counter_gaps", "steps longer than 3 median intervals", "energy kept, counted", _COUNTER_RULE),
    *count(
        "counter_too_fast",
        "steps beyond the largest power",
        "step > P_max dt: step = 0; a single high reading is left out",
        _COUNTER_RULE,
    ),
    *value(
        "counter_watt_difference_pct",
        "%",
        "corrected counter energy against the integral of watts",
        "100 (counter - integral) / integral over the counter's time",
        "iot-brain",
        SIGNED,
    ),
)
