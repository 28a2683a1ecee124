"""The gait features of force: the stance curve, the centre of pressure, and the profile along the stance.

F is the vertical force of a foot in body weights (BW), BW the session's `walking_force_mean_newton`.
"""

from __future__ import annotations

from schemas.features import Feature
from schemas.gait_columns import GAITREC, SHARE, SIGNED, per_foot, profile, value

_MILNER = "Milner et al. 2006, Med Sci Sports Exerc 38(2):323"
_PRIETO = "Prieto et al. 1996, IEEE Trans Biomed Eng 43(9):956"
_KIMMESKAMP = "Kimmeskamp & Hennig 2001, Clin Biomech 16(9):806"
_COP_POINT = "x = sum(x_i F_i) / sum(F_i) over the sensors, likewise y"
_EARLY, _LATE = (0.0, 50.0), (50.0, 100.0)

FORCE: tuple[Feature, ...] = (
    *value(
        "walking_force_mean_newton",
        "N",
        "mean of left + right force over the strides used: body-weight proxy",
        "mean of F_left + F_right in N over the samples that lie in a stride used",
        "Newton's second law: over whole strides the mean vertical force is the weight, shoes included",
        (100.0, 3_000.0),
    ),
    *per_foot(
        "peak_f1_{}_bw",
        "BW",
        "mean of the first peak: maximum of the first half of stance",
        "F1 = max of F, HS <= t <= (HS + TO) / 2",
        GAITREC,
    ),
    *per_foot(
        "peak_f2_{}_bw",
        "BW",
        "mean of the second peak: maximum of the second half of stance",
        "F2 = max of F, (HS + TO) / 2 < t <= TO",
        GAITREC,
    ),
    *per_foot(
        "valley_fmin_{}_bw",
        "BW",
        "mean of the minimum between the two peaks",
        "min of F from the instant of F1 to that of F2",
        GAITREC,
    ),
    *per_foot(
        "peak_f1_time_{}_pct",
        "%",
        "mean instant of the first peak, share of stance",
        "100 (t(F1) - HS) / (TO - HS)",
        GAITREC,
        _EARLY,
    ),
    *per_foot(
        "peak_f2_time_{}_pct",
        "%",
        "mean instant of the second peak, share of stance",
        "100 (t(F2) - HS) / (TO - HS)",
        GAITREC,
        _LATE,
    ),
    *per_foot(
        "loading_rate_max_{}_bw_per_s",
        "BW/s",
        "mean of the steepest rise between heel strike and first peak",
        "max of dF/dt over the sample steps from HS to F1",
        f"{_MILNER} (instantaneous loading rate), up to F1",
    ),
    *per_foot(
        "loading_rate_20_80_{}_bw_per_s",
        "BW/s",
        "mean slope from 20 % to 80 % of heel strike to first peak",
        "(F(t80) - F(t20)) / (t80 - t20), t20 and t80 at 20 and 80 % of the time from HS to F1",
        f"{_MILNER} (average loading rate), up to F1",
        SIGNED,
    ),
    *per_foot(
        "unloading_rate_max_{}_bw_per_s",
        "BW/s",
        "mean of the steepest fall between second peak and toe-off",
        "max of -dF/dt over the sample steps from F2 to TO",
        f"{_MILNER} (instantaneous loading rate), applied to push-off",
    ),
    *per_foot(
        "impulse_{}_bw_s",
        "BW s",
        "mean integral of force over stance",
        "integral of F from HS to TO, trapezoid with sub-sample ends",
        "definition of impulse",
    ),
)

COP: tuple[Feature, ...] = (
    *per_foot(
        "cop_path_{}_au",
        "au",
        "mean path length of the centre of pressure in a stance",
        f"sum of hypot(dx, dy); {_COP_POINT}",
        _PRIETO,
    ),
    *per_foot(
        "cop_velocity_{}_au_per_s",
        "au/s",
        "mean velocity of the centre of pressure in a stance",
        "path / T, T = samples / sample rate",
        _PRIETO,
    ),
    *per_foot(
        "cop_ellipse_area_{}_au2",
        "au2",
        "mean area of the 95 % ellipse of the centre of pressure in a stance",
        "pi 5.991 sqrt(det cov), covariance with n-1",
        _PRIETO,
    ),
    *per_foot(
        "cop_ap_excursion_{}_au",
        "au",
        "mean front-to-back range of the centre of pressure in a stance",
        "max - min of y",
        _PRIETO,
    ),
    *per_foot(
        "cop_ml_excursion_{}_au",
        "au",
        "mean sideways range of the centre of pressure in a stance",
        "max - min of x",
        _PRIETO,
    ),
    *per_foot(
        "cop_ap_sd_{}_au",
        "au",
        "stride-to-stride SD of the mean front-to-back centre of pressure",
        "SD (n-1) over stances of the mean of y in a stance",
        f"{_PRIETO} for the centre of pressure",
    ),
    *per_foot(
        "heel_share_{}_pct",
        "%",
        "mean share of the impulse under the rear sensors (1 to 3)",
        "100 impulse of sensors 1 to 3 / impulse of all 8",
        f"{_KIMMESKAMP} (relative loads)",
        SHARE,
    ),
    *per_foot(
        "forefoot_share_{}_pct",
        "%",
        "mean share of the impulse under the front sensors (6 to 8)",
        "100 impulse of sensors 6 to 8 / impulse of all 8",
        f"{_KIMMESKAMP} (relative loads)",
        SHARE,
    ),
)

PROFILE: tuple[Feature, ...] = (
    *profile(
        "cop_ap_{}_mean_au",
        "au",
        "mean front-to-back position of the centre of pressure at {} % of stance, mean of both feet",
        "mean over stances of y at HS + {} % of (TO - HS)",
        _KIMMESKAMP,
        SIGNED,
    ),
    *profile(
        "cop_ap_{}_difference_au",
        "au",
        "mean front-to-back position of the centre of pressure at {} % of stance, |left - right|",
        "|L - R|, L and R = mean over stances of y at HS + {} % of (TO - HS)",
        _KIMMESKAMP,
    ),
    *profile(
        "force_{}_difference_bw",
        "BW",
        "mean force at {} % of stance, |left - right|",
        "|L - R|, L and R = mean over stances of F at HS + {} % of (TO - HS)",
        GAITREC,
    ),
    *profile(
        "sensor_share_{}_mean_pct",
        "%",
        "mean share of the impulse under sensor {}, mean of both feet",
        "100 impulse of sensor {} / impulse of all 8, mean over stances",
        f"{_KIMMESKAMP} (relative loads)",
        SHARE,
    ),
    *profile(
        "sensor_share_{}_difference_pct",
        "%",
        "mean share of the impulse under sensor {}, |left - right|",
        "|L - R|, L and R = mean over stances of 100 impulse of sensor {} / impulse of all 8",
        f"{_KIMMESKAMP} (relative loads)",
        SHARE,
    ),
    *profile(
        "sensor_peak_{}_mean_bw",
        "BW",
        "mean of the highest force on sensor {} in a stance, both feet",
        "mean over stances of max over t of the force on sensor {}",
        f"{_KIMMESKAMP} (peak loads)",
    ),
    *profile(
        "sensor_peak_{}_difference_bw",
        "BW",
        "mean of the highest force on sensor {} in a stance, |left - right|",
        "|L - R|, L and R = mean over stances of max over t of the force on sensor {}",
        f"{_KIMMESKAMP} (peak loads)",
    ),
)
