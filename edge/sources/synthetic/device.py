"""A synthetic device as a live source: each of its sensors measures at its own rate, in real time."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, assert_never

import numpy as np

from edge.framing import Framing
from edge.instant import InstantClock, SteadyWall
from edge.measurement import US_PER_S, Measurement, RegisterReading, Samples
from edge.pace import Pacer
from edge.sources.settings import SyntheticSettings
from edge.sources.source import Outlet, Stopped, Taken
from edge.sources.synthetic.climate import climate_signal
from edge.sources.synthetic.health import gait_signal, motion_signal, plate_signal, pressure_signal
from edge.sources.synthetic.power import load_signal, meter_signal, waveform_signal
from edge.sources.synthetic.settings import (
    ClimateSettings,
    GaitSettings,
    LoadSettings,
    MeterSettings,
    MotionSettings,
    PlateSettings,
    PressureSettings,
    SignalSettings,
    WaveformSettings,
)
from edge.sources.synthetic.signal import Signal
from schemas.sensors import SENSORS


class Due(NamedTuple):
    """A measurement and when its last sample is complete, s since the start."""

    due_s: float
    place: int
    measurement: Measurement


class SyntheticSource:
    """See `edge.sources.source.LiveSource`."""

    def __init__(self, settings: SyntheticSettings, clock: InstantClock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Measure until `stop` is set or `duration_s` is over."""
        steady, begin = SteadyWall(), self._clock.now()
        start_us = steady.wall_us(begin)
        pacer = Pacer(self._clock.clock, 1.0)
        outlet.state(True, f"seed {self._settings.seed}")
        for due in synthetic_measurements(self._settings, start_us):
            pacer.wait_until(due.due_s, keep_waiting=lambda: not stop.is_set())
            if stop.is_set():
                return
            now = self._clock.now()
            # Where the wall clock has jumped since the start, the sensor time jumps with it, as the agent's does.
            jump_us = steady.wall_us(now) - (now.monotonic_ms - begin.monotonic_ms) * 1_000 - start_us
            measurement = replace(due.measurement, start_us=due.measurement.start_us + jump_us)
            try:
                outlet.put(Taken(self._settings.device_id, measurement, now, timed_by_device=False))
            except Stopped:
                return
        outlet.state(False, "measured for its whole duration")


def synthetic_measurements(settings: SyntheticSettings, start_us: int) -> Iterator[Due]:
    """All measurements of a synthetic device in the order in which they are complete; a function of its arguments.

    Args:
        settings: of the device.
        start_us: sensor time of the first samples, us since the epoch.
    """
    signals = [make_signal(sensor, settings.seed, start_us / US_PER_S) for sensor in settings.sensors]
    streams = (_measure(place, signal, settings, start_us) for place, signal in enumerate(signals))
    yield from heapq.merge(*streams, key=lambda due: due[:2])


def make_signal(settings: SignalSettings, seed: int, start_s: float) -> Signal:
    """The signal of one sensor; `start_s` is the wall time of its first sample, s since the epoch."""
    match settings:
        case GaitSettings():
            signal = gait_signal(settings, seed)
        case PlateSettings():
            signal = plate_signal(settings)
        case PressureSettings():
            signal = pressure_signal(settings)
        case MotionSettings():
            signal = motion_signal(settings)
        case WaveformSettings():
            signal = waveform_signal(settings)
        case LoadSettings():
            signal = load_signal(settings)
        case MeterSettings():
            signal = meter_signal(settings)
        case ClimateSettings():
            signal = climate_signal(settings, start_s)
        case _:
            assert_never(settings)
    return signal


def _measure(place: int, signal: Signal, settings: SyntheticSettings, start_us: int) -> Iterator[Due]:
    """One sensor's measurements: single readings, or blocks without the rows in which the device is silent."""
    rate_hz = 1.0 / signal.step_s
    count = 1 if signal.single else Framing(settings.block_s).block_samples(len(signal.channels), rate_hz)
    first = 0
    while settings.duration_s is None or first * signal.step_s < settings.duration_s:
        values = signal.values(first, count, settings.seed)
        # A single reading is complete when it is taken, a sample at the end of its period.
        due_s = (first + (0 if signal.single else count)) * signal.step_s
        there = np.flatnonzero(np.isfinite(values).all(axis=1))
        for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if run.size:
                run_us = start_us + round((first + int(run[0])) * signal.step_s * US_PER_S)
                yield Due(due_s, place, _measurement(signal, values[run], run_us))
        first += count


def _measurement(
    signal: Signal, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], start_us: int
) -> Measurement:
    unit = SENSORS[signal.sensor_type].unit
    if signal.register is not None:
        return RegisterReading(start_us, float(values[0, 0]), unit, signal.register)
    rate_hz = 0.0 if signal.single else 1.0 / signal.step_s
    return Samples(signal.sensor_type, signal.channels, unit, rate_hz, start_us, values)
