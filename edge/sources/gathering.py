"""Samples that come one by one are gathered into blocks; a missed sample or a pause ends the block.

Arrival wavers (a USB adapter delivers every 16 ms what came meanwhile), the device's own clock does not: within a block
the samples lie on the grid of the declared rate, and the next block goes on from there. Between two blocks the grid
moves by up to a tenth of a sample towards what the arrivals say, which follows a quartz that is off by 1,000 ppm at
100 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.instant import Instant
from edge.measurement import US_PER_S, samples_us

_LARGEST_MOVE = 0.1
"""Of the time between two samples, from one block to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Samples that came together.

    Attributes:
        start_us: sensor time of the first of them, us since the epoch.
        values: shape [n, channels], n >= 1.
        taken: when they came.
        timed_by_device: whether the device told `start_us`.
        count: the device's number of the first of them; None if it does not count.
    """

    start_us: int
    values: NDArray[np.float64]
    taken: Instant
    timed_by_device: bool
    count: int | None = None


class Block(NamedTuple):
    """Evenly spaced samples: start in us since the epoch, values [n, channels], when the last of them came."""

    start_us: int
    values: NDArray[np.float64]
    taken: Instant
    timed_by_device: bool


@dataclass(frozen=True, slots=True)
class Gathering:
    """How samples are gathered.

    Attributes:
        sample_rate_hz: above 0.
        block_samples: a block is complete with so many.
        jitter_us: how far an arrival may be from its place where the agent tells the time; never less than half a
            sample. Where the device tells the time it is half a sample.
        modulus: of the device's count; None if it does not count.
    """

    sample_rate_hz: float
    block_samples: int
    jitter_us: int = 50_000
    modulus: int | None = None

    @property
    def period_us(self) -> float:
        """From one sample to the next."""
        return US_PER_S / self.sample_rate_hz

    def tolerance_us(self, timed_by_device: bool) -> float:
        """How far an arrival may be from its place."""
        half_us = self.period_us / 2.0
        return half_us if timed_by_device else max(half_us, float(self.jitter_us))


class Gatherer:
    """Gathers the samples of one sensor of one device; no I/O and no clock of its own."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._rows: list[NDArray[np.float64]] = []
        self._waiting = 0
        self._start_us = 0
        self._offs_us: list[float] = []
        self._last: Arrival | None = None

    def add(self, arrival: Arrival) -> list[Block]:
        """Take samples; the blocks that they end or complete."""
        blocks = [] if self._goes_on(arrival) else self._begin(arrival)
        self._offs_us.append(arrival.start_us - self._next_us())
        self._last = arrival
        begin = 0
        while begin < len(arrival.values):
            end = begin + self._gathering.block_samples - self._waiting
            rows = arrival.values[begin:end]
            self._rows.append(rows)
            self._waiting += len(rows)
            begin += len(rows)
            if self._waiting == self._gathering.block_samples:
                blocks += self.flush()
        return blocks

    def overdue(self, monotonic_ms: int) -> list[Block]:
        """The incomplete block, if it has waited for longer than a whole one takes: the device is silent."""
        if self._last is None:
            return []
        patience_us = samples_us(self._gathering.block_samples, self._gathering.sample_rate_hz)
        patience_us += round(self._gathering.tolerance_us(self._last.timed_by_device))
        waited_us = (monotonic_ms - self._last.taken.monotonic_ms) * 1_000
        return self.flush() if waited_us > patience_us else []

    def flush(self) -> list[Block]:
        """What is there, as a block; none if nothing is. The next sample may go on from there."""
        if not self._rows or self._last is None:
            return []
        block = Block(self._start_us, np.concatenate(self._rows), self._last.taken, self._last.timed_by_device)
        self._start_us = self._next_us() + self._move_us()
        self._rows, self._offs_us, self._waiting = [], [], 0
        return [block]

    def _next_us(self) -> int:
        """The place of the next sample."""
        return self._start_us + samples_us(self._waiting, self._gathering.sample_rate_hz)

    def _move_us(self) -> int:
        """By how much the grid follows the arrivals."""
        largest_us = _LARGEST_MOVE * self._gathering.period_us
        mean_us = sum(self._offs_us) / len(self._offs_us) if self._offs_us else 0.0
        return round(max(-largest_us, min(largest_us, mean_us)))

    def _begin(self, arrival: Arrival) -> list[Block]:
        """End what was gathered and begin anew at this arrival."""
        blocks = self.flush()
        self._start_us = arrival.start_us
        return blocks

    def _goes_on(self, arrival: Arrival) -> bool:
        """Whether these samples follow the last ones without a gap."""
        last = self._last
        if last is None or arrival.timed_by_device != last.timed_by_device:
            return False
        if self._gathering.modulus is not None and last.count is not None and arrival.count is not None:
            want = (last.count + len(last.values)) % self._gathering.modulus
            if arrival.count != want:
                return False
        return abs(arrival.start_us - self._next_us()) <= self._gathering.tolerance_us(arrival.timed_by_device)
