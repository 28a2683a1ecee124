"""From the scans of a session to the vector of scanner features, and why values are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from schemas.scanner import (
    FOOT_FEATURE_NAMES,
    SCANNER_FEATURE_NAMES,
    ScanGroup,
    ScanReason,
    side_name,
)
from udfs.gait.contact import FloatArray
from udfs.scanner import measures
from udfs.scanner.axis import AlignedFoot, align_foot
from udfs.scanner.mesh import check_mesh, merge_vertices, surface_cm2, volume_cm3

Side = Literal["left", "right"]

MAX_TOE_OUT_DEG = 45.0
SAME_SHARE = 1e-6
GROUP_OF = {
    "ball_width_mm": ScanGroup.BREADTH,
    "heel_width_mm": ScanGroup.BREADTH,
    "ball_girth_mm": ScanGroup.GIRTH,
    "instep_height_mm": ScanGroup.HEIGHT,
    "arch_height_index": ScanGroup.ARCH,
    "toe_out_deg": ScanGroup.TOE_OUT,
}
"""The groups of what needs to know the heel from the toes."""
_ONE_FOOT_GROUPS = tuple(group for group in ScanGroup if group is not ScanGroup.DIFFERENCE)

Values = dict[str, float]
Reasons = dict[ScanGroup, ScanReason]


@dataclass(frozen=True, slots=True, eq=False)
class FootScan:
    """One scan.

    Attributes:
        vertices_mm: shape [v, 3], mm, z up; for the toe-out angle x to the right and y in walking direction.
        faces: shape [f, 3], whole numbers: three vertices each.
        side: which foot it is; None when nobody says.
        second_toe_mm: shape [3], tip of the second toe where it is marked.
        reason: why there is no mesh, where there is none.
    """

    vertices_mm: NDArray[Any]
    faces: NDArray[Any]
    side: Side | None = None
    second_toe_mm: NDArray[Any] | None = None
    reason: ScanReason | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ScanSession:
    """The scans of one person at one time, in any order; of each side the first counts."""

    scans: tuple[FootScan, ...]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Features of a scan or of a session of scans.

    Attributes:
        values: shape [len(FOOT_FEATURES)] of a scan, [len(SCANNER_FEATURES)] of a session; NaN where missing.
        reasons: "group:reason" for every group that is missing; in a session, of one foot, "group_left:reason".
    """

    values: FloatArray
    reasons: tuple[str, ...]


def measure_foot(
    vertices_mm: NDArray[Any],
    faces: NDArray[Any],
    *,
    side: Side | None = None,
    second_toe_mm: NDArray[Any] | None = None,
) -> ScanResult:
    """Every quantity of one scan. Missing ones are NaN and the reasons say why; never raises for bad numbers.

    Nothing but the toe-out angle depends on how the foot lies in the scanner's plane or where it lies, up to rounding;
    nothing at all on the order of vertices and faces. A left foot is mirrored and measured as a right one, so scans
    that mirror each other exactly give the same values to the last bit.

    Args:
        vertices_mm: shape [v, 3], mm, z up.
        faces: shape [f, 3], whole numbers.
        side: which foot it is; without it, what needs medial and lateral is missing.
        second_toe_mm: shape [3], tip of the second toe in the same coordinates, where it is marked.
    """
    values, reasons = _measure(FootScan(vertices_mm, faces, side, second_toe_mm))
    vector = np.array([values.get(name, math.nan) for name in FOOT_FEATURE_NAMES])
    return ScanResult(
        np.where(np.isfinite(vector), vector, math.nan),
        tuple(f"{group}:{reason}" for group, reason in reasons.items()),
    )


def extract_scanner(session: ScanSession) -> ScanResult:
    """Every scanner feature of one session: left, right, mean of the feet scanned, and left - right."""
    values: Values = {}
    reasons: list[str] = []
    measured: dict[str, Values] = {}
    # By side, so that the reasons do not depend on which foot was scanned first.
    for scan in sorted(session.scans, key=lambda scan: scan.side or ""):
        side = scan.side or "unknown"
        if side in measured:
            continue
        measured[side], missing = _measure(scan)
        ending = f"_{scan.side}" if scan.side else ""
        reasons += [f"{group}{ending}:{reason}" for group, reason in missing.items()]
    for name in FOOT_FEATURE_NAMES:
        known = {side: foot[name] for side, foot in measured.items() if math.isfinite(foot.get(name, math.nan))}
        values |= {side_name(name, side): value for side, value in known.items() if side != "unknown"}
        if known:
            values[side_name(name, "mean")] = sum(known[side] for side in sorted(known)) / len(known)
        if "left" in known and "right" in known:
            values[side_name(name, "difference")] = known["left"] - known["right"]
    if not {"left", "right"} <= measured.keys():
        reasons.append(f"{ScanGroup.DIFFERENCE}:{ScanReason.ONE_FOOT}")
    vector = np.array([values.get(name, math.nan) for name in SCANNER_FEATURE_NAMES], dtype=np.float64)
    return ScanResult(vector, tuple(reasons))


