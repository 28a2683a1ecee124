"""A triangle mesh: checked, with equal vertices merged; its area, volume and sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from schemas.scanner import ScanReason
from udfs.gait.contact import FloatArray, IntArray

MM3_PER_CM3 = 1_000.0
MM2_PER_CM2 = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A surface of triangles.

    Attributes:
        vertices: shape [v, 3], mm, no two equal, sorted by x, y, z.
        faces: shape [f, 3], no face twice the same vertex, the first vertex first, sorted by their vertices: so nothing
            depends on the order of the file.
    """

    vertices: FloatArray
    faces: IntArray

    @property
    def corners(self) -> FloatArray:
        """The corners of every face, shape [f, 3 corners, 3]."""
        return np.asarray(self.vertices[self.faces])


def check_mesh(vertices: NDArray[Any], faces: NDArray[Any]) -> ScanReason | None:
    """Whether the arrays are a mesh; the reason why not, else None."""
    shapes_fit = all(np.ndim(part) == 2 and np.shape(part)[1] == 3 and len(part) > 0 for part in (vertices, faces))
    if not shapes_fit or not np.issubdtype(np.asarray(faces).dtype, np.integer):
        return ScanReason.WRONG_SHAPE
    if not np.all(np.isfinite(np.asarray(vertices, dtype=np.float64))):
        return ScanReason.NOT_FINITE
    if np.min(faces) < 0 or np.max(faces) >= len(vertices):
        return ScanReason.BAD_FACES
    return None


def merge_vertices(vertices: FloatArray, faces: IntArray) -> Mesh:
    """The mesh of the vertices that faces use, equal ones merged; faces that collapse are dropped.

    File formats such as STL repeat a vertex in every face that touches it.

    Args:
        vertices: shape [v, 3], finite.
        faces: shape [f, 3], of existing vertices.
    """
    used = np.zeros(len(vertices), dtype=np.bool_)
    used[faces] = True
    # + 0.0 turns -0.0 into 0.0, so that mirrored meshes sort alike.
    points = vertices[used] + 0.0
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0]))
    ordered = points[order]
    fresh = np.concatenate([[True], np.any(ordered[1:] != ordered[:-1], axis=1)])
    place = np.empty(len(points), dtype=np.int64)
    place[order] = np.cumsum(fresh) - 1
    renumbered = np.zeros(len(vertices), dtype=np.int64)
    renumbered[used] = place
    merged = renumbered[faces]
    a, b, c = merged[:, 0], merged[:, 1], merged[:, 2]
    return Mesh(ordered[fresh], _sorted_faces(merged[(a != b) & (b != c) & (c != a)]))


def surface_cm2(mesh: Mesh) -> float:
    """Area = sum of |(b - a) x (c - a)| / 2 over the faces, cm2."""
    # The corners of a face in one order whichever way it is wound, so that mirrored meshes round alike.
    corners = mesh.vertices[np.sort(mesh.faces, axis=1)]
    a, b, c = (corners[:, corner] for corner in range(3))
    normal = np.cross(b - a, c - a)
    return float(np.sum(np.sqrt(np.sum(normal * normal, axis=1)))) / 2.0 / MM2_PER_CM2


def volume_cm3(mesh: Mesh) -> float | ScanReason:
    """Volume = |sum of a . (b x c)| / 6, cm3, for a closed and consistently wound mesh; else the reason why not."""
    count = len(mesh.vertices)
    directed = np.concatenate([mesh.faces[:, (0, 1)], mesh.faces[:, (1, 2)], mesh.faces[:, (2, 0)]])
    forward = np.sort(directed[:, 0] * count + directed[:, 1])
    undirected = np.sort(np.min(directed, axis=1) * count + np.max(directed, axis=1))
    if len(undirected) % 2 or not _in_pairs(undirected):
        return ScanReason.NOT_WATERTIGHT
    if np.any(forward[1:] == forward[:-1]):
        return ScanReason.INCONSISTENT_WINDING
    # About the middle of the mesh, where the terms are smallest.
    a, b, c = (mesh.corners[:, corner] - np.mean(mesh.vertices, axis=0) for corner in range(3))
    return abs(float(np.sum(a * np.cross(b, c)))) / 6.0 / MM3_PER_CM3


