"""Power features from voltage, current, power and energy-counter sensors.

The line: `window` says what comes in, `cycles` finds the cycles, `rms`, `harmonics`, `powers`, `unbalance`, `events`,
`signature` and `flicker` measure waveforms, `meter` describes slow readings, `demand` and `counter` energy; `extract`
puts everything in the order of `schemas.power.POWER_FEATURES`.
Everything is a pure function of arrays: no clock, no randomness, no state, sums in a fixed order.
"""

from schemas.power import Supply
from udfs.power.extract import extract_power_batch
from udfs.power.window import CounterSeries, PhaseSignal, PowerWindow, Readings

__all__ = ["CounterSeries", "PhaseSignal", "PowerWindow", "Readings", "Supply", "extract_power_batch"]
