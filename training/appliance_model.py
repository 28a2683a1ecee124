"""The appliance model: how it is built, tuned inside the training groups only, and exported."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from training.appliance_events import ApplianceTable, FloatArray, IntArray
from training.export import INPUT_NAME, to_onnx
from training.tuning import SEED

POWER = "active_power_total_watt"
SIGNED = (POWER, "reactive_power_fundamental_var", "power_factor", "displacement_power_factor")
"""Inputs that change their sign when the current transformer is turned round."""
INPUTS = (
    "amp_rms_l1_ampere",
    "amp_crest_l1",
    "amp_thd_l1_pct",
    *(f"amp_harmonic_{order}_pct" for order in (3, 5, 7, 9, 11)),
    "active_power_total_watt",
    "apparent_power_total_va",
    "reactive_power_fundamental_var",
    "nonactive_power_total_va",
    "power_factor",
    "displacement_power_factor",
    "vi_trajectory_area",
)
"""What the model sees: the load's own quantities. Nothing of the voltage: it tells when and where an event was
recorded (see the baseline voltage_only)."""

TREES = 100
INPUTS_PER_SPLIT = ("sqrt", 0.5, None)
"""What is tuned: how many inputs a split chooses from (their root, half, all)."""
INNER_FOLDS = 3
RIGHT_SHARE = 0.9
MIN_NAMED_SHARE = 0.2
_THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(14))

PerSplit = str | float | None
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def build_model(per_split: PerSplit) -> Pipeline:
    """The untrained model: extremely randomised trees, seeded, as a pipeline of one step."""
    trees = ExtraTreesClassifier(TREES, max_features=per_split, random_state=SEED, n_jobs=1)
    return Pipeline([("trees", trees)])


def signed_mask(names: tuple[str, ...] = INPUTS) -> NDArray[np.bool_]:
    """Which inputs have a sign, shape [k]."""
    return np.isin(names, SIGNED)


def as_consumed(features: FloatArray, names: tuple[str, ...] = INPUTS) -> NDArray[np.float32]:
    """The inputs with every sign counted from that of the active power, so that an appliance consumes: [r, k].

    A turned current transformer thus gives the same row.
    """
    rows = features.astype(np.float32)
    if POWER not in names:  # of the voltage alone nothing is signed
        return rows
    sign = np.sign(rows[:, names.index(POWER)])[:, np.newaxis]
    return np.where(signed_mask(names), rows * sign, rows)


def fit(per_split: PerSplit, table: ApplianceTable, names: tuple[str, ...] = INPUTS) -> Pipeline:
    """Train on every row of the table, in single precision as the exported model will compute."""
    model = build_model(per_split)
    model.fit(as_consumed(table.features, names), table.codes)
    return model


def probabilities(model: Pipeline, features: FloatArray, names: tuple[str, ...] = INPUTS) -> FloatArray:
    """Of each class the model knows, shape [r, classes]."""
    return np.asarray(model.predict_proba(as_consumed(features, names)), dtype=np.float64)


def group_folds(table: ApplianceTable, groups: IntArray, *, count: int, seed: int) -> list[Fold]:
    """Folds that hold the classes in like shares and never split a group: (train, test) indices of rows."""
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is missing from some test parts: there is no other way.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(table.features, table.codes, groups))


def choose(
    table: ApplianceTable, groups: IntArray, *, seed: int, names: tuple[str, ...] = INPUTS
) -> tuple[PerSplit, float]:
    """The setting with the best macro F1 over inner folds that keep groups together, and the label threshold."""
    folds = group_folds(table, groups, count=INNER_FOLDS, seed=seed)
    tried = {per_split: _out_of_fold(table, folds, per_split, names) for per_split in INPUTS_PER_SPLIT}
    best = max(INPUTS_PER_SPLIT, key=lambda per_split: _macro_f1(table.codes, tried[per_split][0]))
    named, scores = tried[best]
    return best, naming_threshold(scores, named == table.codes)


def naming_threshold(scores: FloatArray, right: NDArray[np.bool_]) -> float:
    """The lowest threshold at which nine of ten named rows are right.

    Where none is, the one with the largest share of right names among those that still name a fifth of the rows.
    """
    named = {threshold: scores >= threshold for threshold in _THRESHOLDS}
    share = {threshold: float(np.mean(right[rows])) if rows.any() else 0.0 for threshold, rows in named.items()}
    if good := [threshold for threshold in _THRESHOLDS if share[threshold] >= RIGHT_SHARE]:
        return good[0]
    naming = [threshold for threshold in _THRESHOLDS if np.mean(named[threshold]) >= MIN_NAMED_SHARE]
    return max(naming or _THRESHOLDS[:1], key=lambda threshold: share[threshold])


def _out_of_fold(
    table: ApplianceTable, folds: list[Fold], per_split: PerSplit, names: tuple[str, ...]
) -> tuple[IntArray, FloatArray]:
    """Code and score of each row by a model that never saw its group, each [r]."""
    named = np.zeros(table.codes.size, dtype=np.int64)
    scores = np.zeros(table.codes.size)
    for train, test in folds:
        named[test], scores[test] = name_rows(fit(per_split, table.keep(train), names), table.keep(test), names)
    return named, scores


def name_rows(model: Pipeline, table: ApplianceTable, names: tuple[str, ...] = INPUTS) -> tuple[IntArray, FloatArray]:
    """The likeliest code of each row and its probability, each [r]."""
    shares = probabilities(model, table.features, names)
    return model.classes_[np.argmax(shares, axis=1)].astype(np.int64), np.max(shares, axis=1)


def _macro_f1(truth: IntArray, named: IntArray) -> float:
    return float(f1_score(truth, named, average="macro", labels=np.unique(truth), zero_division=0.0))


def export(model: Pipeline, *, name: str) -> bytes:
    """The trained model as ONNX, with `as_consumed` as its first step."""
    proto = onnx.load_from_string(to_onnx(model, name=name, feature_count=len(INPUTS)))
    graph, mask = proto.graph, signed_mask().astype(np.float32)[np.newaxis]
    for node in graph.node:
        node.input[:] = ["consumed" if each == INPUT_NAME else each for each in node.input]
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([INPUTS.index(POWER)], dtype=np.int64), "power_index"),
            numpy_helper.from_array(mask, "signed"),
            numpy_helper.from_array(np.float32(1.0) - mask, "unsigned"),
        ]
    )
    # features * (unsigned + signed * sign(P))
    steps = [
        helper.make_node("Gather", [INPUT_NAME, "power_index"], ["power"], axis=1),
        helper.make_node("Sign", ["power"], ["sign"]),
        helper.make_node("Mul", ["sign", "signed"], ["signs"]),
        helper.make_node("Add", ["signs", "unsigned"], ["factors"]),
        helper.make_node("Mul", [INPUT_NAME, "factors"], ["consumed"]),
    ]
    nodes = [*steps, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(proto)
    return proto.SerializeToString(deterministic=True)
