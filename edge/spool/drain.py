"""The sending loop: from the spool to a sender, and the cursor behind what the receiver has reported.

One thread drives it. Nothing here can lose a record: what is not settled in the spool is sent, now or after the next
start. What may have been sent before goes out with `resent`, so that the store looks before it adds.
"""

from __future__ import annotations

import logging
import random as system_random
from collections.abc import Callable

from edge.errors import DeliveryError
from edge.pace import Clock
from edge.senders.sender import Sender
from edge.spool.errors import SpoolFailed, SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.lanes import Lanes, Window
from edge.spool.line import DrainStats, Line
from edge.spool.reader import Batch
from edge.spool.rejects import RejectedFile
from edge.spool.resent import flagged_as_resent
from edge.spool.retry import Retry
from edge.spool.segment import SpooledRecord
from edge.spool.settings import DrainSettings
from edge.spool.spool import Spool
from edge.spool.suspects import Suspects
from schemas.errors import RecoverableError

LOG = logging.getLogger(__name__)

_RETIRE_EVERY_S = 10.0
_POLL_S = 0.02
"""How long new data may wait for the loop while nothing else happens."""


class Drain:
    """Sends what is in a spool.

    Args:
        spool: open; this loop is its one reader.
        make_sender: called first and after each end of a sender; may raise DeliveryError or RecoverableError.
        settings: window, lanes and waiting times.
        clock: the spool's.
        random: uniform in [0, 1), for the jitter of waits.
    """

    def __init__(
        self,
        spool: Spool,
        make_sender: Callable[[], Sender],
        settings: DrainSettings,
        *,
        clock: Clock,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        self._spool = spool
        self._make_sender = make_sender
        self._settings = settings
        self._clock = clock
        self._retry = Retry(settings, clock, random)
        self._lanes = Lanes(spool.durable_end, spool.unsettled(), spool.sent_before)
        self._window = Window(settings)
        self._line: Line | None = None
        self._suspects = Suspects(spool, RejectedFile(spool.directory, settings.max_rejected_bytes))
        self._unsaved = False
        self._saved_at_s = self._retired_at_s = clock.monotonic_s()
        self._sent = self._resent = self._acknowledged = self._failures = 0

    def run(self, keep_going: Callable[[], bool]) -> None:
        """Step until `keep_going` says no.

        Raises:
            GivenUpError: if the user insists on an end; everything unacknowledged is still in the spool.
        """
        while keep_going():
            self.step(_POLL_S)

    def step(self, timeout_s: float = 0.0) -> None:
        """Hand out what there is room for, serve reports for at most `timeout_s`, settle and save."""
        if self._line is None:
            self._begin_line()
        try:
            if self._line is not None and not self._retry.remaining_s:
                self._fill(self._line)
            self._serve(timeout_s)
        except DeliveryError as error:
            self._end_line(error)
        except (SpoolFull, SpoolFailed) as error:
            LOG.warning("spool: %s", error)
            self._retry.failed()
        self._settle()
        self._save()

    def resend(self, from_ms: int, to_ms: int) -> int:
        """Send kept records that were appended in `[from_ms, to_ms)` once more, flagged; returns how many."""
        chosen = self._spool.resend(from_ms, to_ms)
        self._lanes.put_back(chosen, again=True)
        return chosen.count()

    def close(self, timeout_s: float) -> int:
        """Hand out nothing more, wait at most `timeout_s` for reports, and store the cursor.

        Returns:
            How many records were still in flight: after the next start they are sent again, flagged.

        Raises:
            SpoolFull, SpoolFailed: if the cursor could not be stored: acknowledged records are sent again too.
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        try:
            while len(self._window) and self._line is not None and self._clock.monotonic_s() < deadline_s:
                self._line.sender.poll(_POLL_S)
                self._settle()
        except DeliveryError as error:
            self._end_line(error)
        self._settle()
        self._spool.save_cursor()
        return len(self._window)

    def stats(self) -> DrainStats:
        """What was done so far."""
        return DrainStats(
            in_flight=len(self._window),
            backlog=self._lanes.backlog.count() + len(self._suspects),
            sent=self._sent,
            resent=self._resent,
            acknowledged=self._acknowledged,
            rejected=self._suspects.rejected_total,
            sender_failures=self._failures,
        )

    def _begin_line(self) -> None:
        if self._retry.remaining_s:
            return
        try:
            self._line = Line(self._make_sender())
        except (DeliveryError, RecoverableError) as error:
            LOG.error("no sender: %s", error)
            self._retry.failed()

    def _end_line(self, error: DeliveryError) -> None:
        """The sender is at its end: what was in flight may or may not have arrived, and is sent again by the next."""
        LOG.error("the sender has failed, another is made: %s", error)
        self._settle()
        in_flight = IntervalSet()
        in_flight.add_positions(self._window.sizes)
        self._lanes.put_back(in_flight, again=True)
        self._window = Window(self._settings)
        self._line = None
        self._suspects.end_trial()
        self._failures += 1
        self._retry.failed()

    def _fill(self, line: Line) -> None:
        if not len(self._suspects):
            self._fill_live(line)
            self._fill_backlog(line)
        elif not len(self._window):
            self._send(line, self._suspects.next_alone(), backlog=True)

    def _fill_live(self, line: Line) -> None:
        room, lanes = self._window.live_room(), self._lanes
        if not room or lanes.live_next >= self._spool.durable_end:
            return
        batch = self._spool.read(lanes.live_next, room, max_bytes=self._window.live_bytes())
        if batch.records and self._clock.now_ms() - batch.records[0].append_ms > self._settings.live_age_s * 1_000:
            lanes.fall_behind(self._spool.durable_end)
            return
        self._hand_out(batch)
        lanes.live_next = batch.end
        self._send(line, batch.records, backlog=False)

    def _fill_backlog(self, line: Line) -> None:
        backlog = self._lanes.backlog
        while len(backlog) and (room := self._window.backlog_room()) > 0:
            begin, end = backlog.first
            batch = self._spool.read(begin, room, end, max_bytes=self._window.backlog_bytes_left())
            self._hand_out(batch)
            backlog.remove(begin, batch.end)
            self._send(line, batch.records, backlog=True)

    def _hand_out(self, batch: Batch) -> None:
        if batch.records:
            self._spool.hand_out(batch.records[0].position, batch.records[-1].position + 1)

    def _send(self, line: Line, records: list[SpooledRecord], *, backlog: bool) -> None:
        """All are in flight before the first is sent: where the sender fails between them, none is forgotten."""
        again = self._lanes.again
        for spooled in records:
            self._window.add(spooled.position, len(spooled.record.value), backlog=backlog)
        self._sent += len(records)
        for spooled in records:
            record = spooled.record
            if len(again) and spooled.position in again:
                record = flagged_as_resent(record)
                self._resent += 1
            line.sender.send(record, line.on_delivery(spooled.position))

    def _serve(self, timeout_s: float) -> None:
        if self._line is not None and len(self._window):
            self._line.sender.poll(timeout_s)
        elif timeout_s:
            self._clock.sleep(timeout_s)

    def _settle(self) -> None:
        """Act on what was reported."""
        if self._line is None:
            return
        reports = [report for report in self._line.take_reports() if self._window.remove(report[0])]
        self._acknowledge([position for position, refusal in reports if refusal is None])
        self._put_back({at: refusal.reason for at, refusal in reports if refusal and not refusal.for_good})
        self._suspect({at: refusal.reason for at, refusal in reports if refusal and refusal.for_good})
        if not len(self._window):
            self._suspects.end_trial()

    def _acknowledge(self, positions: list[int]) -> None:
        if not positions:
            return
        settled = IntervalSet()
        settled.add_positions(positions)
        self._spool.acknowledge(settled)
        for begin, end in settled:
            self._lanes.again.remove(begin, end)
        self._acknowledged += len(positions)
        self._unsaved = True
        self._retry.succeeded()

    def _put_back(self, failed: dict[int, str]) -> None:
        if not failed:
            return
        LOG.warning("%d records were not delivered and go again: %s", len(failed), next(iter(failed.values())))
        positions = IntervalSet()
        positions.add_positions(failed)
        self._lanes.put_back(positions, again=True)
        self._retry.failed()

    def _suspect(self, refused: dict[int, str]) -> None:
        for position, reason in refused.items():
            self._unsaved = True
            try:
                self._suspects.refused(position, reason)
            except (SpoolFull, SpoolFailed) as error:
                LOG.warning("spool: %s", error)
                self._retry.failed()

    def _save(self) -> None:
        now_s = self._clock.monotonic_s()
        try:
            if self._unsaved and (now_s - self._saved_at_s) * 1_000 >= self._settings.cursor_ms:
                self._saved_at_s = now_s
                self._spool.save_cursor()
                self._unsaved = False
            if now_s - self._retired_at_s >= _RETIRE_EVERY_S:
                self._retired_at_s = now_s
                self._spool.retire()
        except (SpoolFull, SpoolFailed) as error:
            LOG.warning("the cursor lags: %s", error)
