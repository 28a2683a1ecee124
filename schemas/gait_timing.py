"""The gait features of time: strides and their phases, their spread, and how the two feet work together.

HS is a heel strike and TO a toe-off: the total force of the foot crosses 20 N, to a fraction of a sample.
"""

from __future__ import annotations

from schemas.features import Feature
from schemas.gait_columns import (
    GAITREC,
    HAUSDORFF_1995,
    HAUSDORFF_1998,
    POSITIVE,
    SHARE,
    SIGNED,
    STRIDE_S,
    WITHIN_STRIDE_S,
    YOGEV_2005,
    count,
    per_foot,
    value,
)

_USED = (
    "strides of 0.6 to 2.0 s, behind the first 20 s (at most 1/6) and before the last 5 s (at most 1/24) of the record,"
    " without a lost sample, within 3 SD of the median in stride, stance and swing time"
)
_PERRY = "Perry 1992, Gait Analysis: Normal and Pathological Function"
_GAITNDD = f"{HAUSDORFF_1998}; columns of the gaitndd .ts files (PhysioNet)"
_OF_BOTH = "of the strides of each foot, then the mean of the feet"

TIMING: tuple[Feature, ...] = (
    *count("stride_count_left", "strides of the left foot used", _USED, HAUSDORFF_1998),
    *count("stride_count_right", "strides of the right foot used", _USED, HAUSDORFF_1998),
    *value(
        "cadence_steps_per_min",
        "1/min",
        "steps per minute: 120 / mean stride time",
        "120 / mean stride time of both feet in s",
        _PERRY,
        (60.0, 200.0),
    ),
    *per_foot(
        "stride_time_{}_s",
        "s",
        "mean time from heel strike to the next heel strike of the foot",
        "mean of HS(i+1) - HS(i)",
        HAUSDORFF_1995,
        STRIDE_S,
    ),
    *per_foot(
        "stance_time_{}_s",
        "s",
        "mean time from heel strike to toe-off at 20 N",
        "mean of TO(i) - HS(i)",
        HAUSDORFF_1998,
        WITHIN_STRIDE_S,
    ),
    *per_foot(
        "swing_time_{}_s",
        "s",
        "mean time from toe-off at 20 N to the next heel strike",
        "mean of HS(i+1) - TO(i)",
        HAUSDORFF_1998,
        WITHIN_STRIDE_S,
    ),
    *per_foot(
        "step_time_{}_s",
        "s",
        "mean time from the other foot's heel strike to this foot's",
        "mean of HS - HS of the other foot before it",
        _PERRY,
        WITHIN_STRIDE_S,
    ),
    *per_foot(
        "stance_{}_pct",
        "%",
        "mean share of stance in the stride",
        "mean of 100 stance time / stride time",
        _GAITNDD,
        SHARE,
    ),
    *per_foot(
        "swing_{}_pct",
        "%",
        "mean share of swing in the stride",
        "mean of 100 swing time / stride time",
        _GAITNDD,
        SHARE,
    ),
    *per_foot(
        "double_support_initial_{}_pct",
        "%",
        "mean share of the double support after the heel strike",
        "mean of 100 (TO of the other foot - HS) / stride time",
        _PERRY,
        SHARE,
    ),
    *value(
        "double_support_time_mean_s",
        "s",
        "mean double support per stride: stance minus the other foot's swing",
        f"mean of stance time - swing time of the other foot within that stance, {_OF_BOTH}",
        _GAITNDD,
        WITHIN_STRIDE_S,
    ),
    *value(
        "double_support_mean_pct",
        "%",
        "mean share of double support in the stride",
        f"mean of 100 double support / stride time, {_OF_BOTH}",
        _GAITNDD,
        SHARE,
    ),
)


def _spread(quantity: str, doc: str) -> tuple[Feature, ...]:
    """Standard deviation and coefficient of variation over strides."""
    return (
        *value(
            f"{quantity}_sd_s",
            "s",
            f"standard deviation (n-1) of {doc} over strides, mean of both feet",
            f"SD (n-1) {_OF_BOTH}",
            HAUSDORFF_1998,
        ),
        *value(
            f"{quantity}_cv_pct",
            "%",
            f"coefficient of variation of {doc} over strides, mean of both feet",
            f"100 SD (n-1) / mean {_OF_BOTH}",
            f"{HAUSDORFF_1998}; {YOGEV_2005}",
        ),
    )


def _peak_cv(peak: str, doc: str) -> tuple[Feature, ...]:
    return value(
        f"peak_{peak}_cv_pct",
        "%",
        f"coefficient of variation of the {doc} peak, mean of both feet",
        f"100 SD (n-1) / mean {_OF_BOTH}",
        f"{GAITREC} for the peak; {YOGEV_2005} for the CV",
    )


VARIABILITY: tuple[Feature, ...] = (
    *_spread("stride_time", "stride time"),
    *_spread("stance_time", "stance time"),
    *_spread("swing_time", "swing time"),
    *_spread("step_time", "step time"),
    *_spread("double_support_time", "double support"),
    *value(
        "stride_time_detrended_sd_s",
        "s",
        "SD of stride time about its own line, mean of both feet",
        f"sqrt(sum of r^2 / (n - 2)), r = residual about the least-squares line over the stride number, {_OF_BOTH}",
        "residual standard error of ordinary least squares",
    ),
    *_peak_cv("f1", "first"),
    *_peak_cv("f2", "second"),
    *value(
        "stance_curve_sd_mean_bw",
        "BW",
        "stride-to-stride SD of the stance curve, mean over its 101 points",
        f"mean over 101 points from HS to TO of the SD (n-1) of F {_OF_BOTH}",
        "Winter 1984, Hum Mov Sci 3(1-2):51 (spread about the ensemble average), not divided by the mean",
    ),
)


def _symmetry(quantity: str, doc: str) -> tuple[Feature, ...]:
    return value(
        f"{quantity}_si_pct",
        "%",
        f"symmetry index of {doc}, left minus right",
        "100 (L - R) / (0.5 (L + R)), L and R = means of the feet",
        "Robinson et al. 1987, J Manipulative Physiol Ther 10(4):172",
        (-200.0, 200.0),
    )


COORDINATION: tuple[Feature, ...] = (
    *value(
        "swing_time_ga_pct",
        "%",
        "gait asymmetry of swing time: 100 |ln(short / long)|",
        "100 |ln(shorter / longer mean swing time)|",
        "Yogev et al. 2007, Exp Brain Res 177(3):336",
    ),
    *_symmetry("swing_time", "swing time"),
    *_symmetry("stance_time", "stance time"),
    *_symmetry("step_time", "step time"),
    *_symmetry("peak_f1", "the first peak"),
    *_symmetry("peak_f2", "the second peak"),
    *_symmetry("impulse", "the impulse"),
    *value(
        "phase_coordination_index_pct",
        "%",
        "PCI of the step phase; missing below 30 strides",
        "CV(phi) + 100 mean|phi - 180| / 180, phi = 360 step time / stride time in degrees, from the heel strike of"
        " the foot with the longer mean swing to the other's",
        "Plotnik et al. 2007, Exp Brain Res 181(4):561",
        POSITIVE,
    ),
    *value(
        "stride_time_dfa_alpha",
        "1",
        "DFA exponent of stride times; missing below 100 strides of a foot",
        f"slope of log F(n) over log n, about 12 box sizes n from 4 to k / 4, a line taken off each box, {_OF_BOTH}",
        f"Peng et al. 1994, Phys Rev E 49(2):1685; {HAUSDORFF_1995}",
        SIGNED,
    ),
)
