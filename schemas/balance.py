"""The features of quiet standing on a force plate, in order, and why they may be missing.

Coordinates of the centre of pressure (CoP) are those of the plate; which of its axes points forward is part of the
trial. Formulas stand in the functions of `udfs.balance` too.
"""

from __future__ import annotations

from enum import StrEnum

from schemas.features import Feature

PLATE_CHANNELS = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
"""The wrench of a plate: forces in N, moments about the plate's origin in N m."""


class BalanceGroup(StrEnum):
    """Features that are missing together."""

    FORCE = "force"
    POSITION = "position"
    PATH = "path"
    FREQUENCY = "frequency"


class BalanceReason(StrEnum):
    """Why a group of balance features is missing."""

    WRONG_SHAPE = "wrong_shape"
    """Not a matrix of n samples x 6 channels."""
    WRONG_RATE = "wrong_rate"
    """The sample rate is not a number or outside 20 Hz to 10 kHz."""
    TOO_SHORT = "too_short"
    """Fewer than 10 s of samples; for the frequency fewer than 25 s."""
    MISSING_CHANNELS = "missing_channels"
    """At least one channel has no finite value at all."""
    GAPS = "gaps"
    """Lost samples: more than a tenth of the trial, or, for path and frequency, any between the first and the last."""
    CONSTANT = "constant"
    """The vertical force never changes: a stuck sensor, or nobody on the plate."""
    SATURATED = "saturated"
    """A channel sits at its highest or lowest value for more than a tenth of the trial."""
    OFF_PLATE = "off_plate"
    """The vertical force falls below 20 N in at least one sample: a CoP from moments means nothing there."""
    NEGATIVE_FORCE = "negative_force"
    """The vertical force is negative: another sign convention than reaction forces with z up."""
    IMPLAUSIBLE_FORCE = "implausible_force"
    """The mean vertical force is no person's: outside 100 to 3000 N."""
    IMPLAUSIBLE_POSITION = "implausible_position"
    """The CoP lies over 1 m from the plate's origin: moments in another unit or about another point."""


_PRIETO = "Prieto et al. 1996, IEEE Trans Biomed Eng 43(9):956"
_BDS = "Santos & Duarte 2016, PeerJ 4:e2648"
_COP = "x = (h Fx - My) / Fz, y = (Mx + h Fy) / Fz, h = height of the surface stood on above the plate's origin"

BALANCE_FEATURES: tuple[Feature, ...] = (
    Feature(
        name="duration_s",
        doc="from the first to the last known sample, one period included",
        unit="s",
        formula="N / sample rate",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="vertical_force_mean_newton",
        doc="mean vertical force: the weight stood with",
        unit="N",
        formula="mean of Fz",
        source=_BDS,
        lowest=100.0,
        highest=3_000.0,
    ),
    Feature(
        name="vertical_force_sd_newton",
        doc="standard deviation of the vertical force",
        unit="N",
        formula="SD (n-1) of Fz",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="shear_ap_rms_newton",
        doc="root mean square of the anteroposterior force about its mean",
        unit="N",
        formula="sqrt(mean((F - mean F)^2))",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="shear_ml_rms_newton",
        doc="root mean square of the mediolateral force about its mean",
        unit="N",
        formula="sqrt(mean((F - mean F)^2))",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="free_moment_rms_nm",
        doc="root mean square of the twisting moment about the vertical through the CoP, about its mean",
        unit="N m",
        formula="Tz = Mz - x Fy + y Fx; sqrt(mean((Tz - mean Tz)^2))",
        source="statics of a wrench; Winter 2009, Biomechanics and Motor Control of Human Movement, ch. 5",
        lowest=0.0,
    ),
    Feature(
        name="cop_range_ap_cm",
        doc="anteroposterior range of the CoP",
        unit="cm",
        formula=f"max - min; {_COP}",
        source=_PRIETO,
        lowest=0.0,
        highest=200.0,
    ),
    Feature(
        name="cop_range_ml_cm",
        doc="mediolateral range of the CoP",
        unit="cm",
        formula="max - min",
        source=_PRIETO,
        lowest=0.0,
        highest=200.0,
    ),
    Feature(
        name="cop_sd_ap_cm",
        doc="anteroposterior standard deviation of the CoP",
        unit="cm",
        formula="SD (n-1)",
        source=_PRIETO,
        lowest=0.0,
        highest=100.0,
    ),
    Feature(
        name="cop_sd_ml_cm",
        doc="mediolateral standard deviation of the CoP",
        unit="cm",
        formula="SD (n-1)",
        source=_PRIETO,
        lowest=0.0,
        highest=100.0,
    ),
    Feature(
        name="cop_distance_mean_cm",
        doc="mean distance of the CoP from its mean position",
        unit="cm",
        formula="mean of hypot(x - mean x, y - mean y)",
        source=_PRIETO,
        lowest=0.0,
        highest=150.0,
    ),
    Feature(
        name="cop_ellipse_area_95_cm2",
        doc="area of the 95 % prediction ellipse of the CoP",
        unit="cm2",
        formula="pi 5.991 sqrt(det cov), covariance with n-1",
        source=f"{_PRIETO}; COParea of the BDS table is 1.0009 times this ({_BDS})",
        lowest=0.0,
    ),
    Feature(
        name="cop_path_cm",
        doc="path length of the unfiltered CoP",
        unit="cm",
        formula="sum of hypot(dx, dy)",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="cop_velocity_cm_per_s",
        doc="mean velocity of the unfiltered CoP",
        unit="cm/s",
        formula="path / T, T = N / sample rate",
        source=f"{_PRIETO}; COPvelo of the BDS table ({_BDS})",
        lowest=0.0,
    ),
    Feature(
        name="cop_velocity_ap_cm_per_s",
        doc="mean anteroposterior velocity of the CoP",
        unit="cm/s",
        formula="sum of |dx| / T along the anteroposterior axis",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="cop_velocity_ml_cm_per_s",
        doc="mean mediolateral velocity of the CoP",
        unit="cm/s",
        formula="sum of |dy| / T along the mediolateral axis",
        source=_PRIETO,
        lowest=0.0,
    ),
    Feature(
        name="cop_mean_frequency_hz",
        doc="mean frequency of both CoP coordinates together",
        unit="Hz",
        formula="integral of f P / integral of P (trapezoid), P = Pap + Pml, each by Welch: Hann, segments of N/2, "
        "half overlap, the mean of each segment removed",
        source=f"COPmfreq of the BDS table within 2 % ({_BDS}); Welch 1967",
        lowest=0.0,
        highest=5_000.0,
    ),
    Feature(
        name="cop_mean_frequency_ap_hz",
        doc="mean frequency of the anteroposterior CoP",
        unit="Hz",
        formula="integral of f P / integral of P, P by Welch as above",
        source="Welch 1967, IEEE Trans Audio Electroacoust 15(2):70",
        lowest=0.0,
        highest=5_000.0,
    ),
    Feature(
        name="cop_mean_frequency_ml_hz",
        doc="mean frequency of the mediolateral CoP",
        unit="Hz",
        formula="integral of f P / integral of P, P by Welch as above",
        source="Welch 1967, IEEE Trans Audio Electroacoust 15(2):70",
        lowest=0.0,
        highest=5_000.0,
    ),
)

BALANCE_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in BALANCE_FEATURES)
