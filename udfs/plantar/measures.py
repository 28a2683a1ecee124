"""Pressure, force and centre-of-pressure quantities of each stance of one foot."""

from __future__ import annotations

import numpy as np

from udfs.gait.contact import CONTACT_NEWTON, FloatArray, IntArray
from udfs.gait.pressure_centre import cop_path_length, cop_range, cop_velocity
from udfs.plantar.print_shape import CONTACT_KPA, FootPrint
from udfs.plantar.stances import Stances

KPA_CM2_PER_NEWTON = 10.0
CPEI_PLACE = 2.0 / 3.0

Series = dict[str, FloatArray]


def total_force_newton(pressure_kpa: FloatArray, area_cm2: FloatArray) -> FloatArray:
    """F = sum p_i A_i / 10: shape [n, c] in kPa and [c] in cm2 give [n] in N."""
    return np.asarray(np.add.reduce(pressure_kpa * (area_cm2 / KPA_CM2_PER_NEWTON), axis=1))


def pressure_series(pressure_kpa: FloatArray, stances: Stances, dt_s: float) -> Series:
    """Peak pressure and novel's pressure-time integral of each stance, shape [k] each.

    PTI (novel) = sum over the frames of max_i p_i dt. Pressure: shape [n, c], kPa.
    """
    highest = np.max(pressure_kpa, axis=1, initial=0.0)
    return {
        "peak_pressure_{}_kpa": stances.maxima(highest),
        "pti_novel_{}_kpa_s": stances.sums(highest) * dt_s,
    }


def peak_gradient(peak_kpa: FloatArray, neighbours: IntArray, distance_mm: FloatArray) -> FloatArray:
    """Steepest change between neighbouring sensors of each peak-pressure picture, kPa/mm (Mueller et al. 2005).

    Args:
        peak_kpa: shape [k, c].
        neighbours: shape [m, 2], m >= 1.
        distance_mm: shape [m].
    """
    step = np.abs(peak_kpa[:, neighbours[:, 0]] - peak_kpa[:, neighbours[:, 1]]) / distance_mm
    return np.asarray(np.max(step, axis=1))


def force_series(
    pressure_kpa: FloatArray, force_newton: FloatArray, area_cm2: FloatArray, stances: Stances, dt_s: float
) -> Series:
    """Peak force, impulse, contact area, mean pressure and Melai's pressure-time integral, shape [k] each.

    Args:
        pressure_kpa: shape [n, c].
        force_newton: shape [n], of the same sensors.
        area_cm2: shape [c].
        stances: of this foot.
        dt_s: frame period; integrals are sums of frames times dt.
    """
    impulse = stances.sums(force_newton) * dt_s
    area = np.add.reduce((stances.maxima(pressure_kpa) > CONTACT_KPA) * area_cm2, axis=1)
    loaded = np.add.reduce((pressure_kpa > CONTACT_KPA) * area_cm2, axis=1)
    mean_kpa = np.where(loaded > 0.0, KPA_CM2_PER_NEWTON * force_newton / np.where(loaded > 0.0, loaded, 1.0), 0.0)
    frames = stances.sums((loaded > 0.0).astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "peak_force_{}_newton": stances.maxima(force_newton),
            "force_time_integral_{}_newton_s": impulse,
            "contact_area_{}_cm2": area,
            "mean_pressure_{}_kpa": stances.sums(mean_kpa) / frames,
            "pti_melai_{}_kpa_s": KPA_CM2_PER_NEWTON * impulse / area,
        }


def centre_of_pressure(load: FloatArray, place: FloatArray, force_newton: FloatArray) -> FloatArray:
    """One coordinate of the centre of pressure where F > 20 N, else NaN: sum(x_i F_i) / sum(F_i), shape [n].

    Args:
        load: shape [n, c], p_i A_i.
        place: shape [c].
        force_newton: shape [n].
    """
    weight = np.add.reduce(load, axis=1)
    loaded = (force_newton > CONTACT_NEWTON) & (weight > 0.0)
    moment = np.add.reduce(load * place, axis=1)
    return np.where(loaded, moment / np.where(loaded, weight, 1.0), np.nan)


