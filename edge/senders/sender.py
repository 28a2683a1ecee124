"""What a sender is: it takes records and knows how many of them are safe.

`KafkaSender` keeps its records in memory until the broker has acknowledged them: it outlasts a broker that is away,
not its own end. A disk spool will stand in the same place: `send` returns once the record is on disk, and the spool
hands its records to the next sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from schemas.envelope import Record


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of the records that were handed over.

    Attributes:
        sent: handed to the sender.
        acknowledged: stored by the receiver.
        failed: refused for good; each was named in an error.
    """

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        """Neither acknowledged nor refused yet."""
        return self.sent - self.acknowledged - self.failed


class Sender(Protocol):
    """A way out for records. Every method may raise `edge.errors.DeliveryError` for a record refused for good."""

    def send(self, record: Record) -> None:
        """Take one record; waits while the sender is full (back-pressure), never drops."""
        ...

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Serve what the receiver has reported, waiting at most `timeout_s` for something to report."""
        ...

    def close(self) -> DeliveryReport:
        """Wait until every record is acknowledged or refused; the sender takes no more records."""
        ...
