"""Faults put into a household's minute readings by a stated recipe: what an anomaly model should notice.

Every window is spoiled by itself, at its own readings only; whatever a recipe draws is drawn from a seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.power_anomaly_windows import PER_WINDOW, FloatArray, Minutes
from training.tuning import SEED

STUCK_WINDOWS = 12
"""A stuck sensor has repeated its reading for an hour before the window, and goes on through it."""
SPIKE_WATT = 5_000.0
SPIKE_SHARE = 0.2


def _volt_zero(minutes: Minutes) -> Minutes:
    return minutes.with_readings(volt=0.0 * minutes.volt)


def _amp_doubled(minutes: Minutes) -> Minutes:
    return minutes.with_readings(ampere=2.0 * minutes.ampere)


def _load_doubled(minutes: Minutes) -> Minutes:
    return minutes.with_readings(ampere=2.0 * minutes.ampere, watt=2.0 * minutes.watt)


def _watt_spike(minutes: Minutes) -> Minutes:
    return minutes.with_readings(watt=minutes.watt + SPIKE_WATT * _one_reading_each(minutes))


def _volt_spike(minutes: Minutes) -> Minutes:
    return minutes.with_readings(volt=minutes.volt * (1.0 + SPIKE_SHARE * _one_reading_each(minutes)))


def _volt_stuck(minutes: Minutes) -> Minutes:
    return minutes.with_readings(volt=_an_hour_ago(minutes.volt))


def _amp_stuck(minutes: Minutes) -> Minutes:
    return minutes.with_readings(ampere=_an_hour_ago(minutes.ampere))


def _watt_stuck(minutes: Minutes) -> Minutes:
    return minutes.with_readings(watt=_an_hour_ago(minutes.watt))


def _all_stuck(minutes: Minutes) -> Minutes:
    return _watt_stuck(_amp_stuck(_volt_stuck(minutes)))


FAULTS: dict[str, tuple[str, Callable[[Minutes], Minutes]]] = {
    "volt_zero": ("VOLT reads 0 V in all five readings, the others go on (a lost phase of the meter)", _volt_zero),
    "amp_doubled": ("AMP reads twice the current (a wrong transformer ratio)", _amp_doubled),
    "load_doubled": ("AMP and WATT read twice as much: possible, and no contradiction", _load_doubled),
    "watt_spike": (f"one of five WATT readings, at random, is {SPIKE_WATT:,.0f} W higher", _watt_spike),
    "volt_spike": (f"one of five VOLT readings, at random, is {100 * SPIKE_SHARE:.0f} % higher", _volt_spike),
    "volt_stuck": ("VOLT has repeated one reading for an hour", _volt_stuck),
    "amp_stuck": ("AMP has repeated one reading for an hour", _amp_stuck),
    "watt_stuck": ("WATT has repeated one reading for an hour", _watt_stuck),
    "all_stuck": ("all three sensors have repeated one reading for an hour", _all_stuck),
}
"""By name: the recipe in words, and what it makes of the readings."""


def _one_reading_each(minutes: Minutes) -> FloatArray:
    """1 at one random reading of each window, 0 elsewhere, shape [n]."""
    count = len(minutes.watt) // PER_WINDOW
    chosen = np.random.default_rng(SEED).integers(0, PER_WINDOW, count)
    return np.asarray(np.arange(PER_WINDOW) == chosen[:, np.newaxis], dtype=np.float64).ravel()


def _an_hour_ago(values: FloatArray) -> FloatArray:
    """Each window filled with the first reading of the window an hour before; NaN where there is none."""
    first = values.reshape(-1, PER_WINDOW)[:, 0]
    before = np.concatenate((np.full(STUCK_WINDOWS, np.nan), first))[: first.size]
    return np.repeat(before, PER_WINDOW)
