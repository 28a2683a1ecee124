"""From a session on a pressure device to the vector of plantar features, and why values are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.plantar import PLANTAR_FEATURE_NAMES, PlantarGroup, PlantarReason
from udfs.gait.contact import FloatArray
from udfs.gait.coordination import symmetry_index_pct
from udfs.plantar.foot import FootOutcome, all_groups, describe_foot
from udfs.plantar.layout import SensorLayout, Side
from udfs.plantar.stances import raw_stances

MIN_RATE_HZ = 10.0
MAX_RATE_HZ = 1_000.0
MIN_FRAMES = 5
MAX_PRESSURE_KPA = 3_000.0
CEILING_KPA = 600.0
"""The lowest full scale of the devices read here (pedar 600 kPa, emed and F-Scan over 1000): none clips below it."""
CEILING_SENSORS = 3
CEILING_SHARE = 0.1
SIDES: tuple[Side, ...] = ("left", "right", "unknown")
SYMMETRY = {
    "contact_time_si_pct": "contact_time_{}_s",
    "peak_pressure_si_pct": "peak_pressure_{}_kpa",
    "pti_novel_si_pct": "pti_novel_{}_kpa_s",
    "peak_force_si_pct": "peak_force_{}_newton",
    "force_time_integral_si_pct": "force_time_integral_{}_newton_s",
    "contact_area_si_pct": "contact_area_{}_cm2",
    "arch_index_si_pct": "arch_index_{}",
}


@dataclass(frozen=True, slots=True, eq=False)
class PlantarSession:
    """One session of one device.

    Attributes:
        pressure_kpa: shape [n_frames, n_sensors], kPa. A frame with a value that is not finite is lost for that foot.
        layout: of the sensors, in the same order.
        frame_rate_hz: frames per second, 10 to 1,000.
        calibrated: False for raw device units: then only timing is told.
    """

    pressure_kpa: NDArray[Any]
    layout: SensorLayout
    frame_rate_hz: float
    calibrated: bool = True


@dataclass(frozen=True, slots=True)
class PlantarResult:
    """The features of one session.

    Attributes:
        values: shape [len(PLANTAR_FEATURES)] in their order, NaN where missing.
        reasons: "group:reason" for every group that is missing; a reason of one foot reads "group_left:reason".
    """

    values: FloatArray
    reasons: tuple[str, ...]


def extract_plantar(session: PlantarSession) -> PlantarResult:
    """Every plantar feature of one session; missing ones are NaN and the reasons say why. Never raises for bad numbers.

    A quantity of a foot is its mean over the stances used. An insole's stances are runs of force above 20 N that begin
    and end within the session; a platform's are its contacts above 10 kPa. Standing on insoles gives what needs no
    stance. The left and right columns are filled where the layout names the side.
    """
    reason = _check(session)
    if reason is not None:
        return _refused(reason)
    pressure = np.ascontiguousarray(session.pressure_kpa, dtype=np.float64)
    pressure = np.where(np.isfinite(pressure), pressure, np.nan)
    reason = _check_values(pressure, calibrated=session.calibrated)
    feet = _feet(session, pressure, reason)
    return _combine(feet)


def extract_plantar_batch(sessions: Sequence[PlantarSession]) -> tuple[FloatArray, list[tuple[str, ...]]]:
    """Extract m sessions: values [m, k] and m tuples of reasons, equal to the last bit to m batches of one.

    Sessions differ in length and layout, so this loops over them; 100 frames of 1,200 sensors cost a few milliseconds.
    """
    results = [extract_plantar(session) for session in sessions]
    values = np.empty((len(results), len(PLANTAR_FEATURE_NAMES)))
    for row, result in enumerate(results):
        values[row] = result.values
    return values, [result.reasons for result in results]


def _check(session: PlantarSession) -> PlantarReason | None:
    shape = np.shape(session.pressure_kpa)
    if len(shape) != 2 or shape[1] != session.layout.size or shape[1] == 0:
        return PlantarReason.WRONG_SHAPE
    if not MIN_RATE_HZ <= session.frame_rate_hz <= MAX_RATE_HZ:
        return PlantarReason.WRONG_RATE
    return PlantarReason.TOO_SHORT if shape[0] < MIN_FRAMES else None


def _check_values(pressure: FloatArray, *, calibrated: bool) -> PlantarReason | None:
    """What is wrong with the numbers of the whole session; pressures are NaN where lost."""
    known = np.isfinite(pressure)
    if not calibrated:
        return PlantarReason.RAW_UNITS
    highest = float(np.max(np.where(known, pressure, 0.0)))
    if highest > MAX_PRESSURE_KPA:
        return PlantarReason.IMPLAUSIBLE_PRESSURE
    still = np.all((pressure == pressure[0]) | ~known)
    if still:
        return PlantarReason.CONSTANT if highest > 0.0 else PlantarReason.NO_CONTACT
    return PlantarReason.SATURATED if _saturated(pressure, highest) else None


def _saturated(pressure: FloatArray, highest: float) -> bool:
    """Whether three sensors or more sit at the session's highest value, in over a tenth of as many readings as frames.

    A pressure that is free to move seldom gives two sensors the same highest value, though devices print steps of
    5 kPa; a ceiling gives it to all that reach it.
    """
    at_top = pressure == highest
    loaded_frames = int(np.count_nonzero(np.any(pressure > 10.0, axis=1)))
    sensors = int(np.count_nonzero(np.any(at_top, axis=0)))
    return (
        highest >= CEILING_KPA
        and sensors >= CEILING_SENSORS
        and int(np.count_nonzero(at_top)) > CEILING_SHARE * loaded_frames
    )


def _feet(session: PlantarSession, pressure: FloatArray, reason: PlantarReason | None) -> dict[str, FootOutcome]:
    """The outcome of every side that has sensors."""
    feet: dict[str, FootOutcome] = {}
    for side in SIDES:
        layout, places = session.layout.part(side)
        if places.size == 0:
            continue
        part = np.ascontiguousarray(pressure[:, places])
        if not np.all(np.any(np.isfinite(part), axis=0)):
            feet[side] = FootOutcome()
            feet[side].refuse(PlantarReason.DEAD_SENSOR, *all_groups())
        elif reason is None:
            feet[side] = describe_foot(part, layout, session.frame_rate_hz)
        elif reason in (PlantarReason.SATURATED, PlantarReason.RAW_UNITS):
            feet[side] = _timing_only(part, layout, session, reason)
        else:
            feet[side] = FootOutcome()
            feet[side].refuse(reason, *all_groups())
    return feet


def _timing_only(
    pressure: FloatArray, layout: SensorLayout, session: PlantarSession, reason: PlantarReason
) -> FootOutcome:
    if reason is PlantarReason.SATURATED:
        outcome = describe_foot(pressure, layout, session.frame_rate_hz)
        outcome.values = {name: value for name, value in outcome.values.items() if name.startswith("contact_time_")}
        timing = outcome.reasons.get(PlantarGroup.TIMING)
        outcome.reasons = {PlantarGroup.TIMING: timing} if timing else {}
    else:
        outcome = FootOutcome()
        lost = ~np.all(np.isfinite(pressure), axis=1)
        total = np.add.reduce(np.where(lost[:, np.newaxis], 0.0, pressure), axis=1)
        if not np.all(lost):
            stances = raw_stances(total, lost, frame_rate_hz=session.frame_rate_hz)
            outcome.stances = stances.count
            if stances.count:
                time_s = (stances.last - stances.first) / session.frame_rate_hz
                outcome.values["contact_time_{}_s"] = float(np.mean(time_s))
        if not outcome.stances:
            outcome.refuse(PlantarReason.NO_STANCE, PlantarGroup.TIMING)
    outcome.refuse(reason, *(group for group in all_groups() if group is not PlantarGroup.TIMING))
    return outcome


def _combine(feet: dict[str, FootOutcome]) -> PlantarResult:
    values: dict[str, float] = {}
    patterns = dict.fromkeys(name for foot in feet.values() for name in foot.values)
    for pattern in patterns:
        measured = []
        for side, foot in feet.items():
            value = foot.values.get(pattern, float("nan"))
            if np.isfinite(value):
                measured.append(value)
                if side != "unknown":
                    values[pattern.format(side)] = value
        if measured:
            values[pattern.format("mean")] = sum(measured) / len(measured)
    values |= {f"stance_count_{side}": float(foot.stances) for side, foot in feet.items() if side != "unknown"}
    values["stance_count"] = float(sum(foot.stances for foot in feet.values()))
    reasons = [
        f"{group}:{reason}" if side == "unknown" else f"{group}_{side}:{reason}"
        for side, foot in feet.items()
        for group, reason in foot.reasons.items()
    ]
    for name, pattern in SYMMETRY.items():
        values[name] = symmetry_index_pct(*(values.get(pattern.format(side), np.nan) for side in ("left", "right")))
    if not any(np.isfinite(values[name]) for name in SYMMETRY):
        reasons.append(f"{PlantarGroup.ASYMMETRY}:{PlantarReason.ONE_FOOT}")
    return _result(values, tuple(reasons))


def _refused(reason: PlantarReason) -> PlantarResult:
    return _result({}, tuple(f"{group}:{reason}" for group in PlantarGroup))


def _result(features: dict[str, float], reasons: tuple[str, ...]) -> PlantarResult:
    values = np.array([features.get(name, np.nan) for name in PLANTAR_FEATURE_NAMES], dtype=np.float64)
    return PlantarResult(np.where(np.isfinite(values), values, np.nan), reasons)