def section(points: FloatArray, faces: IntArray, normal: tuple[float, float], offset: float) -> FloatArray:
    """Where a vertical plane cuts the faces: the end points of the cuts, shape [k, 2 ends, 3].

    Args:
        points: shape [v, 3].
        faces: shape [f, 3].
        normal: of the plane in x and y, a unit vector.
        offset: the plane is where normal . (x, y) = offset.
    """
    height = points[:, 0] * normal[0] + points[:, 1] * normal[1] - offset
    # A vertex in the plane counts as in front of it, so every face is cut along one line or not at all.
    front = height >= 0.0
    sides = front[faces]
    cut = faces[np.any(sides, axis=1) & ~np.all(sides, axis=1)]
    if len(cut) == 0:
        return np.empty((0, 2, 3))
    # The corner that lies alone on its side comes first.
    alone = np.argmax(front[cut] == (np.sum(front[cut], axis=1) == 1)[:, np.newaxis], axis=1)
    row = np.arange(len(cut))
    single, one, two = (cut[row, (alone + step) % 3] for step in range(3))
    return np.stack([_crossing(points, height, single, other) for other in (one, two)], axis=1)


def below(cuts: FloatArray, limit: float) -> FloatArray:
    """The parts of a section at z <= limit: cuts [k, 2, 3] give end points [m, 3]."""
    low, high = cuts[:, 0], cuts[:, 1]
    swap = low[:, 2] > high[:, 2]
    low, high = np.where(swap[:, np.newaxis], high, low), np.where(swap[:, np.newaxis], low, high)
    touched = low[:, 2] <= limit
    low, high = low[touched], high[touched]
    rise = high[:, 2] - low[:, 2]
    part = np.where(high[:, 2] > limit, (limit - low[:, 2]) / np.where(rise > 0.0, rise, 1.0), 1.0)
    return np.concatenate([low, low + part[:, np.newaxis] * (high - low)])


def hull_perimeter(u: FloatArray, z: FloatArray) -> float:
    """Perimeter of the convex hull of points in a plane, as a tape drawn tight; NaN for a line or a point."""
    points = np.unique(np.column_stack([u, z]), axis=0)
    if len(points) < 3:
        return float("nan")
    try:
        # In two dimensions Qhull calls the perimeter the area.
        return float(ConvexHull(points).area)
    except QhullError:
        return float("nan")


def _sorted_faces(faces: IntArray) -> IntArray:
    """Every face begins with its first vertex, winding kept; faces in the order of their vertices."""
    if len(faces) == 0:
        return faces
    start = np.argmin(faces, axis=1)
    row = np.arange(len(faces))
    turned = np.stack([faces[row, (start + step) % 3] for step in range(3)], axis=1)
    low, high = np.minimum(turned[:, 1], turned[:, 2]), np.maximum(turned[:, 1], turned[:, 2])
    return np.asarray(turned[np.lexsort((turned[:, 1], high, low, turned[:, 0]))])


def _crossing(points: FloatArray, height: FloatArray, start: IntArray, end: IntArray) -> FloatArray:
    part = height[start] / (height[start] - height[end])
    return np.asarray(points[start] + part[:, np.newaxis] * (points[end] - points[start]))


def _in_pairs(ordered: IntArray) -> bool:
    """Whether every value of a sorted array of even length stands there exactly twice."""
    pairs = ordered.reshape(-1, 2)
    return bool(np.all(pairs[:, 0] == pairs[:, 1]) and np.all(pairs[1:, 0] != pairs[:-1, 1]))
