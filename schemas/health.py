"""The gait features: every column that `udfs.gait` fills, in order, with its unit.

A per-foot quantity has three columns: left, right and the mean of the two feet. The mean is missing when one foot is.
Body weight (BW) is the session's own `walking_force_mean_newton`: the mean of left + right force over the strides used.
Formulas and sources stand in the functions of `udfs.gait`.
"""

from __future__ import annotations

from enum import StrEnum

from schemas.columns import Column, Kind

SIDES = ("left", "right")
STANCE_POINTS_PCT = tuple(range(10, 100, 10))
"""Where in the stance the profile features look, % of the time from heel strike to toe-off."""
SENSOR_NUMBERS = tuple(range(1, 9))
"""The sensors of a foot, heel to toe."""


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


def _value(name: str, unit: str, doc: str) -> tuple[Column, ...]:
    return (Column(name, Kind.FLOAT64, doc, unit, nullable=True),)


def _count(name: str, doc: str) -> tuple[Column, ...]:
    return (Column(name, Kind.INT32, doc, "1", nullable=True),)


def _per_foot(pattern: str, unit: str, doc: str) -> tuple[Column, ...]:
    """Three columns from a pattern such as `stance_{}_pct`."""
    return tuple(
        Column(pattern.format(part), Kind.FLOAT64, f"{doc}, {label}", unit, nullable=True)
        for part, label in (("left", "left foot"), ("right", "right foot"), ("mean", "mean of both feet"))
    )


def _profile(pattern: str, unit: str, places: tuple[int, ...], doc: str) -> tuple[Column, ...]:
    """One column for each place from a pattern such as `cop_ap_{}_mean_au`."""
    return tuple(
        Column(pattern.format(place), Kind.FLOAT64, doc.format(place), unit, nullable=True) for place in places
    )


def _spread(quantity: str, doc: str) -> tuple[Column, ...]:
    """Standard deviation and coefficient of variation over strides."""
    return (
        *_value(f"{quantity}_sd_s", "s", f"standard deviation (n-1) of {doc} over strides, mean of both feet"),
        *_value(f"{quantity}_cv_pct", "%", f"coefficient of variation of {doc} over strides, mean of both feet"),
    )


_TIMING = (
    *_count("stride_count_left", "strides of the left foot used"),
    *_count("stride_count_right", "strides of the right foot used"),
    *_value("cadence_steps_per_min", "1/min", "steps per minute: 120 / mean stride time"),
    *_per_foot("stride_time_{}_s", "s", "mean time from heel strike to the next heel strike of the foot"),
    *_per_foot("stance_time_{}_s", "s", "mean time from heel strike to toe-off at 20 N"),
    *_per_foot("swing_time_{}_s", "s", "mean time from toe-off at 20 N to the next heel strike"),
    *_per_foot("step_time_{}_s", "s", "mean time from the other foot's heel strike to this foot's"),
    *_per_foot("stance_{}_pct", "%", "mean share of stance in the stride"),
    *_per_foot("swing_{}_pct", "%", "mean share of swing in the stride"),
    *_per_foot("double_support_initial_{}_pct", "%", "mean share of the double support after the heel strike"),
    *_value("double_support_time_mean_s", "s", "mean double support per stride: stance minus the other foot's swing"),
    *_value("double_support_mean_pct", "%", "mean share of double support in the stride"),
)

_VARIABILITY = (
    *_spread("stride_time", "stride time"),
    *_spread("stance_time", "stance time"),
    *_spread("swing_time", "swing time"),
    *_spread("step_time", "step time"),
    *_spread("double_support_time", "double support"),
    *_value("stride_time_detrended_sd_s", "s", "SD of stride time about its own line, mean of both feet"),
    *_value("peak_f1_cv_pct", "%", "coefficient of variation of the first peak, mean of both feet"),
    *_value("peak_f2_cv_pct", "%", "coefficient of variation of the second peak, mean of both feet"),
    *_value("stance_curve_sd_mean_bw", "BW", "stride-to-stride SD of the stance curve, mean over its 101 points"),
)

