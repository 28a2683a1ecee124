"""Signals of the air: one wave a day."""

from __future__ import annotations

import numpy as np

from edge.sources.synthetic.settings import ClimateSettings
from edge.sources.synthetic.signal import Floats, Signal
from schemas.sensors import SENSORS

_DAY_S = 86_400.0
_ROOM = {"TEMP": (21.0, 3.0), "HUMID": (45.0, 10.0), "CO2": (700.0, 300.0), "PM25": (12.0, 6.0)}
"""Sensor type -> mean and swing of a lived-in room."""


def climate_signal(settings: ClimateSettings, start_s: float) -> Signal:
    """`mean + swing x cos(2 pi (hour - peak_hour) / 24)`, held within the sensor's range.

    Args:
        settings: of the signal.
        start_s: wall time of the first sample, s since the epoch.
    """
    usual_mean, usual_swing = _ROOM[settings.sensor_type]
    mean = usual_mean if settings.mean is None else settings.mean
    swing = usual_swing if settings.swing is None else settings.swing
    sensor = SENSORS[settings.sensor_type]

    def truth(elapsed_s: Floats) -> Floats:
        turns = (start_s % _DAY_S + elapsed_s) / _DAY_S - settings.peak_hour / 24.0
        curve: Floats = mean + swing * np.cos(2.0 * np.pi * turns)
        held: Floats = np.clip(curve, sensor.valid_min, sensor.valid_max)[:, None]
        return held

    return Signal(settings.sensor_type, ("value",), settings.interval_s, True, truth, settings.noise)
