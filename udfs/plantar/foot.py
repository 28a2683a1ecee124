"""Everything that one foot on a pressure device tells, and what it does not and why."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schemas.plantar import REGIONS, PlantarGroup, PlantarReason
from udfs.gait.contact import CONTACT_NEWTON, FloatArray
from udfs.gait.variability import mean
from udfs.plantar.layout import SensorLayout
from udfs.plantar.measures import (
    Series,
    centre_of_pressure,
    cop_series,
    cop_travel,
    cpei_pct,
    force_series,
    masked_load,
    masked_load_pct,
    peak_gradient,
    pressure_series,
    total_force_newton,
)
from udfs.plantar.print_shape import CONTACT_KPA, FootPrint, arch_index, find_print, medial_is_right, toe_line_mm
from udfs.plantar.stances import Stances, insole_stances, platform_stances

MIN_PEAK_FORCE_NEWTON = 50.0
MAX_PEAK_FORCE_NEWTON = 5_000.0
MIN_STANDING_S = 1.0
PLACED = (
    PlantarGroup.COP,
    PlantarGroup.PRINT,
    PlantarGroup.ARCH,
    PlantarGroup.CPEI,
    PlantarGroup.REGIONS,
    PlantarGroup.MEDIAL,
)
STANCE_BOUND = (PlantarGroup.TIMING, PlantarGroup.COP, PlantarGroup.CPEI)
STANCE_BOUND_COLUMNS = ("pti_novel_{}_kpa_s", "pti_melai_{}_kpa_s", "force_time_integral_{}_newton_s")

Values = dict[str, float]
Reasons = dict[PlantarGroup, PlantarReason]


@dataclass(slots=True)
class FootOutcome:
    """What one foot gave.

    Attributes:
        stances: how many were used.
        values: by the column pattern of `schemas.plantar`.
        reasons: by group, for what is missing.
    """

    stances: int = 0
    values: Values = field(default_factory=dict)
    reasons: Reasons = field(default_factory=dict)

    def refuse(self, reason: PlantarReason, *groups: PlantarGroup) -> None:
        """Notes why groups are missing; the first reason of a group stands."""
        for group in groups:
            self.reasons.setdefault(group, reason)


def all_groups() -> tuple[PlantarGroup, ...]:
    """Every group that one foot can have."""
    return tuple(group for group in PlantarGroup if group is not PlantarGroup.ASYMMETRY)


def describe_foot(pressure_kpa: FloatArray, layout: SensorLayout, frame_rate_hz: float) -> FootOutcome:
    """The quantities of one foot.

    Args:
        pressure_kpa: shape [n, c], checked; NaN where lost.
        layout: of these c sensors, one side only.
        frame_rate_hz: frames per second.
    """
    outcome = FootOutcome()
    lost = ~np.all(np.isfinite(pressure_kpa), axis=1)
    # A sensor's negative offset carries no load.
    pressure = np.where(lost[:, np.newaxis], 0.0, np.maximum(pressure_kpa, 0.0))
    if np.all(lost):
        outcome.refuse(PlantarReason.GAPS, *all_groups())
        return outcome
    force = total_force_newton(pressure, layout.area_cm2) if layout.has_areas else None
    found = _find_stances(pressure, force, lost, layout, frame_rate_hz)
    if isinstance(found, PlantarReason):
        outcome.refuse(found, *all_groups())
        if found is PlantarReason.NO_AREAS:
            _peaks_without_stances(outcome, pressure)
        return outcome
    stances, standing = found
    _describe(outcome, pressure, force, layout, stances, frame_rate_hz)
    if standing:
        _drop_stance_bound(outcome)
    else:
        outcome.stances = stances.count
    return outcome


def _find_stances(
    pressure: FloatArray, force: FloatArray | None, lost: NDArray[np.bool_], layout: SensorLayout, rate_hz: float
) -> tuple[Stances, bool] | PlantarReason:
    """The stances, and whether they are one spell of standing instead; or why there are none."""
    if layout.insole and force is None:
        return PlantarReason.NO_AREAS
    highest = np.max(pressure, axis=1, initial=0.0)
    if force is None or not layout.insole:
        stances = platform_stances(highest, lost, frame_rate_hz=rate_hz)
        loaded = highest[~lost] >= CONTACT_KPA
    else:
        stances = insole_stances(force, lost, frame_rate_hz=rate_hz)
        loaded = force[~lost] > CONTACT_NEWTON
    if stances.count:
        return stances, False
    if layout.insole and np.all(loaded) and not np.any(lost) and loaded.size >= MIN_STANDING_S * rate_hz:
        return Stances(np.array([0]), np.array([loaded.size - 1])), True
    if np.any(lost):
        return PlantarReason.GAPS
    return PlantarReason.NO_STANCE if np.any(loaded) else PlantarReason.NO_CONTACT


def _describe(
    outcome: FootOutcome,
    pressure: FloatArray,
    force: FloatArray | None,
    layout: SensorLayout,
    stances: Stances,
    rate_hz: float,
) -> None:
    dt_s = 1.0 / rate_hz
    peaks = stances.maxima(pressure)
    series: Series = {"contact_time_{}_s": (stances.last - stances.first) * dt_s}
    series |= pressure_series(pressure, stances, dt_s)
    neighbours = layout.neighbours
    if len(neighbours):
        step = np.hypot(*(axis[neighbours[:, 0]] - axis[neighbours[:, 1]] for axis in (layout.x_mm, layout.y_mm)))
        series["peak_pressure_gradient_{}_kpa_per_mm"] = peak_gradient(peaks, neighbours, step)
    else:
        outcome.refuse(PlantarReason.NO_GRID, PlantarGroup.GRADIENT)
    needs_force = [group for group in all_groups() if group not in (PlantarGroup.TIMING, PlantarGroup.PRESSURE)]
    needs_force.remove(PlantarGroup.GRADIENT)
    if force is None:
        outcome.refuse(PlantarReason.NO_AREAS, *needs_force)
    else:
        forces = force_series(pressure, force, layout.area_cm2, stances, dt_s)
        peak = mean(forces["peak_force_{}_newton"])
        if MIN_PEAK_FORCE_NEWTON <= peak <= MAX_PEAK_FORCE_NEWTON:
            series |= forces | _placed_series(outcome, pressure, force, layout, stances, rate_hz)
        else:
            outcome.refuse(PlantarReason.IMPLAUSIBLE_FORCE, *needs_force)
    outcome.values |= {name: mean(values) for name, values in series.items()}


def _placed_series(
    outcome: FootOutcome,
    pressure: FloatArray,
    force: FloatArray,
    layout: SensorLayout,
    stances: Stances,
    rate_hz: float,
) -> Series:
    """What needs the places of the sensors; the print's own values go into the outcome straight away."""
    if not layout.has_positions:
        outcome.refuse(PlantarReason.NO_POSITIONS, *PLACED)
        return {}
    load = pressure * layout.area_cm2
    travel = cop_travel(
        centre_of_pressure(load, layout.x_mm, force), centre_of_pressure(load, layout.y_mm, force), stances
    )
    print_ = find_print(layout, np.max(stances.maxima(pressure), axis=0), travel)
    if isinstance(print_, PlantarReason):
        outcome.refuse(print_, *PLACED)
        return {}
    along = centre_of_pressure(load, print_.along_mm, force)
    across = centre_of_pressure(load, print_.across_mm, force)
    series = cop_series(along, across, stances, frame_rate_hz=rate_hz)
    impulse = stances.sums(load)
    peaks = stances.maxima(pressure)
    medial_right = medial_is_right(print_, layout.side[0])
    if medial_right is None:
        outcome.refuse(PlantarReason.UNKNOWN_SIDE, PlantarGroup.CPEI, PlantarGroup.MEDIAL)
    else:
        series["cpei_{}_pct"] = cpei_pct(along, across, stances, print_, medial_right)
        right = print_.share_right()
        series["medial_load_{}_pct"] = masked_load_pct(impulse, right if medial_right else 1.0 - right)
    outcome.values |= {"print_length_{}_mm": print_.length_mm, "print_width_{}_mm": print_.width_mm}
    series |= _toes(outcome, print_, layout, peaks, impulse)
    return series | _region_series(print_, layout, peaks, impulse)


