"""The environment features: every column that `udfs.environment` fills, in order, and the settings it needs.

Features stand in groups: a group is missing or there as a whole for one reason, reported as "group:reason".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schemas.environment_derived import CO2_GROUPS, JOINED_GROUPS, PM25_GROUPS
from schemas.environment_sensors import ENVIRONMENT_SENSORS, sensor_groups
from schemas.errors import SettingsError
from schemas.features import Feature


class EnvironmentReason(StrEnum):
    """Why the features of a group are missing in a window."""

    BAD_WINDOW = "bad_window"
    """The window's length is not a number of seconds above 0 and up to seven days."""
    WINDOW_TOO_SHORT = "window_too_short"
    """The feature is defined over more hours than the window has."""
    NO_SENSOR = "no_sensor"
    """No reading at all of a sensor that is needed."""
    NO_VALID_READING = "no_valid_reading"
    """Every reading is lost (NaN) or outside the sensor's valid range."""
    TOO_FEW_READINGS = "too_few_readings"
    """Too few readings, or all at one instant."""
    NO_PAIRS = "no_pairs"
    """The two sensors never report close enough in time."""
    OUT_OF_VALIDITY = "out_of_validity"
    """No reading lies where the formula holds."""
    NO_METHOD = "no_method"
    """The settings name no correction."""
    TOO_FEW_HOURS = "too_few_hours"
    """Fewer hours with a mean than the completeness rule asks for."""
    SMALL_DROP = "small_drop"
    """The CO2 never falls for two hours by more than 200 ppm."""
    NOT_A_DECAY = "not_a_decay"
    """The CO2 falls, but not exponentially: R2 is not above 0.98, or two hours and the night disagree."""
    BACKGROUND_TOO_HIGH = "background_too_high"
    """The CO2 decays towards a level far above outdoor air: the room was not empty, or air came from other rooms."""
    BACKGROUND_NOT_REACHED = "background_not_reached"
    """The lowest CO2 of the night and the fitted background disagree: the night is cut off or not empty."""
    NO_ROOM_VOLUME = "no_room_volume"
    """The settings do not give the volume of the room."""
    NOT_STEADY = "not_steady"
    """The CO2 never stays at one level, well above outdoor air, for three hours."""


class Pm25Correction(StrEnum):
    """How low-cost PM2.5 readings are corrected: the value of a row's `pm25_correction_method`."""

    NONE = "none"
    """As the sensor gave them."""
    BARKJOHN_2021 = "barkjohn_2021"
    """PurpleAir cf_1 with relative humidity: Barkjohn 2021."""


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What the features need to know about the place and the sensors.

    Attributes:
        outdoor_co2_ppm: CO2 outdoors; about 420 ppm since 2022 (NOAA global mean).
        pressure_hpa: air pressure; 1013.25 hPa is the standard atmosphere at sea level.
        pair_tolerance_s: readings of two sensors further apart than this are not joined.
        co2_generation_l_per_s: CO2 that one person gives off; 0.0052 L/s for office work (ASTM D6245; by age and
            activity: Persily & de Jonge 2017).
        room_volume_m3: of the room's air; None refuses the ventilation rate.
        pm25_correction: which correction the PM2.5 sensor needs.
        co2_threshold_ppm: of `co2_hours_above`; outdoor air + 800 ppm bounds EN 16798-1 category II.
        pm25_threshold_ug_per_m3: of `pm25_hours_above`; 15 is the 24-hour guideline of WHO 2021.
        humid_pegged_pct, co2_pegged_ppm, pm25_pegged_ug_per_m3: a reading there or above is at the sensor's end
            (an SDS011 ends at 999.9 ug/m3; many NDIR sensors at 2,000, 5,000 or 10,000 ppm).

    Raises:
        SettingsError: naming every value outside its range.
    """

    outdoor_co2_ppm: float = 420.0
    pressure_hpa: float = 1013.25
    pair_tolerance_s: float = 60.0
    co2_generation_l_per_s: float = 0.0052
    room_volume_m3: float | None = None
    pm25_correction: Pm25Correction = Pm25Correction.NONE
    co2_threshold_ppm: float = 1_220.0
    pm25_threshold_ug_per_m3: float = 15.0
    humid_pegged_pct: float = 99.9
    co2_pegged_ppm: float = 40_000.0
    pm25_pegged_ug_per_m3: float = 10_000.0

    def __post_init__(self) -> None:
        bad = [
            f"{name}={value:g} is not within {low:g} to {high:g}"
            for name, low, high in _RANGES
            if (value := getattr(self, name)) is not None and not low <= float(value) <= high
        ]
        if bad:
            raise SettingsError("environment settings: " + "; ".join(bad))


_RANGES = (
    ("outdoor_co2_ppm", 200.0, 1_000.0),
    ("pressure_hpa", 300.0, 1_100.0),
    ("pair_tolerance_s", 0.0, 3_600.0),
    ("co2_generation_l_per_s", 0.0005, 0.1),
    ("room_volume_m3", 1.0, 1e7),
    ("co2_threshold_ppm", 0.0, 40_000.0),
    ("pm25_threshold_ug_per_m3", 0.0, 10_000.0),
    ("humid_pegged_pct", 50.0, 100.0),
    ("co2_pegged_ppm", 1_000.0, 40_000.0),
    ("pm25_pegged_ug_per_m3", 100.0, 10_000.0),
)

CO2_CATEGORY_LIMITS_PPM = (550.0, 800.0, 1_350.0)
"""Upper limits above outdoor air of the CO2 categories I, II and III of EN 16798-1:2019, annex B."""
WHO_PM25_24H_UG_PER_M3 = 15.0
"""WHO global air quality guidelines 2021, 24-hour mean."""
HIGH_HUMIDITY_PCT = 85.0
"""Above, fog and swollen particles make low-cost optical PM sensors read high (Jayaratne 2018; Barkjohn 2021)."""

ENVIRONMENT_GROUPS: dict[str, tuple[Feature, ...]] = {
    **{group: features for sensor in ENVIRONMENT_SENSORS for group, features in sensor_groups(sensor).items()},
    **JOINED_GROUPS,
    **CO2_GROUPS,
    **PM25_GROUPS,
}
"""Every group of features in order; its name is the first part of a reason."""

ENVIRONMENT_FEATURES: tuple[Feature, ...] = tuple(
    feature for features in ENVIRONMENT_GROUPS.values() for feature in features
)
"""Every environment feature in order."""

ENVIRONMENT_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in ENVIRONMENT_FEATURES)
