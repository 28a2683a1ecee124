"""The print of a foot on a pressure device: its axis, length, thirds, toe line and medial side.

How the axis is found. The print is every sensor whose peak passes 10 kPa. Its first principal axis gives the line of
the foot; the toes lie where the insole says, or where the centre of pressure travels to during a stance. The axis is
then drawn from the centre of the heel (rear 20 % of the print) to the centre of the metatarsal heads (60 to 80 %), in
place of the heel-to-second-toe line of Cavanagh & Rodgers (1987).

Limits. Two prints, part of a print, prints of a foot that never sets its heel down, and missing rays give another axis
or none; a print that is no foot's in length or slenderness is refused. The toe line is perpendicular to the axis, so a
fourth or fifth toe that lies behind it counts as forefoot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.plantar import PlantarReason
from udfs.gait.contact import FloatArray
from udfs.plantar.layout import SensorLayout

CONTACT_KPA = 10.0
MIN_PRINT_MM, MAX_PRINT_MM = 100.0, 350.0
MIN_SLENDER, MAX_SLENDER = 1.5, 6.0
MIN_TRAVEL_SHARE = 0.2
HEEL_END = 0.2
BALL_BAND = (0.6, 0.8)
BALL_SEARCH = (0.55, 0.85)
TOE_LINE_RANGE = (0.70, 0.95)
VALLEY_DEPTH = 0.75
PROFILE_BIN_MM = 5.0
MIN_ARCH_OFFSET = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class FootPrint:
    """A print in its own coordinates.

    Attributes:
        along_mm: shape [c], every sensor's distance from the rear edge of the print along the foot axis.
        across_mm: shape [c], to the right of the axis, looking towards the toes.
        half_mm: half a sensor's extent along and across the axis; 0 without a grid.
        contact: shape [c], True for the sensors of the print.
        length_mm, width_mm: of the print.
    """

    along_mm: FloatArray
    across_mm: FloatArray
    half_mm: tuple[float, float]
    contact: NDArray[np.bool_]
    length_mm: float
    width_mm: float

    def share_between(self, low_mm: float, high_mm: float) -> FloatArray:
        """How much of each sensor lies between two distances from the heel, 0 to 1, shape [c]."""
        return _share(self.along_mm, self.half_mm[0], low_mm, high_mm)

    def share_right(self) -> FloatArray:
        """How much of each sensor lies to the right of the axis, 0 to 1, shape [c]."""
        return _share(self.across_mm, self.half_mm[1], 0.0, np.inf)

    def width_at(self, along_mm: float) -> float:
        """Width of the print at a distance from the heel, mm; NaN where there is no contact."""
        reach = max(self.half_mm[0], PROFILE_BIN_MM / 2)
        near = self.contact & (np.abs(self.along_mm - along_mm) <= reach)
        if not np.any(near):
            return float("nan")
        return float(np.ptp(self.across_mm[near])) + 2.0 * self.half_mm[1]


def find_print(layout: SensorLayout, peak_kpa: FloatArray, travel_mm: tuple[float, float]) -> FootPrint | PlantarReason:
    """The print of one foot, or why there is none.

    Args:
        layout: sensors of one foot, with positions.
        peak_kpa: shape [c], highest pressure of each sensor.
        travel_mm: how far the centre of pressure moves in x and y from the first to the last fifth of a stance; only a
            platform needs it.
    """
    contact = peak_kpa > CONTACT_KPA
    if np.count_nonzero(contact) < 3:
        return PlantarReason.NO_CONTACT
    x, y = layout.x_mm, layout.y_mm
    line = _principal_axis(x[contact], y[contact])
    forward = _dot(line, travel_mm)
    if (line[1] if layout.insole else forward) < 0.0:
        line = (-line[0], -line[1])
    rough = _along(layout, line, contact)
    if not layout.insole and not abs(forward) >= MIN_TRAVEL_SHARE * rough.length_mm:
        return PlantarReason.UNKNOWN_DIRECTION
    refined = _heel_to_ball(layout, rough)
    found = rough if refined is None else _along(layout, refined, contact)
    slender = found.length_mm / found.width_mm if found.width_mm > 0.0 else np.inf
    if not (MIN_PRINT_MM <= found.length_mm <= MAX_PRINT_MM and MIN_SLENDER <= slender <= MAX_SLENDER):
        return PlantarReason.IMPLAUSIBLE_PRINT
    return found


def toe_line_mm(print_: FootPrint, load: FloatArray) -> float:
    """Distance from the heel of the line behind the toes; NaN where the load shows none.

    It is the least loaded place between the metatarsal heads (most loaded place at 55 to 85 % of the length) and the
    most loaded place in front of them; the valley must lie at 70 to 95 % and be at most 0.75 of the lower peak.

    Args:
        print_: the print.
        load: shape [c], peak pressure or impulse of each sensor.
    """
    bins = int(np.ceil(print_.length_mm / PROFILE_BIN_MM))
    centre, profile = _profile(print_, load, bins)
    share = centre / print_.length_mm
    ball = _argmax_where(profile, (share >= BALL_SEARCH[0]) & (share <= BALL_SEARCH[1]))
    front = profile[ball:]
    # Walking forward, the front peak is the first rise after the lowest value.
    lowest_so_far = np.minimum.accumulate(front)
    toe = ball + int(np.argmax(front - lowest_so_far))
    valley = ball + int(np.argmin(profile[ball : toe + 1]))
    deep = profile[valley] <= VALLEY_DEPTH * min(profile[ball], profile[toe])
    if toe == ball or not deep or not TOE_LINE_RANGE[0] <= share[valley] <= TOE_LINE_RANGE[1]:
        return float("nan")
    return float(centre[valley])


def arch_index(print_: FootPrint, area_cm2: FloatArray, toe_line: float) -> float:
    """Arch index = midfoot area / area without toes, thirds from heel to toe line (Cavanagh & Rodgers 1987).

    Args:
        print_: the print.
        area_cm2: shape [c].
        toe_line: distance of the toe line from the heel, mm; NaN gives NaN.
    """
    if not toe_line > 0.0:
        return float("nan")
    area = np.where(print_.contact, area_cm2, 0.0)
    thirds = [
        float(np.sum(area * print_.share_between(toe_line * part / 3.0, toe_line * (part + 1) / 3.0)))
        for part in range(3)
    ]
    total = sum(thirds)
    return thirds[1] / total if total > 0.0 else float("nan")


def medial_is_right(print_: FootPrint, side: str) -> bool | None:
    """Whether the medial side lies to the right of the axis, looking towards the toes; None when nothing tells.

    Seen from above it does for a left foot. Of an unknown foot the arch tells: the midfoot touches down laterally.
    It must lie at least 5 % of the width beside the axis.
    """
    if side != "unknown":
        return side == "left"
    middle = print_.share_between(print_.length_mm / 3.0, print_.length_mm * 2.0 / 3.0) * print_.contact
    total = float(np.sum(middle))
    if total == 0.0:
        return None
    offset = float(np.sum(middle * print_.across_mm)) / total
    return offset < 0.0 if abs(offset) >= MIN_ARCH_OFFSET * print_.width_mm else None


def _dot(line: tuple[float, float], travel: tuple[float, float]) -> float:
    return line[0] * travel[0] + line[1] * travel[1]


def _principal_axis(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Unit vector of the largest variance."""
    dx, dy = x - np.mean(x), y - np.mean(y)
    angle = 0.5 * np.arctan2(2.0 * np.sum(dx * dy), np.sum(dx * dx) - np.sum(dy * dy))
    return float(np.cos(angle)), float(np.sin(angle))


