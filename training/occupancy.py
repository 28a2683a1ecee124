"""Whether somebody is in a room, from the climate of 300 s: `python -m training.occupancy`.

Reads the UCI occupancy files, chooses and trains the model on the days of the training file, measures it once on the
other file and in another building's room, and writes `room_occupancy_v1.onnx` with its card. The same data, code and
library versions give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from schemas.environment import ENVIRONMENT_FEATURES
from schemas.model_card import CardFeature, Metric, ModelCard
from training.climate import FloatArray, RoomTable, read_room
from training.command import run_training
from training.export import check_agreement, to_onnx
from training.room_card import Training, describe
from training.room_figures import (
    Judged,
    column_rule,
    cross_validate,
    figures,
    hour_rule,
    judge_by_rule,
)
from training.rooms import choose, fit, scores_of
from udfs.scorer import Scorer

NAME = "room_occupancy_v1"
VERSION = "1.0.0"
TRAINING_FILE = "uci_occupancy/datatraining.txt.gz"
TEST_FILE = "uci_occupancy/datatest.txt.gz"
OTHER_ROOM_FILE = "uci_room_occupancy/Occupancy_Estimation.csv.gz"

REQUIRED = ("co2_mean_ppm", "co2_rate_ppm_per_h")
"""What people do to the air of a room: CO2 above outdoors, and CO2 that rises; the level alone stays high for hours
after they leave."""
OPTIONAL = ("temp_rate_degc_per_h",)
"""A device without thermometer is scored too. Levels of temperature and humidity are left out: they tell the weather
and heating of one week. So are light and clock time: they tell office hours."""
INPUTS = tuple(
    CardFeature(each.name, each.unit, each.name in REQUIRED)
    for each in ENVIRONMENT_FEATURES
    if each.name in (*REQUIRED, *OPTIONAL)
)
INPUT_NAMES = tuple(each.name for each in INPUTS)


def read_files(data: Path) -> tuple[RoomTable, RoomTable, RoomTable]:
    """Training, test and other room, without training windows of a day that the test file has too."""
    training, test, other = (scorable(read_room(data / name)) for name in (TRAINING_FILE, TEST_FILE, OTHER_ROOM_FILE))
    return training.keep(~np.isin(training.days, test.days)), test, other


def scorable(table: RoomTable) -> RoomTable:
    """The model's inputs, and of the rows those that it would not refuse."""
    wanted = table.columns(INPUT_NAMES)
    required = [each.required for each in INPUTS]
    return wanted.keep(np.isfinite(wanted.features[:, required]).all(axis=1))


def train(data: Path) -> tuple[ModelCard, bytes]:
    """Choose, train, measure, export and describe the model from the recordings in the folder `data`.

    Raises:
        RecordingError: the data is not as described.
        ExportError: the exported model does not give the trained one's scores.
    """
    table, test, other = read_files(data)
    candidate, threshold = choose(table)
    model = fit(candidate, table)
    onnx_bytes = to_onnx(model, name=NAME, feature_count=len(INPUTS))
    card = describe(
        Training(
            name=NAME,
            version=VERSION,
            features=INPUTS,
            onnx_bytes=onnx_bytes,
            candidate=candidate,
            threshold=threshold,
            table=table,
            metrics=model_metrics(model, threshold, (table, test, other)),
            baselines=baseline_metrics(table, test, other),
        )
    )
    scorer = Scorer.load(onnx_bytes, card)
    for rows in (table, test, other):
        check_agreement(scorer.score(rows.features), scores_of(model, rows))
    return card, onnx_bytes


def model_metrics(
    model: Pipeline, threshold: float, tables: tuple[RoomTable, RoomTable, RoomTable]
) -> dict[str, Metric]:
    """Figures on the other file, in the other room, and over the training days by nested cross-validation."""
    table, test, other = tables
    return (
        figures("test", judge(model, threshold, test))
        | figures("other_room", judge(model, threshold, other))
        | figures("training_days", cross_validate(table))
    )


def judge(model: Pipeline, threshold: float, table: RoomTable) -> Judged:
    """The rows by the model."""
    scores = scores_of(model, table)
    return Judged(table, scores, scores >= threshold)


def baseline_metrics(table: RoomTable, test: RoomTable, other: RoomTable) -> dict[str, Metric]:
    """What simple rules reach on the test file (and CO2 alone in the other room), learnt from the training days."""
    co2 = column_rule(_co2_ppm)
    rules = {
        "co2_level_only": co2,
        "time_of_day_only": hour_rule,
        "light_only": column_rule(_light_lux),
        "with_light": column_rule(lambda rows: np.column_stack([_co2_and_rates(rows), rows.light_lux])),
    }
    found = {
        "larger_class_accuracy": _larger_class(test),
        "larger_class_balanced_accuracy": Metric(0.5, how="by definition"),
        "other_room_larger_class_accuracy": _larger_class(other),
    }
    for name, rule in rules.items():
        found |= figures(name, judge_by_rule(rule, table, test))
    found |= figures("other_room_co2_level_only", judge_by_rule(co2, table, other))
    return found


def _larger_class(table: RoomTable) -> Metric:
    share = float(np.mean(table.occupied))
    return Metric(round(max(share, 1 - share), 4), how=f"{table.occupied.size} windows")


def _co2_ppm(table: RoomTable) -> FloatArray:
    return table.features[:, [INPUT_NAMES.index("co2_mean_ppm")]]


def _light_lux(table: RoomTable) -> FloatArray:
    return table.light_lux[:, np.newaxis]


def _co2_and_rates(table: RoomTable) -> FloatArray:
    return np.nan_to_num(table.features)


def main() -> None:
    """Train and write the model."""
    about = (__doc__ or "").splitlines()[0]
    run_training(train, program="python -m training.occupancy", about=about, data="environment")


if __name__ == "__main__":
    main()
