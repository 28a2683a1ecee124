"""Anomaly score for windows of power readings, without labels: `python -m training.power_anomaly`.

Reads a household's minute readings, trains on its earlier days, calibrates on later ones, measures false alarms and
injected faults on the last ones and writes `power_anomaly_v1.onnx` with its card. The same data, code and library
versions give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from schemas.model_card import Metric, ModelCard
from training.command import run_training
from training.export import check_agreement
from training.power_anomaly_card import Training, describe
from training.power_anomaly_figures import (
    CALIBRATION_DAYS,
    HELD_OUT_DAYS,
    TRAIN_DAYS,
    Score,
    detection_metrics,
    false_alarm_metrics,
    limits_score,
    of_days,
    spoiled_tables,
)
from training.power_anomaly_model import INPUTS, Usual, choose_states, export, fit, surprises_of
from training.power_anomaly_windows import FloatArray, build_table, read_minutes
from udfs.scorer import Scorer

NAME = "power_anomaly_v1"
VERSION = "1.0.0"


def train(data: Path) -> tuple[ModelCard, bytes]:
    """Train, calibrate, measure, export and describe the model from the readings in the folder `data`.

    Raises:
        RecordingError: the data is not as described.
        ExportError: the exported model does not give the trained one's values.
    """
    minutes = read_minutes(data)
    table = build_table(minutes, INPUTS)
    training = of_days(table, TRAIN_DAYS).features
    calibration = of_days(table, CALIBRATION_DAYS).features
    states = choose_states(of_days(table, TRAIN_DAYS))
    usual = fit(training, states)
    onnx_bytes = export(usual, usual.surprise(calibration), name=NAME)
    held_out = of_days(table, HELD_OUT_DAYS).features
    check_agreement(surprises_of(onnx_bytes, held_out), usual.surprise(held_out))
    spoiled = spoiled_tables(minutes)

    def figures(score: Score) -> dict[str, Metric]:
        return {**false_alarm_metrics(score, table), **detection_metrics(score, spoiled)}

    baselines = {"limits": limits_score(table), "one_state": rank_among(fit(training, 1), calibration)}
    card = describe(
        Training(
            name=NAME,
            version=VERSION,
            onnx_bytes=onnx_bytes,
            states=states,
            table=table,
            incomplete=int(np.count_nonzero(~minutes.complete)),
            metrics=figures(rank_among(usual, calibration)),
            baselines={
                f"{baseline}_{name}": metric
                for baseline, score in baselines.items()
                for name, metric in figures(score).items()
            },
        )
    )
    check_agreement(Scorer.load(onnx_bytes, card).score(held_out), rank_among(usual, calibration)(held_out))
    return card, onnx_bytes


def rank_among(usual: Usual, calibration: FloatArray) -> Score:
    """The score of a model calibrated on the rows [c, k]: how many of them surprise less, over c + 1."""
    knots = np.sort(usual.surprise(calibration))

    def score(features: FloatArray) -> FloatArray:
        return np.searchsorted(knots, usual.surprise(features), side="left") / (knots.size + 1.0)

    return score


def main() -> None:
    """Train and write the model."""
    about = (__doc__ or "").splitlines()[0]
    run_training(train, program="python -m training.power_anomaly", about=about, data="power/uci_household")


if __name__ == "__main__":
    main()
