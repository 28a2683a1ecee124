"""Force and centre-of-pressure features of both feet, in body weights and sensor coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.gait import force as stance_force
from udfs.gait import pressure_centre as cop
from udfs.gait.contact import FloatArray
from udfs.gait.coordination import symmetry_index_pct
from udfs.gait.profile import FootProfile, foot_profile, profile_features
from udfs.gait.recording import Foot
from udfs.gait.strides import FootStrides
from udfs.gait.timing import Features, pair_features
from udfs.gait.variability import coefficient_of_variation_pct, mean, standard_deviation

REAR_SENSORS = slice(0, 3)
FRONT_SENSORS = slice(5, 8)


@dataclass(frozen=True, slots=True)
class FootLoad:
    """What one foot carried.

    Attributes:
        series: per-stride quantities, each of shape [k], by the column pattern of `schemas.health`.
        curve_spread: stride-to-stride SD of the stance curve, body weights.
        profile: means along the stance and by sensor.
    """

    series: dict[str, FloatArray]
    curve_spread: float
    profile: FootProfile


def walking_force_newton(feet: tuple[Foot, Foot], strides: tuple[FootStrides, FootStrides], rate_hz: float) -> float:
    """Mean of left + right force over all samples that lie in a stride used, N: the body-weight proxy.

    Over whole strides the mean vertical force on a walking person equals the weight (shoes and the insole's own error
    included); the body weight itself is unknown for some people of gaitpdb.
    """
    both = feet[0].total + feet[1].total
    edges = np.zeros(both.size + 1, dtype=np.int64)
    for foot in strides:
        np.add.at(edges, np.ceil(foot.strike * rate_hz).astype(np.int64), 1)
        np.add.at(edges, np.ceil(foot.next_strike * rate_hz).astype(np.int64), -1)
    return mean(both[np.cumsum(edges)[:-1] > 0])


def foot_load(foot: Foot, strides: FootStrides, *, body_weight: float, threshold: float, rate_hz: float) -> FootLoad:
    """All per-stride force and CoP quantities of one foot."""
    windows = stance_force.StanceWindows.of(strides, sample_rate_hz=rate_hz)
    load = foot.total / body_weight
    series = _force_series(windows, load, threshold=threshold / body_weight, rate_hz=rate_hz)
    # A sensor's negative offset carries no load.
    sensors = np.maximum(foot.sensors, 0.0)
    total = np.add.reduce(sensors, axis=0)
    centre = [cop.pressure_centre(sensors, axis, total=total) for axis in (foot.x, foot.y)]
    series |= _cop_series(windows, windows.masked(centre[0]), windows.masked(centre[1]), rate_hz=rate_hz)
    impulse = windows.sums(sensors)
    share_pct = 100.0 * impulse / np.add.reduce(impulse, axis=0)
    series["heel_share_{}_pct"] = np.add.reduce(share_pct[REAR_SENSORS], axis=0)
    series["forefoot_share_{}_pct"] = np.add.reduce(share_pct[FRONT_SENSORS], axis=0)
    return FootLoad(
        series,
        stance_force.curve_spread(stance_force.stance_curves(windows, load)),
        foot_profile(windows, sensors, load=load, cop_ap=centre[1], share_pct=share_pct, body_weight=body_weight),
    )


def _force_series(
    windows: stance_force.StanceWindows, load: FloatArray, *, threshold: float, rate_hz: float
) -> dict[str, FloatArray]:
    """Peaks, their instants, rates and impulse per stance; load and threshold in body weights."""
    peaks = stance_force.find_peaks(windows, load)
    duration = windows.off - windows.strike
    return {
        "peak_f1_{}_bw": peaks.first,
        "peak_f2_{}_bw": peaks.second,
        "valley_fmin_{}_bw": peaks.valley,
        "peak_f1_time_{}_pct": 100.0 * (peaks.first_at - windows.strike) / duration,
        "peak_f2_time_{}_pct": 100.0 * (peaks.second_at - windows.strike) / duration,
        "loading_rate_max_{}_bw_per_s": stance_force.loading_rate_max(windows, load, peaks, sample_rate_hz=rate_hz),
        "loading_rate_20_80_{}_bw_per_s": stance_force.loading_rate_20_80(windows, load, peaks, sample_rate_hz=rate_hz),
        "unloading_rate_max_{}_bw_per_s": stance_force.unloading_rate_max(windows, load, peaks, sample_rate_hz=rate_hz),
        "impulse_{}_bw_s": stance_force.stance_impulse(windows, load, threshold=threshold, sample_rate_hz=rate_hz),
    }


def _cop_series(
    windows: stance_force.StanceWindows, x: FloatArray, y: FloatArray, *, rate_hz: float
) -> dict[str, FloatArray]:
    """Centre of pressure per stance; x, y: shape [k, w], NaN outside the stance."""
    return {
        "cop_path_{}_au": cop.cop_path_length(x, y),
        "cop_velocity_{}_au_per_s": cop.cop_velocity(x, y, sample_rate_hz=rate_hz),
        "cop_ellipse_area_{}_au2": cop.cop_ellipse_area_95(x, y),
        "cop_ap_excursion_{}_au": cop.cop_range(y),
        "cop_ml_excursion_{}_au": cop.cop_range(x),
        "cop_ap_sd_{}_au": np.nansum(y, axis=1) / np.sum(windows.inside, axis=1),
    }


def load_features(left: FootLoad, right: FootLoad) -> Features:
    """Means per foot and of both, spread and symmetry of the force features."""
    features: Features = {}
    for pattern, values in left.series.items():
        # The front-to-back CoP position is asked for its spread from stride to stride, everything else for its mean.
        statistic = standard_deviation if pattern.startswith("cop_ap_sd") else mean
        features |= pair_features(pattern, statistic(values), statistic(right.series[pattern]))
    for peak in ("f1", "f2"):
        spread = [coefficient_of_variation_pct(foot.series[f"peak_{peak}_{{}}_bw"]) for foot in (left, right)]
        features[f"peak_{peak}_cv_pct"] = 0.5 * (spread[0] + spread[1])
        features[f"peak_{peak}_si_pct"] = symmetry_index_pct(
            features[f"peak_{peak}_left_bw"], features[f"peak_{peak}_right_bw"]
        )
    features["impulse_si_pct"] = symmetry_index_pct(features["impulse_left_bw_s"], features["impulse_right_bw_s"])
    features["stance_curve_sd_mean_bw"] = 0.5 * (left.curve_spread + right.curve_spread)
    return features | profile_features(left.profile, right.profile)
