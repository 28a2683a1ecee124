"""The same quantities by the libraries that our tests hold ours against: why the numerics are our own (ADR 13)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import psychrolib
from daqopen.channelbuffer import AcqBuffer
from pqopen.powersystem import PowerSystem

_PAIRS = 20_000
_RATE_HZ, _SECONDS, _CHUNK = 10_000, 10, 1_000


def moist_air() -> tuple[int, Callable[[], object]]:
    """Dew point and humidity ratio of pairs of temperature and humidity; two readings a pair."""
    random = np.random.default_rng(3)
    pairs = list(zip(random.uniform(5, 35, _PAIRS).tolist(), random.uniform(0.2, 0.9, _PAIRS).tolist(), strict=True))
    psychrolib.SetUnitSystem(psychrolib.SI)

    def run() -> None:
        for temp, humid in pairs:
            psychrolib.GetTDewPointFromRelHum(temp, humid)
            psychrolib.GetHumRatioFromRelHum(temp, humid, 101_325.0)

    return 2 * _PAIRS, run


def mains() -> tuple[int, Callable[[], object]]:
    """RMS, frequency, power and harmonics of one phase's voltage and current."""
    angle = 2 * np.pi * 50.02 * np.arange(_RATE_HZ * _SECONDS) / _RATE_HZ
    waves = (325.0 * np.sin(angle) + 10.0 * np.sin(5 * angle), 14.0 * np.sin(angle - 0.3) + 3.0 * np.sin(3 * angle))

    def run() -> None:
        volt, amp = (AcqBuffer(size=200_000, dtype=np.float64) for _ in waves)
        system = PowerSystem(zcd_channel=volt, input_samplerate=float(_RATE_HZ), zcd_threshold=10.0)
        system.add_phase(u_channel=volt, i_channel=amp)
        system.enable_harmonic_calculation(40)
        for first in range(0, len(angle), _CHUNK):
            volt.put_data(waves[0][first : first + _CHUNK])
            amp.put_data(waves[1][first : first + _CHUNK])
            system.process()

    return 2 * len(angle), run
