from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.recordings.synthetic_gait import (
    GRAVITY_M_PER_S2,
    GaitModel,
    Side,
    SyntheticGait,
    double_hump,
    synthesize_gait,
)
from schemas.errors import SettingsError
from schemas.sensors import INSOLE_CHANNELS

SIDES: tuple[Side, Side] = ("left", "right")


def _total(gait: SyntheticGait, side: Side) -> NDArray[Any]:
    columns = slice(0, 8) if side == "left" else slice(8, 16)
    total: NDArray[Any] = gait.recording.samples[:, columns].sum(axis=1)
    return total


def _in_stance(gait: SyntheticGait, side: Side) -> NDArray[Any]:
    """From the truth alone: whether each sample lies between a heel strike and the toe-off behind it."""
    truth = gait.truth[side]
    time_s = np.arange(len(gait.recording.samples)) / gait.recording.sample_rate_hz
    strikes = np.searchsorted(truth.heel_strikes_s, time_s, side="right")
    offs = np.searchsorted(truth.toe_offs_s, time_s, side="right")
    begins_in_stance = truth.toe_offs_s[0] < truth.heel_strikes_s[0]
    in_stance: NDArray[Any] = strikes + begins_in_stance > offs
    return in_stance


def test_same_seed_walks_the_same_way_and_another_does_not() -> None:
    first, again, other = (synthesize_gait(20.0, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.recording.samples, again.recording.samples)
    assert np.array_equal(first.truth["left"].heel_strikes_s, again.truth["left"].heel_strikes_s)
    assert not np.array_equal(first.recording.samples, other.recording.samples)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    duration_s=st.floats(3.0, 40.0),
    stride_time_s=st.floats(0.7, 2.0),
    stance_share=st.floats(0.5, 0.7),
    cv=st.floats(0.0, 0.08),
    asymmetry=st.floats(-0.15, 0.15),
)
def test_a_foot_is_loaded_exactly_between_its_true_events(
    seed: int, duration_s: float, stride_time_s: float, stance_share: float, cv: float, asymmetry: float
) -> None:
    model = GaitModel(stride_time_s=stride_time_s, stance_share=stance_share, stride_time_cv=cv, asymmetry=asymmetry)
    gait = synthesize_gait(duration_s, seed=seed, model=model)
    for side in SIDES:
        loaded, stance = _total(gait, side) > 0.0, _in_stance(gait, side)
        assert not np.any(loaded & ~stance)
        # At the very edges of stance the force of each sensor may round to zero.
        edges = np.abs(np.diff(stance.astype(int), prepend=stance[0])) + np.abs(
            np.diff(stance.astype(int), append=stance[-1])
        )
        assert np.all(loaded[stance & (edges == 0)])


def test_stride_and_stance_times_are_those_of_the_model() -> None:
    model = GaitModel(stride_time_s=1.2, stride_time_cv=0.04, stance_share=0.6)
    truth = synthesize_gait(1_200.0, seed=1, model=model).truth
    for side in SIDES:
        strides_s, stances_s = truth[side].stride_times_s, truth[side].stance_times_s
        assert len(strides_s) == pytest.approx(1_000, abs=5)
        assert strides_s.mean() == pytest.approx(1.2, rel=0.005)
        assert stances_s.mean() == pytest.approx(0.6 * 1.2, rel=0.005)
    left_s = truth["left"].stride_times_s
    assert left_s.std(ddof=1) / left_s.mean() == pytest.approx(0.04, rel=0.1)


def test_without_variability_every_stride_is_alike() -> None:
    truth = synthesize_gait(60.0, seed=1, model=GaitModel(stride_time_cv=0.0)).truth
    assert np.ptp(truth["left"].stride_times_s) < 1e-9
    step_s = (
        truth["right"].heel_strikes_s[1]
        - truth["left"].heel_strikes_s[
            np.searchsorted(truth["left"].heel_strikes_s, truth["right"].heel_strikes_s[1]) - 1
        ]
    )
    assert step_s == pytest.approx(0.55)


