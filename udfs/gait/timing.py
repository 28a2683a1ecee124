"""Timing features of both feet: means and spread of stride, stance, swing, step and double support."""

from __future__ import annotations

import numpy as np

from schemas.health import SIDES
from udfs.gait.coordination import gait_asymmetry_pct, phase_coordination_index_pct, symmetry_index_pct
from udfs.gait.strides import FootStrides
from udfs.gait.variability import coefficient_of_variation_pct, detrended_sd, dfa_alpha, mean, standard_deviation

Features = dict[str, float]


def pair_features(pattern: str, left: float, right: float) -> Features:
    """The three columns of a per-foot quantity: left, right and their mean (NaN when one is)."""
    return {
        pattern.format("left"): left,
        pattern.format("right"): right,
        pattern.format("mean"): 0.5 * (left + right),
    }


def timing_features(left: FootStrides, right: FootStrides) -> Features:
    """Means per foot and of both feet; times in s, shares in % of the foot's own stride."""
    feet = (left, right)
    features: Features = {f"stride_count_{side}": float(foot.count) for side, foot in zip(SIDES, feet, strict=True)}
    for pattern, values in (
        ("stride_time_{}_s", [foot.stride_time for foot in feet]),
        ("stance_time_{}_s", [foot.stance_time for foot in feet]),
        ("swing_time_{}_s", [foot.swing_time for foot in feet]),
        # A step is named after the foot that lands: the left foot's step lies in the strides of the right.
        ("step_time_{}_s", [right.other_step_time, left.other_step_time]),
        ("stance_{}_pct", [100.0 * foot.stance_time / foot.stride_time for foot in feet]),
        ("swing_{}_pct", [100.0 * foot.swing_time / foot.stride_time for foot in feet]),
        ("double_support_initial_{}_pct", [100.0 * foot.initial_double_support / foot.stride_time for foot in feet]),
    ):
        features |= pair_features(pattern, mean(values[0]), mean(values[1]))
    features["cadence_steps_per_min"] = 120.0 / features["stride_time_mean_s"]
    features["double_support_time_mean_s"] = _of_both([mean(foot.double_support) for foot in feet])
    features["double_support_mean_pct"] = _of_both(
        [100.0 * mean(foot.double_support / foot.stride_time) for foot in feet]
    )
    return features


def variability_features(left: FootStrides, right: FootStrides) -> Features:
    """SD and CV over the strides of each foot, then the mean of the two feet; DFA likewise."""
    feet = (left, right)
    features: Features = {}
    for name, series in (
        ("stride_time", [foot.stride_time for foot in feet]),
        ("stance_time", [foot.stance_time for foot in feet]),
        ("swing_time", [foot.swing_time for foot in feet]),
        ("step_time", [foot.other_step_time for foot in feet]),
        ("double_support_time", [foot.double_support for foot in feet]),
    ):
        features[f"{name}_sd_s"] = _of_both([standard_deviation(values) for values in series])
        features[f"{name}_cv_pct"] = _of_both([coefficient_of_variation_pct(values) for values in series])
    features["stride_time_detrended_sd_s"] = _of_both([detrended_sd(foot.stride_time) for foot in feet])
    features["stride_time_dfa_alpha"] = _of_both([dfa_alpha(foot.stride_time) for foot in feet])
    return features


def coordination_features(left: FootStrides, right: FootStrides) -> Features:
    """Asymmetry of the feet's mean times, and PCI led by the foot with the longer swing (Plotnik 2007)."""
    swing = (mean(left.swing_time), mean(right.swing_time))
    stance = (mean(left.stance_time), mean(right.stance_time))
    step = (mean(right.other_step_time), mean(left.other_step_time))
    leading = left if swing[0] >= swing[1] else right
    return {
        "swing_time_ga_pct": gait_asymmetry_pct(*swing),
        "swing_time_si_pct": symmetry_index_pct(*swing),
        "stance_time_si_pct": symmetry_index_pct(*stance),
        "step_time_si_pct": symmetry_index_pct(*step),
        "phase_coordination_index_pct": phase_coordination_index_pct(leading.other_step_time, leading.stride_time),
    }


def _of_both(values: list[float]) -> float:
    """Mean over the feet; NaN when one foot has none."""
    return float(np.add.reduce(np.asarray(values, dtype=np.float64)) / len(values))
