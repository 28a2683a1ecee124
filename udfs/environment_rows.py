"""features-env: what the climate and air sensors of a device say together in one window of sensor time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.environment import ENVIRONMENT_FEATURES, EnvironmentSettings
from schemas.feature_schema import feature_schema_hash
from schemas.per_device import PerDevice
from schemas.rows import RowValues
from schemas.samples import decode_samples
from udfs.environment import EnvironmentBatch, Readings, extract_environment_batch
from udfs.named_features import described_features
from udfs.windows import (
    SensorFrames,
    WindowGroup,
    Windowing,
    describe_by_device,
    frames_by_sensor,
    sample_times_us,
    window_extent,
)

_SENSORS = ("TEMP", "HUMID", "CO2", "PM25")
_NOON_MS = 12 * 3_600_000
# From noon to noon, so that a night stays whole: its CO2 decay tells the air changes.
ENVIRONMENT_WINDOWS = Windowing("ENVIRONMENT", sensors=_SENSORS, day_sensors=_SENSORS, day_begins_ms=_NOON_MS)
ENVIRONMENT_SCHEMA_HASH = feature_schema_hash(ENVIRONMENT_FEATURES)


def extract_environment_features(
    groups: Sequence[WindowGroup], places: PerDevice[EnvironmentSettings]
) -> list[RowValues | None]:
    """The `features-env` row of each window; None for one without a single frame."""
    return describe_by_device(groups, places, _extract)


def _extract(groups: Sequence[WindowGroup], settings: EnvironmentSettings) -> list[RowValues | None]:
    opened = [frames_by_sensor(group.values) for group in groups]
    temp, humid, co2, pm25 = (_readings(opened, sensor) for sensor in _SENSORS)
    starts_us = np.array([group.start_ms * 1000 for group in groups], dtype=np.int64)
    lengths_s = np.array([float(group.window_s) for group in groups])
    result = extract_environment_batch(EnvironmentBatch(starts_us, lengths_s, temp, humid, co2, pm25), settings)
    return [
        window_extent(group, sum(map(len, sensors.values())))
        | {"pm25_correction_method": method}
        | described_features(ENVIRONMENT_FEATURES, features.tolist(), missing, schema_hash=ENVIRONMENT_SCHEMA_HASH)
        if sensors
        else None
        for group, sensors, features, missing, method in zip(
            groups, opened, result.values, result.reasons, result.pm25_correction_method, strict=True
        )
    ]


def _readings(windows: Sequence[SensorFrames], sensor: str) -> Readings:
    """One sensor's readings in all windows; `usable` of the extractor puts them in order."""
    frames = [(index, frame) for index, sensors in enumerate(windows) for frame in sensors.get(sensor, ())]
    if not frames:
        return Readings.none()
    return Readings(
        np.repeat([index for index, _ in frames], [frame.layout.samples for _, frame in frames]),
        np.concatenate([sample_times_us(frame) for _, frame in frames]),
        np.concatenate([decode_samples(frame.block)[:, 0] for _, frame in frames]),
    )
