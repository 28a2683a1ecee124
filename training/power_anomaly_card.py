"""The words and numbers of the power anomaly model's card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from schemas.feature_schema import feature_schema_hash
from schemas.model_card import CardFeature, Metric, ModelCard
from schemas.power import POWER_FEATURES
from schemas.sensors import Domain
from training.command import library_versions
from training.power_anomaly_faults import FAULTS
from training.power_anomaly_figures import (
    CALIBRATION_DAYS,
    FALSE_ALARM_RATE,
    HELD_OUT_DAYS,
    THRESHOLD,
    TRAIN_DAYS,
    of_days,
)
from training.power_anomaly_model import FOLDS, INPUTS, MIN_VARIANCE, STATES
from training.power_anomaly_windows import DAY_S, WINDOW_S, WindowTable

LABELS = ("usual", "unusual")


@dataclass(frozen=True, slots=True)
class Training:
    """What came out of training, as the card needs it.

    Attributes:
        name, version: of the model.
        onnx_bytes: the model.
        states: the number of states chosen.
        table: all complete windows.
        incomplete: how many windows lacked a reading.
        metrics, baselines: by name.
    """

    name: str
    version: str
    onnx_bytes: bytes
    states: int
    table: WindowTable
    incomplete: int
    metrics: dict[str, Metric]
    baselines: dict[str, Metric]


def input_features() -> tuple[CardFeature, ...]:
    """The inputs as the card declares them; none may be missing."""
    units = {feature.name: feature.unit for feature in POWER_FEATURES}
    return tuple(CardFeature(name, units[name], required=True) for name in INPUTS)


def describe(training: Training) -> ModelCard:
    """Write the card."""
    features = input_features()
    parts = {"training": TRAIN_DAYS, "calibration": CALIBRATION_DAYS, "held_out": HELD_OUT_DAYS}
    return ModelCard(
        name=training.name,
        version=training.version,
        domain=Domain.POWER,
        window_s=WINDOW_S,
        features=features,
        feature_schema_hash=feature_schema_hash(features),
        onnx_sha256=hashlib.sha256(training.onnx_bytes).hexdigest(),
        threshold=THRESHOLD,
        labels=LABELS,
        alerts=True,
        score_meaning=_score_meaning(),
        missing_values=_MISSING_VALUES,
        training_data=_TRAINING_DATA,
        subjects={"houses": 1, "days": int(np.unique(training.table.days).size)},
        records={
            "all": len(training.table.days),
            **{name: len(of_days(training.table, days).days) for name, days in parts.items()},
            "left_out_incomplete": training.incomplete,
        },
        split_protocol=_split_protocol(training.states),
        metrics=training.metrics,
        limitations=_LIMITATIONS,
        baselines=training.baselines,
        libraries=library_versions(),
    )


def _score_meaning() -> str:
    alarms = round(FALSE_ALARM_RATE * DAY_S / WINDOW_S, 1)
    return (
        "How unusual 300 s of voltage, current and power are for this house: the share of the windows of seven usual "
        f"days (the calibration) that are less unusual. A score of {THRESHOLD:g} or more is expected on "
        f"{100 * FALSE_ALARM_RATE:g} % of usual windows, {alarms:g} a day; of 0.95 or more on 5 %. It says neither "
        "what is wrong nor whether anything is."
    )


_MISSING_VALUES = (
    "Nothing is imputed: a window without VOLT, AMP or WATT is refused with the reason missing_feature:NAME and gets "
    "no score. A window that lacks some readings is scored by those it has, which no training window did."
)

_TRAINING_DATA = (
    "UCI Individual household electric power consumption (data set 235, CC BY 4.0), its first file: one house near "
    "Paris, active power, voltage and current once a minute, 16 December 2006 17:24 to 11 January 2007 14:50. No "
    "labels. Features by udfs.power in windows of 300 s with all five readings of each sensor."
)

_LIMITATIONS = (
    "One house, less than four weeks of one winter, Christmas and New Year among them: no summer, no other house, no "
    "other meter. In another house nearly everything is unusual, and the false-alarm rate means nothing: train and "
    "calibrate again on its own weeks.",
    "The false-alarm rate is an average over days like those of the calibration. Windows of a day resemble each "
    "other, so alarms come in runs (held_out_false_alarm_rate tells the worst day). Seven held-out days cannot show "
    "rare days.",
    "That a window is unusual is not that it is faulty, and much that is faulty is usual: a load twice as large is "
    "hardly noticed (detected_load_doubled), a stuck current or power sensor only when the load has changed since. A "
    "stuck voltage is noticed because five readings of this meter are never equal; coarser ones would be.",
    "The injected faults are a recipe, not faults that happened; a larger one is easier to find than a real one.",
    "One conductor (l1), 230 V, 39 A at most, one reading a minute in steps of 0.01 V, 2 W and 0.2 A. Other "
    "steps or intervals change the spreads within a window and with them the score.",
    "No hour of the day and no memory: the same load is as usual at night as at noon, and a slow drift is not seen.",
    "The number of states was chosen on the training days, but inputs and offsets while the false-alarm rates of the "
    "later days were in sight.",
)


def _split_protocol(states: int) -> str:
    recipes = "; ".join(f"{name}: {words}" for name, (words, _) in FAULTS.items())
    return (
        "By calendar day in order of time, no day in two parts: trained on 16 to 28 December (13 days, the first in "
        "part), calibrated on 29 December to 4 January, measured on 5 to 11 January (the last in part). The model in "
        "the file is the one measured. A mixture of normal distributions of the logarithms of the inputs and of the "
        f"spreads of U and P; their number chosen from {list(STATES)} by the likelihood of training days left out, "
        f"every {FOLDS}th at a time: {states}; no variance below {MIN_VARIANCE:g} of an input's own. "
        "Score: rank among the calibration windows (split conformal). detected_*: held-out windows, each spoiled by "
        f"itself, share with a score of {THRESHOLD:g} or more. {recipes}. Baselines, calibrated on the same days: "
        "limits_* ranks the most unusual input alone; one_state_* is a single normal distribution (Mahalanobis "
        "distance). Intervals: 95 % bootstrap over days."
    )
