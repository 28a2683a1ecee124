"""The words and numbers of the occupancy model's card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from schemas.feature_schema import feature_schema_hash
from schemas.model_card import CardFeature, Metric, ModelCard
from schemas.sensors import Domain
from training.climate import WINDOW_S, RoomTable
from training.command import library_versions
from training.rooms import CANDIDATES, DEPTH, LEAF, LEARNING_RATE, Candidate

LABELS = ("empty", "occupied")


@dataclass(frozen=True, slots=True)
class Training:
    """What came out of training, as the card needs it.

    Attributes:
        name, version: of the model.
        features: its inputs in order.
        onnx_bytes: the model.
        candidate, threshold: the chosen model and label threshold.
        table: the rows it was trained on.
        metrics, baselines: by name.
    """

    name: str
    version: str
    features: tuple[CardFeature, ...]
    onnx_bytes: bytes
    candidate: Candidate
    threshold: float
    table: RoomTable
    metrics: dict[str, Metric]
    baselines: dict[str, Metric]


def describe(training: Training) -> ModelCard:
    """Write the card."""
    occupied = int(np.count_nonzero(training.table.occupied))
    rows = training.table.occupied.size
    return ModelCard(
        name=training.name,
        version=training.version,
        domain=Domain.ENVIRONMENT,
        window_s=WINDOW_S,
        features=training.features,
        feature_schema_hash=feature_schema_hash(training.features),
        onnx_sha256=hashlib.sha256(training.onnx_bytes).hexdigest(),
        threshold=training.threshold,
        labels=LABELS,
        # An occupied room is nothing to ring for.
        alerts=False,
        score_meaning=_SCORE_MEANING,
        missing_values=_missing_values(training.features),
        training_data=_TRAINING_DATA,
        subjects={"rooms": 1, "days": int(np.unique(training.table.days).size)},
        records={"all": rows, "empty": rows - occupied, "occupied": occupied},
        split_protocol=_split_protocol(training.candidate),
        metrics=training.metrics,
        limitations=_LIMITATIONS,
        baselines=training.baselines,
        libraries=library_versions(),
    )


_SCORE_MEANING = (
    "Likeness of 300 s of a room's air to that of the training office while somebody was there, 0 to 1, both states "
    "weighed equally: 0.5 is even odds before anything is known of how much the room is used."
)

_TRAINING_DATA = (
    "UCI Occupancy Detection (Candanedo & Feldheim 2016, CC BY 4.0), datatraining: one office, temperature, "
    "humidity and CO2 about once a minute, 5 to 10 February 2015. Features by udfs.environment in tumbling windows of "
    "300 s aligned to the epoch; the label is the state in at least half of a window's readings. Windows of 4 February "
    "are left out, because datatest has that day too."
)

_LIMITATIONS = (
    "One office in one winter week: CO2 in another room depends on its volume, ventilation and the "
    "number of people. The figures other_room_* are the better guide to a new room, and one room is no sample.",
    "CO2 lags: for minutes after the first person comes and longer after the last has left the score is wrong. Airing "
    "through a window looks like an empty room, and air from other rooms like an occupied one.",
    "A sensor whose CO2 is off by 100 ppm or more moves the score; outdoor air is taken to be what it was then.",
    "With people who are there every day at the same hours, the hour of the day alone tells much (see the baseline "
    "time_of_day_only), and light tells nearly everything (light_only). Both are left out on purpose: they tell the "
    "habits of one office, not whether somebody is in a room.",
    "Which of two windows is the occupied one is told better than whether one is: compare *_auc with *_accuracy. The "
    "label threshold drifts with the CO2 that is left from the hours before; a new room may need its own.",
    "The test file has three days of this same office, so its intervals draw hours, which are not independent, and are "
    "too narrow.",
    "Input features and the few candidates were chosen while looking at cross-validation over the training days. "
    "Nothing was chosen by the test file or the other room.",
    "Not for safety: nobody must be locked in, or an alarm silenced, because this says that a room is empty.",
)


def _missing_values(features: tuple[CardFeature, ...]) -> str:
    optional = [feature.name for feature in features if not feature.required]
    return (
        "A window that lacks a required feature, or holds an infinite value, is refused with the reason "
        f"missing_feature:NAME and gets no score. Missing {', '.join(optional)} is replaced inside the model by the "
        "median of the training windows."
    )


def _split_protocol(candidate: Candidate) -> str:
    return (
        "Every split is by calendar day; no day is on both sides. Candidate and label threshold are chosen by leaving "
        f"out one training day at a time: the best AUC of {', '.join(map(str, CANDIDATES))} (linear: logistic "
        f"regression with this C; trees: gradient boosting of this many trees, depth {DEPTH}, at least {LEAF} rows in "
        f"a leaf, learning rate {LEARNING_RATE:g}, rising with each input); chosen: {candidate}. training_days_*: the "
        "same repeated inside the other days for each training day (nested). test_*: datatest, 2 to 4 February, judged "
        "once. other_room_*: UCI Room Occupancy Estimation (CC BY 4.0), another building, 22 December 2017 to 11 "
        "January 2018, four temperature nodes as one; a count above 0 is occupied. Intervals: 95 % bootstrap over "
        "days, over hours where there are fewer than five days."
    )
