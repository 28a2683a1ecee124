"""The gait functions against published values of real recordings."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from schemas.health import GAIT_FEATURE_NAMES
from udfs.gait import extract_gait_features
from udfs.gait.contact import ContactRule, Contacts, find_contacts
from udfs.gait.pressure_centre import cop_ellipse_area_95, cop_velocity
from udfs.gait.strides import select_strides

pytestmark = pytest.mark.data

SWITCH_RATE_HZ = 300.0
SWITCH_SAMPLES = 90_000


def read_format_212(path: Path) -> np.ndarray:
    """WFDB format 212: two 12-bit two's complement samples in three bytes."""
    raw = np.frombuffer(path.read_bytes(), dtype=np.uint8)[: SWITCH_SAMPLES * 3 // 2].reshape(-1, 3).astype(np.int32)
    first = raw[:, 0] | ((raw[:, 1] & 0x0F) << 8)
    second = raw[:, 2] | ((raw[:, 1] & 0xF0) << 4)
    values = np.column_stack([first, second]).ravel()
    return np.where(values > 2047, values - 4096, values).astype(np.float64)


def foot_switch_contacts(path: Path) -> tuple[Contacts, np.ndarray]:
    """Contacts of a foot switch: arbitrary units, so the threshold is 12 % of the range it usually covers."""
    force = read_format_212(path)
    low, high = np.percentile(force, [10, 90])
    span = float(high - low)
    rule = ContactRule(threshold=0.12 * span, hysteresis=0.04 * span)
    return find_contacts(force - low, sample_rate_hz=SWITCH_RATE_HZ, rule=rule), force


@pytest.fixture(scope="module")
def foot_switch_errors(brain_data: Path) -> np.ndarray:
    """Per foot record: error of the median stride, stance and swing time against the set's own result, s."""
    errors = []
    for table_path in sorted((brain_data / "health" / "gaitndd").glob("*.ts")):
        published = np.loadtxt(table_path)
        feet = [foot_switch_contacts(table_path.with_suffix(suffix)) for suffix in (".let", ".rit")]
        for foot in (0, 1):
            (own, force), (other, _) = feet[foot], feet[1 - foot]
            strides = select_strides(own, other, missing=np.isnan(force), sample_rate_hz=SWITCH_RATE_HZ)
            found = [strides.stride_time, strides.stance_time, strides.swing_time]
            columns = (1 + foot, 7 + foot, 3 + foot)
            errors.append(
                [
                    np.median(values) - np.median(published[:, column]) if values.size else np.inf
                    for values, column in zip(found, columns, strict=True)
                ]
            )
    return np.abs(np.array(errors))


def test_stride_times_of_foot_switches_match_the_published_ones(foot_switch_errors: np.ndarray) -> None:
    assert len(foot_switch_errors) == 104
    assert np.mean(foot_switch_errors[:, 0] <= 0.020) >= 0.94


def test_stance_times_of_foot_switches_match_the_published_ones(foot_switch_errors: np.ndarray) -> None:
    assert np.mean(foot_switch_errors[:, 1] <= 0.050) >= 0.90


def test_double_support_is_stance_minus_the_other_foot_s_swing(brain_data: Path) -> None:
    published = np.vstack([np.loadtxt(path) for path in sorted((brain_data / "health" / "gaitndd").glob("*.ts"))])
    ours = published[:, 7] - published[:, 4]
    assert len(published) == 12_355
    assert np.mean(np.abs(ours - published[:, 11]) <= 0.001) >= 0.985


@pytest.fixture(scope="module")
def balance_ratios(brain_data: Path) -> np.ndarray:
    """Per trial: our CoP mean velocity and ellipse area over the published ones."""
    folder = brain_data / "health" / "bds"
    with (folder / "BDS_BDSinfoCOP.txt").open(newline="", encoding="latin-1") as lines:
        published = {row["Trial"]: row for row in csv.DictReader(lines, delimiter="\t")}
    ratios = []
    for path in sorted(folder.glob("BDS0*.txt.gz")):
        with gzip.open(path, "rt", encoding="latin-1") as lines:
            trial = np.loadtxt(lines, skiprows=1)
        x, y = trial[:, 7], trial[:, 8]
        row = published[path.name.removesuffix(".txt.gz")]
        ratios.append(
            [
                float(cop_velocity(x, y, sample_rate_hz=100.0)) / float(row["COPvelo"]),
                float(cop_ellipse_area_95(x, y)) / float(row["COParea"]),
            ]
        )
    return np.array(ratios)


def test_cop_velocity_of_every_balance_trial_is_the_published_one(balance_ratios: np.ndarray) -> None:
    assert len(balance_ratios) == 60
    assert np.abs(balance_ratios[:, 0] - 1.0).max() <= 0.001


def test_cop_ellipse_area_of_every_balance_trial_is_the_published_one(balance_ratios: np.ndarray) -> None:
    assert np.abs(balance_ratios[:, 1] - 1.0).max() <= 0.01


def test_treadmill_contacts_follow_each_other_like_steps_in_spite_of_negative_offsets(brain_data: Path) -> None:
    path = brain_data / "health" / "treadmill_grf" / "example_vertical_grf.csv"
    force = np.loadtxt(path, delimiter=",")[:, 1]
    contacts = find_contacts(force, sample_rate_hz=100.0)
    assert force.min() < -20.0
    stride_s = np.diff(contacts.strike) / 100.0
    stride_s = stride_s[np.isfinite(stride_s)]
    stance_s = (contacts.off - contacts.strike)[1:-1] / 100.0
    assert contacts.first.size > 40
    assert 0.8 < np.median(stride_s) < 1.5
    assert np.mean(np.abs(stride_s - np.median(stride_s)) < 0.1) > 0.95
    assert 0.5 < np.median(stance_s) / np.median(stride_s) < 0.75


def test_plain_walks_of_controls_lie_where_healthy_walkers_lie(brain_data: Path) -> None:
    """Plausibility: 5 to 95 % ranges of GaitRec's healthy controls, widened for slow walking on insoles."""
    with np.load(brain_data / "health" / "gaitpdb" / "gaitpdb_Ga.npz") as archive:
        walks = [archive[name] / 100.0 for name in sorted(archive.files) if name.startswith("GaCo") and "_01" in name]
    results = [extract_gait_features(walk, sample_rate_hz=100.0) for walk in walks]
    assert {result.reason for result in results} == {"ok"}
    found = dict(zip(GAIT_FEATURE_NAMES, np.median([result.values for result in results], axis=0), strict=True))
    assert 0.95 < found["peak_f1_mean_bw"] < 1.32
    assert 0.90 < found["peak_f2_mean_bw"] < 1.22
    assert 0.54 < found["valley_fmin_mean_bw"] < 0.91
    assert 60.0 < found["stance_mean_pct"] < 67.0
    assert 90.0 < found["cadence_steps_per_min"] < 130.0
