"""The plantar pressure features, in order, and why they may be missing.

A quantity of a foot has three columns: left, right, and the mean of the feet that were measured; a device that does
not say which foot it saw fills the mean alone. A value of a foot is the mean over its stances. Formulas stand in the
functions of `udfs.plantar` too.
"""

from __future__ import annotations

from enum import StrEnum

from schemas.columns import Kind
from schemas.features import Feature

REGIONS = ("rearfoot", "midfoot", "forefoot")
"""Thirds of the print length along the foot axis, heel to toes, toes included."""


class PlantarGroup(StrEnum):
    """Features that are missing together; a reason of one foot carries `_left` or `_right` behind the group."""

    TIMING = "timing"
    PRESSURE = "pressure"
    GRADIENT = "gradient"
    FORCE = "force"
    COP = "cop"
    PRINT = "print"
    ARCH = "arch"
    CPEI = "cpei"
    REGIONS = "regions"
    MEDIAL = "medial"
    ASYMMETRY = "asymmetry"


class PlantarReason(StrEnum):
    """Why a group of plantar features is missing."""

    WRONG_SHAPE = "wrong_shape"
    """Not a matrix of n frames x as many sensors as the layout has."""
    WRONG_RATE = "wrong_rate"
    """The frame rate is not a number or outside 10 Hz to 1 kHz."""
    TOO_SHORT = "too_short"
    """Fewer than 5 frames."""
    DEAD_SENSOR = "dead_sensor"
    """A sensor of the foot has no finite value in the whole session."""
    GAPS = "gaps"
    """Every stance touches a lost frame."""
    CONSTANT = "constant"
    """No sensor ever changes though some are loaded: stuck."""
    NO_CONTACT = "no_contact"
    """No sensor ever passes 10 kPa, or the foot never loads its insole with 20 N."""
    NO_STANCE = "no_stance"
    """The foot is never unloaded (standing) or no stance is complete: what needs a stance is missing."""
    SATURATED = "saturated"
    """Several sensors sit at the same highest value: the device's ceiling. Only timing is kept."""
    IMPLAUSIBLE_PRESSURE = "implausible_pressure"
    """A pressure over 3000 kPa: another unit, or a broken sensor."""
    IMPLAUSIBLE_FORCE = "implausible_force"
    """The peak force of a foot lies outside 50 to 5000 N: no person's."""
    RAW_UNITS = "raw_units"
    """The sensors are not calibrated: only timing can be told."""
    NO_AREAS = "no_areas"
    """The layout does not say how large the sensors are."""
    NO_POSITIONS = "no_positions"
    """The layout does not say where the sensors are."""
    NO_GRID = "no_grid"
    """The sensors are not on a regular grid, so a sensor has no neighbours."""
    UNKNOWN_DIRECTION = "unknown_direction"
    """Nothing says which end of the print is the heel: the centre of pressure does not travel along it."""
    IMPLAUSIBLE_PRINT = "implausible_print"
    """The print is no whole foot: length outside 100 to 350 mm or outside 1.5 to 6 widths."""
    NO_TOE_LINE = "no_toe_line"
    """No valley of load between metatarsal heads and toes, so the toes cannot be left out."""
    UNKNOWN_SIDE = "unknown_side"
    """The layout does not say which foot it is, and the print has no arch that would."""
    ONE_FOOT = "one_foot"
    """Only one foot was measured, or its side is unknown."""


_CAVANAGH = "Cavanagh & Rodgers 1987, J Biomech 20(5):547"
_MELAI = "Melai et al. 2011, J Biomech 44(13):2491 (definition called Melai in the package pressuRe, pti_2)"
_NOVEL = "novel GmbH; package pressuRe (Telfer), pti_1"
_ORLIN = "Orlin & McPoil 2000, Phys Ther 80(4):399"
_PARTS = (("left", "left foot"), ("right", "right foot"), ("mean", "mean of the feet measured"))


