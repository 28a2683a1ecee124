"""What an occupancy model is worth: on days it never saw, on another file, in another room, and beside simple rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from schemas.model_card import Metric
from training.climate import FloatArray, IntArray, RoomTable
from training.rooms import choose, day_folds, fit, scores_of
from training.tuning import SEED, best_threshold

RESAMPLES = 1_000
MIN_DAYS = 5
"""With fewer days than this an interval over days says nothing; hours are drawn instead."""

Measure = Callable[[NDArray[np.bool_], FloatArray, NDArray[np.bool_]], float]


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows and what a model or rule that never saw them says.

    Attributes:
        table: the rows.
        scores: shape [r].
        positive: shape [r]: whether it says that somebody is there.
    """

    table: RoomTable
    scores: FloatArray
    positive: NDArray[np.bool_]


def auc(occupied: NDArray[np.bool_], scores: FloatArray, _positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve over windows."""
    return float(roc_auc_score(occupied, scores))


def accuracy(occupied: NDArray[np.bool_], _scores: FloatArray, positive: NDArray[np.bool_]) -> float:
    """Share of windows judged rightly."""
    return float(np.mean(occupied == positive))


def balanced_accuracy(occupied: NDArray[np.bool_], _scores: FloatArray, positive: NDArray[np.bool_]) -> float:
    """Mean of the shares of occupied and of empty windows judged rightly."""
    return float(np.mean(positive[occupied]) + np.mean(~positive[~occupied])) / 2.0


MEASURES: dict[str, Measure] = {"auc": auc, "accuracy": accuracy, "balanced_accuracy": balanced_accuracy}


def figure(judged: Judged, measure: Measure) -> Metric:
    """A measure with a 95 % bootstrap interval over days, or over hours where there are fewer than five days."""
    table = judged.table
    of_row, unit = (table.days, "days") if np.unique(table.days).size >= MIN_DAYS else (table.start_s // 3_600, "hours")
    blocks = [np.flatnonzero(of_row == block) for block in np.unique(of_row)]
    generator = np.random.default_rng(SEED)
    resampled: list[float] = []
    while len(resampled) < RESAMPLES:
        rows = np.concatenate([blocks[index] for index in generator.integers(0, len(blocks), len(blocks))])
        # A draw of one class only has no ROC curve.
        if 0 < np.count_nonzero(table.occupied[rows]) < rows.size:
            resampled.append(measure(table.occupied[rows], judged.scores[rows], judged.positive[rows]))
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = measure(table.occupied, judged.scores, judged.positive)
    how = f"{table.occupied.size} windows, {table.occupied.mean():.0%} occupied, {RESAMPLES} bootstrap draws of "
    return Metric(round(value, 4), round(float(low), 4), round(float(high), 4), f"{how}{len(blocks)} {unit}")


def figures(prefix: str, judged: Judged) -> dict[str, Metric]:
    """All measures, named `prefix_auc` and so on."""
    return {f"{prefix}_{name}": figure(judged, measure) for name, measure in MEASURES.items()}


def cross_validate(table: RoomTable) -> Judged:
    """Leave one day out, with candidate and threshold chosen by leaving out one of the remaining days (nested)."""
    scores = np.full(table.start_s.size, np.nan)
    positive = np.zeros(table.start_s.size, dtype=np.bool_)
    for train, test in day_folds(table):
        inside = table.keep(train)
        candidate, threshold = choose(inside)
        scores[test] = scores_of(fit(candidate, inside), table.keep(test))
        positive[test] = scores[test] >= threshold
    tested = np.isfinite(scores)
    return Judged(table.keep(tested), scores[tested], positive[tested])


Rule = Callable[[RoomTable, RoomTable], FloatArray]
"""Scores of a second table by what the first one teaches."""


def judge_by_rule(rule: Rule, train: RoomTable, test: RoomTable) -> Judged:
    """A rule with the threshold that is best on the training rows themselves: it has hardly anything to overfit."""
    threshold = best_threshold(rule(train, train), train.occupied)
    scores = rule(train, test)
    return Judged(test, scores, scores >= threshold)


def column_rule(values: Callable[[RoomTable], FloatArray]) -> Rule:
    """Logistic regression of some values of each row, shape [r, c]; of one value it is a threshold."""

    def rule(train: RoomTable, test: RoomTable) -> FloatArray:
        model = Pipeline([("scale", StandardScaler()), ("logistic", LogisticRegression(class_weight="balanced"))])
        model.fit(values(train), train.occupied.astype(np.int64))
        return np.asarray(model.predict_proba(values(test))[:, 1])

    return rule


def hour_rule(train: RoomTable, test: RoomTable) -> FloatArray:
    """How often the room was occupied at this hour of the day; 0 for an hour never seen."""
    return _share_by(train.hours_of_day, train.occupied)[test.hours_of_day]


def _share_by(hours: IntArray, occupied: NDArray[np.bool_]) -> FloatArray:
    count = np.bincount(hours, minlength=24)
    return np.divide(np.bincount(hours, occupied, minlength=24), count, out=np.zeros(24), where=count > 0)