def test_asymmetry_shifts_stance_and_load_to_the_left() -> None:
    gait = synthesize_gait(300.0, seed=2, model=GaitModel(asymmetry=0.1))
    stances_s = [gait.truth[side].stance_times_s.mean() for side in SIDES]
    assert (stances_s[0] - stances_s[1]) / np.mean(stances_s) == pytest.approx(0.1, abs=0.005)
    peaks = [_total(gait, side).max() for side in SIDES]
    assert peaks[0] > 1.05 * peaks[1]


def test_total_force_has_two_peaks_and_a_valley_of_the_given_height() -> None:
    model = GaitModel(f1_bw=1.2, fmin_bw=0.7, f2_bw=1.1)
    phase = np.linspace(0.0, 1.0, 10_001)
    force_bw = double_hump(phase, model)
    assert (force_bw[0], force_bw[-1]) == (0.0, pytest.approx(0.0, abs=1e-12))
    assert force_bw[:5_000].max() == pytest.approx(1.2, abs=1e-6)
    assert force_bw[3_000:7_000].min() == pytest.approx(0.7, abs=1e-6)
    assert force_bw[5_000:].max() == pytest.approx(1.1, abs=1e-6)
    assert np.abs(np.diff(force_bw)).max() < 1e-3


def test_walker_weighs_what_the_model_says() -> None:
    """Over whole strides the mean vertical force is the body weight, else the body would rise or sink."""
    gait = synthesize_gait(300.0, seed=1, model=GaitModel(body_mass_kg=80.0))
    assert gait.recording.samples.sum(axis=1).mean() == pytest.approx(80.0 * GRAVITY_M_PER_S2, rel=0.03)


def test_pressure_rolls_from_heel_to_toe() -> None:
    gait = synthesize_gait(30.0, seed=1, model=GaitModel(stride_time_cv=0.0))
    y = np.array([channel.y for channel in INSOLE_CHANNELS], dtype=np.float64)
    for side, columns in (("left", slice(0, 8)), ("right", slice(8, 16))):
        force, strike_s = gait.recording.samples[:, columns], gait.truth[side].heel_strikes_s[1]  # type: ignore[index]
        stance = force[int(strike_s * 100) + 2 : int((strike_s + 0.62 * 1.1) * 100) - 1]
        centre_y = stance @ y[columns] / stance.sum(axis=1)
        assert centre_y[0] < -500.0
        assert centre_y[-1] > 500.0
        # Smoothed over 50 ms against the noise of single sensors.
        assert np.all(np.diff(np.convolve(centre_y, np.ones(5) / 5, mode="valid")) > 0.0)


def test_forces_are_whole_centinewton_and_never_negative() -> None:
    samples = synthesize_gait(30.0, seed=1).recording.samples
    assert samples.min() == 0.0
    assert np.array_equal(samples, np.rint(samples * 100.0) / 100.0)


def test_recording_is_as_long_as_asked_at_any_rate() -> None:
    for duration_s, rate_hz, count in ((60.0, 100.0, 6_000), (0.01, 100.0, 1), (10.0, 62.5, 625)):
        recording = synthesize_gait(duration_s, seed=1, sample_rate_hz=rate_hz).recording
        assert recording.samples.shape == (count, 16)
        assert recording.sample_rate_hz == rate_hz


def test_impossible_walks_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"duration_s=0 holds no sample"):
        synthesize_gait(0.0, seed=1)
    with pytest.raises(SettingsError, match=r"body_mass_kg=1 is not .*; stance_share=0.95 is not"):
        GaitModel(body_mass_kg=1.0, stance_share=0.95)
    with pytest.raises(SettingsError, match="asymmetry=nan"):
        GaitModel(asymmetry=float("nan"))
