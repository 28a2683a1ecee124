"""What one key may send, and what all requests together may hold in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.ingestion.problems import Fault, ProblemError

BUSY_RETRY_S = 1.0


@dataclass(slots=True)
class TokenBucket:
    """Fills at a constant rate up to a burst; whoever finds too little in it must wait.

    Attributes:
        rate_per_s: how fast it fills.
        burst: how much it holds.
        level: what was in it at `at_s`.
    """

    rate_per_s: float
    burst: float
    level: float
    at_s: float

    def take(self, amount: float, now_s: float) -> float:
        """Takes `amount`, or nothing: returns 0, or the seconds until it will be there."""
        self.level = min(self.burst, self.level + (now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        if amount > self.level:
            return (amount - self.level) / self.rate_per_s
        self.level -= amount
        return 0.0


class KeyRates:
    """A bucket for each key. There are never more than there are keys, for only keys that exist get here.

    Args:
        unit: what is counted, for the answer.
        rate_per_s, burst: of each key.
        now_s: seconds of a clock that never jumps.
    """

    def __init__(self, unit: str, *, rate_per_s: float, burst: float, now_s: Callable[[], float]) -> None:
        self._unit = unit
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._now_s = now_s
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, key_id: str, amount: float) -> None:
        """Counts `amount` for a key.

        Raises:
            ProblemError: if the key has had its share; nothing is counted then.
        """
        now_s = self._now_s()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = TokenBucket(self._rate_per_s, self._burst, self._burst, now_s)
        wait_s = bucket.take(amount, now_s)
        if wait_s:
            raise ProblemError(
                Fault.RATE_EXCEEDED, f"over {self._rate_per_s:g} {self._unit} a second", retry_after_s=wait_s
            )


class Memory:
    """Bytes that requests hold, together."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Counts bytes as used.

        Raises:
            ProblemError: if there is no room for them.
        """
        if self.used_bytes + size_bytes > self._limit_bytes:
            raise ProblemError(
                Fault.BUSY, f"bodies of over {self._limit_bytes} bytes wait for Kafka", retry_after_s=BUSY_RETRY_S
            )
        self.used_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Counts bytes as free again."""
        self.used_bytes -= size_bytes
