"""The stance in profile: where force and centre of pressure are along the stance, and what each sensor carries.

The heel-to-toe course of the centre of pressure separates a heel strike from a flat-footed or forefoot one, and the
difference between the feet separates a one-sided gait from an even one; both are known signs of Parkinson gait
(Kimmeskamp & Hennig 2001; Yogev 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.health import SENSOR_NUMBERS, STANCE_POINTS_PCT
from udfs.gait.contact import FloatArray
from udfs.gait.force import StanceWindows, stance_values
from udfs.gait.timing import Features
from udfs.gait.variability import mean

_SHARES = np.array(STANCE_POINTS_PCT, dtype=np.float64) / 100.0


@dataclass(frozen=True, slots=True)
class FootProfile:
    """Means over the stances of one foot.

    Attributes:
        cop_ap: shape [9], front-to-back CoP at 10 .. 90 % of stance, sensor units.
        force: shape [9], body weights, at the same instants.
        share_pct: shape [8], each sensor's share of the impulse.
        peak: shape [8], each sensor's highest force, body weights.
    """

    cop_ap: FloatArray
    force: FloatArray
    share_pct: FloatArray
    peak: FloatArray


def foot_profile(
    windows: StanceWindows,
    sensors: FloatArray,
    *,
    load: FloatArray,
    cop_ap: FloatArray,
    share_pct: FloatArray,
    body_weight: float,
) -> FootProfile:
    """Profile one foot.

    Args:
        windows: its k stances.
        sensors: shape [8, n], N, not negative.
        load: shape [n], the foot's force in body weights.
        cop_ap: shape [n], front-to-back CoP.
        share_pct: shape [8, k], each sensor's share of a stance's impulse.
        body_weight: N.
    """
    return FootProfile(
        # A foot that lifts for less than a contact's end has no CoP there: the mean is over the strides that have one.
        cop_ap=np.array([mean(column) for column in stance_values(windows, cop_ap, _SHARES).T]),
        force=np.mean(stance_values(windows, load, _SHARES), axis=0),
        share_pct=np.mean(share_pct, axis=1),
        peak=np.mean(windows.maxima(sensors), axis=1) / body_weight,
    )


def profile_features(left: FootProfile, right: FootProfile) -> Features:
    """Mean of both feet and unsigned difference between them."""
    return (
        _mean("cop_ap_{}_mean_au", STANCE_POINTS_PCT, (left.cop_ap, right.cop_ap))
        | _difference("cop_ap_{}_difference_au", STANCE_POINTS_PCT, (left.cop_ap, right.cop_ap))
        | _difference("force_{}_difference_bw", STANCE_POINTS_PCT, (left.force, right.force))
        | _mean("sensor_share_{}_mean_pct", SENSOR_NUMBERS, (left.share_pct, right.share_pct))
        | _difference("sensor_share_{}_difference_pct", SENSOR_NUMBERS, (left.share_pct, right.share_pct))
        | _mean("sensor_peak_{}_mean_bw", SENSOR_NUMBERS, (left.peak, right.peak))
        | _difference("sensor_peak_{}_difference_bw", SENSOR_NUMBERS, (left.peak, right.peak))
    )


def _mean(pattern: str, places: tuple[int, ...], feet: tuple[FloatArray, FloatArray]) -> Features:
    return _named(pattern, places, 0.5 * (feet[0] + feet[1]))


def _difference(pattern: str, places: tuple[int, ...], feet: tuple[FloatArray, FloatArray]) -> Features:
    return _named(pattern, places, np.abs(feet[0] - feet[1]))


def _named(pattern: str, places: tuple[int, ...], values: FloatArray) -> Features:
    return {pattern.format(place): value for place, value in zip(places, values.tolist(), strict=True)}
