"""What the service needs of Kafka: records in, for each what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from schemas.envelope import Record


class Fate(Enum):
    """What became of a record."""

    ACKNOWLEDGED = "acknowledged"
    """All in-sync replicas have it."""
    REFUSED = "refused"
    """Kafka will never take it as it is."""
    UNKNOWN = "unknown"
    """Not acknowledged in time; it may be stored or not."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The fate of one record, and in Kafka's words why it was not acknowledged."""

    fate: Fate
    error: str = ""


ACKNOWLEDGED = Delivery(Fate.ACKNOWLEDGED)


class RecordWriter(Protocol):
    """Writes records; `KafkaWriter` in production."""

    async def write(self, topic: str, records: Sequence[Record]) -> list[Delivery]:
        """Write records and wait for the fate of each, in their order; never raises for Kafka's sake."""
        ...

    def topic_problem(self, topic: str) -> str:
        """Why the topic can't be written to; empty if it can. Blocks for some seconds at most."""
        ...

    def start(self) -> None:
        """Begin; called in the event loop's thread."""
        ...

    def close(self) -> None:
        """Wait a moment for what is under way, then end."""
        ...
