"""The whole extractor on walks with a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.health import GAIT_FEATURE_NAMES
from tests.builders_gait import curve, even_plan, even_walk, human_walk, uneven_plan, walk
from udfs.gait import extract_batch, extract_gait_features

LEFT_RIGHT = [
    (name, name.replace("left", "right")) for name in GAIT_FEATURE_NAMES if "left" in name.replace("_", " ").split()
]


def features_of(force: np.ndarray, rate_hz: float = 100.0) -> dict[str, float]:
    result = extract_gait_features(force, sample_rate_hz=rate_hz)
    assert result.reason == "ok"
    return dict(zip(GAIT_FEATURE_NAMES, result.values.tolist(), strict=True))


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 250.0])
@pytest.mark.parametrize("stride_s", [0.7, 1.1, 1.63])
def test_stride_and_cadence_are_the_walk_s_own(stride_s: float, rate_hz: float) -> None:
    force = even_walk(stride_s=stride_s, stance_s=0.62 * stride_s, rate_hz=rate_hz)
    found = features_of(force, rate_hz)
    for part in ("left", "right", "mean"):
        assert found[f"stride_time_{part}_s"] == pytest.approx(stride_s, abs=0.002)
        assert found[f"step_time_{part}_s"] == pytest.approx(stride_s / 2, abs=0.5 / rate_hz)
    assert found["cadence_steps_per_min"] == pytest.approx(120 / stride_s, rel=0.003)
    assert found["stride_time_cv_pct"] < 0.5
    # The feet fall on different parts of a sample step: their swings differ by less than one sample.
    assert found["swing_time_ga_pct"] < 100 / rate_hz / found["swing_time_mean_s"]


def test_stance_swing_and_double_support_are_those_at_20_newton() -> None:
    found = features_of(even_walk(stride_s=1.1, stance_s=0.68))
    share = np.linspace(0.0, 1.0, 100_001)
    loaded = share[800.0 * curve(share) >= 20.0]
    stance = 0.68 * (loaded[-1] - loaded[0])
    assert found["stance_time_mean_s"] == pytest.approx(stance, abs=0.003)
    assert found["swing_time_mean_s"] == pytest.approx(1.1 - stance, abs=0.003)
    assert found["stance_mean_pct"] + found["swing_mean_pct"] == pytest.approx(100.0)
    # Both double supports of a stride: stance minus the other foot's swing.
    assert found["double_support_time_mean_s"] == pytest.approx(2 * stance - 1.1, abs=0.005)
    assert found["double_support_initial_mean_pct"] == pytest.approx(found["double_support_mean_pct"] / 2, abs=0.3)


def test_peaks_valley_impulse_and_weight_are_those_of_the_curve() -> None:
    found = features_of(even_walk(stride_s=1.1, stance_s=0.68))
    share = np.linspace(0.0, 1.0, 100_001)
    shape = curve(share)
    weight = 2 * 800.0 * float(np.mean(shape)) * 0.68 / 1.1
    assert found["walking_force_mean_newton"] == pytest.approx(weight, rel=0.002)
    peak = 800.0 * float(shape.max()) / weight
    assert found["peak_f1_mean_bw"] == pytest.approx(peak, rel=0.003)
    assert found["peak_f2_mean_bw"] == pytest.approx(peak, rel=0.003)
    assert found["valley_fmin_mean_bw"] == pytest.approx(800.0 * float(curve(np.array([0.5]))[0]) / weight, rel=0.003)
    # Over a whole stride two equal feet carry the weight: one stance's impulse is half of weight x stride time.
    assert found["impulse_mean_bw_s"] == pytest.approx(1.1 / 2, rel=0.003)
    assert found["peak_f1_time_mean_pct"] + found["peak_f2_time_mean_pct"] == pytest.approx(100.0, abs=2.0)
    steepest = 800.0 * float(np.max(np.diff(shape))) * 100_000 / 0.68 / weight
    assert found["loading_rate_max_mean_bw_per_s"] == pytest.approx(steepest, rel=0.05)


def test_variability_is_that_of_the_strikes() -> None:
    generator = np.random.default_rng(11)
    strikes = np.cumsum(generator.normal(1.1, 0.03, 130))
    left = uneven_plan(strikes, stance_share=0.62)
    right = uneven_plan(strikes + 0.55, stance_share=0.62)
    found = features_of(walk(left, right, duration_s=140.0))
    assert found["stride_time_sd_s"] == pytest.approx(0.03, rel=0.15)
    assert found["stride_time_cv_pct"] == pytest.approx(100 * found["stride_time_sd_s"] / 1.1, rel=0.05)
    assert np.isfinite(found["stride_time_dfa_alpha"])


def test_the_load_rolls_from_heel_to_toe() -> None:
    found = features_of(even_walk())
    course = [found[f"cop_ap_{place}_mean_au"] for place in range(10, 100, 10)]
    assert course == sorted(course)
    assert found["cop_ap_excursion_mean_au"] > 800
    assert sum(found[f"sensor_share_{number}_mean_pct"] for number in range(1, 9)) == pytest.approx(100.0)
    rear = sum(found[f"sensor_share_{number}_mean_pct"] for number in (1, 2, 3))
    assert found["heel_share_mean_pct"] == pytest.approx(rear)


def test_a_limp_shows_as_asymmetry() -> None:
    left = even_plan(stride_s=1.1, stance_s=0.60, duration_s=60.0)
    right = even_plan(stride_s=1.1, stance_s=0.72, duration_s=60.0, phase=0.5, scale=0.9)
    found = features_of(walk(left, right, duration_s=60.0))
    expected = 100 * abs(np.log(found["swing_time_right_s"] / found["swing_time_left_s"]))
    assert found["swing_time_ga_pct"] == pytest.approx(expected) and expected > 20
    assert found["peak_f1_si_pct"] == pytest.approx(100 * 0.1 / 0.95, rel=0.02)
    assert found["stance_time_si_pct"] < -10


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_exchanging_the_feet_mirrors_the_features(seed: int) -> None:
    force = human_walk(seed=seed, duration_s=40.0)
    found, mirrored = features_of(force), features_of(np.hstack([force[:, 8:], force[:, :8]]))
    for left, right in LEFT_RIGHT:
        assert mirrored[left] == pytest.approx(found[right], rel=1e-9)
    for name in GAIT_FEATURE_NAMES:
        if name.endswith("_si_pct"):
            assert mirrored[name] == pytest.approx(-found[name], rel=1e-9)
        elif "left" not in name and "right" not in name:
            assert mirrored[name] == pytest.approx(found[name], rel=1e-9, nan_ok=True)


@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1.0, 1.5))
@settings(max_examples=15, deadline=None)
def test_a_heavier_walker_has_the_same_gait_in_body_weights(seed: int, factor: float) -> None:
    force = human_walk(seed=seed, duration_s=40.0)
    found, heavier = features_of(force), features_of(force * factor)
    assert heavier["walking_force_mean_newton"] == pytest.approx(factor * found["walking_force_mean_newton"], rel=0.01)
    # Contact is judged at 20 N, which a heavier foot passes a little sooner: hence the tolerance.
    for name in (
        "peak_f1_mean_bw",
        "peak_f2_mean_bw",
        "valley_fmin_mean_bw",
        "impulse_mean_bw_s",
        "stride_time_mean_s",
    ):
        assert heavier[name] == pytest.approx(found[name], rel=0.01)


@given(seed=st.integers(0, 2**32 - 1), shift=st.integers(1, 150))
@settings(max_examples=15, deadline=None)
def test_standing_before_the_walk_hardly_changes_its_timing(seed: int, shift: int) -> None:
    force = human_walk(seed=seed, duration_s=60.0)
    found = features_of(force)
    shifted = features_of(np.vstack([np.zeros((shift, 16)), force]))
    for name in ("stride_time_mean_s", "stance_time_mean_s", "peak_f1_mean_bw", "heel_share_mean_pct"):
        assert shifted[name] == pytest.approx(found[name], rel=0.02)


def test_a_stride_that_touches_a_gap_is_dropped_and_not_bridged() -> None:
    force = even_walk(stride_s=1.1, stance_s=0.68, duration_s=60.0)
    whole = features_of(force)
    force[3_000:3_150] = np.nan
    broken = features_of(force)
    assert whole["stride_count_left"] - 4 <= broken["stride_count_left"] <= whole["stride_count_left"] - 2
    for name in (
        "stride_time_mean_s",
        "stance_time_mean_s",
        "swing_time_mean_s",
        "peak_f1_mean_bw",
        "impulse_mean_bw_s",
    ):
        assert broken[name] == pytest.approx(whole[name], rel=1e-3)
    assert broken["stride_time_cv_pct"] < 0.5


@given(st.lists(st.tuples(st.integers(0, 5_900), st.integers(1, 40)), max_size=12))
@settings(max_examples=25, deadline=None)
def test_gaps_anywhere_never_make_a_wrong_stride(gaps: list[tuple[int, int]]) -> None:
    force = even_walk(stride_s=1.1, stance_s=0.68, duration_s=60.0)
    for start, length in gaps:
        force[start : start + length] = np.nan
    result = extract_gait_features(force, sample_rate_hz=100.0)
    found = dict(zip(GAIT_FEATURE_NAMES, result.values.tolist(), strict=True))
    if result.reason == "ok":
        assert found["stride_time_mean_s"] == pytest.approx(1.1, abs=0.003)
        assert found["stride_time_cv_pct"] < 0.6
    else:
        assert result.reason == "too_few_strides"


def test_a_turn_is_no_stride() -> None:
    generator = np.random.default_rng(2)
    times = generator.normal(1.1, 0.01, 60)
    times[30] = 1.9
    strikes = np.cumsum(times)
    force = walk(
        uneven_plan(strikes, stance_share=0.62), uneven_plan(strikes + 0.55, stance_share=0.62), duration_s=64.0
    )
    found = features_of(force)
    assert found["stride_time_mean_s"] == pytest.approx(1.1, abs=0.01)
    assert found["stride_time_cv_pct"] < 1.5


def test_a_batch_equals_its_sessions_to_the_last_bit() -> None:
    forces = [human_walk(seed=seed, duration_s=20.0 + 9 * seed) for seed in range(5)]
    forces[2] = forces[2][:100]
    values, reasons = extract_batch(forces, [100.0] * 5)
    for row, (force, reason) in enumerate(zip(forces, reasons, strict=True)):
        single = extract_gait_features(force, sample_rate_hz=100.0)
        assert values[row].tobytes() == single.values.tobytes()
        assert reason == single.reason
    assert reasons == ["ok", "ok", "too_short", "ok", "ok"]


def test_memory_layout_and_precision_of_the_input_change_nothing() -> None:
    force = human_walk(seed=3).astype(np.float32)
    expected = extract_gait_features(force.astype(np.float64), sample_rate_hz=100.0).values.tobytes()
    for same in (force, np.asfortranarray(force), force.astype(np.float64)[::1]):
        assert extract_gait_features(same, sample_rate_hz=100.0).values.tobytes() == expected


def test_the_input_is_left_as_it_was() -> None:
    force = human_walk(seed=4)
    force[100:105, 3] = np.inf
    before = force.copy()
    extract_gait_features(force, sample_rate_hz=100.0)
    np.testing.assert_array_equal(force, before)
