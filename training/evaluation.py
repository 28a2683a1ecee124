"""What a gait model is worth: every figure from people whom neither the model nor its tuning had seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from schemas.model_card import Metric
from training.dataset import GaitTable, Subjects
from training.tuning import SEED, build_model, choose, fit, folds, subject_scores

OUTER_FOLDS = 10
REPEATS = 5
RESAMPLES = 1_000

FloatArray = NDArray[np.float64]
Figure = Callable[[NDArray[np.bool_], FloatArray, NDArray[np.bool_]], float]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Scores of people from models that never saw them.

    Attributes:
        subjects: the s people.
        scores: shape [repeats, s].
        positive: shape [repeats, s]: score at or above the threshold that the same training people gave.
        other_scores: by name, shape [repeats, s]: the same models' scores on other pieces of the same people; NaN
            for a person without one.
    """

    subjects: Subjects
    scores: FloatArray
    positive: NDArray[np.bool_]
    other_scores: dict[str, FloatArray]

    def only(self, mask: NDArray[np.bool_]) -> OutOfFold:
        """The people where the mask is True."""
        subjects = Subjects(self.subjects.names[mask], self.subjects.patients[mask])
        others = {name: scores[:, mask] for name, scores in self.other_scores.items()}
        return OutOfFold(subjects, self.scores[:, mask], self.positive[:, mask], others)


def cross_validate(table: GaitTable, others: dict[str, GaitTable]) -> OutOfFold:
    """Repeated subject-wise cross-validation with all tuning inside the training people (nested)."""
    subjects = Subjects.of(table)
    shape = (REPEATS, len(subjects.names))
    result = OutOfFold(
        subjects, np.zeros(shape), np.zeros(shape, np.bool_), {n: np.full(shape, np.nan) for n in others}
    )
    for repeat in range(REPEATS):
        for train, test in folds(subjects, count=OUTER_FOLDS, seed=SEED + repeat):
            _score_fold(result, table, others, (repeat, train, test))
    return result


def _score_fold(
    result: OutOfFold,
    table: GaitTable,
    others: dict[str, GaitTable],
    fold: tuple[int, NDArray[np.intp], NDArray[np.intp]],
) -> None:
    """Tune and train on one fold's training people and write the scores of its test people into the result."""
    repeat, train, test = fold
    subjects = result.subjects
    training = table.of(subjects.names[train])
    c, threshold = choose(training, seed=SEED + repeat)
    model = fit(build_model(c), training)
    held_out = Subjects(subjects.names[test], subjects.patients[test])
    scores = subject_scores(model, table.of(held_out.names), held_out)
    result.scores[repeat, test] = scores
    result.positive[repeat, test] = scores >= threshold
    for name, other in others.items():
        rows = other.of(held_out.names)
        present = np.isin(held_out.names, rows.subjects)
        people = Subjects(held_out.names[present], held_out.patients[present])
        result.other_scores[name][repeat, test[present]] = subject_scores(model, rows, people)


def leave_study_out(table: GaitTable, studies: tuple[str, ...]) -> dict[str, OutOfFold]:
    """For each study, scores of its people from a model tuned and trained on the other studies."""
    everyone = Subjects.of(table)
    found = {}
    for study in studies:
        inside = np.char.startswith(everyone.names, study)
        training = table.of(everyone.names[~inside])
        c, threshold = choose(training, seed=SEED)
        held_out = Subjects(everyone.names[inside], everyone.patients[inside])
        scores = subject_scores(fit(build_model(c), training), table.of(held_out.names), held_out)[np.newaxis]
        found[study] = OutOfFold(held_out, scores, scores >= threshold, {})
    return found


def auc(patients: NDArray[np.bool_], scores: FloatArray, _positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve over people."""
    return float(roc_auc_score(patients, scores))


def balanced_accuracy(patients: NDArray[np.bool_], _scores: FloatArray, positive: NDArray[np.bool_]) -> float:
    """Mean of sensitivity and specificity over people."""
    return float(balanced_accuracy_score(patients, positive))


def figure(found: OutOfFold, measure: Figure) -> Metric:
    """The mean of a measure over the repeats, with a 95 % bootstrap interval over people."""
    patients = found.subjects.patients
    value = _mean_over_repeats(found, measure, np.arange(patients.size))
    generator = np.random.default_rng(SEED)
    resampled: list[float] = []
    while len(resampled) < RESAMPLES:
        people = generator.integers(0, patients.size, patients.size)
        # A draw without both groups has no ROC curve.
        if 0 < np.count_nonzero(patients[people]) < patients.size:
            resampled.append(_mean_over_repeats(found, measure, people))
    low, high = np.percentile(resampled, [2.5, 97.5])
    how = f"mean of {found.scores.shape[0]} repeat(s), {patients.size} people, {RESAMPLES} bootstrap draws of people"
    return Metric(round(value, 4), round(float(low), 4), round(float(high), 4), how)


def _mean_over_repeats(found: OutOfFold, measure: Figure, people: NDArray[np.intp]) -> float:
    patients = found.subjects.patients[people]
    values = [
        measure(patients, scores[people], positive[people])
        for scores, positive in zip(found.scores, found.positive, strict=True)
    ]
    return float(np.mean(values))
