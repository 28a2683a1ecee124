"""What can go wrong on the way out of the edge."""

from __future__ import annotations

from schemas.errors import BrainError


class DeliveryError(BrainError):
    """One or more records cannot be delivered, now or later; the message names the first of them and why.

    A broker that is away is no such error: the sender waits for it.

    Attributes:
        sent, acknowledged, failed: what became of the records handed to the sender so far.
    """

    def __init__(self, detail: str, *, sent: int = 0, acknowledged: int = 0, failed: int = 0) -> None:
        super().__init__(detail)
        self.sent = sent
        self.acknowledged = acknowledged
        self.failed = failed


class GivenUpError(BrainError):
    """The user insisted on an end before everything was acknowledged; the message says how much was not."""