def cop_series(along: FloatArray, across: FloatArray, stances: Stances, *, frame_rate_hz: float) -> Series:
    """Path, velocity and excursions of the centre of pressure of each stance, shape [k] each.

    Args:
        along: shape [n], mm along the foot axis, NaN where unloaded.
        across: shape [n], mm across it.
        stances: of this foot.
        frame_rate_hz: frames per second.
    """
    s, t = stances.rows(along), stances.rows(across)
    some = np.any(np.isfinite(s), axis=1)
    return {
        "cop_path_{}_mm": np.where(some, cop_path_length(s, t), np.nan),
        "cop_velocity_{}_mm_per_s": cop_velocity(s, t, sample_rate_hz=frame_rate_hz),
        "cop_ap_excursion_{}_mm": cop_range(s),
        "cop_ml_excursion_{}_mm": cop_range(t),
    }


def cop_travel(x: FloatArray, y: FloatArray, stances: Stances) -> tuple[float, float]:
    """How far the centre of pressure moves in x and y from the first to the last fifth, mean over the stances, mm."""
    return _travel(stances.rows(x)), _travel(stances.rows(y))


def cpei_pct(
    along: FloatArray, across: FloatArray, stances: Stances, print_: FootPrint, medial_right: bool
) -> FloatArray:
    """Centre of pressure excursion index of each stance, %, shape [k] (Song et al. 1996).

    100 * distance across the axis from the chord between first and last CoP to the CoP, at two thirds of the print
    length, over the width of the print there; positive when the CoP passes lateral to the chord. NaN where the CoP
    does not begin behind that place and end in front of it.

    Args:
        along: shape [n], mm from the heel.
        across: shape [n], mm to the right.
        stances: of this foot.
        print_: of this foot.
        medial_right: whether medial is to the right of the axis.
    """
    s, t = stances.rows(along), stances.rows(across)
    place = CPEI_PLACE * print_.length_mm
    known = np.isfinite(s)
    row = np.arange(len(s))
    begin = np.argmax(known, axis=1)
    end = s.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    passed = np.argmax(np.where(known, s >= place, False), axis=1)
    before = np.maximum(passed - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (place - s[row, before]) / (s[row, passed] - s[row, before])
        across_cop = t[row, before] + part * (t[row, passed] - t[row, before])
        rise = (place - s[row, begin]) / (s[row, end] - s[row, begin])
        across_chord = t[row, begin] + rise * (t[row, end] - t[row, begin])
        lateral = (across_chord - across_cop) if medial_right else (across_cop - across_chord)
        crosses = (s[row, begin] < place) & (s[row, end] > place) & (passed > begin)
        return np.where(crosses, 100.0 * lateral / print_.width_at(place), np.nan)


def masked_load_pct(impulse: FloatArray, mask: FloatArray) -> FloatArray:
    """Share of each stance's impulse under a mask, %: impulses [k, c], weights [c] from 0 to 1, result [k]."""
    total = np.add.reduce(impulse, axis=1)
    picked = np.add.reduce(impulse * mask, axis=1)
    return np.where(total > 0.0, 100.0 * picked / np.where(total > 0.0, total, 1.0), np.nan)


def masked_load(
    peak_kpa: FloatArray, impulse: FloatArray, area_cm2: FloatArray, mask: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Load share in %, peak pressure in kPa and contact area in cm2 under a mask, shape [k] each.

    A sensor counts with its weight for load and area, and wholly for the peak when its weight is a half or more.

    Args:
        peak_kpa: shape [k, c], highest pressure of each sensor in each stance.
        impulse: shape [k, c], each sensor's impulse in any unit.
        area_cm2: shape [c].
        mask: shape [c], weights from 0 to 1: any region, not only the thirds.
    """
    touched = (peak_kpa > CONTACT_KPA) * area_cm2
    return (
        masked_load_pct(impulse, mask),
        np.asarray(np.max(np.where(mask >= 0.5, peak_kpa, 0.0), axis=1)),
        np.asarray(np.add.reduce(touched * mask, axis=1)),
    )


def _travel(rows: FloatArray) -> float:
    """Mean over stances of (mean of the last fifth - mean of the first fifth) of the known values."""
    known = np.isfinite(rows)
    rank = np.cumsum(known, axis=1)
    count = rank[:, -1:] if rows.shape[1] else np.zeros((len(rows), 1), dtype=np.int64)
    first = known & (rank <= np.ceil(count / 5.0))
    last = known & (rank > count - np.ceil(count / 5.0))
    filled = np.where(known, rows, 0.0)
    usable = np.any(known, axis=1)
    if not np.any(usable):
        return float("nan")
    ends = np.sum(filled * last, axis=1)[usable] / np.sum(last, axis=1)[usable]
    starts = np.sum(filled * first, axis=1)[usable] / np.sum(first, axis=1)[usable]
    return float(np.mean(ends - starts))