def extract_scanner_batch(sessions: Sequence[ScanSession]) -> tuple[FloatArray, list[tuple[str, ...]]]:
    """Extract m sessions: values [m, k] and m tuples of reasons, equal to the last bit to m batches of one.

    Meshes differ in size, so this loops over them; a scan of 300,000 faces costs half a second.
    """
    results = [extract_scanner(session) for session in sessions]
    values = np.empty((len(results), len(SCANNER_FEATURE_NAMES)))
    for row, result in enumerate(results):
        values[row] = result.values
    return values, [result.reasons for result in results]


def _measure(scan: FootScan) -> tuple[Values, Reasons]:
    reason = scan.reason or check_mesh(scan.vertices_mm, scan.faces)
    if reason is not None:
        return {}, dict.fromkeys(_ONE_FOOT_GROUPS, reason)
    mirror = np.array([-1.0 if scan.side == "left" else 1.0, 1.0, 1.0])
    mesh = merge_vertices(np.asarray(scan.vertices_mm, dtype=np.float64) * mirror, np.asarray(scan.faces, np.int64))
    if len(mesh.faces) == 0:
        return {}, dict.fromkeys(_ONE_FOOT_GROUPS, ScanReason.BAD_FACES)
    toe = None if scan.second_toe_mm is None else np.asarray(scan.second_toe_mm, dtype=np.float64) * mirror
    if toe is not None and not (toe.shape == (3,) and np.all(np.isfinite(toe))):
        return {}, dict.fromkeys(_ONE_FOOT_GROUPS, ScanReason.NOT_FINITE)
    foot = align_foot(mesh, toe)
    if isinstance(foot, ScanReason):
        return {}, dict.fromkeys(_ONE_FOOT_GROUPS, foot)
    values: Values = {"foot_length_mm": foot.length_mm, "surface_cm2": surface_cm2(mesh)}
    reasons: Reasons = {}
    volume = volume_cm3(mesh)
    if isinstance(volume, ScanReason):
        reasons[ScanGroup.VOLUME] = volume
    else:
        values["volume_cm3"] = volume
    is_open = "volume_cm3" not in values
    shape, missing = _measure_shape(foot, scan.side, is_open=is_open)
    if foot.ambiguous:
        shape, missing = _both_ways(shape, _measure_shape(foot.reversed(), scan.side, is_open=is_open)[0], missing)
    return values | shape, reasons | missing


def _both_ways(one: Values, other: Values, missing: Reasons) -> tuple[Values, Reasons]:
    """What is the same whichever end is the heel; a solid that is alike at both ends has such measures."""
    same = {
        name: value
        for name, value in one.items()
        if name != "toe_out_deg" and math.isclose(value, other.get(name, math.nan), rel_tol=SAME_SHARE)
    }
    lost = {GROUP_OF[name]: ScanReason.AMBIGUOUS_DIRECTION for name in GROUP_OF if name not in same}
    return same, lost | missing


def _measure_shape(foot: AlignedFoot, side: Side | None, *, is_open: bool) -> tuple[Values, Reasons]:
    """What needs to know the heel from the toes; after mirroring, every foot with a side is a right one."""
    reasons: Reasons = {}
    ball = measures.ball_points(foot)
    if len(ball) == 0:
        return {}, dict.fromkeys(GROUP_OF.values(), ScanReason.NOT_A_FOOT)
    medial, lateral = (measures.joint_place(ball, right=right) for right in (False, True))
    width = measures.extent(ball[:, 0])
    values: Values = {
        "ball_width_mm": width,
        "width_length_ratio": width / foot.length_mm,
        "heel_width_mm": measures.heel_width_mm(foot),
        "ball_girth_mm": measures.girth_mm(foot, medial, lateral),
    }
    instep = measures.instep_height_mm(foot)
    if is_open and measures.is_cut_off(foot, instep):
        reasons |= dict.fromkeys((ScanGroup.HEIGHT, ScanGroup.ARCH), ScanReason.CUT_OFF)
    else:
        values["instep_height_mm"] = instep
    if side is None:
        return values, reasons | dict.fromkeys((ScanGroup.ARCH, ScanGroup.TOE_OUT), ScanReason.UNKNOWN_SIDE)
    values["truncated_length_mm"] = medial[1]
    if "instep_height_mm" in values:
        values["arch_height_index"] = instep / medial[1]
    angle = math.degrees(math.atan2(foot.direction[0], foot.direction[1]))
    if abs(angle) <= MAX_TOE_OUT_DEG:
        values["toe_out_deg"] = angle
    else:
        reasons[ScanGroup.TOE_OUT] = ScanReason.NOT_ALIGNED
    return values, reasons
