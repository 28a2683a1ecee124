"""The single measures against answers known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.gait.coordination import gait_asymmetry_pct, phase_coordination_index_pct, symmetry_index_pct
from udfs.gait.pressure_centre import cop_ellipse_area_95, cop_path_length, cop_range, cop_velocity, pressure_centre
from udfs.gait.variability import coefficient_of_variation_pct, detrended_sd, dfa_alpha, mean, standard_deviation

positive = st.floats(0.01, 100.0)


def test_spread_uses_n_minus_one_and_skips_missing_values() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0])
    assert mean(values) == 2.0
    assert standard_deviation(values) == 1.0
    assert coefficient_of_variation_pct(values) == 50.0


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan]), np.array([1.0])])
def test_spread_of_fewer_than_two_values_is_missing(values: np.ndarray) -> None:
    assert math.isnan(standard_deviation(values))
    assert math.isnan(coefficient_of_variation_pct(values))


def test_a_drift_of_pace_is_no_variability() -> None:
    drift = np.linspace(1.0, 1.5, 60)
    noise = np.random.default_rng(1).normal(0.0, 0.02, 60)
    assert detrended_sd(drift) == pytest.approx(0.0, abs=1e-12)
    assert detrended_sd(drift + noise) == pytest.approx(float(np.std(noise, ddof=1)), rel=0.05)


@pytest.mark.parametrize(("kind", "alpha"), [("white", 0.5), ("walk", 1.5)])
def test_dfa_of_known_noise(kind: str, alpha: float) -> None:
    white = np.random.default_rng(7).standard_normal(4_000)
    series = white if kind == "white" else np.cumsum(white)
    assert dfa_alpha(series) == pytest.approx(alpha, abs=0.1)


def test_dfa_needs_a_hundred_varying_strides() -> None:
    noise = np.random.default_rng(3).standard_normal(100)
    assert math.isnan(dfa_alpha(noise[:99]))
    assert math.isfinite(dfa_alpha(noise))
    assert math.isnan(dfa_alpha(np.ones(200)))


def test_asymmetry_of_known_values() -> None:
    assert gait_asymmetry_pct(0.36, 0.40) == pytest.approx(100 * math.log(0.40 / 0.36))
    assert symmetry_index_pct(1.1, 0.9) == pytest.approx(20.0)
    assert math.isnan(gait_asymmetry_pct(0.0, 0.4))
    assert math.isnan(symmetry_index_pct(math.nan, 0.4))


@given(positive, positive)
def test_asymmetry_does_not_know_left_from_right_but_the_index_does(left: float, right: float) -> None:
    assert gait_asymmetry_pct(left, right) == gait_asymmetry_pct(right, left) >= 0
    assert symmetry_index_pct(left, right) == -symmetry_index_pct(right, left)


def test_pci_of_a_constant_phase_is_its_distance_from_half_a_stride() -> None:
    strides = np.full(40, 1.1)
    assert phase_coordination_index_pct(strides * 0.5, strides) == pytest.approx(0.0, abs=1e-9)
    assert phase_coordination_index_pct(strides * 0.55, strides) == pytest.approx(10.0)
    assert math.isnan(phase_coordination_index_pct(strides[:29] * 0.5, strides[:29]))


def test_cop_of_two_sensors_lies_where_the_lever_balances() -> None:
    force = np.array([[30.0, 0.0, 0.0], [10.0, 40.0, 0.0]])
    x = pressure_centre(force, np.array([0.0, 4.0]), total=force.sum(axis=0))
    assert x[:2].tolist() == [1.0, 4.0]
    assert math.isnan(x[2])


def test_cop_measures_of_a_circle() -> None:
    angle = np.linspace(0.0, 2 * np.pi, 10_000, endpoint=False)
    x, y = 3.0 * np.cos(angle), 3.0 * np.sin(angle)
    assert cop_path_length(x, y) == pytest.approx(2 * np.pi * 3.0, rel=1e-3)
    assert cop_velocity(x, y, sample_rate_hz=100.0) == pytest.approx(2 * np.pi * 3.0 / 100.0, rel=1e-3)
    assert cop_range(x) == pytest.approx(6.0)
    # Both variances are r^2 / 2 and the covariance is zero.
    assert cop_ellipse_area_95(x, y) == pytest.approx(np.pi * 5.991 * 4.5, rel=1e-3)


def test_cop_measures_work_row_by_row_and_leave_missing_samples_out() -> None:
    generator = np.random.default_rng(5)
    x, y = generator.standard_normal((2, 3, 50))
    padded = [np.concatenate([axis, np.full((3, 7), np.nan)], axis=1) for axis in (x, y)]
    for measure in (cop_path_length, cop_ellipse_area_95):
        assert measure(*padded) == pytest.approx([float(measure(a, b)) for a, b in zip(x, y, strict=True)])
    assert cop_range(padded[0]) == pytest.approx(np.ptp(x, axis=1))


def test_ellipse_of_points_on_a_line_has_no_area_and_of_two_points_is_missing() -> None:
    line = np.arange(10.0)
    assert cop_ellipse_area_95(line, 2 * line) == pytest.approx(0.0, abs=1e-6)
    assert math.isnan(cop_ellipse_area_95(line[:2], line[:2]))
