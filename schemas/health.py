"""The gait features: every column that `udfs.gait` fills, in order, with its unit.

A per-foot quantity has three columns: left, right and the mean of the two feet. The mean is missing when one foot is.
Body weight (BW) is the session's own `walking_force_mean_newton`: the mean of left + right force over the strides used.
Formulas stand in the functions of `udfs.gait` too.
"""

from __future__ import annotations

from enum import StrEnum

from schemas.features import Feature
from schemas.gait_columns import SENSOR_NUMBERS, SIDES, STANCE_POINTS_PCT
from schemas.gait_force import COP, FORCE, PROFILE
from schemas.gait_timing import COORDINATION, TIMING, VARIABILITY

__all__ = [
    "GAIT_FEATURES",
    "GAIT_FEATURE_NAMES",
    "GAIT_GROUPS",
    "SENSOR_NUMBERS",
    "SIDES",
    "STANCE_POINTS_PCT",
    "GaitGroup",
    "GaitReason",
]


class GaitReason(StrEnum):
    """Why gait features are missing: the `quality` of a session's features."""

    OK = "ok"
    """All features are there, except those that need more strides than the session has (PCI, DFA alpha)."""
    WRONG_SHAPE = "wrong_shape"
    """Not a matrix of n samples x 16 channels."""
    WRONG_RATE = "wrong_rate"
    """The sample rate is not a number, or too low or too high to time foot contacts."""
    TOO_SHORT = "too_short"
    """Fewer than 5 s of samples."""
    MISSING_CHANNELS = "missing_channels"
    """At least one channel has no finite value at all."""
    NO_CONTACT = "no_contact"
    """At least one foot never loads its insole."""
    NO_STEPS = "no_steps"
    """At least one foot never makes a step: it stands, or its signal is constant or stuck."""
    TOO_FEW_STRIDES = "too_few_strides"
    """At least one foot has fewer usable strides than the statistics need; gaps, turns and limits are excluded."""
    IMPLAUSIBLE_FORCE = "implausible_force"
    """The mean walking force cannot be a person's; timing is kept, every force feature is missing."""
    SATURATED = "saturated"
    """A sensor sits at its ceiling for much of the contact; timing is kept, every force feature is missing."""


class GaitGroup(StrEnum):
    """Features that are missing together: the part before the colon in a row's `missing`."""

    TIMING = "timing"
    VARIABILITY = "variability"
    FORCE = "force"
    PRESSURE_CENTRE = "pressure_centre"
    PROFILE = "profile"
    COORDINATION = "coordination"


GAIT_GROUPS: dict[GaitGroup, tuple[Feature, ...]] = {
    GaitGroup.TIMING: TIMING,
    GaitGroup.VARIABILITY: VARIABILITY,
    GaitGroup.FORCE: FORCE,
    GaitGroup.PRESSURE_CENTRE: COP,
    GaitGroup.PROFILE: PROFILE,
    GaitGroup.COORDINATION: COORDINATION,
}

GAIT_FEATURES: tuple[Feature, ...] = tuple(feature for group in GAIT_GROUPS.values() for feature in group)
"""Every gait feature in order. "au" is the arbitrary length unit of the insole's sensor coordinates."""

GAIT_FEATURE_NAMES: tuple[str, ...] = tuple(column.name for column in GAIT_FEATURES)
