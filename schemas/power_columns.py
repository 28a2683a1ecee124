"""How the columns of power features are declared: one, one a phase, one a harmonic; with their limits and standards."""

from __future__ import annotations

import math

from schemas.columns import Kind
from schemas.features import Feature

PHASES = ("L1", "L2", "L3")
HARMONIC_ORDERS = (3, 5, 7, 9, 11)
"""The orders with a column of their own."""
DEMAND_MINUTES = (1, 5, 15)

IEC_30 = "IEC 61000-4-30:2015"
IEC_7 = "IEC 61000-4-7:2002 + A1:2008"
IEEE_1459 = "IEEE 1459-2010"


POSITIVE = (0.0, math.inf)
SIGNED = (-math.inf, math.inf)
SHARE = (0.0, 100.0)
FACTOR = (-1.0, 1.0)
CREST = (1.0, math.inf)
DEVIATION = (-100.0, math.inf)
MAINS_HZ = (42.5, 69.0)


def value(
    name: str, unit: str, doc: str, formula: str, source: str, limits: tuple[float, float] = POSITIVE
) -> tuple[Feature, ...]:
    """One column."""
    lowest, highest = limits
    return (Feature(name=name, unit=unit, doc=doc, formula=formula, source=source, lowest=lowest, highest=highest),)


def phases(
    pattern: str, unit: str, doc: str, formula: str, source: str, limits: tuple[float, float] = POSITIVE
) -> tuple[Feature, ...]:
    """Three columns from a pattern such as `volt_rms_{}_volt`."""
    return tuple(
        feature
        for phase in PHASES
        for feature in value(pattern.format(phase.lower()), unit, f"{doc}, {phase}", formula, source, limits)
    )


def count(name: str, doc: str, formula: str, source: str) -> tuple[Feature, ...]:
    """One column of a count."""
    return (Feature(name=name, kind=Kind.INT32, unit="1", doc=doc, formula=formula, source=source, lowest=0.0),)


def harmonics(pattern: str, doc: str) -> tuple[Feature, ...]:
    """A column for each order of HARMONIC_ORDERS from a pattern such as `volt_harmonic_{}_pct`."""
    return tuple(
        feature
        for order in HARMONIC_ORDERS
        for feature in value(
            pattern.format(order),
            "%",
            f"harmonic {order} of the {doc}, worst phase",
            f"100 G_{order} / G_1, G_h = root mean square over blocks of the subgroup",
            f"{IEC_7}, 5.5.1",
        )
    )


COVERAGE = "100 x time with samples on every channel present / window length"
