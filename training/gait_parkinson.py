"""Parkinson group against controls from gait features: `python -m training.gait_parkinson`.

Reads the gaitpdb recordings, measures the model by nested subject-wise cross-validation, trains it on everyone and
writes `gait_parkinson_v1.onnx` with its card. The same data, code and library versions give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from schemas.health import GAIT_FEATURES
from schemas.model_card import CardFeature, ModelCard
from training.baselines import baseline_metrics
from training.card import Training, describe
from training.command import library_versions, run_training
from training.dataset import GaitTable, Subjects, build_table, first_walks, middle_of
from training.evaluation import cross_validate, leave_study_out
from training.export import check_agreement, to_onnx
from training.gaitpdb import STUDIES, read_people, read_walks
from training.metrics import model_metrics
from training.tuning import SEED, build_model, choose, fit
from udfs.scorer import Scorer

NAME = "gait_parkinson_v1"
VERSION = "1.0.0"
SHORT_SESSION_S = 20.0

_NOT_GAIT = frozenset({"walking_force_mean_newton", "stride_time_dfa_alpha"})
INPUTS = tuple(
    column
    for column in GAIT_FEATURES
    if column.name not in _NOT_GAIT
    and not any(part in column.name for part in ("left", "right", "_count_"))
    and not column.name.endswith("_si_pct")
    and not (column.name.startswith("sensor_") and "_mean_" in column.name)
)
"""What the model sees: quantities that stay the same when left and right are exchanged. Not the weight, not how long
the walk was, and nothing that most sessions are too short for."""
OPTIONAL = frozenset({"phase_coordination_index_pct"})
"""Inputs that a good session may lack (it needs 30 strides): imputed by the median of the training walks."""


def train(data: Path) -> tuple[ModelCard, bytes]:
    """Measure, train, export and describe the model from the recordings in the folder `data`.

    Raises:
        RecordingError: the data is not as described.
        ExportError: the exported model does not give the trained one's scores.
    """
    names = [column.name for column in INPUTS]
    walks = list(read_walks(data))
    everything, refused = build_table(walks)
    short, _ = build_table(walks, cut=middle_of(SHORT_SESSION_S))
    table = everything.columns(names)
    c, threshold = choose(table, seed=SEED)
    model = fit(build_model(c), table)
    onnx_bytes = to_onnx(model, name=NAME, feature_count=len(names))
    found = cross_validate(table, {"first_walk": first_walks(table), "short_session": short.columns(names)})
    card = describe(
        Training(
            name=NAME,
            version=VERSION,
            features=tuple(CardFeature(each.name, each.unit, each.name not in OPTIONAL) for each in INPUTS),
            onnx_bytes=onnx_bytes,
            c=c,
            threshold=threshold,
            table=table,
            refused=refused,
            metrics=model_metrics(found, leave_study_out(table, STUDIES)),
            baselines=baseline_metrics(Subjects.of(table), read_people(data)),
            libraries=library_versions(),
        )
    )
    check_agreement(Scorer.load(onnx_bytes, card).score(table.features), trained_scores(model, table))
    return card, onnx_bytes


def trained_scores(model: Pipeline, table: GaitTable) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The scikit-learn model's own scores, shape [r]."""
    return np.asarray(model.predict_proba(table.features.astype(np.float32))[:, 1], dtype=np.float64)


def main() -> None:
    """Train and write the model."""
    about = (__doc__ or "").splitlines()[0]
    run_training(train, program="python -m training.gait_parkinson", about=about, data="health/gaitpdb")


if __name__ == "__main__":
    main()
