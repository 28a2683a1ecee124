"""Back-off: how long to wait before the next try."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double from `first_s` to `longest_s`, each somewhere between its half and its whole.

    The chance in it keeps a hall of devices from coming back in the same moment.
    """

    def __init__(self, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = self._next_s = first_s
        self._longest_s = longest_s
        self._rng = rng

    def next_s(self) -> float:
        """The next wait, in s."""
        wait_s = self._next_s * self._rng.uniform(0.5, 1.0)
        self._next_s = min(2.0 * self._next_s, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """It works again: the next wait is a short one."""
        self._next_s = self._first_s