_FORCE = (
    *_value("walking_force_mean_newton", "N", "mean of left + right force over the strides used: body-weight proxy"),
    *_per_foot("peak_f1_{}_bw", "BW", "mean of the first peak: maximum of the first half of stance"),
    *_per_foot("peak_f2_{}_bw", "BW", "mean of the second peak: maximum of the second half of stance"),
    *_per_foot("valley_fmin_{}_bw", "BW", "mean of the minimum between the two peaks"),
    *_per_foot("peak_f1_time_{}_pct", "%", "mean instant of the first peak, share of stance"),
    *_per_foot("peak_f2_time_{}_pct", "%", "mean instant of the second peak, share of stance"),
    *_per_foot("loading_rate_max_{}_bw_per_s", "BW/s", "mean of the steepest rise between heel strike and first peak"),
    *_per_foot("loading_rate_20_80_{}_bw_per_s", "BW/s", "mean slope from 20 % to 80 % of heel strike to first peak"),
    *_per_foot("unloading_rate_max_{}_bw_per_s", "BW/s", "mean of the steepest fall between second peak and toe-off"),
    *_per_foot("impulse_{}_bw_s", "BW s", "mean integral of force over stance"),
)

_COP = (
    *_per_foot("cop_path_{}_au", "au", "mean path length of the centre of pressure in a stance"),
    *_per_foot("cop_velocity_{}_au_per_s", "au/s", "mean velocity of the centre of pressure in a stance"),
    *_per_foot("cop_ellipse_area_{}_au2", "au2", "mean area of the 95 % ellipse of the centre of pressure in a stance"),
    *_per_foot("cop_ap_excursion_{}_au", "au", "mean front-to-back range of the centre of pressure in a stance"),
    *_per_foot("cop_ml_excursion_{}_au", "au", "mean sideways range of the centre of pressure in a stance"),
    *_per_foot("cop_ap_sd_{}_au", "au", "stride-to-stride SD of the mean front-to-back centre of pressure"),
    *_per_foot("heel_share_{}_pct", "%", "mean share of the impulse under the rear sensors (1 to 3)"),
    *_per_foot("forefoot_share_{}_pct", "%", "mean share of the impulse under the front sensors (6 to 8)"),
)

_PROFILE = (
    *_profile(
        "cop_ap_{}_mean_au",
        "au",
        STANCE_POINTS_PCT,
        "mean front-to-back position of the centre of pressure at {} % of stance, mean of both feet",
    ),
    *_profile(
        "cop_ap_{}_difference_au",
        "au",
        STANCE_POINTS_PCT,
        "mean front-to-back position of the centre of pressure at {} % of stance, |left - right|",
    ),
    *_profile("force_{}_difference_bw", "BW", STANCE_POINTS_PCT, "mean force at {} % of stance, |left - right|"),
    *_profile(
        "sensor_share_{}_mean_pct", "%", SENSOR_NUMBERS, "mean share of the impulse under sensor {}, mean of both feet"
    ),
    *_profile(
        "sensor_share_{}_difference_pct",
        "%",
        SENSOR_NUMBERS,
        "mean share of the impulse under sensor {}, |left - right|",
    ),
    *_profile(
        "sensor_peak_{}_mean_bw", "BW", SENSOR_NUMBERS, "mean of the highest force on sensor {} in a stance, both feet"
    ),
    *_profile(
        "sensor_peak_{}_difference_bw",
        "BW",
        SENSOR_NUMBERS,
        "mean of the highest force on sensor {} in a stance, |left - right|",
    ),
)

_COORDINATION = (
    *_value("swing_time_ga_pct", "%", "gait asymmetry of swing time: 100 |ln(short / long)|"),
    *_value("swing_time_si_pct", "%", "symmetry index of swing time, left minus right"),
    *_value("stance_time_si_pct", "%", "symmetry index of stance time, left minus right"),
    *_value("step_time_si_pct", "%", "symmetry index of step time, left minus right"),
    *_value("peak_f1_si_pct", "%", "symmetry index of the first peak, left minus right"),
    *_value("peak_f2_si_pct", "%", "symmetry index of the second peak, left minus right"),
    *_value("impulse_si_pct", "%", "symmetry index of the impulse, left minus right"),
    *_value("phase_coordination_index_pct", "%", "PCI of the step phase; missing below 30 strides"),
    *_value("stride_time_dfa_alpha", "1", "DFA exponent of stride times; missing below 100 strides of a foot"),
)

GAIT_FEATURES: tuple[Column, ...] = (
    *_TIMING,
    *_VARIABILITY,
    *_FORCE,
    *_COP,
    *_PROFILE,
    *_COORDINATION,
)
"""Every gait feature in order. "au" is the arbitrary length unit of the insole's sensor coordinates."""

GAIT_FEATURE_NAMES: tuple[str, ...] = tuple(column.name for column in GAIT_FEATURES)
