"""Waiting after a failure: twice as long each time, with jitter, until something succeeds."""

from __future__ import annotations

from collections.abc import Callable

from edge.pace import Clock
from edge.spool.settings import DrainSettings


class Retry:
    """When to try again.

    Args:
        settings: first and longest waiting time.
        clock: monotonic.
        random: uniform in [0, 1): a wait is between half and all of its length, so that agents do not come together.
    """

    def __init__(self, settings: DrainSettings, clock: Clock, random: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._wait_s = settings.retry_first_s
        self._until_s = clock.monotonic_s()

    @property
    def remaining_s(self) -> float:
        """How long still to wait; 0 if it is time."""
        return max(0.0, self._until_s - self._clock.monotonic_s())

    def failed(self) -> None:
        """Wait, and longer than the last time."""
        self._until_s = self._clock.monotonic_s() + self._wait_s * (0.5 + self._random() / 2)
        self._wait_s = min(2 * self._wait_s, self._settings.retry_most_s)

    def succeeded(self) -> None:
        """The next failure waits the first time again."""
        self._wait_s = self._settings.retry_first_s