def _per_foot(
    pattern: str, unit: str, doc: str, *, formula: str, source: str, highest: float = float("inf")
) -> tuple[Feature, ...]:
    """Three features, none of them ever negative, from a pattern such as `peak_force_{}_newton`."""
    return tuple(
        Feature(
            name=pattern.format(part),
            doc=f"{doc}, {label}",
            unit=unit,
            formula=formula,
            source=source,
            lowest=0.0,
            highest=highest,
        )
        for part, label in _PARTS
    )


def _count(name: str, doc: str) -> Feature:
    return Feature(
        name=name,
        kind=Kind.INT32,
        doc=doc,
        unit="1",
        formula="insole: runs of force from 20 N to 20 N, at least 0.2 s long; platform: runs of frames with a sensor "
        "at 10 kPa or more",
        source="contact rule of the gait features (Hausdorff 1998)",
        lowest=0.0,
    )


def _symmetry(quantity: str, doc: str) -> Feature:
    return Feature(
        name=f"{quantity}_si_pct",
        doc=f"symmetry index of {doc}, left minus right",
        unit="%",
        formula="100 (L - R) / (0.5 (L + R))",
        source="Robinson 1987, J Manipulative Physiol Ther 10(4):172",
        lowest=-200.0,
        highest=200.0,
    )


_TIMING = (
    _count("stance_count_left", "stances of the left foot used"),
    _count("stance_count_right", "stances of the right foot used"),
    _count("stance_count", "stances used, whichever foot"),
    *_per_foot(
        "contact_time_{}_s",
        "s",
        "mean contact time of a stance",
        formula="(last frame - first frame) / frame rate",
        source=_ORLIN,
    ),
)

_PRESSURE = (
    *_per_foot(
        "peak_pressure_{}_kpa",
        "kPa",
        "highest pressure of any sensor in a stance",
        formula="max over t and i of p_i",
        source=_ORLIN,
        highest=3_000.0,
    ),
    *_per_foot(
        "pti_novel_{}_kpa_s",
        "kPa s",
        "pressure-time integral, novel's definition",
        formula="sum over t of max_i p_i(t) dt",
        source=_NOVEL,
    ),
    *_per_foot(
        "peak_pressure_gradient_{}_kpa_per_mm",
        "kPa/mm",
        "steepest change of the peak-pressure picture between neighbouring sensors",
        formula="max over neighbours i, j (one grid step apart in x or y) of |P_i - P_j| / distance, P = max over t",
        source="Mueller et al. 2005, Clin Biomech 20(7):781 (peak pressure gradient)",
    ),
)

_FORCE = (
    *_per_foot(
        "peak_force_{}_newton",
        "N",
        "highest total force in a stance",
        formula="max over t of F, F = sum p_i A_i (N = kPa cm2 / 10)",
        source=_ORLIN,
        highest=5_000.0,
    ),
    *_per_foot(
        "force_time_integral_{}_newton_s",
        "N s",
        "impulse of a stance",
        formula="sum over the frames of F dt",
        source=_ORLIN,
    ),
    *_per_foot(
        "contact_area_{}_cm2",
        "cm2",
        "contact area of a stance",
        formula="sum of A_i where max over t of p_i > 10 kPa",
        source=_ORLIN,
        highest=600.0,
    ),
    *_per_foot(
        "mean_pressure_{}_kpa",
        "kPa",
        "mean over the stance of force over loaded area",
        formula="mean over t of 10 F / (sum of A_i where p_i(t) > 10 kPa)",
        source=_ORLIN,
        highest=3_000.0,
    ),
    *_per_foot(
        "pti_melai_{}_kpa_s",
        "kPa s",
        "pressure-time integral, Melai's definition",
        formula="10 * integral of F dt / contact area",
        source=_MELAI,
    ),
)

