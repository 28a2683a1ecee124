"""How the columns of gait features are declared: one, one a foot, one a place; with their limits and sources."""

from __future__ import annotations

import math

from schemas.columns import Kind
from schemas.features import Feature

SIDES = ("left", "right")
STANCE_POINTS_PCT = tuple(range(10, 100, 10))
"""Where in the stance the profile features look, % of the time from heel strike to toe-off."""
SENSOR_NUMBERS = tuple(range(1, 9))
"""The sensors of a foot, heel to toe."""

HAUSDORFF_1995 = "Hausdorff et al. 1995, J Appl Physiol 78(1):349"
HAUSDORFF_1998 = "Hausdorff et al. 1998, Mov Disord 13(3):428"
YOGEV_2005 = "Yogev et al. 2005, Eur J Neurosci 22(5):1248"
GAITREC = "Horsak et al. 2020, Sci Data 7:143 (GaitRec)"

POSITIVE = (0.0, math.inf)
SIGNED = (-math.inf, math.inf)
SHARE = (0.0, 100.0)
STRIDE_S = (0.6, 2.0)
"""Shorter and longer strides are not used."""
WITHIN_STRIDE_S = (0.0, 2.0)

_PARTS = (("left", "left foot"), ("right", "right foot"), ("mean", "mean of both feet"))


def value(
    name: str, unit: str, doc: str, formula: str, source: str, limits: tuple[float, float] = POSITIVE
) -> tuple[Feature, ...]:
    """One column."""
    lowest, highest = limits
    return (Feature(name=name, unit=unit, doc=doc, formula=formula, source=source, lowest=lowest, highest=highest),)


def count(name: str, doc: str, formula: str, source: str) -> tuple[Feature, ...]:
    """One column of a count."""
    return (Feature(name=name, kind=Kind.INT32, unit="1", doc=doc, formula=formula, source=source, lowest=0.0),)


def per_foot(
    pattern: str, unit: str, doc: str, formula: str, source: str, limits: tuple[float, float] = POSITIVE
) -> tuple[Feature, ...]:
    """Three columns from a pattern such as `stance_{}_pct`."""
    return tuple(
        feature
        for part, label in _PARTS
        for feature in value(pattern.format(part), unit, f"{doc}, {label}", formula, source, limits)
    )


def profile(
    pattern: str, unit: str, doc: str, formula: str, source: str, limits: tuple[float, float] = POSITIVE
) -> tuple[Feature, ...]:
    """One column for each place: a sensor for a pattern such as `sensor_peak_{}_mean_bw`, else a stance point.

    The place stands for the braces in name, doc and formula.
    """
    places = SENSOR_NUMBERS if pattern.startswith("sensor_") else STANCE_POINTS_PCT
    return tuple(
        feature
        for place in places
        for feature in value(pattern.format(place), unit, doc.format(place), formula.format(place), source, limits)
    )
