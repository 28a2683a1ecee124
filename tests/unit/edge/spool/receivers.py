"""A receiver of the tests: it stores, refuses and fails as a broker does, at a rate that is set, on a clock that is."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

from edge.errors import DeliveryError
from edge.senders.sender import DeliveryReport, OnDelivery, Refusal
from edge.testing import ManualClock
from schemas.envelope import Record, unseal


class Receiver:
    """What lies behind the line, over the lives of many senders.

    Attributes:
        stored: in the order of arrival.
        per_poll: records stored in one poll; None for all, 0 while the line is cut.
        refuses: why a record is refused for good; empty if it is not.
        batch_records: a record that is refused takes those of its batch with it.
        unanswered: stored records whose report is lost.
    """

    def __init__(self, clock: ManualClock | None = None, poll_s: float = 0.0, seed: int = 1) -> None:
        self.clock = clock or ManualClock()
        self.poll_s = poll_s
        self.random = random.Random(seed)
        self.stored: list[Record] = []
        self.per_poll: int | None = None
        self.refuses: Callable[[Record], str] = lambda record: ""
        self.batch_records = 1
        self.away = False
        self.fail_next_poll = False
        self.senders = 0

    def make_sender(self) -> ReceiverSender:
        if self.away:
            raise DeliveryError("nobody there")
        self.senders += 1
        return ReceiverSender(self)

    def event_ids(self) -> list[str]:
        return [unseal(record.value).event_id for record in self.stored]


class ReceiverSender:
    """A `Sender` to it. Reports come out of order, as from the partitions of a topic."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._queue: deque[tuple[Record, OnDelivery]] = deque()
        self._finished = False

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        assert on_delivery is not None
        self._raise_if_finished()
        self._queue.append((record, on_delivery))

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        receiver = self._receiver
        receiver.clock.sleep(receiver.poll_s or timeout_s)
        limit = len(self._queue) if receiver.per_poll is None else min(receiver.per_poll, len(self._queue))
        served = [self._queue.popleft() for _ in range(limit)]
        size = receiver.batch_records
        reports = [report for first in range(0, limit, size) for report in self._serve(served[first : first + size])]
        if receiver.fail_next_poll:
            receiver.fail_next_poll, self._finished = False, True
            self._raise_if_finished()
        receiver.random.shuffle(reports)
        for on_delivery, refusal in reports:
            on_delivery(refusal)
        return DeliveryReport()

    def close(self) -> DeliveryReport:
        raise AssertionError("a drain never waits for ever")

    def _serve(self, batch: Sequence[tuple[Record, OnDelivery]]) -> list[tuple[OnDelivery, Refusal | None]]:
        reasons = [reason for record, _ in batch if (reason := self._receiver.refuses(record))]
        if reasons:
            return [(on_delivery, Refusal(reasons[0], for_good=True)) for _, on_delivery in batch]
        self._receiver.stored += [record for record, _ in batch]
        return [(on_delivery, None) for _, on_delivery in batch]

    def _raise_if_finished(self) -> None:
        if self._finished:
            raise DeliveryError("the producer has failed for good")
