"""What a signal is: values without noise as a function of time, which is its truth, and noise from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.measurement import Register
from schemas.sensors import SENSORS

Floats = NDArray[np.float64]
Truth = Callable[[Floats], Floats]
"""s since the start, shape [n] -> true values, shape [n, channels]; a row of NaN where the device is silent."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One sensor of a synthetic device.

    Attributes:
        channels: of the catalogue, in the order of the columns.
        step_s: from one sample to the next.
        single: whether each sample is a reading of its own; else they have the rate 1 / `step_s`.
        truth: without noise.
        noise: standard deviation of what is added, in the sensor's unit; values stay within the catalogue's range.
        register: of an energy meter.
    """

    sensor_type: str
    channels: tuple[str, ...]
    step_s: float
    single: bool
    truth: Truth
    noise: float = 0.0
    register: Register | None = None

    def values(self, first: int, count: int, seed: int) -> Floats:
        """Samples `first` to `first + count`, shape [count, channels]; the same arguments give the same values."""
        true = self.truth((first + np.arange(count)) * self.step_s)
        if self.noise == 0.0:
            return true
        kind = list(SENSORS).index(self.sensor_type)
        noise = np.random.default_rng([seed, kind, first]).standard_normal(true.shape)
        sensor = SENSORS[self.sensor_type]
        return np.clip(true + self.noise * noise, sensor.valid_min, sensor.valid_max)
