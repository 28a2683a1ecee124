"""From a sensor type and its channels to the layout of the sensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from schemas.pressure_devices import PRESSURE_DEVICES, RAW, PressureDevice, grid_place
from udfs.gait.contact import FloatArray
from udfs.plantar.extract import PlantarSession
from udfs.plantar.layout import SensorLayout, Side, grid_layout, pedar_layout, unplaced_layout

PEDAR_PREFIX = "PEDAR"


def device_session(
    sensor_type: str, channels: Sequence[str], samples: FloatArray, frame_rate_hz: float
) -> PlantarSession:
    """The session that a device's blocks make.

    Args:
        sensor_type: a key of `schemas.pressure_devices.PRESSURE_DEVICES`.
        channels: of the device, in the order of the sample columns.
        samples: shape [n, channels], in the device's unit, NaN where lost.
        frame_rate_hz: frames per second.

    Raises:
        KeyError: for a sensor type that is no pressure device; that is a fault of the caller.
    """
    device = PRESSURE_DEVICES[sensor_type]
    return PlantarSession(samples, device_layout(sensor_type, tuple(channels)), frame_rate_hz, device.unit != RAW)


@lru_cache(maxsize=64)
def device_layout(sensor_type: str, channels: tuple[str, ...]) -> SensorLayout:
    """The layout of the channels of a device: places and areas as far as they are known.

    Raises:
        KeyError: for a sensor type that is no pressure device.
    """
    device = PRESSURE_DEVICES[sensor_type]
    if device.pitch_mm is not None:
        places = np.array([grid_place(channel) for channel in channels], dtype=np.int64).reshape(-1, 2)
        return grid_layout(
            places[:, 0], places[:, 1], pitch_mm=device.pitch_mm, side=_side(device), insole=device.insole
        )
    if device.side == "both":
        whole = pedar_layout(sensor_type.removeprefix(PEDAR_PREFIX).removeprefix("_"))
        order = [device.channels.index(channel) for channel in channels]
        return SensorLayout(
            whole.x_mm[order],
            whole.y_mm[order],
            whole.area_cm2[order],
            tuple(whole.side[place] for place in order),
            whole.insole,
        )
    return unplaced_layout(len(channels), _side(device), insole=device.insole)


def _side(device: PressureDevice) -> Side:
    return "unknown" if device.side == "both" else device.side