def _along(layout: SensorLayout, line: tuple[float, float], contact: NDArray[np.bool_]) -> FootPrint:
    """Coordinates about a unit vector; the axis runs through the middle of the heel."""
    along = layout.x_mm * line[0] + layout.y_mm * line[1]
    across = layout.x_mm * line[1] - layout.y_mm * line[0]
    pitch = layout.pitch_mm or (0.0, 0.0)
    half = (
        0.5 * (abs(line[0]) * pitch[0] + abs(line[1]) * pitch[1]),
        0.5 * (abs(line[1]) * pitch[0] + abs(line[0]) * pitch[1]),
    )
    rear = float(np.min(along[contact])) - half[0]
    length = float(np.max(along[contact])) + half[0] - rear
    along = along - rear
    heel = contact & (along <= HEEL_END * length)
    across = across - float(np.mean(across[heel if np.any(heel) else contact]))
    width = float(np.ptp(across[contact])) + 2.0 * half[1]
    return FootPrint(along, across, half, contact, length, width)


def _heel_to_ball(layout: SensorLayout, rough: FootPrint) -> tuple[float, float] | None:
    """Unit vector from the centre of the heel to that of the metatarsal heads; None where one of them is missing."""
    share = rough.along_mm / rough.length_mm
    heel = rough.contact & (share <= HEEL_END)
    ball = rough.contact & (share >= BALL_BAND[0]) & (share <= BALL_BAND[1])
    if not (np.any(heel) and np.any(ball)):
        return None
    dx = float(np.mean(layout.x_mm[ball]) - np.mean(layout.x_mm[heel]))
    dy = float(np.mean(layout.y_mm[ball]) - np.mean(layout.y_mm[heel]))
    reach = float(np.hypot(dx, dy))
    return (dx / reach, dy / reach) if reach > 0.0 else None


def _share(place: FloatArray, half: float, low: float, high: float) -> FloatArray:
    if half == 0.0:
        return ((place >= low) & (place < high)).astype(np.float64)
    inside = np.minimum(place + half, high) - np.maximum(place - half, low)
    return np.asarray(np.clip(inside / (2.0 * half), 0.0, 1.0))


def _profile(print_: FootPrint, load: FloatArray, bins: int) -> tuple[FloatArray, FloatArray]:
    """Load by distance from the heel: bin centres in mm and load, each sensor shared between the two nearest bins."""
    width = print_.length_mm / bins
    place = np.clip(print_.along_mm[print_.contact] / width - 0.5, 0.0, bins - 1.0)
    lower = np.minimum(place.astype(np.int64), max(bins - 2, 0))
    upper_share = place - lower
    held = load[print_.contact]
    profile = np.bincount(lower, held * (1.0 - upper_share), bins) + np.bincount(lower + 1, held * upper_share, bins)
    return np.asarray((np.arange(bins) + 0.5) * width), np.asarray(profile, dtype=np.float64)


def _argmax_where(values: FloatArray, mask: NDArray[np.bool_]) -> int:
    return int(np.argmax(np.where(mask, values, -np.inf)))
