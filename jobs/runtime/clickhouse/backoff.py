"""Waiting for a server that is away: exponential pauses with jitter, one log line every few seconds."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_LOG_EVERY_S = 10.0


class Backoff:
    """Pauses between attempts.

    The pause doubles from `first_s` to `longest_s`; of it between half and all is slept, by chance, so that many
    writers do not come back at the same moment.
    """

    def __init__(
        self,
        first_s: float,
        longest_s: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._sleep = sleep
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._logged_s = float("-inf")

    def pause(self, attempt: int, error: Exception) -> None:
        """Sleeps after the failure of an attempt, which counts from 0."""
        now_s = self._clock()
        if now_s - self._logged_s >= _LOG_EVERY_S:
            logger.warning("ClickHouse: attempt %d failed, waiting: %s", attempt + 1, error)
            self._logged_s = now_s
        # The exponent is bounded before the power is: an outage of a week must not overflow.
        whole_s = min(self._first_s * 2.0 ** min(attempt, 30), self._longest_s)
        self._sleep(whole_s * self._rng.uniform(0.5, 1.0))
