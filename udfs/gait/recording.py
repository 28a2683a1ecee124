"""A recording as the extractor needs it: checked, by channel, with the totals of both feet and the lost samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.health import SIDES, GaitReason
from schemas.sensors import INSOLE_CHANNELS
from udfs.gait.contact import FloatArray

CHANNEL_COUNT = len(INSOLE_CHANNELS)
FOOT_CHANNEL_COUNT = CHANNEL_COUNT // len(SIDES)
MIN_RATE_HZ = 20.0
MAX_RATE_HZ = 10_000.0
MIN_DURATION_S = 5.0
LOADED_NEWTON = 20.0
MIN_LOADED_SAMPLES = 50
SATURATED_SHARE = 0.1

_COORDINATES = np.array([(channel.x, channel.y) for channel in INSOLE_CHANNELS], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Foot:
    """One foot of a recording of n samples.

    Attributes:
        sensors: shape [8, n], N, NaN where lost.
        total: shape [n], N, NaN where any sensor is lost.
        x, y: shape [8], sensor coordinates (arbitrary units; y towards the toes).
    """

    sensors: FloatArray
    total: FloatArray
    x: FloatArray
    y: FloatArray

    @property
    def missing(self) -> NDArray[np.bool_]:
        """True where a sample is lost."""
        return np.isnan(self.total)

    @property
    def lacks_channel(self) -> bool:
        """Whether a sensor gave no value in the whole recording."""
        return bool(np.any(np.all(np.isnan(self.sensors), axis=1)))

    @property
    def saturated(self) -> bool:
        """Whether a sensor spends more than a tenth of its loaded samples (> 20 N) at exactly its highest value.

        A force that is free to move hardly ever repeats its maximum: at most 4 % in the recordings of gaitpdb.
        """
        loaded = np.count_nonzero(self.sensors > LOADED_NEWTON, axis=1)
        highest = np.fmax.reduce(self.sensors, axis=1, keepdims=True)
        stuck = np.count_nonzero((self.sensors == highest) & (highest > LOADED_NEWTON), axis=1)
        return bool(np.any((loaded >= MIN_LOADED_SAMPLES) & (stuck > SATURATED_SHARE * loaded)))


def check_recording(force_newton: NDArray[Any], sample_rate_hz: float) -> GaitReason:
    """Whether shape, rate and length allow any feature at all; OK or the reason why not."""
    shape = np.shape(force_newton)
    if len(shape) != 2 or shape[1] != CHANNEL_COUNT:
        return GaitReason.WRONG_SHAPE
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        return GaitReason.WRONG_RATE
    if shape[0] < MIN_DURATION_S * sample_rate_hz:
        return GaitReason.TOO_SHORT
    return GaitReason.OK


def split_feet(force_newton: NDArray[Any]) -> tuple[Foot, Foot]:
    """Left and right foot of a checked recording; an infinite value counts as lost."""
    channels = np.ascontiguousarray(np.asarray(force_newton, dtype=np.float64).T)
    if not np.all(np.isfinite(channels)):
        channels = np.where(np.isfinite(channels), channels, np.nan)
    left = slice(0, FOOT_CHANNEL_COUNT)
    right = slice(FOOT_CHANNEL_COUNT, CHANNEL_COUNT)
    return _foot(channels, left), _foot(channels, right)


def _foot(channels: FloatArray, part: slice) -> Foot:
    sensors = channels[part]
    return Foot(sensors, np.add.reduce(sensors, axis=0), _COORDINATES[part, 0], _COORDINATES[part, 1])
