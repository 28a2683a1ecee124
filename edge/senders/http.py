"""The HTTP sender: batches to the ingestion service, each record acknowledged by Kafka behind it or never given up."""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import httpx

from edge.errors import DeliveryError, GivenUpError
from edge.interruption import Interruption
from edge.pace import Clock
from edge.senders.http_settings import HttpSenderSettings
from edge.senders.sender import DeliveryReport, OnDelivery, Refusal
from edge.senders.uplink import Pauses, Uplink
from schemas.envelope import Record

LOG = logging.getLogger(__name__)

_SLICE_S = 0.1
"""How often a wait looks whether the user insists on an end."""
_JOIN_S = 5.0


class _Entry(NamedTuple):
    record: Record
    on_delivery: OnDelivery | None


class HttpSender:
    """Sends records over HTTP; one thread uses it, threads of its own send.

    Args:
        settings: address, key, batches, waits.
        clock: tells how long nothing went through.
        interruption: insisting on it is the only thing that ends a wait for the service.
        transport: in place of the network, for tests.
        wait: in place of waiting between tries, for tests.

    Raises:
        DeliveryError: if the settings can't work.
    """

    def __init__(
        self,
        settings: HttpSenderSettings,
        *,
        clock: Clock,
        interruption: Interruption,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._settings = settings
        self._interruption = interruption
        self._changed = threading.Condition()
        self._queue: deque[_Entry] = deque()
        self._queued_bytes = self._waiting_bytes = 0
        self._known: deque[tuple[_Entry, Refusal | None]] = deque()
        self._sent = self._acknowledged = self._failed = 0
        self._first_failure = self._fatal = ""
        self._stopping = threading.Event()
        self._closing = False
        pauses = Pauses(wait or self._wait, random.random, clock)
        self._uplinks = [Uplink(settings, pauses, transport=transport) for _ in range(settings.requests_in_flight)]
        self._threads = [
            threading.Thread(target=self._work, args=(uplink,), name="http-sender", daemon=True)
            for uplink in self._uplinks
        ]
        for thread in self._threads:
            thread.start()

    def send(self, record: Record, on_delivery: OnDelivery | None = None) -> None:
        """Queue one record; waits while the queue is full.

        Raises:
            DeliveryError: if a record without `on_delivery` is refused for good.
            GivenUpError: if the user insists on an end.
        """
        self._serve(0.0)
        while self._is_full():
            self._serve(_SLICE_S)
        with self._changed:
            self._queue.append(_Entry(record, on_delivery))
            self._queued_bytes += len(record.value)
            self._waiting_bytes += len(record.value)
            # A thread that waits for a full batch need not be woken for each of its records.
            if len(self._queue) == 1 or self._is_batch():
                self._changed.notify_all()
        self._sent += 1

    def poll(self, timeout_s: float = 0.0) -> DeliveryReport:
        """Tell what has become of records, waiting at most `timeout_s` for something to tell.

        Raises:
            DeliveryError: if a record without `on_delivery` is refused for good.
            GivenUpError: if the user insists on an end.
        """
        self._serve(timeout_s)
        return self._report()

    def close(self) -> DeliveryReport:
        """Wait until the fate of every record is known, however long the service is away.

        Raises:
            DeliveryError: after all others are acknowledged, if a record was refused for good.
            GivenUpError: if the user insists on an end.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        try:
            while self._report().pending and not self._fatal:
                self._tell(_SLICE_S)
                self._give_up_if_insisted()
            self._raise_failure()
        finally:
            self._stop()
        return self._report()

    def _stop(self) -> None:
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_JOIN_S)
        for uplink in self._uplinks:
            uplink.close()

    def _is_full(self) -> bool:
        with self._changed:
            return (
                self._report().pending >= self._settings.queue_max_records
                or self._waiting_bytes >= self._settings.queue_max_bytes
            )

    def _serve(self, timeout_s: float) -> None:
        self._tell(timeout_s)
        self._raise_failure()
        self._give_up_if_insisted()

    def _tell(self, timeout_s: float) -> None:
        """Tells what is known; callbacks run in the caller's thread, outside of the lock."""
        with self._changed:
            if not self._known and timeout_s > 0:
                self._changed.wait_for(lambda: bool(self._known), timeout_s)
            known, self._known = self._known, deque()
            self._waiting_bytes -= sum(len(entry.record.value) for entry, _ in known)
        for entry, refusal in known:
            self._note(entry, refusal)

    def _note(self, entry: _Entry, refusal: Refusal | None) -> None:
        if refusal is None:
            self._acknowledged += 1
        elif entry.on_delivery is None:
            self._failed += 1
            self._first_failure = self._first_failure or f"key {entry.record.key!r}: {refusal.reason}"
        else:
            self._sent -= 1
        if entry.on_delivery is not None:
            entry.on_delivery(refusal)

    def _report(self) -> DeliveryReport:
        return DeliveryReport(self._sent, self._acknowledged, self._failed)

    def _raise_failure(self) -> None:
        if self._failed or self._fatal:
            raise DeliveryError(
                self._first_failure or self._fatal,
                sent=self._sent,
                acknowledged=self._acknowledged,
                failed=self._failed,
            )

    def _give_up_if_insisted(self) -> None:
        pending = self._report().pending
        if self._interruption.insisted and pending:
            raise GivenUpError(f"{pending} of {self._sent} frames sent are not acknowledged: they may be lost")

    def _work(self, uplink: Uplink) -> None:
        """A thread of the sender: takes batches and sends them, one after another."""
        try:
            while batch := self._next_batch():
                uplink.deliver([entry.record for entry in batch], partial(self._settle, batch))
        except Exception as error:
            # A thread that ends unseen would leave its records waiting for ever.
            LOG.exception("the HTTP sender has failed for good")
            with self._changed:
                self._fatal = f"the HTTP sender has failed for good: {error!r}"
                self._changed.notify_all()

    def _settle(self, batch: list[_Entry], place: int, refusal: Refusal | None) -> None:
        with self._changed:
            self._known.append((batch[place], refusal))
            self._changed.notify_all()

    def _next_batch(self) -> list[_Entry]:
        """The next batch, when it is full or has waited long enough; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self._stopping.is_set())
            self._changed.wait_for(self._is_batch, self._settings.linger_ms / 1_000)
            batch: list[_Entry] = []
            size_bytes = 0
            while self._queue and not self._stopping.is_set() and len(batch) < self._settings.batch_max_records:
                size_bytes += len(self._queue[0].record.value)
                if batch and size_bytes > self._settings.batch_max_bytes:
                    break
                entry = self._queue.popleft()
                self._queued_bytes -= len(entry.record.value)
                batch.append(entry)
            return batch

    def _is_batch(self) -> bool:
        """Whether nothing is gained by waiting; called with the lock."""
        limits = self._settings
        return (
            self._closing
            or self._stopping.is_set()
            or len(self._queue) >= limits.batch_max_records
            or self._queued_bytes >= limits.batch_max_bytes
        )

    def _wait(self, duration_s: float) -> bool:
        return not self._stopping.wait(duration_s)
