"""The occupancy model and how it is chosen: inside the training days only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from training.climate import FloatArray, RoomTable
from training.tuning import SEED, best_threshold

DEPTH = 3
LEAF = 30
LEARNING_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to build the model.

    Attributes:
        kind: "linear" is logistic regression, "trees" gradient boosting.
        strength: inverse regularisation of the linear one, number of trees of the other.
    """

    kind: str
    strength: float

    def __str__(self) -> str:
        return f"{self.kind} {self.strength:g}"


CANDIDATES = (*(Candidate("linear", c) for c in (0.01, 0.1, 1.0)), *(Candidate("trees", n) for n in (30, 60)))
"""What is chosen from, simplest first. Few, because with six days a wide search chooses noise."""


def build_model(candidate: Candidate, *, inputs: int) -> Pipeline:
    """The untrained model: medians for missing values, then one of two classifiers of occupied against empty.

    Both weigh the classes equally, so that a score of 0.5 is even odds however many hours the training room was used.
    The trees may only rise with each input: more CO2, CO2 that rises and air that warms never speak for an empty room.
    """
    return Pipeline([("impute", SimpleImputer(strategy="median")), ("classify", _classifier(candidate, inputs))])


def _classifier(candidate: Candidate, inputs: int) -> Pipeline | HistGradientBoostingClassifier:
    if candidate.kind == "linear":
        logistic = LogisticRegression(C=candidate.strength, class_weight="balanced", max_iter=5_000)
        return Pipeline([("scale", StandardScaler()), ("logistic", logistic)])
    return HistGradientBoostingClassifier(
        max_iter=int(candidate.strength),
        max_depth=DEPTH,
        min_samples_leaf=LEAF,
        learning_rate=LEARNING_RATE,
        monotonic_cst=[1] * inputs,
        class_weight="balanced",
        early_stopping=False,
        random_state=SEED,
    )


def fit(candidate: Candidate, table: RoomTable) -> Pipeline:
    """Train on every row of the table, in single precision as the exported model will compute."""
    model = build_model(candidate, inputs=table.features.shape[1])
    model.fit(table.features.astype(np.float32), table.occupied.astype(np.int64))
    return model


def scores_of(model: Pipeline, table: RoomTable) -> FloatArray:
    """Score of each row, shape [r]."""
    return np.asarray(model.predict_proba(table.features.astype(np.float32))[:, 1], dtype=np.float64)


def day_folds(table: RoomTable) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each day, the rows of all other days and its own; a day whose others hold one class only is never tested."""
    folds = [(table.days != day, table.days == day) for day in np.unique(table.days)]
    return [(train, test) for train, test in folds if 0 < np.count_nonzero(table.occupied[train]) < train.sum()]


def choose(table: RoomTable) -> tuple[Candidate, float]:
    """The candidate with the best AUC over rows scored by models of the other days, and the label threshold.

    The threshold maximises the balanced accuracy of the same scores.
    """
    scores = {each: _out_of_day(table, each) for each in CANDIDATES}
    best = max(CANDIDATES, key=lambda each: _auc(table.occupied, scores[each]))
    tested = np.isfinite(scores[best])
    return best, best_threshold(scores[best][tested], table.occupied[tested])


def _out_of_day(table: RoomTable, candidate: Candidate) -> FloatArray:
    """The score of each row by a model of all other days, shape [r]."""
    scores = np.full(table.start_s.size, np.nan)
    for train, test in day_folds(table):
        scores[test] = scores_of(fit(candidate, table.keep(train)), table.keep(test))
    return scores


def _auc(occupied: NDArray[np.bool_], scores: FloatArray) -> float:
    tested = np.isfinite(scores)
    return float(roc_auc_score(occupied[tested], scores[tested]))
