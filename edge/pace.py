"""When a frame is due: replay at a multiple of real time, on a clock that is a parameter."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

AS_FAST_AS_POSSIBLE = 0.0
_SLICE_S = 0.1
"""A long wait is cut into slices, so that delivery reports are served while nothing is due."""


class Clock(Protocol):
    """The time, as the edge sees it."""

    def now_ms(self) -> int:
        """Wall clock in ms since the epoch."""
        ...

    def monotonic_s(self) -> float:
        """Seconds of a clock that never jumps."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let `duration_s` pass."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Wall clock in ms since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds of a clock that never jumps."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Let `duration_s` pass."""
        time.sleep(duration_s)


class Pacer:
    """Holds frames back until they are due.

    Args:
        clock: what tells the time.
        speed: multiple of real time; 0 (`AS_FAST_AS_POSSIBLE`) waits for nothing.
    """

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._begin_s = clock.monotonic_s()

    def wait_until(self, due_s: float, *, keep_waiting: Callable[[], bool]) -> None:
        """Return when `due_s` of sensor time have passed since the pacer was made.

        A frame that is overdue passes at once; the schedule itself never moves, so a delay does not add up.

        Args:
            due_s: sensor time in s from the beginning of the replay.
            keep_waiting: asked after every slice of a wait; False ends it early.
        """
        if self._speed == AS_FAST_AS_POSSIBLE:
            return
        deadline_s = self._begin_s + due_s / self._speed
        while (rest_s := deadline_s - self._clock.monotonic_s()) > 0.0:
            self._clock.sleep(min(rest_s, _SLICE_S))
            if not keep_waiting():
                return
