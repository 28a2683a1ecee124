"""What a gait model must beat: walking speed, age, and always naming the larger group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from schemas.model_card import Metric
from training.dataset import Subjects
from training.evaluation import OUTER_FOLDS, REPEATS, OutOfFold, auc, figure
from training.gaitpdb import Person
from training.tuning import SEED, folds


def baseline_metrics(subjects: Subjects, people: dict[str, Person]) -> dict[str, Metric]:
    """AUC of walking speed alone, age alone and both, by the folds of the model; accuracy of the larger group.

    A logistic regression each; a missing value gets the median of the training people.
    """
    known = [people[name] for name in subjects.names]
    speed = np.array([person.speed_m_per_s for person in known])
    age = np.array([person.age_years for person in known])
    share = float(np.mean(subjects.patients))
    return {
        "speed_only_auc": _auc_of(subjects, speed[:, np.newaxis]),
        "age_only_auc": _auc_of(subjects, age[:, np.newaxis]),
        "speed_and_age_auc": _auc_of(subjects, np.column_stack([speed, age])),
        "larger_group_accuracy": Metric(round(max(share, 1 - share), 4), how=f"{subjects.names.size} people"),
        "larger_group_balanced_accuracy": Metric(0.5, how="by definition"),
    }


def _auc_of(subjects: Subjects, values: NDArray[np.float64]) -> Metric:
    scores = np.zeros((REPEATS, subjects.names.size))
    for repeat in range(REPEATS):
        for train, test in folds(subjects, count=OUTER_FOLDS, seed=SEED + repeat):
            model = Pipeline(
                [
                    ("impute", SimpleImputer(strategy="median")),
                    ("scale", StandardScaler()),
                    ("fit", LogisticRegression()),
                ]
            )
            model.fit(values[train], subjects.patients[train])
            scores[repeat, test] = model.predict_proba(values[test])[:, 1]
    return figure(OutOfFold(subjects, scores, scores >= 0.5, {}), auc)
