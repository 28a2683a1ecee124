"""The gait model and how it is tuned: inside the training subjects only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from training.dataset import GaitTable, Subjects

TREES = 300
LEAF = 3
INVERSE_REGULARISATION = (0.01, 0.03, 0.1)
"""What is tuned. Few values, because with a hundred people a wide search chooses noise."""
INNER_FOLDS = 5
SEED = 20250101


def build_model(c: float) -> Pipeline:
    """The untrained model: medians for missing values, then the mean of a linear and a tree part's probabilities.

    The trees take the features as they are and the linear part scales its own, so that no rounding of a scaled value
    can move a row across a split when the exported model computes in single precision.

    Args:
        c: inverse regularisation of the logistic regression.
    """
    parts = [("linear", linear_part(c)), ("trees", tree_part())]
    return Pipeline([("impute", _imputer()), ("vote", VotingClassifier(parts, voting="soft", flatten_transform=False))])


def linear_part(c: float) -> Pipeline:
    """Logistic regression of standardised features."""
    return Pipeline([("scale", StandardScaler()), ("logistic", LogisticRegression(C=c, max_iter=5_000))])


def tree_part() -> ExtraTreesClassifier:
    """Extremely randomised trees, seeded."""
    return ExtraTreesClassifier(TREES, min_samples_leaf=LEAF, random_state=SEED, n_jobs=1)


def _imputer() -> SimpleImputer:
    return SimpleImputer(strategy="median")


def fit(model: Pipeline, table: GaitTable) -> Pipeline:
    """Train on every row of the table, in single precision as the exported model will compute."""
    model.fit(table.features.astype(np.float32), table.patients.astype(np.int64))
    return model


def subject_scores(model: Pipeline, table: GaitTable, subjects: Subjects) -> NDArray[np.float64]:
    """Mean score of each subject's rows, shape [s]."""
    scores = model.predict_proba(table.features.astype(np.float32))[:, 1].astype(np.float64)
    return np.array([np.mean(scores[table.subjects == name]) for name in subjects.names])


def folds(subjects: Subjects, *, count: int, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Subject-wise folds, stratified by study and group: (train, test) indices into `subjects`."""
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(subjects.names, subjects.strata)]


def choose(table: GaitTable, *, seed: int) -> tuple[float, float]:
    """The regularisation with the best subject-level AUC in inner subject-wise folds, and the label threshold.

    The threshold maximises the balanced accuracy of the same inner out-of-fold scores.
    """
    subjects = Subjects.of(table)
    scores = {c: np.zeros(len(subjects.names)) for c in INVERSE_REGULARISATION}
    for train, test in folds(subjects, count=INNER_FOLDS, seed=seed):
        inner = table.of(subjects.names[train])
        held_out = Subjects(subjects.names[test], subjects.patients[test])
        rows = table.of(held_out.names)
        # Soft voting is the mean of the parts, so the trees are trained once for all values of c.
        by_trees = subject_scores(fit(_with_imputer(tree_part()), inner), rows, held_out)
        for c in INVERSE_REGULARISATION:
            by_line = subject_scores(fit(_with_imputer(linear_part(c)), inner), rows, held_out)
            scores[c][test] = 0.5 * (by_line + by_trees)
    best = max(INVERSE_REGULARISATION, key=lambda c: float(roc_auc_score(subjects.patients, scores[c])))
    return best, best_threshold(scores[best], subjects.patients)


def _with_imputer(part: Pipeline | ExtraTreesClassifier) -> Pipeline:
    return Pipeline([("impute", _imputer()), ("part", part)])


def best_threshold(scores: NDArray[np.float64], patients: NDArray[np.bool_]) -> float:
    """The threshold with the best balanced accuracy: the middle of the best run of candidates on a 1 % grid."""
    grid = np.linspace(0.2, 0.8, 61)
    sensitivity = np.mean(scores[patients][:, np.newaxis] >= grid, axis=0)
    specificity = np.mean(scores[~patients][:, np.newaxis] < grid, axis=0)
    # A mean over neighbours, because the raw curve jumps with every person.
    smooth = np.convolve(np.pad(sensitivity + specificity, 5, mode="edge"), np.ones(11) / 11, mode="valid")
    return round(float(grid[int(np.argmax(smooth))]), 2)
