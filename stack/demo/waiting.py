"""How the demo knows that a domain's results are complete."""

from __future__ import annotations

from collections.abc import Hashable


class Settled:
    """Whether something has come and then stopped changing.

    Args:
        quiet_s: how long it must not have changed.
    """

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._seen: Hashable = None
        self._since_s = 0.0

    def update(self, seen: Hashable, now_s: float, *, there: bool) -> bool:
        """Note what is seen now.

        Args:
            seen: compared with what was seen before.
            now_s: of a monotonic clock.
            there: whether it is anything yet.
        """
        if seen != self._seen:
            self._seen, self._since_s = seen, now_s
        return there and now_s - self._since_s >= self._quiet_s
