"""From many windows of readings to the table of environment features, and why values are missing."""

from __future__ import annotations

import numpy as np

from schemas.environment import ENVIRONMENT_GROUPS, EnvironmentSettings, Pm25Correction
from schemas.environment import EnvironmentReason as Why
from schemas.environment_sensors import ENVIRONMENT_SENSORS
from schemas.sensors import SENSORS
from udfs.environment.decay import air_change_features
from udfs.environment.exposure import co2_level_features, exposure_features
from udfs.environment.features import REASONS, Features, Reasons, first_reason
from udfs.environment.hourly import day_features, hour_features, hourly_means, steady_features
from udfs.environment.joined import moist_air_features, particle_series
from udfs.environment.statistics import sensor_features
from udfs.environment.ventilation import ventilation_l_per_s
from udfs.environment.window import EnvironmentBatch, EnvironmentResult, FloatArray, Frame, Series, frame_of, usable

_GROUPS = tuple(ENVIRONMENT_GROUPS)
_REASON_ORDER = sorted(range(len(_GROUPS)), key=_GROUPS.__getitem__)


def extract_environment_batch(
    batch: EnvironmentBatch, settings: EnvironmentSettings | None = None
) -> EnvironmentResult:
    """Extract every environment feature from many windows at once.

    Readings outside the valid range of the sensor catalogue, outside their window or NaN enter no feature but the share
    out of range. Features of two sensors pair readings (see `udfs.environment.joined`). After a PM2.5 correction all
    PM2.5 features but the sensor's own statistics use the corrected readings.

    The window may be of any length up to seven days. Features that need hours are missing, with a reason, in shorter
    windows. A night's CO2 decay is found anywhere in the window, but must not be cut off: a window of 24 h should begin
    at noon (see `udfs.environment.decay`).

    A batch of m windows equals m batches of one to the last bit, in any order. Vectorised over windows; only the decay
    loops, over windows of 4 h and more.

    Raises:
        ValueError: if the arrays do not fit together; bad numbers never raise.
    """
    settings = settings or EnvironmentSettings()
    frame = frame_of(batch)
    series = {
        sensor: usable(getattr(batch, sensor), frame, low=SENSORS[name].valid_min, high=SENSORS[name].valid_max)
        for sensor, name in ENVIRONMENT_SENSORS.items()
    }
    parts = [sensor_features(name, each, frame, pegged=_pegged(name, settings)) for name, each in series.items()]
    parts.append(moist_air_features(series["temp"], series["humid"], frame, settings))
    parts.extend(_co2_features(series["co2"], frame, settings))
    particles, correction = particle_series(series["pm25"], series["humid"], frame, settings)
    hourly = hourly_means(particles, frame)
    threshold = settings.pm25_threshold_ug_per_m3
    parts += [
        correction,
        exposure_features("pm25", particles, frame, threshold=threshold),
        hour_features("pm25", particles, frame, hourly),
        day_features(particles, frame, hourly),
    ]
    values, reasons = _assemble(parts, frame)
    return EnvironmentResult(values, reasons, _methods(correction, settings))


def _co2_features(co2: Series, frame: Frame, settings: EnvironmentSettings) -> list[Features]:
    hourly = hourly_means(co2, frame)
    outdoor = settings.outdoor_co2_ppm
    air_changes = air_change_features(co2, frame, outdoor)
    return [
        co2_level_features(co2, frame, settings),
        exposure_features("co2", co2, frame, threshold=settings.co2_threshold_ppm, baseline=outdoor),
        hour_features("co2", co2, frame, hourly),
        air_changes,
        _ventilation(air_changes, frame, settings),
        steady_features(co2, frame, hourly, settings),
    ]


def _ventilation(air_changes: Features, frame: Frame, settings: EnvironmentSettings) -> Features:
    """The group `ventilation`: air changes times the room's volume."""
    rate = air_changes.values["air_changes"][:, 0]
    reason = air_changes.reasons["air_changes"]
    volume = settings.room_volume_m3
    if volume is None:
        missing = np.ones(frame.count, dtype=np.bool_)
        reason, volume = first_reason(reason, (missing, Why.NO_ROOM_VOLUME)), np.nan
    return Features({"ventilation": ventilation_l_per_s(rate, volume)[:, None]}, {"ventilation": reason})


def _pegged(sensor: str, settings: EnvironmentSettings) -> tuple[float, float]:
    """Where the scale of a sensor ends; 0 ug/m3 is clean air, every other end is a fault or a limit."""
    catalogue = SENSORS[ENVIRONMENT_SENSORS[sensor]]
    low = -np.inf if sensor == "pm25" else catalogue.valid_min
    high = {
        "humid": settings.humid_pegged_pct,
        "co2": settings.co2_pegged_ppm,
        "pm25": settings.pm25_pegged_ug_per_m3,
    }
    return low, high.get(sensor, catalogue.valid_max)


def _methods(correction: Features, settings: EnvironmentSettings) -> list[str]:
    corrected = ~np.isnan(correction.values["pm25_correction"][:, 0])
    applied, none = settings.pm25_correction.value, Pm25Correction.NONE.value
    return [applied if each else none for each in corrected.tolist()]


def _assemble(parts: list[Features], frame: Frame) -> tuple[FloatArray, list[tuple[str, ...]]]:
    """All groups in the declared order, and the reasons of the groups in which something is missing."""
    values = {group: value for part in parts for group, value in part.values.items()}
    reasons = {group: reason for part in parts for group, reason in part.reasons.items()}
    table = np.hstack([values[group] for group in _GROUPS])
    codes = np.column_stack(
        [np.where(np.isnan(values[group]).any(axis=1), reasons[group], 0) for group in _GROUPS]
    ).astype(np.int8)
    return table, _reason_lists(codes, frame.count)


def _reason_lists(codes: Reasons, windows: int) -> list[tuple[str, ...]]:
    """Codes of shape [m, groups] as words; windows with the same codes share one tuple."""
    row_bytes, width = codes.tobytes(), len(_GROUPS)
    known: dict[bytes, tuple[str, ...]] = {}
    result: list[tuple[str, ...]] = []
    for window in range(windows):
        key = row_bytes[window * width : (window + 1) * width]
        found = known.get(key)
        if found is None:
            found = tuple(f"{_GROUPS[group]}:{REASONS[key[group]]}" for group in _REASON_ORDER if key[group])
            known[key] = found
        result.append(found)
    return result
