"""What the appliance model is worth: every figure from groups of near-copies that neither model nor tuning had seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from schemas.model_card import Metric
from training.appliance_events import SAME_BELOW, ApplianceTable, FloatArray, IntArray
from training.appliance_model import INPUTS, as_consumed, choose, fit, group_folds, name_rows
from training.tuning import SEED

OUTER_FOLDS = 5
REPEATS = 5
RESAMPLES = 1_000
OTHER_THRESHOLDS = (0.02, 0.1)
"""Stricter and wider ideas of a near-copy than SAME_BELOW."""
VOLTAGE_INPUTS = (
    "volt_rms_l1_volt",
    "volt_crest_l1",
    "volt_thd_l1_pct",
    *(f"volt_harmonic_{order}_pct" for order in (3, 5, 7, 9, 11)),
)

Named = Callable[[ApplianceTable, IntArray, ApplianceTable, int], tuple[IntArray, FloatArray, float]]
"""Training rows, their groups, test rows and a seed give code and score of each test row, and the label threshold."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Names given to events by models that never saw their group.

    Attributes:
        codes: the n true codes.
        groups: shape [n].
        named: shape [repeats, n], the code given.
        sure: shape [repeats, n]: score at or above the threshold that the same training groups gave.
    """

    codes: IntArray
    groups: IntArray
    named: IntArray
    sure: NDArray[np.bool_]


Measure = Callable[[IntArray, IntArray, NDArray[np.bool_]], float]


def cross_validate(table: ApplianceTable, groups: IntArray, name: Named, *, repeats: int = 0) -> OutOfFold:
    """Repeated cross-validation by groups, everything that is chosen being chosen inside the training groups."""
    repeats = repeats or REPEATS
    shape = (repeats, table.codes.size)
    found = OutOfFold(table.codes, groups, np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_))
    for repeat in range(repeats):
        for train, test in group_folds(table, groups, count=OUTER_FOLDS, seed=SEED + repeat):
            codes, scores, threshold = name(table.keep(train), groups[train], table.keep(test), SEED + repeat)
            found.named[repeat, test] = codes
            found.sure[repeat, test] = scores >= threshold
    return found


def by_model(names: tuple[str, ...] = INPUTS) -> Named:
    """The model, tuned on the training rows."""

    def name(
        train: ApplianceTable, groups: IntArray, test: ApplianceTable, seed: int
    ) -> tuple[IntArray, FloatArray, float]:
        per_split, threshold = choose(train, groups, seed=seed, names=names)
        return *name_rows(fit(per_split, train, names), test, names), threshold

    return name


def by_nearest_neighbour(
    train: ApplianceTable, _groups: IntArray, test: ApplianceTable, _seed: int
) -> tuple[IntArray, FloatArray, float]:
    """The code of the nearest training row by the model's own inputs, standardised."""
    model = Pipeline([("scale", StandardScaler()), ("nearest", KNeighborsClassifier(1))])
    model.fit(as_consumed(train.features), train.codes)
    return model.predict(as_consumed(test.features)).astype(np.int64), np.ones(test.codes.size), 0.0


def class_f1(truth: IntArray, named: IntArray, codes: IntArray) -> FloatArray:
    """F1 of each code: 2 TP / (2 TP + FP + FN); NaN for one that is neither true nor named."""
    hits = _count(truth[truth == named], codes)
    with np.errstate(invalid="ignore"):
        return np.asarray(2.0 * hits / (_count(truth, codes) + _count(named, codes)))


def _count(values: IntArray, codes: IntArray) -> FloatArray:
    return np.bincount(values, minlength=int(codes.max()) + 1)[codes].astype(np.float64)


def macro_f1(codes: IntArray) -> Measure:
    """Mean F1 over these codes."""
    return lambda truth, named, _sure: float(np.nanmean(class_f1(truth, named, codes)))


def accuracy(truth: IntArray, named: IntArray, _sure: NDArray[np.bool_]) -> float:
    """Share of events with the right name."""
    return float(np.mean(truth == named))


def named_share(_truth: IntArray, _named: IntArray, sure: NDArray[np.bool_]) -> float:
    """Share of events that get a name instead of "unsure"."""
    return float(np.mean(sure))


def named_accuracy(truth: IntArray, named: IntArray, sure: NDArray[np.bool_]) -> float:
    """Share of right names among the names given; 0 when none is."""
    return float(np.mean(truth[sure] == named[sure])) if sure.any() else 0.0


