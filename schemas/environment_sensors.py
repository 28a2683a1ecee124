"""What every environment sensor has: readings, rate, stuck flag, exposure, hourly means; as groups of features."""

from __future__ import annotations

import math

from schemas.columns import Kind
from schemas.features import Feature
from schemas.sensors import SENSORS

_QC = "Zahumensky 2004, WMO guidelines on quality control for automatic weather stations"
ENVIRONMENT_SENSORS = {"temp": "TEMP", "humid": "HUMID", "co2": "CO2", "pm25": "PM25"}
"""The sensor types behind the first part of feature names."""
_UNIT_SUFFIXES = {"temp": "degc", "humid": "pct", "co2": "ppm", "pm25": "ug_per_m3"}


def share(name: str, doc: str, formula: str, source: str) -> Feature:
    """A share in %."""
    return Feature(name=name, unit="%", doc=doc, formula=formula, source=source, lowest=0.0, highest=100.0)


def positive(name: str, unit: str, doc: str, *, formula: str, source: str) -> Feature:
    """A quantity that is never below 0."""
    return Feature(name=name, unit=unit, doc=doc, formula=formula, source=source, lowest=0.0)


def count(name: str, doc: str, formula: str, *, source: str = "definition", highest: float = math.inf) -> Feature:
    """A whole number: a count, an index or a flag (0 or 1)."""
    return Feature(
        name=name, kind=Kind.INT32, unit="1", doc=doc, formula=formula, source=source, lowest=0.0, highest=highest
    )


def sensor_groups(sensor: str) -> dict[str, tuple[Feature, ...]]:
    """The three groups that every sensor has."""
    catalogue = SENSORS[ENVIRONMENT_SENSORS[sensor]]
    suffix, unit, low, high = _UNIT_SUFFIXES[sensor], catalogue.unit, catalogue.valid_min, catalogue.valid_max
    what = {"temp": "temperature", "humid": "relative humidity", "co2": "CO2", "pm25": "PM2.5 as the sensor gave it"}
    doc = what[sensor]

    def level(statistic: str, formula: str) -> Feature:
        name = f"{sensor}_{statistic}_{suffix}"
        return Feature(
            name=name,
            unit=unit,
            doc=f"{statistic} {doc}",
            formula=formula,
            source="definition",
            lowest=low,
            highest=high,
        )

    valid = f"valid readings ({low:g} to {high:g} {unit})"
    readings = (
        count(f"{sensor}_count", f"readings of {doc} used", f"number of {valid}"),
        level("mean", f"arithmetic mean of {valid}"),
        level("min", f"lowest of {valid}"),
        level("max", f"highest of {valid}"),
        share(
            f"{sensor}_out_of_range_pct",
            f"readings of {doc} that no working sensor gives",
            "100 * out of the valid range / all readings that are not lost; they enter no other feature",
            "valid range of the sensor catalogue",
        ),
        positive(
            f"{sensor}_longest_gap_s",
            "s",
            f"longest time without a valid reading of {doc}",
            formula="longest step between valid readings, or from the window's ends to the first and last",
            source="definition",
        ),
        count(
            f"{sensor}_stuck_run_count",
            f"longest run of equal readings of {doc}",
            "valid readings in a row with exactly the same value, longest run",
        ),
        positive(
            f"{sensor}_stuck_run_s",
            "s",
            f"longest time for which {doc} did not change",
            formula="first to last reading of a run of equal valid readings, longest run",
            source="definition",
        ),
        share(
            f"{sensor}_saturated_pct",
            f"readings of {doc} at the end of the sensor's scale",
            "100 * valid readings at or beyond the pegged value of the settings, or at the catalogue's end / all valid",
            "definition",
        ),
        count(
            f"{sensor}_saturated_flag",
            f"1 when a reading of {doc} sits at the end of the scale",
            "1 if saturated_pct > 0",
            highest=1,
        ),
    )
    rate = Feature(
        name=f"{sensor}_rate_{suffix}_per_h",
        unit=f"{unit}/h",
        doc=f"rate of change of {doc}",
        formula="least-squares slope of valid readings over time",
        source="definition",
    )
    flag = count(
        f"{sensor}_stuck_flag",
        f"1 when {doc} is stuck",
        "1 if five or more equal readings in a row span 60 min or more",
        source=f"{_QC}: no change in 60 min",
        highest=1,
    )
    return {sensor: readings, f"{sensor}_rate": (rate,), f"{sensor}_stuck": (flag,)}


_DOSE = "sum of {} over the time each reading stands for (until the next; before a gap and at the end one usual step)"


def exposure_group(sensor: str, dose_name: str, dose_unit: str, *, what: str, threshold: str) -> tuple[Feature, ...]:
    """Dose, time above a threshold, and the time that both rest on."""
    return (
        positive(dose_name, dose_unit, f"dose of {what}", formula=_DOSE.format(what) + " * h", source="definition"),
        positive(
            f"{sensor}_hours_above",
            "h",
            f"time above {threshold}",
            formula="sum of the time that readings above it stand for",
            source="definition",
        ),
        positive(
            f"{sensor}_hours_covered",
            "h",
            "time that the readings stand for",
            formula=_DOSE.format("time"),
            source="definition",
        ),
    )


def hour_groups(sensor: str) -> dict[str, tuple[Feature, ...]]:
    """Features of the hourly means of a sensor."""
    suffix, unit = _UNIT_SUFFIXES[sensor], SENSORS[ENVIRONMENT_SENSORS[sensor]].unit
    hour = "hour counted from the window's start, >= 75 % covered"
    return {
        f"{sensor}_hours": (
            count(f"{sensor}_hour_count", "hours with a mean", f"number of hours: {hour}"),
            positive(
                f"{sensor}_hour_max_{suffix}",
                unit,
                "highest hourly mean",
                formula=f"max of hourly means; {hour}",
                source="definition",
            ),
        ),
        f"{sensor}_8h": (
            positive(
                f"{sensor}_8h_max_{suffix}",
                unit,
                "highest 8-hour mean",
                formula="max of running means of 8 hourly means, at least 6 of them there",
                source="40 CFR 50 Appendix P (75 % rule); 8-hour limit of CO2: OSHA 29 CFR 1910.1000, 5,000 ppm",
            ),
        ),
    }
