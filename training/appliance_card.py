"""The words and numbers of the appliance model's card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from schemas.feature_schema import feature_schema_hash
from schemas.model_card import CardFeature, Metric, ModelCard
from schemas.power import POWER_FEATURES
from schemas.sensors import Domain
from training.appliance_events import SAME_BELOW, WINDOW_S, ApplianceTable, IntArray
from training.appliance_figures import OTHER_THRESHOLDS, OUTER_FOLDS, REPEATS, groups_per_class
from training.appliance_model import INNER_FOLDS, INPUTS, INPUTS_PER_SPLIT, TREES, PerSplit
from training.command import library_versions


@dataclass(frozen=True, slots=True)
class Training:
    """What came out of training, as the card needs it.

    Attributes:
        name, version: of the model.
        onnx_bytes: the model.
        per_split, threshold: the tuned setting and label threshold.
        table, groups: the rows it was trained on, and their groups of near-copies.
        metrics, baselines: by name.
    """

    name: str
    version: str
    onnx_bytes: bytes
    per_split: PerSplit
    threshold: float
    table: ApplianceTable
    groups: IntArray
    metrics: dict[str, Metric]
    baselines: dict[str, Metric]


def label_of(code: int) -> str:
    """The label of a code: 3 -> "class_03"."""
    return f"class_{code:02d}"


def input_features() -> tuple[CardFeature, ...]:
    """The inputs as the card declares them; none may be missing."""
    units = {feature.name: feature.unit for feature in POWER_FEATURES}
    return tuple(CardFeature(name, units[name], required=True) for name in INPUTS)


def describe(training: Training) -> ModelCard:
    """Write the card."""
    codes, counts = np.unique(training.table.codes, return_counts=True)
    features = input_features()
    groups = groups_per_class(training.table.codes, training.groups)
    return ModelCard(
        name=training.name,
        version=training.version,
        domain=Domain.POWER,
        window_s=WINDOW_S,
        features=features,
        feature_schema_hash=feature_schema_hash(features),
        onnx_sha256=hashlib.sha256(training.onnx_bytes).hexdigest(),
        threshold=training.threshold,
        labels=tuple(label_of(code) for code in codes.tolist()),
        # A running appliance is nothing to ring for.
        alerts=False,
        score_meaning=_SCORE_MEANING,
        missing_values=_MISSING_VALUES,
        training_data=_TRAINING_DATA,
        subjects={
            "near_copy_groups": int(np.unique(training.groups).size),
            **{label_of(code): count for code, count in groups.items()},
        },
        records={
            "all": training.table.codes.size,
            **{label_of(code): count for code, count in zip(codes.tolist(), counts.tolist(), strict=True)},
        },
        split_protocol=_split_protocol(training.per_split),
        metrics=training.metrics,
        limitations=_LIMITATIONS,
        baselines=training.baselines,
        libraries=library_versions(),
    )


_SCORE_MEANING = (
    "Share of the trees' votes for the likeliest of 12 appliance classes, 0 to 1. The classes are the codes of the "
    "data file, whose names it does not give. Below the threshold the label is unsure. Not a probability of being "
    "right: for the appliances of the training file it is nearly 1, for others it means little."
)

_MISSING_VALUES = (
    "Nothing is imputed: a window that lacks an input (no current, a saturated waveform, meter readings instead of "
    "waveforms) is refused with the reason missing_feature:NAME and gets no score."
)

_TRAINING_DATA = (
    "200 of the 250 appliance events that the AWRGNILM repository took from PLAID 2018 (CC BY 4.0), submetered: one "
    "60 Hz cycle of voltage and current at 30 kHz each. 12 classes by code (4 does not occur), 16 events each, class "
    "09 has 24. Neither the names of the classes nor houses or appliances are in the file. Features by udfs.power, "
    "one window an event. In 6 events (5 of class 08) the current transformer sat the wrong way round: signs are "
    "therefore counted from that of the active power, inside the model."
)

_LIMITATIONS = (
    "It knows the appliances of one file, not kinds of appliance: the figures fall from random_split to grouped to "
    "grouped_at_10_pct as likeness between training and test is taken away, and nothing here says how it does in a "
    "new house. Retrain on the appliances of the site.",
    "No house numbers are stored, so near-copies are found by likeness only. Trees that see the voltage alone do far "
    "better than chance under the same split (voltage_only), though a voltage knows no appliance: events of one "
    "recording still lie on both sides, and the grouped figures are optimistic too.",
    "Unsure does not guard against appliances it has never seen: see unknown_class_named_share, and class 03, whose "
    "events are confidently taken for class 12 when it is not in training; names given above the threshold are "
    "therefore no more often right than all names (grouped_named_accuracy).",
    "Class 03 is one group of near-copies: it is never in training when it is tested, so its F1 is 0 by "
    "construction. Classes 07, 12 and 13 have two or three groups, which are probably one appliance each.",
    "It is hardly better than the nearest training event (nearest_neighbour): the intervals overlap.",
    "One cycle of one appliance at 60 Hz and 120 V, submetered. Several appliances on one meter, 50 Hz mains, other "
    "voltages and longer waveforms (harmonics are then means over 12 cycles) are untested.",
    "The near-copy threshold, the inputs and the kind of model were settled while looking at figures of these same "
    "200 events.",
)


def _split_protocol(per_split: PerSplit) -> str:
    others = " and ".join(f"{threshold:g}" for threshold in OTHER_THRESHOLDS)
    settings = ", ".join("all" if each is None else str(each) for each in INPUTS_PER_SPLIT)
    chosen = "all" if per_split is None else per_split
    return (
        "Near-copies: the current without its mean, divided by the RMS voltage; relative difference |a - b| / "
        f"max(|a|, |b|), the nearer of b and -b; single linkage below {SAME_BELOW:g}. Why {SAME_BELOW:g}: the joining "
        "distances crowd at 0.01 to 0.04 and thin out above. No group is ever on both sides of a split, in tuning "
        f"neither. grouped_*: {REPEATS} x {OUTER_FOLDS}-fold cross-validation, stratified by class; inside each "
        f"fold's training groups, {INNER_FOLDS} inner folds choose the number of inputs per split ({settings}) by "
        "macro F1, and the threshold: the lowest at which nine of ten names given are right. testable_classes: those "
        f"of two or more groups. grouped_at_02/10_pct_*: groups at {others}. random_split_*: every event its own "
        "group, to show the leak. unknown_class_*: one class left out of training. Intervals: 95 % bootstrap over "
        "groups within each class. The model in the file was "
        f"tuned likewise and trained on all events: {TREES} extremely randomised trees, {chosen} inputs per split."
    )