def _toes(
    outcome: FootOutcome, print_: FootPrint, layout: SensorLayout, peaks: FloatArray, impulse: FloatArray
) -> Series:
    """Arch index and toe load, which need the toe line."""
    line = toe_line_mm(print_, np.max(peaks, axis=0))
    if not line > 0.0:
        outcome.refuse(PlantarReason.NO_TOE_LINE, PlantarGroup.ARCH)
        return {}
    outcome.values["arch_index_{}"] = arch_index(print_, layout.area_cm2, line)
    return {"toe_load_{}_pct": masked_load_pct(impulse, print_.share_between(line, np.inf))}


def _region_series(print_: FootPrint, layout: SensorLayout, peaks: FloatArray, impulse: FloatArray) -> Series:
    """Load share, peak pressure and contact area of the thirds of the print, shape [k] each."""
    series: Series = {}
    # Three regions, whatever the number of stances.
    for number, region in enumerate(REGIONS):
        low = -np.inf if number == 0 else print_.length_mm * number / 3.0
        high = np.inf if number == 2 else print_.length_mm * (number + 1) / 3.0
        share = print_.share_between(low, high)
        load, peak, area = masked_load(peaks, impulse, layout.area_cm2, share)
        series[f"{region}_load_{{}}_pct"] = load
        series[f"{region}_peak_pressure_{{}}_kpa"] = peak
        series[f"{region}_contact_area_{{}}_cm2"] = area
    return series


def _peaks_without_stances(outcome: FootOutcome, pressure: FloatArray) -> None:
    """Sensors of unknown size show no stances; their highest pressure in the session is known all the same."""
    outcome.values["peak_pressure_{}_kpa"] = float(np.max(pressure, initial=0.0))
    outcome.reasons.pop(PlantarGroup.PRESSURE)


def _drop_stance_bound(outcome: FootOutcome) -> None:
    """A spell of standing has no contact time, no integrals over it and no roll-over."""
    outcome.refuse(PlantarReason.NO_STANCE, *STANCE_BOUND)
    outcome.values = {
        name: value
        for name, value in outcome.values.items()
        if not name.startswith(("cop_", "cpei_", "contact_time_")) and name not in STANCE_BOUND_COLUMNS
    }
