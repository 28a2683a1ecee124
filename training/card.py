"""The words and numbers of the gait model's card."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from schemas.feature_schema import feature_schema_hash
from schemas.model_card import CardFeature, Metric, ModelCard
from schemas.sensors import Domain
from training.dataset import GaitTable, Subjects
from training.evaluation import OUTER_FOLDS, REPEATS
from training.gaitpdb import is_patient, study_of
from training.tuning import INNER_FOLDS, INVERSE_REGULARISATION, LEAF, TREES

LABELS = ("control", "parkinson")


@dataclass(frozen=True, slots=True)
class Training:
    """What came out of training, as the card needs it.

    Attributes:
        name, version: of the model.
        features: its inputs in order.
        onnx_bytes: the model.
        c, threshold: the tuned regularisation and label threshold.
        table: the rows it was trained on.
        refused: the walks that gave no features, with the reason.
        metrics, baselines: by name.
        libraries: versions used.
    """

    name: str
    version: str
    features: tuple[CardFeature, ...]
    onnx_bytes: bytes
    c: float
    threshold: float
    table: GaitTable
    refused: list[str]
    metrics: dict[str, Metric]
    baselines: dict[str, Metric]
    libraries: dict[str, str]


def describe(training: Training) -> ModelCard:
    """Write the card."""
    return ModelCard(
        name=training.name,
        version=training.version,
        domain=Domain.HEALTH,
        features=training.features,
        feature_schema_hash=feature_schema_hash(training.features),
        onnx_sha256=hashlib.sha256(training.onnx_bytes).hexdigest(),
        threshold=training.threshold,
        labels=LABELS,
        score_meaning=_SCORE_MEANING,
        missing_values=_missing_values(training.features),
        training_data=_training_data(training.refused),
        subjects=_count(list(Subjects.of(training.table).names)),
        records=_count(list(training.table.records)),
        split_protocol=_split_protocol(training.c),
        metrics=training.metrics,
        limitations=_LIMITATIONS,
        baselines=training.baselines,
        libraries=training.libraries,
    )


_SCORE_MEANING = (
    "Likeness of one walking session (20 s or more, both feet) to the sessions of the Parkinson group, 0 to 1; the "
    "mean of a logistic regression's and an extra-trees forest's probability. Not calibrated for any population other "
    "than the training set's, in which 56 % of the people are patients."
)

_LIMITATIONS = (
    "This is no diagnosis and must not be used as one: it compares gait with that of two groups of one data set.",
    "The patients are diagnosed and treated, mostly Hoehn and Yahr stage 2 to 3; early disease is unknown.",
    "Patients walk slower than controls; part of the score is walking speed (see the baseline), which has many causes.",
    "One make of insole with eight sensors a foot at 100 Hz; another sensor layout needs another model.",
    "The three studies share device and group of researchers; the figures for a study left out of training are the "
    "better guide to a new site.",
    "The feature families were chosen while looking at subject-wise cross-validation on the same people, so the "
    "figures are somewhat optimistic even though training and tuning never saw the people scored.",
)


def _missing_values(features: tuple[CardFeature, ...]) -> str:
    optional = [feature.name for feature in features if not feature.required]
    return (
        "A row that lacks a required feature, or holds an infinite value, is refused with the reason "
        "missing_feature:NAME and gets no score. Missing "
        + ", ".join(optional)
        + " (it needs 30 strides) is replaced inside the model by the median of the training walks."
    )


def _training_data(refused: list[str]) -> str:
    return (
        "Part of PhysioNet gaitpdb 1.0.0 (ODC-By 1.0): vertical ground reaction force under both feet, 16 sensors, "
        "100 Hz, walks of about 1 to 4 minutes from the studies Ga (Yogev 2005), Ju (Hausdorff 2007) and Si "
        "(Frenkel-Toledo 2005). Dual-task walks (_10) are left out. The label is the group in the record's name. "
        "Each row is one whole walk, features by udfs.gait. "
        + (f"Left out for their quality: {', '.join(refused)}." if refused else "No walk was left out for its quality.")
    )


def _split_protocol(c: float) -> str:
    return (
        f"Every split is by subject, stratified by study and group. Figures: {REPEATS} x {OUTER_FOLDS}-fold "
        f"cross-validation; inside each fold's training people, {INNER_FOLDS} inner folds choose the regularisation "
        f"from {list(INVERSE_REGULARISATION)} and the label threshold. A subject's score is the mean over its walks "
        "(subject_*), its first walk alone (first_walk_*), or the mean over 20 s from the middle of each walk "
        "(short_session_*). leave_out_*: trained and tuned on the other two studies. Intervals: 95 % bootstrap over "
        f"subjects. The model in the file was tuned likewise and trained on all subjects: C = {c}, {TREES} trees, at "
        f"least {LEAF} rows in a leaf."
    )


def _count(names: list[str]) -> dict[str, int]:
    """How many in all, by group and by study."""
    groups = Counter(LABELS[is_patient(name)] for name in names)
    studies = Counter(study_of(name) for name in names)
    return {"all": len(names)} | dict(sorted(groups.items())) | dict(sorted(studies.items()))
