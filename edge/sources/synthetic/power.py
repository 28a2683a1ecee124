"""Signals of electricity: waves of voltage and current, the load of a home, and the meter behind it."""

from __future__ import annotations

import numpy as np

from edge.measurement import Register
from edge.sources.synthetic.settings import LoadSettings, MeterSettings, WaveformSettings
from edge.sources.synthetic.signal import Floats, Signal

_WS_PER_KWH = 3_600_000.0


def waveform_signal(settings: WaveformSettings) -> Signal:
    """The fundamental and its harmonics; the whole rms is `rms x sqrt(1 + sum of squared shares)`."""
    channels = ("value",) if settings.conductors == 1 else ("L1", "L2", "L3")
    lag = np.radians(settings.lag_deg) + 2.0 * np.pi / 3.0 * np.arange(len(channels))
    shares = {1: 1.0, **settings.harmonics}

    def truth(elapsed_s: Floats) -> Floats:
        angle = 2.0 * np.pi * settings.frequency_hz * elapsed_s[:, None] - lag
        wave: Floats = settings.rms * np.sqrt(2.0) * sum(share * np.sin(n * angle) for n, share in shares.items())
        return wave

    return Signal(settings.sensor_type, channels, 1.0 / settings.sample_rate_hz, False, truth, settings.noise)


def load_signal(settings: LoadSettings) -> Signal:
    """Power in W."""

    def truth(elapsed_s: Floats) -> Floats:
        on = elapsed_s % settings.cycle_s < settings.on_s
        return np.where(on, settings.base_watt + settings.appliance_watt, settings.base_watt)[:, None]

    return Signal(settings.sensor_type, ("value",), settings.interval_s, True, truth, settings.noise)


def energy_kwh(settings: LoadSettings | MeterSettings, elapsed_s: Floats) -> Floats:
    """The energy that the home has used since the start, exactly: the integral of its load."""
    cycles, within_s = np.divmod(elapsed_s, settings.cycle_s)
    on_s = cycles * min(settings.on_s, settings.cycle_s) + np.minimum(within_s, settings.on_s)
    energy: Floats = (settings.base_watt * elapsed_s + settings.appliance_watt * on_s) / _WS_PER_KWH
    return energy


def meter_signal(settings: MeterSettings) -> Signal:
    """What the register shows: whole steps of `resolution`, beginning again at `10^digits` steps."""
    steps_at_end = 10**settings.digits

    def truth(elapsed_s: Floats) -> Floats:
        total_kwh = settings.start_kwh + energy_kwh(settings, elapsed_s)
        # A register that has just reached a step shows it: floats may be a hair below.
        steps = np.floor(total_kwh / settings.resolution + 1e-6) % steps_at_end
        shown: Floats = (steps * settings.resolution)[:, None]
        return shown

    register = Register(settings.digits, settings.resolution)
    return Signal(settings.sensor_type, ("value",), settings.interval_s, True, truth, register=register)
