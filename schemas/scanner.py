"""The features of a foot scan, in order, and why they may be missing.

One scan is one mesh of one foot, in mm, z up. Both feet of a session give, for every quantity, a column for the left,
the right, the mean of the feet scanned and the difference left - right. Formulas stand in `udfs.scanner` too.
"""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum

from schemas.features import Feature


class ScanGroup(StrEnum):
    """Features that are missing together; a reason of one foot carries `_left` or `_right` behind the group."""

    LENGTH = "length"
    BREADTH = "breadth"
    GIRTH = "girth"
    HEIGHT = "height"
    ARCH = "arch"
    TOE_OUT = "toe_out"
    SURFACE = "surface"
    VOLUME = "volume"
    DIFFERENCE = "difference"


class ScanReason(StrEnum):
    """Why a group of scan features is missing."""

    WRONG_SHAPE = "wrong_shape"
    """Vertices are not [v, 3] or faces not [f, 3] whole numbers, or there are none."""
    NOT_AVAILABLE = "not_available"
    """The scan store has no such mesh, or it is not the one that was announced, or it cannot be read."""
    NOT_FINITE = "not_finite"
    """A vertex is NaN or infinite."""
    BAD_FACES = "bad_faces"
    """A face names a vertex that does not exist."""
    NOT_A_FOOT = "not_a_foot"
    """Length outside 100 to 400 mm, or breadth outside 0.25 to 0.6 of it: no foot, part of one, or another unit."""
    FEW_POINTS = "few_points"
    """Fewer than 3 vertices lie below 30 mm: the sole is missing."""
    AMBIGUOUS_DIRECTION = "ambiguous_direction"
    """The scan is as high over one end as over the other: nothing says where the heel is."""
    CUT_OFF = "cut_off"
    """In an open scan, the dorsum at half the length is as high as the scan: it is the cut's height, not the foot's."""
    UNKNOWN_SIDE = "unknown_side"
    """Nobody says which foot it is, so medial and lateral are not known."""
    NOT_ALIGNED = "not_aligned"
    """The foot axis lies over 45 degrees from the scanner's y axis: y is not the walking direction."""
    NOT_WATERTIGHT = "not_watertight"
    """An edge does not belong to exactly two faces: the surface is open, as a scan cut at the ankle is."""
    INCONSISTENT_WINDING = "inconsistent_winding"
    """Closed, but neighbouring faces look to different sides, so no inside is defined."""
    ONE_FOOT = "one_foot"
    """There is no scan of both feet, or the quantity is missing for one of them."""


_ISO = "ISO 7250-1:2017, ISO 20685-1:2018 (digital measurement of the scan, not of landmarks set by hand)"
_AXIS = (
    "foot axis: heel centre to tip of the second toe where that is given, else first principal axis of the vertices "
    "below 30 mm"
)

FOOT_FEATURES: tuple[Feature, ...] = (
    Feature(
        name="foot_length_mm",
        doc="foot length",
        unit="mm",
        formula=f"extent of all vertices along the foot axis; {_AXIS}",
        source=_ISO,
        lowest=100.0,
        highest=400.0,
    ),
    Feature(
        name="ball_width_mm",
        doc="ball width",
        unit="mm",
        formula="extent across the foot axis between 60 and 80 % of the length from the heel",
        source=_ISO,
        lowest=0.0,
        highest=240.0,
    ),
    Feature(
        name="heel_width_mm",
        doc="heel width",
        unit="mm",
        formula="extent across the foot axis of the section at 15 % of the length, below 30 mm",
        source=_ISO,
        lowest=0.0,
        highest=240.0,
    ),
    Feature(
        name="width_length_ratio",
        doc="ball width over foot length",
        unit="1",
        formula="ball width / foot length",
        source=_ISO,
        lowest=0.0,
        highest=0.6,
    ),
    Feature(
        name="ball_girth_mm",
        doc="girth at the metatarsophalangeal joints",
        unit="mm",
        formula="perimeter of the convex hull of the section by the vertical plane through the most medial and the "
        "most lateral place between 60 and 80 % of the length",
        source=_ISO,
        lowest=0.0,
    ),
    Feature(
        name="instep_height_mm",
        doc="height of the dorsum at half the foot length",
        unit="mm",
        formula="highest point of the section at 50 % of the length, above the lowest vertex",
        source="Williams & McClay 2000, Phys Ther 80(9):864",
        lowest=0.0,
        highest=400.0,
    ),
    Feature(
        name="truncated_length_mm",
        doc="length from the heel to the first metatarsophalangeal joint",
        unit="mm",
        formula="distance along the axis from the rearmost point to the most medial place between 60 and 80 %",
        source="Williams & McClay 2000, Phys Ther 80(9):864",
        lowest=0.0,
        highest=400.0,
    ),
    Feature(
        name="arch_height_index",
        doc="arch height index",
        unit="1",
        formula="height of the dorsum at 50 % of the length / truncated length",
        source="Williams & McClay 2000, Phys Ther 80(9):864",
        lowest=0.0,
    ),
    Feature(
        name="toe_out_deg",
        doc="angle of the foot axis to the scanner's y axis, positive when the toes point outward",
        unit="deg",
        formula="atan2(axis_x, axis_y) of a right foot, x to the right; a left foot is mirrored first",
        source=_ISO,
        lowest=-45.0,
        highest=45.0,
    ),
    Feature(
        name="surface_cm2",
        doc="area of the scanned surface; depends on the height at which the scan is cut",
        unit="cm2",
        formula="sum of the areas of the faces",
        source="closed form of a triangle mesh",
        lowest=0.0,
    ),
    Feature(
        name="volume_cm3",
        doc="volume enclosed; only for a watertight mesh",
        unit="cm3",
        formula="|sum of a . (b x c)| / 6 over the faces",
        source="divergence theorem; Zhang & Chen 2001, Proc IEEE ICIP 3:935",
        lowest=0.0,
    ),
)
"""The quantities of one scan."""

FOOT_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FOOT_FEATURES)


def side_name(quantity: str, part: str) -> str:
    """The column of a quantity for left, right, mean or difference: `ball_width_mm` gives `ball_width_left_mm`."""
    stem, separator, unit = quantity.rpartition("_")
    return f"{stem}_{part}{separator}{unit}" if unit in _UNITS else f"{quantity}_{part}"


_UNITS = ("mm", "deg", "cm2", "cm3")
_PARTS = (("left", "left foot"), ("right", "right foot"), ("mean", "mean of the feet scanned"))


def _columns(feature: Feature) -> tuple[Feature, ...]:
    parts = [
        replace(feature, name=side_name(feature.name, part), doc=f"{feature.doc}, {label}") for part, label in _PARTS
    ]
    difference = replace(
        feature,
        name=side_name(feature.name, "difference"),
        doc=f"{feature.doc}, left - right",
        formula=f"left - right; {feature.formula}",
        lowest=-math.inf,
        highest=math.inf,
    )
    return (*parts, difference)


SCANNER_FEATURES: tuple[Feature, ...] = tuple(column for feature in FOOT_FEATURES for column in _columns(feature))
"""The features of a session of scans."""

SCANNER_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in SCANNER_FEATURES)
