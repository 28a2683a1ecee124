"""What a sender is: it takes records and knows how many of them are safe.

`KafkaSender` keeps its records in memory until the broker has acknowledged them: it outlasts a broker that is away,
not its own end. The loop of `edge.spool.drain` sends from a disk spool instead, and asks for a report of each record.
"""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one record was not stored.

    Attributes:
        reason: in the receiver's words.
        for_good: the record itself is at fault and will be refused again; else the line or the receiver is.
    """

    reason: str
    for_good: bool


OnDelivery = Callable[[Refusal | None], None]
"""Told once what became of a record, by the thread that calls the sender: None when the receiver has stored it."""


class Sender(Protocol):
    """A way out for records. Every method may raise `edge.errors.DeliveryError` for a record refused for good.

    A record sent with `on_delivery` is reported there and not counted as failed: `DeliveryError` then means that the
    sender is at its end, and that what was not reported may or may not have been stored.
    """

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Take one record; waits while the sender is full (back-pressure), never drops."""
        ...

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Serve what the receiver has reported, waiting at most `timeout_s` for something to report."""
        ...

    def close(self) -> DeliveryReport:
        """Wait until every record is acknowledged or refused; the sender takes no more records."""
        ...
