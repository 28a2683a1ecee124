"""What the power anomaly model is worth: false alarms and injected faults on days that nothing was fitted to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from schemas.model_card import Metric
from training.power_anomaly_faults import FAULTS
from training.power_anomaly_model import INPUTS
from training.power_anomaly_windows import DAY_S, FloatArray, IntArray, Minutes, WindowTable, build_table
from training.tuning import SEED

TRAIN_DAYS = range(13)
CALIBRATION_DAYS = range(13, 20)
HELD_OUT_DAYS = range(20, 27)
"""16 to 28 December, 29 December to 4 January, 5 to 11 January: both later parts are whole weeks."""
FALSE_ALARM_RATE = 0.01
THRESHOLD = 1.0 - FALSE_ALARM_RATE
OTHER_RATE = 0.05
RESAMPLES = 1_000

Score = Callable[[FloatArray], FloatArray]


def of_days(table: WindowTable, days: range) -> WindowTable:
    """The rows of these days."""
    return table.keep(np.isin(table.days, days))


def rate(alarms: NDArray[np.bool_], days: IntArray) -> Metric:
    """Share of windows with an alarm, with a 95 % bootstrap interval over days, and the range of days."""
    names = np.unique(days)
    counts = np.array([np.count_nonzero(alarms[days == day]) for day in names])
    sizes = np.array([np.count_nonzero(days == day) for day in names])
    picks = np.random.default_rng(SEED).integers(0, names.size, (RESAMPLES, names.size))
    drawn = counts[picks].sum(axis=1) / sizes[picks].sum(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    by_day = counts / sizes
    how = (
        f"{alarms.size} windows, {RESAMPLES} bootstrap draws of {names.size} days, which have "
        f"{by_day.min():.4f} to {by_day.max():.4f}"
    )
    return Metric(round(float(np.mean(alarms)), 4), round(float(low), 4), round(float(high), 4), how)


def false_alarm_metrics(score: Score, table: WindowTable) -> dict[str, Metric]:
    """Alarms on the held-out days as they were, at the threshold and at a lower one."""
    held_out = of_days(table, HELD_OUT_DAYS)
    scores = score(held_out.features)
    return {
        "held_out_false_alarm_rate": rate(scores >= THRESHOLD, held_out.days),
        "held_out_false_alarm_rate_at_0_95": rate(scores >= 1.0 - OTHER_RATE, held_out.days),
    }


def spoiled_tables(minutes: Minutes) -> dict[str, WindowTable]:
    """The held-out windows with each fault in turn; windows without a reading an hour before cannot be stuck."""
    held_out = np.isin(minutes.window_start_s // DAY_S, HELD_OUT_DAYS) & minutes.complete
    return {name: build_table(spoil(minutes), INPUTS, held_out) for name, (_, spoil) in FAULTS.items()}


def detection_metrics(score: Score, spoiled: dict[str, WindowTable]) -> dict[str, Metric]:
    """Share of spoiled windows that ring at the threshold, by fault."""
    return {f"detected_{name}": rate(score(table.features) >= THRESHOLD, table.days) for name, table in spoiled.items()}


def limits_score(table: WindowTable) -> Score:
    """The baseline: how far the most unusual single input lies outside, calibrated on the same days.

    Each input is ranked among its own training values; the score is that of the largest distance from the middle
    rank, beyond the training range continued by the distance in ranges.
    """
    reference = np.sort(of_days(table, TRAIN_DAYS).features, axis=0)
    calibration = np.sort(_worst_input(reference, of_days(table, CALIBRATION_DAYS).features))

    def score(features: FloatArray) -> FloatArray:
        return np.searchsorted(calibration, _worst_input(reference, features), side="left") / (calibration.size + 1)

    return score


def _worst_input(reference: FloatArray, features: FloatArray) -> FloatArray:
    """Largest distance of any input from its median, in rank (0 .. 1 inside the training range), shape [r]."""
    count = len(reference)
    ranks = np.stack(
        [np.searchsorted(reference[:, column], features[:, column]) for column in range(features.shape[1])], axis=1
    )
    inside = np.abs(2.0 * ranks / count - 1.0)
    low, high = reference[0], reference[-1]
    beyond = np.maximum(np.maximum(low - features, features - high), 0.0) / (high - low)
    return np.asarray(np.max(inside + beyond, axis=1))
