"""Layouts: the facts that all sample blocks of one shape share, checked once and then looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InvalidMessage, Reason
from schemas.proto.envelope_pb2 import SampleBlock
from schemas.samples import ITEM_BYTES
from schemas.sensors import SENSORS, Sensor

MICROSECONDS = 1_000_000
LONGEST_BLOCK_US = 3600 * MICROSECONDS


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A shape of sample block that the catalogue allows. Two blocks of one shape have the same object.

    Attributes:
        sensor: the catalogue entry.
        channels: names as the block gives them.
        columns: for each of them its index in the catalogue, shape [channels].
        encoding: FLOAT32 or SCALED_INT16.
        samples: per channel.
        sample_rate_hz: 0 for readings without a rate.
        data_bytes: how long `data` must be.
        duration_us: from the first sample to the end of the last one's period; 0 without a rate.
    """

    sensor: Sensor
    channels: tuple[str, ...]
    columns: NDArray[np.intp]
    encoding: int
    samples: int
    sample_rate_hz: float
    data_bytes: int
    duration_us: int


def layout_of(sensor_type: str, block: SampleBlock) -> Layout:
    """The layout of a block.

    Raises:
        InvalidMessage: if the catalogue does not allow it, or if `data` has another length than it says.
    """
    layout = _layout(
        sensor_type, block.unit, tuple(block.channels), block.encoding, block.sample_count, block.sample_rate_hz
    )
    if len(block.data) != layout.data_bytes:
        raise InvalidMessage(
            Reason.SAMPLE_COUNT_MISMATCH,
            f"{len(block.data)} bytes for {layout.samples} samples x {len(layout.channels)} channels, "
            f"not {layout.data_bytes}",
        )
    return layout


@lru_cache(maxsize=4096)
def _layout(sensor_type: str, unit: str, channels: tuple[str, ...], encoding: int, samples: int, rate: float) -> Layout:
    sensor = SENSORS.get(sensor_type)
    if sensor is None:
        raise InvalidMessage(Reason.UNKNOWN_SENSOR, f"sensor_type={sensor_type!r}")
    if unit != sensor.unit:
        raise InvalidMessage(Reason.UNIT_MISMATCH, f"unit={unit!r}, {sensor_type} is in {sensor.unit!r}")
    columns = _channel_columns(sensor, channels)
    item_bytes = ITEM_BYTES.get(encoding)
    if item_bytes is None:
        raise InvalidMessage(Reason.MALFORMED_PAYLOAD, f"encoding={encoding}")
    if samples == 0:
        raise InvalidMessage(Reason.SAMPLE_COUNT_MISMATCH, "sample_count=0")
    if not 0 <= rate <= sensor.max_sample_rate_hz or (rate == 0 and samples != 1):
        raise InvalidMessage(Reason.BAD_SAMPLE_RATE, f"sample_rate_hz={rate} for {samples} samples")
    duration_us = samples * MICROSECONDS / rate if rate else 0.0
    if duration_us > LONGEST_BLOCK_US:
        raise InvalidMessage(Reason.BAD_SAMPLE_RATE, f"{samples} samples at {rate} Hz last over an hour")
    data_bytes = samples * len(channels) * item_bytes
    return Layout(sensor, channels, columns, encoding, samples, rate, data_bytes, round(duration_us))


def _channel_columns(sensor: Sensor, channels: tuple[str, ...]) -> NDArray[np.intp]:
    known = sensor.channel_names
    if not channels or len(set(channels)) != len(channels) or not set(channels) <= set(known):
        raise InvalidMessage(
            Reason.BAD_CHANNELS, f"channels={','.join(channels)[:200]!r}, {sensor.sensor_type} has {','.join(known)}"
        )
    return np.array([known.index(name) for name in channels], dtype=np.intp)
