"""One sender of the sending loop, and what the loop has done with all of them."""

from __future__ import annotations

from dataclasses import dataclass

from edge.senders.sender import OnDelivery, Refusal, Sender


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
        self._reports: list[tuple[int, Refusal | None]] = []

    def on_delivery(self, position: int) -> OnDelivery:
        """What to call with the report on a position. It holds no reference to the sender, so a dead one can go."""
        reports = self._reports
        return lambda refusal: reports.append((position, refusal))

    def take_reports(self) -> list[tuple[int, Refusal | None]]:
        """The reports since the last call."""
        reports = self._reports.copy()
        self._reports.clear()
        return reports
