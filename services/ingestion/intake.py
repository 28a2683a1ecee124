"""The intake: screened records to Kafka, and to the dead letters what Kafka refuses for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from schemas import headers
from schemas.envelope import Record
from schemas.errors import Reason
from schemas.topics import dead_letters_of
from services.ingestion.screening import MAX_DETAIL, Rejection, Screened
from services.ingestion.writer import Delivery, Fate, RecordWriter

STAGE = "ingestion"
RETRIES = 3
_RETRY_DELAY_S = 0.1
_NOWHERE = "-1"
"""The partition and offset of a record that never came to stand anywhere."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Stores records.

    Attributes:
        writer: to Kafka.
        topic: where good records go; dead letters go to its own.
        sleep: lets seconds pass.
        on_dead_letter: called for each dead letter that is stored.
    """

    writer: RecordWriter
    topic: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_dead_letter: Callable[[], None] = lambda: None

    async def store(self, screened: Sequence[Screened]) -> list[Delivery]:
        """Writes what is not rejected and waits for its fate.

        A record that ends in the dead letters is marked as rejected; the deliveries are those of the rest, in order.
        """
        items = [item for item in screened if item.record is not None]
        records = [item.record for item in items if item.record is not None]
        deliveries = await self.writer.write(self.topic, records)
        await self._insist(records, deliveries)
        refused = _refused(deliveries)
        if refused:
            letters = [_letter_of(records[index], self.topic, deliveries[index].error) for index in refused]
            buried = await self.writer.write(dead_letters_of(self.topic), letters)
            for index, fate in zip(refused, buried, strict=True):
                deliveries[index] = self._after_burial(items[index], deliveries[index].error, fate)
        return [delivery for item, delivery in zip(items, deliveries, strict=True) if item.rejection is None]

    async def _insist(self, records: Sequence[Record], deliveries: list[Delivery]) -> None:
        """Tries again, each record alone: Kafka refuses a batch as a whole, and a neighbour may have been too many."""
        for attempt in range(RETRIES):
            refused = _refused(deliveries)
            if not refused:
                return
            await self.sleep(_RETRY_DELAY_S * attempt)
            for index in refused:
                (deliveries[index],) = await self.writer.write(self.topic, [records[index]])

    def _after_burial(self, item: Screened, error: str, burial: Delivery) -> Delivery:
        if burial.fate is Fate.ACKNOWLEDGED:
            item.reject(Rejection(Reason.NOT_STORABLE, _detail(error)))
            self.on_dead_letter()
            return burial
        # Nowhere safe yet, so the sender must keep it, whatever Kafka thinks of it.
        return Delivery(Fate.UNKNOWN, f"{_detail(error)}; and its dead letter: {burial.error}"[:MAX_DETAIL])


def _refused(deliveries: Sequence[Delivery]) -> list[int]:
    return [index for index, delivery in enumerate(deliveries) if delivery.fate is Fate.REFUSED]


def _detail(error: str) -> str:
    return f"Kafka refuses the record: {error}"[:MAX_DETAIL]


def _letter_of(record: Record, topic: str, error: str) -> Record:
    return dead_letter(record, topic, _detail(error), attempt=1 + RETRIES)


def dead_letter(record: Record, topic: str, detail: str, *, attempt: int) -> Record:
    """The record as it goes to the dead letters: as it was, with why and where from as further headers."""
    added = {
        headers.STAGE: STAGE,
        headers.REASON: Reason.NOT_STORABLE.value,
        headers.DETAIL: detail,
        headers.SOURCE_TOPIC: topic,
        headers.SOURCE_PARTITION: _NOWHERE,
        headers.SOURCE_OFFSET: _NOWHERE,
        headers.ATTEMPT: str(attempt),
    }
    return Record(record.key, record.value, record.headers | {name: value.encode() for name, value in added.items()})
