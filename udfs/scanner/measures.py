"""Measures of an aligned foot: breadths, girth, heights."""

from __future__ import annotations

import math

import numpy as np

from udfs.gait.contact import FloatArray
from udfs.scanner.axis import SOLE_MM, AlignedFoot
from udfs.scanner.mesh import below, hull_perimeter, section

BALL_BAND = (0.6, 0.8)
HEEL_PLACE = 0.15
INSTEP_PLACE = 0.5
EXTREME_MM = 0.5
"""Places this near the outermost one count as the joint; its position is the middle of them."""
CUT_EDGE_MM = 1.0


def ball_points(foot: AlignedFoot) -> FloatArray:
    """The surface between 60 and 80 % of the length by its corners, shape [k, 3]: vertices there and both edges.

    The surface is flat between these points, so its extent is theirs, wherever the vertices happen to lie.
    """
    points = foot.mesh.vertices
    share = points[:, 1] / foot.length_mm
    inside = points[(share >= BALL_BAND[0]) & (share <= BALL_BAND[1])]
    return np.concatenate([inside, *(foot.cut(edge).reshape(-1, 3) for edge in BALL_BAND)])


def extent(values: FloatArray) -> float:
    """Largest minus smallest; NaN for no values."""
    return float(np.ptp(values)) if values.size else float("nan")


def joint_place(points: FloatArray, *, right: bool) -> tuple[float, float]:
    """Across and along of the outermost place on one side: the middle of all points within 0.5 mm of it.

    Args:
        points: shape [k, 3], k >= 1, across, along, up.
        right: which side, looking to the toes.
    """
    across = points[:, 0] if right else -points[:, 0]
    outermost = float(np.max(across))
    near = points[across >= outermost - EXTREME_MM, 1]
    place = 0.5 * (float(np.min(near)) + float(np.max(near)))
    return (outermost if right else -outermost), place


def heel_width_mm(foot: AlignedFoot) -> float:
    """Extent across at 15 % of the length, below 30 mm; NaN where the scan has nothing there."""
    return extent(below(foot.cut(HEEL_PLACE), SOLE_MM)[:, 0])


def instep_height_mm(foot: AlignedFoot) -> float:
    """Highest point of the section at half the length; NaN where the scan has nothing there."""
    heights = foot.cut(INSTEP_PLACE)[..., 2]
    return float(np.max(heights)) if heights.size else float("nan")


def is_cut_off(foot: AlignedFoot, height_mm: float) -> bool:
    """Whether a height is that of the top edge of the scan."""
    return height_mm > float(np.max(foot.mesh.vertices[:, 2])) - CUT_EDGE_MM


def girth_mm(foot: AlignedFoot, one: tuple[float, float], other: tuple[float, float]) -> float:
    """Perimeter of the convex hull of the section by the vertical plane through two places (across, along)."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    reach = math.hypot(dx, dy)
    if not reach > 0.0:
        return float("nan")
    normal = (-dy / reach, dx / reach)
    cuts = section(foot.mesh.vertices, foot.mesh.faces, normal, normal[0] * one[0] + normal[1] * one[1]).reshape(-1, 3)
    return hull_perimeter((cuts[:, 0] * dx + cuts[:, 1] * dy) / reach, cuts[:, 2])
