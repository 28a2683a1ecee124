"""Signals of a person: walking on insoles, standing on a force plate, rolling over a pressure sole."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edge.recordings.synthetic_gait import GRAVITY_M_PER_S2, GaitModel, double_hump, synthesize_gait
from edge.sources.synthetic.settings import GaitSettings, MotionSettings, PlateSettings, PressureSettings
from edge.sources.synthetic.signal import Floats, Signal
from schemas.balance import PLATE_CHANNELS
from schemas.pressure_devices import (
    EMED_PITCH_MM,
    FSCAN_COLUMNS,
    FSCAN_PITCH_MM,
    FSCAN_ROWS,
    PEDAR_SENSORS,
    grid_channel,
)
from schemas.sensors import SENSORS

_FOOT_MM = (260.0, 90.0)
_EMED_FIRST = (21, 23)
_STANCE_SHARE = 0.62
_SPREAD = 0.18
_SLOW_HZ, _FAST_HZ = 0.25, 0.9
_FAST_SHARE = 0.25


def gait_signal(settings: GaitSettings, seed: int) -> Signal:
    """Walks of `walk_s` with silence of `rest_s` between; walk k is `synthesize_gait` with the seed `seed + k`."""
    sensor = SENSORS[settings.sensor_type]
    model = GaitModel(
        body_mass_kg=settings.body_mass_kg,
        stride_time_cv=settings.stride_time_cv,
        asymmetry=settings.asymmetry,
    )
    rate_hz = settings.sample_rate_hz
    walk_samples = round(settings.walk_s * rate_hz)
    cycle_samples = walk_samples + round(settings.rest_s * rate_hz)

    @lru_cache(maxsize=2)
    def walk(number: int) -> Floats:
        return synthesize_gait(
            settings.walk_s, seed=seed + number, model=model, sample_rate_hz=rate_hz
        ).recording.samples

    def truth(elapsed_s: Floats) -> Floats:
        numbers, places = np.divmod(np.rint(elapsed_s * rate_hz).astype(np.int64), cycle_samples)
        force = np.full((len(elapsed_s), len(sensor.channels)), np.nan)
        for number in np.unique(numbers):
            mine = (numbers == number) & (places < walk_samples)
            force[mine] = walk(int(number))[places[mine]]
        return force

    return Signal(sensor.sensor_type, sensor.channel_names, 1.0 / rate_hz, False, truth)


def centre_of_pressure_mm(settings: PlateSettings, elapsed_s: Floats) -> Floats:
    """The true centre of pressure x, y of the plate's signal, shape [n, 2]."""
    slow, fast = 2.0 * np.pi * _SLOW_HZ * elapsed_s, 2.0 * np.pi * _FAST_HZ * elapsed_s
    x = settings.sway_mm * (np.sin(slow) + _FAST_SHARE * np.sin(fast))
    y = settings.sway_mm * 0.5 * (np.cos(slow) + _FAST_SHARE * np.cos(fast))
    return np.stack((x, y), axis=1)


def plate_signal(settings: PlateSettings) -> Signal:
    """The wrench of the weight at the centre of pressure: Mx = y Fz, My = -x Fz about the plate's surface."""
    weight_newton = settings.body_mass_kg * GRAVITY_M_PER_S2

    def truth(elapsed_s: Floats) -> Floats:
        x, y = centre_of_pressure_mm(settings, elapsed_s).T / 1_000.0
        wrench = np.zeros((len(elapsed_s), len(PLATE_CHANNELS)))
        wrench[:, 2], wrench[:, 3], wrench[:, 4] = weight_newton, y * weight_newton, -x * weight_newton
        return wrench

    return Signal(
        settings.sensor_type, PLATE_CHANNELS, 1.0 / settings.sample_rate_hz, False, truth, settings.noise_newton
    )


def pressure_signal(settings: PressureSettings) -> Signal:
    """A bell of pressure that rolls from heel to toe in each stance; its height is the double hump of walking.

    The highest value of a stance is `peak` where a sensor lies under the middle of the bell.
    """
    channels, along, across = _places(settings.sensor_type)
    model = GaitModel()
    highest = max(model.f1_bw, model.f2_bw)

    def truth(elapsed_s: Floats) -> Floats:
        phase = (elapsed_s / settings.step_s % 1.0)[:, None] / _STANCE_SHARE
        load = np.where(phase < 1.0, double_hump(phase, model) / highest, 0.0)
        distance = ((along - np.clip(phase, 0.0, 1.0)) / _SPREAD) ** 2 + (across / 0.5) ** 2
        # Devices give whole steps, and nothing where nothing touches.
        pressure: Floats = np.round(settings.peak * load * np.exp(-distance / 2.0), 1)
        return pressure

    return Signal(settings.sensor_type, channels, 1.0 / settings.sample_rate_hz, False, truth)


def _places(sensor_type: str) -> tuple[tuple[str, ...], Floats, Floats]:
    """Channels with their places: along the foot from 0 at the heel to 1 at the toes, and across from -1 to 1."""
    if sensor_type == "EMED":
        return _grid(_EMED_FIRST, tuple(round(mm / EMED_PITCH_MM) for mm in _FOOT_MM))
    if sensor_type.startswith("FSCAN"):
        return _grid((1, 1), (min(FSCAN_ROWS, round(_FOOT_MM[0] / FSCAN_PITCH_MM)), FSCAN_COLUMNS))
    names = SENSORS[sensor_type].channel_names
    # Numbered from heel to toe; where exactly they lie is not published.
    per_foot = PEDAR_SENSORS if sensor_type.startswith("PEDAR") else len(names)
    place = np.arange(len(names)) % per_foot / (per_foot - 1)
    return names, place, np.zeros(len(names))


def _grid(first: tuple[int, int], size: tuple[int, ...]) -> tuple[tuple[str, ...], Floats, Floats]:
    """A rectangle of a matrix, row 1 at the toes."""
    rows, columns = size
    row, column = (axis.ravel() for axis in np.mgrid[0:rows, 0:columns])
    names = tuple(grid_channel(first[0] + r, first[1] + c) for r, c in zip(row.tolist(), column.tolist(), strict=True))
    return names, 1.0 - row / (rows - 1), 2.0 * column / (columns - 1) - 1.0


def motion_signal(settings: MotionSettings) -> Signal:
    """Every axis swings with the step, each a ninth of a turn behind the one before."""
    sensor = SENSORS[settings.sensor_type]
    lag = np.arange(len(sensor.channels)) / len(sensor.channels)

    def truth(elapsed_s: Floats) -> Floats:
        turns = elapsed_s[:, None] / settings.step_s - lag
        swing: Floats = settings.amplitude * np.sin(2.0 * np.pi * turns)
        return swing

    return Signal(sensor.sensor_type, sensor.channel_names, 1.0 / settings.sample_rate_hz, False, truth)
