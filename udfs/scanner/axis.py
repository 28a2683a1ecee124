"""The axis of a scanned foot: where heel and toes are, and the foot in its own coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.scanner import ScanReason
from udfs.gait.contact import FloatArray
from udfs.scanner.mesh import Mesh, section

SOLE_MM = 30.0
"""Vertices below this height give the axis: the sole and the toes, not the ankle."""
MIN_SOLE_VERTICES = 3
ROUNDING_MM = 1e-6
HEEL_PLACE = 0.1
HEIGHT_PLACES = (0.25, 0.75)
MIN_HEIGHT_RATIO = 1.1
MIN_LENGTH_MM, MAX_LENGTH_MM = 100.0, 400.0
MIN_BREADTH_SHARE, MAX_BREADTH_SHARE = 0.25, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFoot:
    """A foot in its own coordinates.

    Attributes:
        mesh: vertices are (across, along, up) in mm: across to the right looking to the toes, along from the heel, up
            from the lowest vertex.
        length_mm: extent along the axis.
        direction: the axis in the scanner's x and y, a unit vector.
        ambiguous: nothing tells the heel from the toes; along may run either way.
    """

    mesh: Mesh
    length_mm: float
    direction: tuple[float, float]
    ambiguous: bool

    def reversed(self) -> AlignedFoot:
        """The same foot with heel and toes exchanged."""
        across, along, up = (self.mesh.vertices[:, axis] for axis in range(3))
        points = np.column_stack([-across, self.length_mm - along, up])
        direction = (-self.direction[0], -self.direction[1])
        return AlignedFoot(Mesh(points, self.mesh.faces), self.length_mm, direction, self.ambiguous)

    def cut(self, share: float) -> FloatArray:
        """The section across the axis at a share of the length from the heel: end points [k, 2, 3]."""
        return section(self.mesh.vertices, self.mesh.faces, (0.0, 1.0), share * self.length_mm)


def align_foot(mesh: Mesh, second_toe_mm: FloatArray | None) -> AlignedFoot | ScanReason:
    """The foot in its own coordinates, or why it is none.

    Axis: first principal axis of the vertices below 30 mm, so it leans to where a scan has more vertices; where the tip
    of the second toe is given, from the middle of the heel (section at 10 % of the length) to it. The heel is the end
    over which the scan is higher: its section at 25 % must be 1.1 times as high as that at 75 %.

    Args:
        mesh: of one foot, z up.
        second_toe_mm: shape [3], in the coordinates of the mesh.
    """
    sole = mesh.vertices[mesh.vertices[:, 2] - np.min(mesh.vertices[:, 2]) < SOLE_MM - ROUNDING_MM]
    if len(sole) < MIN_SOLE_VERTICES:
        return ScanReason.FEW_POINTS
    foot = _along(mesh, _principal_axis(sole), ambiguous=False)
    if not _is_foot(foot):
        return ScanReason.NOT_A_FOOT
    rear, front = (_height(foot, share) for share in HEIGHT_PLACES)
    if front > rear:
        foot = _along(mesh, (-foot.direction[0], -foot.direction[1]), ambiguous=False)
    if second_toe_mm is not None:
        refined = _towards(mesh, foot, second_toe_mm)
        return refined if _is_foot(refined) else ScanReason.NOT_A_FOOT
    if max(rear, front) < MIN_HEIGHT_RATIO * min(rear, front):
        return AlignedFoot(foot.mesh, foot.length_mm, foot.direction, ambiguous=True)
    return foot


def _is_foot(foot: AlignedFoot) -> bool:
    breadth = float(np.ptp(foot.mesh.vertices[:, 0]))
    return (
        MIN_LENGTH_MM <= foot.length_mm <= MAX_LENGTH_MM
        and MIN_BREADTH_SHARE * foot.length_mm <= breadth <= MAX_BREADTH_SHARE * foot.length_mm
    )


def _principal_axis(sole: FloatArray) -> tuple[float, float]:
    dx, dy = sole[:, 0] - np.mean(sole[:, 0]), sole[:, 1] - np.mean(sole[:, 1])
    angle = 0.5 * np.arctan2(2.0 * np.sum(dx * dy), np.sum(dx * dx) - np.sum(dy * dy))
    return float(np.cos(angle)), float(np.sin(angle))


def _along(mesh: Mesh, direction: tuple[float, float], *, ambiguous: bool) -> AlignedFoot:
    """The mesh about a unit vector; across is counted from the middle of the extent."""
    x, y, z = (mesh.vertices[:, axis] for axis in range(3))
    along = x * direction[0] + y * direction[1]
    across = x * direction[1] - y * direction[0]
    middle = 0.5 * (np.min(across) + np.max(across))
    points = np.column_stack([across - middle, along - np.min(along), z - np.min(z)])
    return AlignedFoot(Mesh(points, mesh.faces), float(np.ptp(along)), direction, ambiguous)


def _height(foot: AlignedFoot, share: float) -> float:
    return float(np.max(foot.cut(share)[..., 2], initial=0.0))


def _towards(mesh: Mesh, foot: AlignedFoot, second_toe_mm: FloatArray) -> AlignedFoot:
    """The foot about the line from the middle of the heel to the tip of the second toe."""
    ahead, aside = foot.direction, (foot.direction[1], -foot.direction[0])
    along = mesh.vertices[:, 0] * ahead[0] + mesh.vertices[:, 1] * ahead[1]
    toe = float(second_toe_mm[0]) * ahead[0] + float(second_toe_mm[1]) * ahead[1]
    # The tip of the toe decides which end is the heel.
    reverse = toe < 0.5 * (float(np.min(along)) + float(np.max(along)))
    share = 1.0 - HEEL_PLACE if reverse else HEEL_PLACE
    heel_along = float(np.min(along)) + share * foot.length_mm
    cuts = section(mesh.vertices, mesh.faces, ahead, heel_along).reshape(-1, 3)
    across = cuts[:, 0] * aside[0] + cuts[:, 1] * aside[1]
    middle = 0.5 * (float(np.min(across)) + float(np.max(across)))
    dx = float(second_toe_mm[0]) - (heel_along * ahead[0] + middle * aside[0])
    dy = float(second_toe_mm[1]) - (heel_along * ahead[1] + middle * aside[1])
    reach = float(np.hypot(dx, dy))
    return _along(mesh, (dx / reach, dy / reach), ambiguous=False)