_COP = (
    *_per_foot(
        "cop_path_{}_mm",
        "mm",
        "path of the centre of pressure in a stance while F > 20 N",
        formula="sum of hypot(dx, dy), x = sum(x_i F_i) / sum(F_i)",
        source="Prieto et al. 1996, IEEE Trans Biomed Eng 43(9):956",
    ),
    *_per_foot(
        "cop_velocity_{}_mm_per_s",
        "mm/s",
        "mean velocity of the centre of pressure in a stance while F > 20 N",
        formula="path / (frames / frame rate)",
        source="Prieto et al. 1996, IEEE Trans Biomed Eng 43(9):956",
    ),
    *_per_foot(
        "cop_ap_excursion_{}_mm",
        "mm",
        "range of the centre of pressure along the foot axis in a stance",
        formula="max - min",
        source=_ORLIN,
        highest=500.0,
    ),
    *_per_foot(
        "cop_ml_excursion_{}_mm",
        "mm",
        "range of the centre of pressure across the foot axis in a stance",
        formula="max - min",
        source=_ORLIN,
        highest=500.0,
    ),
    *(
        Feature(
            name=f"cpei_{part}_pct",
            doc=f"centre of pressure excursion index, positive when the CoP passes lateral to its chord, {label}",
            unit="%",
            formula="100 * distance across the axis from the chord (first to last CoP) to the CoP at 2/3 of the print "
            "length / width of the print there",
            source="Song et al. 1996, J Am Podiatr Med Assoc 86(1):16",
            lowest=-100.0,
            highest=100.0,
        )
        for part, label in _PARTS
    ),
)

_SHAPE = (
    *_per_foot(
        "print_length_{}_mm",
        "mm",
        "length of the print along the foot axis, toes included",
        formula="extent of the sensors with peak > 10 kPa",
        source=_CAVANAGH,
        highest=350.0,
    ),
    *_per_foot(
        "print_width_{}_mm",
        "mm",
        "width of the print across the foot axis",
        formula="extent of the sensors with peak > 10 kPa",
        source=_CAVANAGH,
        highest=240.0,
    ),
    *_per_foot(
        "arch_index_{}",
        "1",
        "arch index: at most 0.21 is a high arch, 0.26 and more a flat one",
        formula="A_mid / (A_fore + A_mid + A_hind), thirds along the foot axis without the toes",
        source=_CAVANAGH,
        highest=1.0,
    ),
)

_REGIONS = (
    *(
        feature
        for region in REGIONS
        for feature in (
            *_per_foot(
                f"{region}_load_{{}}_pct",
                "%",
                f"share of the impulse under the {region}",
                formula="100 * FTI of the region / FTI",
                source=_ORLIN,
                highest=100.0,
            ),
            *_per_foot(
                f"{region}_peak_pressure_{{}}_kpa",
                "kPa",
                f"highest pressure under the {region}",
                formula="max over t and the sensors of which at least half lies in the region",
                source=_ORLIN,
                highest=3_000.0,
            ),
            *_per_foot(
                f"{region}_contact_area_{{}}_cm2",
                "cm2",
                f"contact area of the {region}",
                formula="sum of A_i where max over t of p_i > 10 kPa",
                source=_ORLIN,
                highest=600.0,
            ),
        )
    ),
    *_per_foot(
        "toe_load_{}_pct",
        "%",
        "share of the impulse in front of the toe line",
        formula="100 * FTI in front of the toe line / FTI",
        source=_ORLIN,
        highest=100.0,
    ),
    *_per_foot(
        "medial_load_{}_pct",
        "%",
        "share of the impulse on the medial side of the foot axis",
        formula="100 * FTI of the medial side / FTI",
        source=_ORLIN,
        highest=100.0,
    ),
)

_ASYMMETRY = (
    _symmetry("contact_time", "contact time"),
    _symmetry("peak_pressure", "peak pressure"),
    _symmetry("pti_novel", "the pressure-time integral (novel)"),
    _symmetry("peak_force", "peak force"),
    _symmetry("force_time_integral", "the impulse"),
    _symmetry("contact_area", "contact area"),
    _symmetry("arch_index", "the arch index"),
)

PLANTAR_FEATURES: tuple[Feature, ...] = (*_TIMING, *_PRESSURE, *_FORCE, *_COP, *_SHAPE, *_REGIONS, *_ASYMMETRY)

PLANTAR_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in PLANTAR_FEATURES)
