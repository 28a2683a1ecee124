"""Balance features against closed forms, the public balance table, and everything that is no trial."""

from __future__ import annotations

import csv
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.balance import BALANCE_FEATURE_NAMES, BALANCE_FEATURES, BalanceGroup, BalanceReason
from udfs.balance import BalanceTrial, extract_balance, extract_balance_batch, plate_centre_of_pressure
from udfs.balance.sway import mean_frequency

Array = np.ndarray


def wrench_of(x_m: Array, y_m: Array, *, fz: Array | float = 700.0, height_m: float = 0.0) -> Array:
    """The wrench of a force (2, -3, fz) that acts at (x, y, height): M = r x F, and no free moment."""
    fz_all = np.broadcast_to(np.asarray(fz, dtype=float), x_m.shape)
    force = np.column_stack([np.full(x_m.size, 2.0), np.full(x_m.size, -3.0), fz_all])
    place = np.column_stack([x_m, y_m, np.full(x_m.size, height_m)])
    return np.column_stack([force, np.cross(place, force)])


def sway(seed: int = 1, *, seconds: float = 30.0, rate_hz: float = 100.0) -> Array:
    """A person about the plate's centre: two slow waves and a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    x = 0.010 * np.sin(2 * np.pi * 0.3 * t) + 0.0002 * rng.standard_normal(t.size)
    y = 0.006 * np.sin(2 * np.pi * 0.5 * t + 1.0) + 0.0002 * rng.standard_normal(t.size)
    return wrench_of(x, y, fz=700.0 + 3.0 * np.sin(2 * np.pi * 1.1 * t) + 0.1 * rng.standard_normal(t.size))


def features(wrench: Array, rate_hz: float = 100.0, **options: object) -> dict[str, float]:
    result = extract_balance(BalanceTrial(wrench, rate_hz, **options))  # type: ignore[arg-type]
    return dict(zip(BALANCE_FEATURE_NAMES, result.values, strict=True))


@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.1, 0.1), st.floats(50.0, 2_000.0))
def test_the_centre_of_pressure_is_where_the_force_acts(x: float, y: float, height: float, fz: float) -> None:
    wrench = wrench_of(np.array([x]), np.array([y]), fz=fz, height_m=height)
    centre = plate_centre_of_pressure(wrench, surface_height_m=height)
    assert centre.x[0] == pytest.approx(x, abs=1e-9)
    assert centre.y[0] == pytest.approx(y, abs=1e-9)


def test_a_circle_has_its_own_path_range_area_and_frequency() -> None:
    rate_hz, radius_m, turn_hz = 100.0, 0.02, 0.5
    t = np.arange(6_000) / rate_hz
    x, y = radius_m * np.cos(2 * np.pi * turn_hz * t), radius_m * np.sin(2 * np.pi * turn_hz * t)
    noise = 0.5 * np.random.default_rng(3).standard_normal(t.size)
    found = features(wrench_of(x, y, fz=700.0 + noise))
    assert found["cop_path_cm"] == pytest.approx(2 * np.pi * 2.0 * turn_hz * 60.0, rel=1e-3)
    assert found["cop_velocity_cm_per_s"] == pytest.approx(2 * np.pi * 2.0 * turn_hz, rel=1e-3)
    assert found["cop_range_ap_cm"] == pytest.approx(4.0, rel=1e-6)
    assert found["cop_distance_mean_cm"] == pytest.approx(2.0, rel=1e-6)
    # The variance of a coordinate on a circle is r^2 / 2 and the two are uncorrelated.
    assert found["cop_ellipse_area_95_cm2"] == pytest.approx(np.pi * 5.991 * 2.0, rel=1e-3)
    assert found["cop_mean_frequency_hz"] == pytest.approx(turn_hz, rel=0.01)
    assert found["duration_s"] == 60.0


def test_the_free_moment_is_what_the_force_at_the_cop_does_not_explain() -> None:
    trial = sway()
    twist = 0.4 * np.sin(2 * np.pi * 0.2 * np.arange(len(trial)) / 100.0)
    without = features(trial)["free_moment_rms_nm"]
    trial[:, 5] += twist
    assert without < 1e-9
    assert features(trial)["free_moment_rms_nm"] == pytest.approx(float(np.std(twist)), rel=1e-9)


def test_the_forward_axis_only_swaps_the_names() -> None:
    along_x, along_y = features(sway()), features(sway(), ap_axis="y")
    assert along_x["cop_sd_ap_cm"] == along_y["cop_sd_ml_cm"]
    assert along_x["cop_velocity_ml_cm_per_s"] == along_y["cop_velocity_ap_cm_per_s"]
    assert along_x["shear_ap_rms_newton"] == along_y["shear_ml_rms_newton"]
    assert along_x["cop_ellipse_area_95_cm2"] == pytest.approx(along_y["cop_ellipse_area_95_cm2"], rel=1e-12)


def test_every_value_lies_in_its_declared_range() -> None:
    values = extract_balance(BalanceTrial(sway(), 100.0)).values
    assert len({feature.name for feature in BALANCE_FEATURES}) == len(BALANCE_FEATURES)
    for feature, value in zip(BALANCE_FEATURES, values, strict=True):
        assert feature.lowest <= value <= feature.highest
        assert feature.formula and feature.source


def every_group(reason: str) -> tuple[str, ...]:
    return tuple(f"{group}:{reason}" for group in BalanceGroup)


def changed(rows: slice | int, column: slice | int, value: float) -> Array:
    trial = sway()
    trial[rows, column] = value
    return trial


REFUSED = {
    "empty": (np.zeros((0, 6)), 100.0, "too_short"),
    "one sample": (sway()[:1], 100.0, "too_short"),
    "nine seconds": (sway()[:900], 100.0, "too_short"),
    "five channels": (sway()[:, :5], 100.0, "wrong_shape"),
    "one dimension": (sway()[:, 0], 100.0, "wrong_shape"),
    "rate of zero": (sway(), 0.0, "wrong_rate"),
    "rate of NaN": (sway(), float("nan"), "wrong_rate"),
    "rate negative": (sway(), -100.0, "wrong_rate"),
    "all missing": (np.full((3_000, 6), np.nan), 100.0, "missing_channels"),
    "a channel missing": (changed(slice(None), 4, np.nan), 100.0, "missing_channels"),
    "a channel infinite": (changed(slice(None), 4, np.inf), 100.0, "missing_channels"),
    "a fifth missing": (changed(slice(500, 1_100), 2, np.nan), 100.0, "gaps"),
    "a fifth cut off": (changed(slice(0, 600), 2, np.nan), 100.0, "gaps"),
    "all zero": (np.zeros((3_000, 6)), 100.0, "constant"),
    "constant": (np.tile([0.0, 0.0, 700.0, 5.0, 5.0, 0.0], (3_000, 1)), 100.0, "constant"),
    "a step off the plate": (changed(slice(700, 720), 2, 5.0), 100.0, "off_plate"),
    "force upside down": (-sway(), 100.0, "negative_force"),
    "a cat": (sway() * 0.1, 100.0, "implausible_force"),
    "a car": (sway() * 10.0, 100.0, "implausible_force"),
    "clipped moment": (np.minimum(sway(), [9e9, 9e9, 9e9, 2.0, 9e9, 9e9]), 100.0, "saturated"),
}


@pytest.mark.parametrize(("wrench", "rate_hz", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_trial_has_no_features_but_a_reason(wrench: Array, rate_hz: float, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = extract_balance(BalanceTrial(wrench, rate_hz))
    assert result.reasons == every_group(reason)
    assert np.isnan(result.values).all()


def test_moments_in_newton_millimetres_keep_the_forces_and_lose_the_position() -> None:
    trial = sway()
    trial[:, 3:] *= 1_000.0
    result = extract_balance(BalanceTrial(trial, 100.0))
    found = dict(zip(BALANCE_FEATURE_NAMES, result.values, strict=True))
    assert found["vertical_force_mean_newton"] == pytest.approx(700.0, abs=1.0)
    assert np.isnan(found["cop_path_cm"]) and np.isnan(found["cop_range_ap_cm"])
    assert result.reasons == tuple(f"{group}:implausible_position" for group in ("position", "path", "frequency"))


def test_a_lost_sample_inside_takes_path_and_frequency_but_not_position() -> None:
    trial = changed(1_500, 3, np.nan)
    result = extract_balance(BalanceTrial(trial, 100.0))
    found = dict(zip(BALANCE_FEATURE_NAMES, result.values, strict=True))
    assert result.reasons == ("path:gaps", "frequency:gaps")
    assert np.isnan(found["cop_velocity_cm_per_s"]) and np.isnan(found["cop_mean_frequency_hz"])
    assert found["cop_ellipse_area_95_cm2"] == pytest.approx(features(sway())["cop_ellipse_area_95_cm2"], rel=0.01)


def test_lost_samples_at_the_ends_are_cut_off() -> None:
    trial = sway()
    trial[:40] = np.nan
    trial[-3:, 1] = np.inf
    assert np.array_equal(
        extract_balance(BalanceTrial(trial, 100.0)).values, extract_balance(BalanceTrial(sway()[40:-3], 100.0)).values
    )


def test_twelve_seconds_are_enough_for_all_but_the_frequency() -> None:
    result = extract_balance(BalanceTrial(sway()[:1_200], 100.0))
    missing = {name for name, value in zip(BALANCE_FEATURE_NAMES, result.values, strict=True) if np.isnan(value)}
    assert result.reasons == ("frequency:too_short",)
    assert missing == {"cop_mean_frequency_hz", "cop_mean_frequency_ap_hz", "cop_mean_frequency_ml_hz"}


def test_a_batch_is_its_parts_to_the_last_bit_in_any_order() -> None:
    trials = [BalanceTrial(sway(seed, seconds=12.0 + 7.0 * seed), 100.0) for seed in range(5)]
    trials.append(BalanceTrial(np.zeros((3, 6)), 100.0))
    values, reasons = extract_balance_batch(trials)
    order = [3, 5, 0, 4, 2, 1]
    shuffled, shuffled_reasons = extract_balance_batch([trials[place] for place in order])
    assert np.array_equal(values[order], shuffled, equal_nan=True)
    assert [reasons[place] for place in order] == shuffled_reasons
    for row, trial in enumerate(trials):
        assert np.array_equal(extract_balance_batch([trial])[0][0], values[row], equal_nan=True)


def test_an_empty_batch_is_an_empty_table() -> None:
    values, reasons = extract_balance_batch([])
    assert values.shape == (0, len(BALANCE_FEATURES))
    assert reasons == []


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(0, 900), st.just(6)),
        elements=st.floats(width=64, allow_nan=True, allow_infinity=True),
        fill=st.sampled_from([0.0, 700.0, -5.0, np.nan]),
    ),
    st.sampled_from([20.0, 50.0, 100.0]),
)
@settings(max_examples=60)
def test_no_numbers_whatever_raise_or_give_an_infinite_feature(wrench: Array, rate_hz: float) -> None:
    with np.errstate(all="ignore"):
        result = extract_balance(BalanceTrial(wrench, rate_hz))
    assert not np.isinf(result.values).any()
    assert all(reason.split(":")[1] in set(BalanceReason) for reason in result.reasons)


@pytest.fixture(scope="module")
def public_trials(brain_data: Path) -> list[tuple[Array, dict[str, str]]]:
    """The public trials with their row of the published table."""
    folder = brain_data / "health" / "bds"
    with (folder / "BDS_BDSinfoCOP.txt").open(newline="", encoding="latin-1") as lines:
        published = {row["Trial"]: row for row in csv.DictReader(lines, delimiter="\t")}
    trials = []
    for path in sorted(folder.glob("BDS0*.txt.gz")):
        with gzip.open(path, "rt", encoding="latin-1") as lines:
            trials.append((np.loadtxt(lines, skiprows=1), published[path.name.removesuffix(".txt.gz")]))
    return trials


@pytest.mark.data
def test_cop_from_moments_is_the_cop_column_of_every_public_trial(
    public_trials: list[tuple[Array, dict[str, str]]],
) -> None:
    assert len(public_trials) == 60
    for trial, _ in public_trials:
        centre = plate_centre_of_pressure(trial[:, 1:7])
        assert np.abs(100.0 * centre.x - trial[:, 7]).max() <= 2e-6
        assert np.abs(100.0 * centre.y - trial[:, 8]).max() <= 2e-6


@pytest.mark.data
def test_every_public_trial_has_the_published_velocity_area_and_frequency(
    public_trials: list[tuple[Array, dict[str, str]]],
) -> None:
    values, reasons = extract_balance_batch([BalanceTrial(trial[:, 1:7], 100.0) for trial, _ in public_trials])
    found = dict(zip(BALANCE_FEATURE_NAMES, values.T, strict=True))
    table = {name: np.array([float(row[name]) for _, row in public_trials]) for name in ("COPvelo", "COParea")}
    frequency = np.array([float(row["COPmfreq"]) for _, row in public_trials])
    assert set(reasons) == {()}
    assert np.abs(found["cop_velocity_cm_per_s"] / table["COPvelo"] - 1.0).max() <= 0.001
    assert np.abs(found["cop_ellipse_area_95_cm2"] / table["COParea"] - 1.0).max() <= 0.01
    deviation = np.abs(found["cop_mean_frequency_hz"] / frequency - 1.0)
    assert deviation.max() <= 0.02
    assert np.median(deviation) <= 0.001


def test_a_coordinate_that_never_moves_has_no_frequency() -> None:
    t = np.arange(3_000) / 100.0
    found = mean_frequency(np.sin(2 * np.pi * 0.7 * t), np.zeros(t.size), sample_rate_hz=100.0)
    assert np.isnan(found.y)
    assert found.both == found.x == pytest.approx(0.7, rel=0.02)
