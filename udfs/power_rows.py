"""features-power: what the power sensors of a device say in one window of sensor time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.feature_schema import feature_schema_hash
from schemas.per_device import PerDevice
from schemas.power import POWER_FEATURES, Supply
from schemas.proto.envelope_pb2 import CounterReading
from schemas.rows import RowValues
from schemas.samples import decode_samples
from udfs.named_features import described_features
from udfs.power import CounterSeries, PhaseSignal, PowerWindow, Readings, extract_power_batch
from udfs.records import SampleFrame
from udfs.signals import grid_rows, place_samples
from udfs.windows import (
    SensorFrames,
    WindowGroup,
    Windowing,
    describe_by_device,
    frames_by_sensor,
    sample_times_us,
    window_extent,
)

POWER_WINDOWS = Windowing(
    "POWER",
    sensors=("VOLT", "AMP", "WATT", "KWH"),
    day_sensors=("WATT", "KWH"),
    waveform_sensors=("VOLT",),
)
POWER_SCHEMA_HASH = feature_schema_hash(POWER_FEATURES)


def extract_power_features(groups: Sequence[WindowGroup], supplies: PerDevice[Supply]) -> list[RowValues | None]:
    """The `features-power` row of each window; None for one without a single frame."""
    return describe_by_device(groups, supplies, _extract)


def _extract(groups: Sequence[WindowGroup], supply: Supply) -> list[RowValues | None]:
    opened = [frames_by_sensor(group.values) for group in groups]
    windows = [_window(group, sensors) for group, sensors in zip(groups, opened, strict=True)]
    values, reasons = extract_power_batch(windows, supply)
    return [
        window_extent(group, sum(map(len, sensors.values())))
        | described_features(POWER_FEATURES, features.tolist(), missing, schema_hash=POWER_SCHEMA_HASH)
        if sensors
        else None
        for group, sensors, features, missing in zip(groups, opened, values, reasons, strict=True)
    ]


def _window(group: WindowGroup, sensors: SensorFrames) -> PowerWindow:
    volt, amp, watt = (_signal(sensors[sensor]) if sensor in sensors else None for sensor in ("VOLT", "AMP", "WATT"))
    kwh = _counter(sensors["KWH"]) if "KWH" in sensors else None
    return PowerWindow(group.start_ms * 1000, float(group.window_s), volt=volt, amp=amp, watt=watt, kwh=kwh)


def _counter(frames: Sequence[SampleFrame]) -> CounterSeries:
    """Readings of an energy counter; what its register is like the first one with a register says."""
    sources = [frame.source for frame in frames]
    registers = [source for source in sources if isinstance(source, CounterReading) and source.digits]
    return CounterSeries(
        np.concatenate([sample_times_us(frame) for frame in frames]),
        np.concatenate([decode_samples(frame.block)[:, 0] for frame in frames]),
        digits=registers[0].digits if registers else 0,
        resolution_kwh=registers[0].resolution if registers else 0.0,
    )


def _signal(frames: Sequence[SampleFrame]) -> PhaseSignal | Readings:
    """Frames of one rate as a signal with NaN where one is missing, others as readings at their own times."""
    present = {name for frame in frames for name in frame.layout.channels}
    channels = tuple(name for name in frames[0].layout.sensor.channel_names if name in present)
    columns = [frames[0].layout.sensor.channel_names.index(name) for name in channels]
    rates = {frame.layout.sample_rate_hz for frame in frames}
    lengths = np.array([frame.layout.samples for frame in frames])
    if len(rates) > 1 or 0.0 in rates:
        times_us = np.concatenate([sample_times_us(frame) for frame in frames])
        order = np.argsort(times_us, kind="stable")
        values = place_samples(frames, np.cumsum(lengths) - lengths)
        return Readings(times_us[order], channels, values[order][:, columns])
    (rate_hz,) = rates
    starts_us = np.array([frame.block.start_us for frame in frames])
    values = place_samples(frames, grid_rows(starts_us, rate_hz))
    return PhaseSignal(int(starts_us[0]), rate_hz, channels, values[:, columns])
