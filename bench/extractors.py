"""How fast the features of each domain are extracted: one core, sessions and windows of a minute, no platform.

The best of several passes counts: a pass that something else disturbed says nothing about the code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from bench import libraries
from edge.recordings.synthetic_gait import synthesize_gait
from schemas.environment import EnvironmentSettings
from schemas.power import Supply
from udfs.environment import EnvironmentBatch, Readings, extract_environment_batch
from udfs.gait import extract_batch
from udfs.power import PhaseSignal, PowerWindow, extract_power_batch

SESSION_S = 60
PASSES = 5
_GAIT_SESSIONS = 20
_POWER_RATE_HZ = 10_240
_POWER_WINDOWS = 6
_CLIMATE_WINDOWS = 2_000
_START_US = 1_760_000_000_000_000


@dataclass(frozen=True, slots=True)
class ExtractorRate:
    """One extractor's speed.

    Attributes:
        name: of the domain and what it reads.
        unit: what is counted.
        per_second: of processor time on one core.
        target: how many there should be; None for a library beside ours.
    """

    name: str
    unit: str
    per_second: float
    target: float | None


def measure_extractors() -> list[ExtractorRate]:
    """Measures all of them, a few seconds each."""
    return [
        _rate("gait, 16 channels at 100 Hz", "samples x 16 channels", 1.5e6, *_gait()),
        _rate("power, voltage and current at 10.24 kHz", "samples", 5e6, *_power()),
        _rate("environment, 4 sensors every 15 s", "readings", 3e5, *_climate(4)),
        _rate("environment, 4 sensors every second", "readings", 3e5, *_climate(SESSION_S)),
    ]


def measure_libraries() -> list[ExtractorRate]:
    """A part of the same work by libraries."""
    return [
        _rate("pqopen-lib: one phase at 10 kHz", "samples", None, *libraries.mains()),
        _rate("psychrolib: dew point and humidity ratio", "readings", None, *libraries.moist_air()),
    ]


def _rate(name: str, unit: str, target: float | None, count: int, extract: Callable[[], object]) -> ExtractorRate:
    seconds = []
    # Idle threads of a BLAS spin, and would count.
    with threadpool_limits(1):
        extract()
        for _ in range(PASSES):
            begun = time.process_time()
            extract()
            seconds.append(time.process_time() - begun)
    return ExtractorRate(name, unit, count / min(seconds), target)


def _gait() -> tuple[int, Callable[[], object]]:
    walks = [synthesize_gait(float(SESSION_S), seed=seed).recording.samples for seed in range(_GAIT_SESSIONS)]
    return sum(len(walk) for walk in walks), lambda: extract_batch(walks, [100.0] * len(walks))


def _power() -> tuple[int, Callable[[], object]]:
    samples = _POWER_RATE_HZ * SESSION_S
    angle = 2 * np.pi * 50.02 * np.arange(samples) / _POWER_RATE_HZ
    noise = np.random.default_rng(1).normal(size=(_POWER_WINDOWS, 2, samples))
    windows = []
    for number in range(_POWER_WINDOWS):
        volt = 325.0 * np.sin(angle) + 10.0 * np.sin(5 * angle) + noise[number, 0]
        amp = 14.0 * np.sin(angle - 0.3) + 3.0 * np.sin(3 * angle) + 0.05 * noise[number, 1]
        signals = [
            PhaseSignal(_START_US, float(_POWER_RATE_HZ), ("value",), values[:, None].copy()) for values in (volt, amp)
        ]
        windows.append(PowerWindow(_START_US, float(SESSION_S), volt=signals[0], amp=signals[1]))
    return 2 * samples * _POWER_WINDOWS, lambda: extract_power_batch(windows, Supply())


def _climate(readings: int) -> tuple[int, Callable[[], object]]:
    random = np.random.default_rng(2)
    starts_us = _START_US + np.arange(_CLIMATE_WINDOWS) * SESSION_S * 1_000_000
    window = np.repeat(np.arange(_CLIMATE_WINDOWS), readings)
    offsets_us = np.arange(readings) * (SESSION_S * 1_000_000 // readings)
    times_us = (starts_us[:, None] + offsets_us).ravel()
    sensors = [
        Readings(window, times_us, base + spread * random.normal(size=window.size))
        for base, spread in ((21.0, 0.2), (45.0, 1.0), (800.0, 5.0), (12.0, 1.0))
    ]
    batch = EnvironmentBatch(starts_us, np.full(_CLIMATE_WINDOWS, float(SESSION_S)), *sensors)
    settings = EnvironmentSettings()
    return 4 * window.size, lambda: extract_environment_batch(batch, settings)
