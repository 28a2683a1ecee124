"""From a trial on a force plate to the vector of balance features, and why values are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.balance import BALANCE_FEATURE_NAMES, BalanceGroup, BalanceReason
from udfs.balance.plate import (
    FX,
    FY,
    FZ,
    MAX_LOST_SHARE,
    MAX_POSITION_M,
    MZ,
    BalanceTrial,
    Centre,
    check_force,
    check_form,
    known_samples,
    plate_centre_of_pressure,
)
from udfs.balance.sway import MIN_FREQUENCY_DURATION_S, mean_frequency
from udfs.gait.contact import FloatArray
from udfs.gait.pressure_centre import cop_ellipse_area_95, cop_path_length, cop_range, cop_velocity

CM_PER_M = 100.0

Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """The features of one trial.

    Attributes:
        values: shape [len(BALANCE_FEATURES)] in their order, NaN where missing.
        reasons: "group:reason" for every group of features that is missing; empty when none is.
    """

    values: FloatArray
    reasons: tuple[str, ...]


def extract_balance(trial: BalanceTrial) -> BalanceResult:
    """Every balance feature of one trial; missing ones are NaN and the reasons say why. Never raises for bad numbers.

    Lost samples at the ends are cut off. Between them, path, velocity and frequency need every sample; position needs
    nine tenths of them.
    """
    reason = check_form(trial)
    if reason is not None:
        return _refused(reason)
    wrench, known = known_samples(trial.wrench)
    if len(wrench) == 0:
        return _refused(BalanceReason.MISSING_CHANNELS if _lacks_channel(trial) else BalanceReason.GAPS)
    if np.count_nonzero(known) < (1.0 - MAX_LOST_SHARE) * len(trial.wrench):
        return _refused(BalanceReason.GAPS)
    reason = check_force(wrench, known)
    if reason is not None:
        return _refused(reason)
    return _describe(trial, wrench, known)


def extract_balance_batch(trials: Sequence[BalanceTrial]) -> tuple[FloatArray, list[tuple[str, ...]]]:
    """Extract m trials: values [m, k] and m tuples of reasons, equal to the last bit to m batches of one.

    Trials differ in length, so this loops over them; a trial of 60 s at 100 Hz costs some 4 ms.
    """
    results = [extract_balance(trial) for trial in trials]
    values = np.empty((len(results), len(BALANCE_FEATURE_NAMES)))
    for row, result in enumerate(results):
        values[row] = result.values
    return values, [result.reasons for result in results]


def _describe(trial: BalanceTrial, wrench: FloatArray, known: NDArray[np.bool_]) -> BalanceResult:
    centre = plate_centre_of_pressure(wrench, surface_height_m=trial.surface_height_m)
    rows, x, y = wrench[known], centre.x[known], centre.y[known]
    forward, side = (FX, FY) if trial.ap_axis == "x" else (FY, FX)
    features = {
        "duration_s": len(wrench) / trial.sample_rate_hz,
        "vertical_force_mean_newton": float(np.mean(rows[:, FZ])),
        "vertical_force_sd_newton": float(np.std(rows[:, FZ], ddof=1)),
        "shear_ap_rms_newton": float(np.std(rows[:, forward])),
        "shear_ml_rms_newton": float(np.std(rows[:, side])),
    }
    if not (np.max(np.abs(x)) <= MAX_POSITION_M and np.max(np.abs(y)) <= MAX_POSITION_M):
        return _result(features, _all_but_force(BalanceReason.IMPLAUSIBLE_POSITION))
    features["free_moment_rms_nm"] = float(np.std(rows[:, MZ] - x * rows[:, FY] + y * rows[:, FX]))
    ap_cm, ml_cm = _oriented(Centre(x, y), trial.ap_axis)
    features |= _position_features(ap_cm, ml_cm)
    if not np.all(known):
        gaps = BalanceReason.GAPS
        return _result(features, (f"{BalanceGroup.PATH}:{gaps}", f"{BalanceGroup.FREQUENCY}:{gaps}"))
    features |= _path_features(ap_cm, ml_cm, trial.sample_rate_hz)
    if features["duration_s"] < MIN_FREQUENCY_DURATION_S:
        return _result(features, (f"{BalanceGroup.FREQUENCY}:{BalanceReason.TOO_SHORT}",))
    both, ap, ml = mean_frequency(ap_cm, ml_cm, sample_rate_hz=trial.sample_rate_hz)
    features |= {
        "cop_mean_frequency_hz": both,
        "cop_mean_frequency_ap_hz": ap,
        "cop_mean_frequency_ml_hz": ml,
    }
    still = not (np.isfinite(ap) and np.isfinite(ml))
    return _result(features, (f"{BalanceGroup.FREQUENCY}:{BalanceReason.CONSTANT}",) if still else ())


def _oriented(centre: Centre, ap_axis: str) -> tuple[FloatArray, FloatArray]:
    """Anteroposterior and mediolateral CoP in cm."""
    x, y = CM_PER_M * centre.x, CM_PER_M * centre.y
    return (x, y) if ap_axis == "x" else (y, x)


def _position_features(ap_cm: FloatArray, ml_cm: FloatArray) -> Features:
    distance = np.hypot(ap_cm - np.mean(ap_cm), ml_cm - np.mean(ml_cm))
    return {
        "cop_range_ap_cm": float(cop_range(ap_cm)),
        "cop_range_ml_cm": float(cop_range(ml_cm)),
        "cop_sd_ap_cm": float(np.std(ap_cm, ddof=1)),
        "cop_sd_ml_cm": float(np.std(ml_cm, ddof=1)),
        "cop_distance_mean_cm": float(np.mean(distance)),
        "cop_ellipse_area_95_cm2": float(cop_ellipse_area_95(ap_cm, ml_cm)),
    }


def _path_features(ap_cm: FloatArray, ml_cm: FloatArray, rate_hz: float) -> Features:
    still = np.zeros_like(ap_cm)
    return {
        "cop_path_cm": float(cop_path_length(ap_cm, ml_cm)),
        "cop_velocity_cm_per_s": float(cop_velocity(ap_cm, ml_cm, sample_rate_hz=rate_hz)),
        "cop_velocity_ap_cm_per_s": float(cop_velocity(ap_cm, still, sample_rate_hz=rate_hz)),
        "cop_velocity_ml_cm_per_s": float(cop_velocity(still, ml_cm, sample_rate_hz=rate_hz)),
    }


def _lacks_channel(trial: BalanceTrial) -> bool:
    return bool(np.any(~np.any(np.isfinite(np.asarray(trial.wrench, dtype=np.float64)), axis=0)))


def _all_but_force(reason: BalanceReason) -> tuple[str, ...]:
    return tuple(f"{group}:{reason}" for group in BalanceGroup if group is not BalanceGroup.FORCE)


def _refused(reason: BalanceReason) -> BalanceResult:
    return _result({}, tuple(f"{group}:{reason}" for group in BalanceGroup))


def _result(features: Features, reasons: tuple[str, ...]) -> BalanceResult:
    values = np.array([features.get(name, np.nan) for name in BALANCE_FEATURE_NAMES], dtype=np.float64)
    return BalanceResult(np.where(np.isfinite(values), values, np.nan), reasons)
