"""The figures of a gait model's card."""

from __future__ import annotations

import numpy as np

from schemas.model_card import Metric
from training.evaluation import OutOfFold, auc, balanced_accuracy, figure
from training.gaitpdb import study_of


def model_metrics(found: OutOfFold, left_out: dict[str, OutOfFold]) -> dict[str, Metric]:
    """Subject-level figures over everyone, by study, from little input, and on a study that training never saw.

    Args:
        found: nested subject-wise cross-validation.
        left_out: by study, scores from models of the other studies.
    """
    metrics = {"subject_auc": figure(found, auc), "subject_balanced_accuracy": figure(found, balanced_accuracy)}
    metrics |= {f"{name}_auc": figure(_others(found, name), auc) for name in found.other_scores}
    studies = np.array([study_of(name) for name in found.subjects.names])
    for study in left_out:
        metrics[f"study_{study}_auc"] = figure(found.only(studies == study), auc)
    for study, scores in left_out.items():
        metrics[f"leave_out_{study}_auc"] = figure(scores, auc)
        metrics[f"leave_out_{study}_balanced_accuracy"] = figure(scores, balanced_accuracy)
    return metrics


def _others(found: OutOfFold, name: str) -> OutOfFold:
    """The same people by their scores on other pieces; people without one are left out."""
    scores = found.other_scores[name]
    present = np.all(np.isfinite(scores), axis=0)
    part = found.only(present)
    return OutOfFold(part.subjects, scores[:, present], part.positive, {})
