"""A moment as the agent's clocks saw it, and the sensor time that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.pace import Clock


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Attributes:
        wall_ms: ms since the epoch, as the wall clock had it.
        monotonic_ms: of a clock that never jumps; comparable within one boot of the machine.
        synchronised: whether the wall clock was being held by a time service at that moment.
    """

    wall_ms: int
    monotonic_ms: int
    synchronised: bool


class InstantClock:
    """Tells the moment.

    Args:
        clock: wall and monotonic time.
        is_synchronised: asked with every reading of the clocks; `edge.clock_state.kernel_clock_is_synchronised`.

    Attributes:
        clock: the same, for what waits.
    """

    def __init__(self, clock: Clock, is_synchronised: Callable[[], bool]) -> None:
        self.clock = clock
        self._is_synchronised = is_synchronised

    def now(self) -> Instant:
        """This moment."""
        return Instant(self.clock.now_ms(), round(self.clock.monotonic_s() * 1_000), self._is_synchronised())


class SteadyWall:
    """The wall time of moments, evenly: it moves with the monotonic clock, and steps only when the wall clock does.

    Both clocks are read in whole ms, one after the other, so their difference wavers by a millisecond or two. Samples
    timed by each reading on its own would lie unevenly.
    """

    _WAVERING_MS = 2

    def __init__(self) -> None:
        self._offset_ms: int | None = None

    def wall_us(self, instant: Instant) -> int:
        """Wall time of a moment, us since the epoch, within 2 ms of what the wall clock said."""
        offset_ms = instant.wall_ms - instant.monotonic_ms
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > self._WAVERING_MS:
            self._offset_ms = offset_ms
        return (instant.monotonic_ms + self._offset_ms) * 1_000
