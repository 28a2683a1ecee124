"""One sender of the sending loop, and what the loop has done with all of them."""

from __future__ import annotations

from dataclasses import dataclass

from edge.senders.sender import Refusal, Sender


@dataclass(frozen=True, slots=True)
class DrainStats:
    """What the loop has done since it was made.

    Attributes:
        in_flight: handed to the sender and not reported on.
        backlog: waiting behind the live lane.
        sent, resent: handed to a sender, and how many of them with the flag.
        acknowledged, rejected: stored by the receiver; refused for good and kept in `rejected.jsonl`.
        sender_failures: how often a sender came to its end and another was made.
    """

    in_flight: int
    backlog: int
    sent: int
    resent: int
    acknowledged: int
    rejected: int
    sender_failures: int


class Line:
    """One sender and what it has reported.

    A new sender gets a line of its own: what the old one reports after its end falls into a list that nobody reads.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.reports: list[tuple[int, Refusal | None]] = []

    def report(self, position: int, refusal: Refusal | None) -> None:
        """Keep a report until the loop comes to it."""
        self.reports.append((position, refusal))
