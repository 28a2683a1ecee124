"""What is no walk gives missing values and the reason, never an exception or a plausible number."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.health import GAIT_FEATURE_NAMES, GAIT_FEATURES, GaitReason
from tests.builders_gait import even_walk, human_walk
from udfs.gait import extract_batch, extract_gait_features

COUNTS = {"stride_count_left", "stride_count_right"}


def one_foot(side: int) -> np.ndarray:
    force = human_walk(seed=1)
    force[:, 8 * side : 8 * side + 8] = 0.0
    return force


def with_column(value: float, column: int = 5) -> np.ndarray:
    force = human_walk(seed=1)
    force[:, column] = value
    return force


REFUSED = {
    "empty": (np.zeros((0, 16)), 100.0, "too_short"),
    "one sample": (np.full((1, 16), 40.0), 100.0, "too_short"),
    "four seconds": (human_walk(seed=1)[:400], 100.0, "too_short"),
    "ten seconds": (human_walk(seed=1)[:600], 100.0, "too_few_strides"),
    "all zero": (np.zeros((3_000, 16)), 100.0, "no_contact"),
    "constant": (np.full((3_000, 16), 50.0), 100.0, "no_steps"),
    "saturated throughout": (np.full((3_000, 16), 5_000.0), 100.0, "no_steps"),
    "all missing": (np.full((3_000, 16), np.nan), 100.0, "missing_channels"),
    "all infinite": (np.full((3_000, 16), np.inf), 100.0, "missing_channels"),
    "left foot only": (one_foot(1), 100.0, "no_contact"),
    "right foot only": (one_foot(0), 100.0, "no_contact"),
    "a channel missing": (with_column(np.nan), 100.0, "missing_channels"),
    "a channel stuck high": (with_column(900.0), 100.0, "no_steps"),
    "fifteen channels": (np.zeros((3_000, 15)), 100.0, "wrong_shape"),
    "one dimension": (np.zeros(3_000), 100.0, "wrong_shape"),
    "rate of zero": (human_walk(seed=1), 0.0, "wrong_rate"),
    "rate of NaN": (human_walk(seed=1), float("nan"), "wrong_rate"),
    "rate negative": (human_walk(seed=1), -100.0, "wrong_rate"),
    "rate ten times too low": (human_walk(seed=1), 20.0, "too_few_strides"),
    "rate ten times too high": (human_walk(seed=1), 1_000.0, "no_steps"),
}


@pytest.mark.parametrize(("force", "rate_hz", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_walk_has_no_features_but_a_reason(force: np.ndarray, rate_hz: float, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = extract_gait_features(force, sample_rate_hz=rate_hz)
    assert result.reason == reason
    assert result.values.shape == (len(GAIT_FEATURES),)
    for name, value in zip(GAIT_FEATURE_NAMES, result.values, strict=True):
        assert name in COUNTS or np.isnan(value)


def test_a_clipped_sensor_keeps_timing_and_loses_force() -> None:
    force = human_walk(seed=1)
    force[:, 2] = np.minimum(force[:, 2], 60.0)
    result = extract_gait_features(force, sample_rate_hz=100.0)
    found = dict(zip(GAIT_FEATURE_NAMES, result.values, strict=True))
    assert result.reason == "saturated"
    assert found["stride_time_mean_s"] == pytest.approx(1.1, abs=0.02)
    assert np.isnan(found["peak_f1_mean_bw"]) and np.isnan(found["cop_path_mean_au"])


@pytest.mark.parametrize("factor", [0.08, 20.0])
def test_a_force_that_no_person_has_keeps_timing_and_loses_force(factor: float) -> None:
    result = extract_gait_features(human_walk(seed=1) * factor, sample_rate_hz=100.0)
    found = dict(zip(GAIT_FEATURE_NAMES, result.values, strict=True))
    assert result.reason == "implausible_force"
    assert np.isfinite(found["stride_time_mean_s"])
    assert np.isnan(found["walking_force_mean_newton"]) and np.isnan(found["peak_f1_mean_bw"])


def test_a_good_walk_gives_no_warning_and_misses_only_what_needs_more_strides() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = extract_gait_features(even_walk(duration_s=22.0), sample_rate_hz=100.0)
    missing = {name for name, value in zip(GAIT_FEATURE_NAMES, result.values, strict=True) if np.isnan(value)}
    assert result.reason == "ok"
    assert missing == {"phase_coordination_index_pct", "stride_time_dfa_alpha"}


def test_an_empty_batch_is_an_empty_table() -> None:
    values, reasons = extract_batch([], [])
    assert values.shape == (0, len(GAIT_FEATURES))
    assert reasons == []


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(0, 900), st.just(16)),
        elements=st.floats(width=64, allow_nan=True, allow_infinity=True),
        fill=st.sampled_from([0.0, 30.0, -5.0, np.nan]),
    ),
    st.sampled_from([20.0, 50.0, 100.0]),
)
@settings(max_examples=60, deadline=None)
def test_no_numbers_whatever_raise_or_give_an_infinite_feature(force: np.ndarray, rate_hz: float) -> None:
    with np.errstate(all="ignore"):
        result = extract_gait_features(force, sample_rate_hz=rate_hz)
    assert not np.isinf(result.values).any()
    assert result.reason in set(GaitReason)