def figure(found: OutOfFold, measure: Measure) -> Metric:
    """The mean of a measure over the repeats, with a 95 % bootstrap interval over groups within each class."""
    value = _mean_over_repeats(found, measure, np.arange(found.codes.size))
    generator = np.random.default_rng(SEED)
    parts = _rows_of_groups(found)
    drawn = [_mean_over_repeats(found, measure, _draw(parts, generator)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    count = np.unique(found.groups).size
    how = f"mean of {len(found.named)} repeat(s), {RESAMPLES} bootstrap draws of {count} groups within their class"
    return Metric(round(value, 4), round(float(low), 4), round(float(high), 4), how)


def _rows_of_groups(found: OutOfFold) -> list[list[NDArray[np.intp]]]:
    """For each class the rows of each of its groups; a group of two classes counts once in each."""
    return [
        [np.flatnonzero((found.codes == code) & (found.groups == group)) for group in np.unique(found.groups[rows])]
        for code in np.unique(found.codes)
        for rows in [found.codes == code]
    ]


def _draw(parts: list[list[NDArray[np.intp]]], generator: np.random.Generator) -> NDArray[np.intp]:
    return np.concatenate(
        [groups[pick] for groups in parts for pick in generator.integers(0, len(groups), len(groups)).tolist()]
    )


def _mean_over_repeats(found: OutOfFold, measure: Measure, rows: NDArray[np.intp]) -> float:
    values = [
        measure(found.codes[rows], named[rows], sure[rows]) for named, sure in zip(found.named, found.sure, strict=True)
    ]
    return float(np.mean(values))


def groups_per_class(codes: IntArray, groups: IntArray) -> dict[int, int]:
    """How many groups of near-copies each class has."""
    return {int(code): int(np.unique(groups[codes == code]).size) for code in np.unique(codes)}


def model_metrics(table: ApplianceTable, groups_at: dict[float, IntArray]) -> dict[str, Metric]:
    """The figures of the model: at the near-copy threshold, by class, at other thresholds, and split at random.

    Args:
        table: rows with the model's inputs.
        groups_at: by near-copy threshold, the group of each row; SAME_BELOW and OTHER_THRESHOLDS.
    """
    groups = groups_at[SAME_BELOW]
    codes = np.unique(table.codes)
    counts = groups_per_class(table.codes, groups)
    found = cross_validate(table, groups, by_model())
    testable = codes[[counts[code] > 1 for code in codes.tolist()]]
    metrics = {
        "grouped_macro_f1": figure(found, macro_f1(codes)),
        "grouped_macro_f1_of_testable_classes": figure(found, macro_f1(testable)),
        "grouped_accuracy": figure(found, accuracy),
        "grouped_named_share": figure(found, named_share),
        "grouped_named_accuracy": figure(found, named_accuracy),
    }
    for code in codes.tolist():
        each = figure(found, macro_f1(np.array([code])))
        metrics[f"grouped_class_{code:02d}_f1"] = Metric(each.value, each.low, each.high, f"{counts[code]} group(s)")
    for threshold in OTHER_THRESHOLDS:
        other = cross_validate(table, groups_at[threshold], by_model())
        metrics[f"grouped_at_{round(100 * threshold):02d}_pct_macro_f1"] = figure(other, macro_f1(codes))
    metrics["random_split_macro_f1"] = figure(_randomly(table, by_model()), macro_f1(codes))
    metrics["unknown_class_named_share"] = unknown_class_named_share(table, groups)
    return metrics


def unknown_class_named_share(table: ApplianceTable, groups: IntArray) -> Metric:
    """How often an appliance of a class that training never saw still gets a name; each class is left out in turn."""
    shape = (1, table.codes.size)
    found = OutOfFold(table.codes, groups, np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_))
    for code in np.unique(table.codes):
        rows, others = np.flatnonzero(table.codes == code), np.flatnonzero(table.codes != code)
        named, scores, threshold = by_model()(table.keep(others), groups[others], table.keep(rows), SEED)
        found.named[0, rows], found.sure[0, rows] = named, scores >= threshold
    return figure(found, named_share)


def baseline_metrics(table: ApplianceTable, voltage: ApplianceTable, groups: IntArray) -> dict[str, Metric]:
    """Nearest neighbour by the same split and at random, the largest class, and trees that see the voltage only."""
    codes = np.unique(table.codes)
    largest = codes[np.argmax(_count(table.codes, codes))]
    always = np.full(table.codes.size, largest)
    macro = macro_f1(codes)
    return {
        "nearest_neighbour_grouped_macro_f1": figure(cross_validate(table, groups, by_nearest_neighbour), macro),
        "nearest_neighbour_random_split_macro_f1": figure(_randomly(table, by_nearest_neighbour), macro),
        "largest_class_macro_f1": Metric(
            round(macro(table.codes, always, always >= 0), 4), how=f"always class {largest}"
        ),
        "largest_class_accuracy": Metric(round(float(np.mean(table.codes == largest)), 4), how=f"class {largest}"),
        "voltage_only_grouped_macro_f1": figure(cross_validate(voltage, groups, by_model(VOLTAGE_INPUTS)), macro),
    }


def _randomly(table: ApplianceTable, name: Named) -> OutOfFold:
    """Every event a group of its own: copies of a test event are in training."""
    return cross_validate(table, np.arange(table.codes.size), name)
