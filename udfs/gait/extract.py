"""From a recording of both insoles to the vector of gait features, and why values are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.health import GAIT_FEATURE_NAMES, GaitReason
from udfs.gait.contact import CONTACT_NEWTON, FloatArray, find_contacts
from udfs.gait.loading import foot_load, load_features, walking_force_newton
from udfs.gait.recording import Foot, check_recording, split_feet
from udfs.gait.strides import FootStrides, select_strides
from udfs.gait.timing import Features, coordination_features, timing_features, variability_features

MIN_STRIDES = 6
"""Per foot; below, means and spread say more about chance than about the walker."""
MIN_WALKING_FORCE_NEWTON = 100.0
MAX_WALKING_FORCE_NEWTON = 3_000.0


@dataclass(frozen=True, slots=True)
class GaitResult:
    """The features of one session.

    Attributes:
        values: shape [len(GAIT_FEATURES)] in their order, NaN where missing.
        reason: a `schemas.health.GaitReason` value; "ok" when nothing that the length allows is missing.
    """

    values: FloatArray
    reason: str


def extract_gait_features(force_newton: NDArray[Any], *, sample_rate_hz: float) -> GaitResult:
    """Extract every gait feature from one session.

    Args:
        force_newton: shape [n, 16], N, channels L1..L8, R1..R8 as in `schemas.sensors.INSOLE_CHANNELS`. A row of NaN
            is a lost sample: strides that touch one are dropped, never bridged. Infinite counts as lost.
        sample_rate_hz: samples per second, 20 to 10,000.

    Returns:
        The features; missing ones are NaN and the reason says why. Never raises for bad numbers.
    """
    reason = check_recording(force_newton, sample_rate_hz)
    if reason is not GaitReason.OK:
        return GaitResult(_vector({}), reason.value)
    features, reason = _features(split_feet(force_newton), float(sample_rate_hz))
    return GaitResult(_vector(features), reason.value)


def extract_batch(forces: Sequence[NDArray[Any]], sample_rates_hz: Sequence[float]) -> tuple[FloatArray, list[str]]:
    """Extract m sessions: values of shape [m, k] and m reasons, equal to the last bit to m batches of one.

    Sessions differ in length, so this loops over them; the loop itself costs nothing beside a session's work.
    """
    results = [
        extract_gait_features(force, sample_rate_hz=rate) for force, rate in zip(forces, sample_rates_hz, strict=True)
    ]
    values = np.empty((len(results), len(GAIT_FEATURE_NAMES)))
    for row, result in enumerate(results):
        values[row] = result.values
    return values, [result.reason for result in results]


def _features(feet: tuple[Foot, Foot], rate_hz: float) -> tuple[Features, GaitReason]:
    contacts = tuple(find_contacts(foot.total, sample_rate_hz=rate_hz) for foot in feet)
    left = select_strides(contacts[0], contacts[1], missing=feet[0].missing, sample_rate_hz=rate_hz)
    right = select_strides(contacts[1], contacts[0], missing=feet[1].missing, sample_rate_hz=rate_hz)
    if reason := _why_no_gait(feet, (left, right), tuple(each.first.size for each in contacts)):
        return {"stride_count_left": float(left.count), "stride_count_right": float(right.count)}, reason
    timing = timing_features(left, right) | variability_features(left, right) | coordination_features(left, right)
    if any(foot.saturated for foot in feet):
        return timing, GaitReason.SATURATED
    body_weight = walking_force_newton(feet, (left, right), rate_hz)
    if not MIN_WALKING_FORCE_NEWTON <= body_weight <= MAX_WALKING_FORCE_NEWTON:
        return timing, GaitReason.IMPLAUSIBLE_FORCE
    loads = [
        foot_load(foot, strides, body_weight=body_weight, threshold=CONTACT_NEWTON, rate_hz=rate_hz)
        for foot, strides in zip(feet, (left, right), strict=True)
    ]
    return timing | {"walking_force_mean_newton": body_weight} | load_features(*loads), GaitReason.OK


def _why_no_gait(
    feet: tuple[Foot, Foot], strides: tuple[FootStrides, FootStrides], contact_counts: tuple[int, ...]
) -> GaitReason | None:
    """The first reason why the two feet cannot be described; None when they can."""
    if any(foot.lacks_channel for foot in feet):
        return GaitReason.MISSING_CHANNELS
    if min(contact_counts) == 0:
        return GaitReason.NO_CONTACT
    if min(contact_counts) == 1:
        return GaitReason.NO_STEPS
    if min(foot.count for foot in strides) < MIN_STRIDES:
        return GaitReason.TOO_FEW_STRIDES
    return None


def _vector(features: Features) -> FloatArray:
    """The features in the declared order; NaN for what is missing or not finite."""
    values = np.array([features.get(name, np.nan) for name in GAIT_FEATURE_NAMES], dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)
