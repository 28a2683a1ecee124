"""The spool: records in, durable; records out, in any order; nothing forgotten before it is settled."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.pace import Clock, SystemClock
from edge.spool.cursor import CursorFile
from edge.spool.directory import LOCK_NAME, SpoolDirectory
from edge.spool.errors import SpoolFull, disk_error
from edge.spool.files import File, Files, SystemFiles
from edge.spool.intervals import IntervalSet
from edge.spool.quota import Quota
from edge.spool.reader import Batch, Reader
from edge.spool.recovery import NO_END, recover
from edge.spool.segment import Placing, encode_batch
from edge.spool.settings import SpoolSettings
from edge.spool.state import SpoolState
from edge.spool.stats import SpoolStats, measure
from edge.spool.writer import Writer
from schemas.envelope import Record
from schemas.errors import InvalidMessage, Reason

LOG = logging.getLogger(__name__)

READ_BYTES = 8 * 1024 * 1024
HAND_OUT_AHEAD = 10_000
"""Positions marked as handed out beyond the one that is: so many are flagged `resent` without need after a crash."""


class Spool:
    """A spool that is open. One thread appends and commits, one reads and acknowledges. Made by `open`."""

    def __init__(
        self, state: SpoolState, settings: SpoolSettings, clock: Clock, files: tuple[File, File | None]
    ) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._lock_file, last_segment = files
        self._writer = Writer(state, settings, clock, last_segment)
        self._reader = Reader(state)
        self._quota = Quota(state, settings, clock)
        self._group_began_s = 0.0
        self.sent_before = state.ledger.handed_out.copy()
        """Positions that a sender of an earlier life may have got."""

    @classmethod
    def open(
        cls,
        settings: SpoolSettings,
        *,
        files: Files | None = None,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> Spool:
        """Open the spool in `settings.directory`, whatever state a crash has left it in.

        Raises:
            SpoolInUse: if another process has it.
            SpoolFull, SpoolFailed: if the disk refuses.
            SpoolFormatError: if it was written by a newer version.
        """
        the_clock = clock or SystemClock()
        directory = SpoolDirectory(Path(settings.directory), files or SystemFiles())
        lock: File | None = None
        try:
            directory.files.make_directory(directory.path)
            lock = directory.files.lock(directory.path / LOCK_NAME)
            cursor = CursorFile(directory)
            recovered = recover(directory, cursor.loaded, now_ms=the_clock.now_ms(), entropy=entropy)
            state = SpoolState(directory, cursor, recovered.ledger, recovered.catalog)
            state.save()
        except BaseException as error:
            if lock is not None:
                lock.close()
            if isinstance(error, OSError):
                raise disk_error(f"{directory.path}: open", error) from error
            raise
        return cls(state, settings, the_clock, (lock, recovered.file))

    def append(self, records: Sequence[Record]) -> int:
        """Take a batch into the group that the next commit makes durable; all of it or nothing.

        Returns:
            The position of the first record.

        Raises:
            SpoolFull: if there is no room, or an earlier group could not be committed yet: wait and try again.
            SpoolFailed: if making room failed.
            RecordRefused: if a record can never be spooled; it names the record.
            InvalidMessage: if the batch is larger than the spool may be.
        """
        writer = self._writer
        if writer.stuck:
            raise SpoolFull(f"{len(writer.pending)} records are not committed yet")
        append_ms = self._clock.now_ms()
        encoded = encode_batch(records, Placing(writer.next_position, len(writer.pending), append_ms))
        size = sum(map(len, encoded))
        if size > self._settings.max_bytes - self._settings.segment_bytes:
            raise InvalidMessage(Reason.OVERSIZED, f"batch of {size} bytes, max_bytes is {self._settings.max_bytes}")
        self._quota.make_room(writer.pending_bytes + size, writer.rotate)
        if not writer.pending:
            self._group_began_s = self._clock.monotonic_s()
        return writer.add(encoded, append_ms)

    @property
    def directory(self) -> SpoolDirectory:
        """Where it is, for what belongs beside it."""
        return self._state.directory

    @property
    def commit_is_due(self) -> bool:
        """Whether the group has `group_records` records, or its first waits for `group_ms`."""
        pending = len(self._writer.pending)
        waited_ms = (self._clock.monotonic_s() - self._group_began_s) * 1_000
        return pending >= self._settings.group_records or (pending > 0 and waited_ms >= self._settings.group_ms)

    def commit(self) -> int:
        """Make what was appended durable, as the fsync policy says; only then may its source be told.

        Returns:
            One past the last durable position.

        Raises:
            SpoolFull, SpoolFailed: nothing of the group may be acknowledged. It stays in memory; commit again.
        """
        try:
            self._writer.commit()
        except SpoolFull:
            # The disk is full before the quota is: others write to it too.
            if not self._quota.free_one():
                raise
            self._writer.commit()
        return self._state.ledger.durable_end

    def read(self, start: int, limit: int, end: int = NO_END, *, max_bytes: int = READ_BYTES) -> Batch:
        """At most `limit` committed records of positions `[start, end)`, settled ones among them.

        Records that are damaged are counted as lost. After the first record it stops at `max_bytes`.

        Raises:
            SpoolFailed: if the disk refuses.
        """
        try:
            return self._reader.read(start, limit, end, max_bytes)
        except OSError as error:
            raise disk_error("read", error) from error

    @property
    def durable_end(self) -> int:
        """One past the last committed position."""
        return self._state.ledger.durable_end

    def unsettled(self) -> IntervalSet:
        """The committed positions that are still to be sent."""
        with self._state.lock:
            return IntervalSet(self._state.ledger.settled.missing(0, self._state.ledger.durable_end))

    def hand_out(self, begin: int, end: int) -> None:
        """Note on disk that a sender is about to get positions `[begin, end)`; call it before it does.

        Raises:
            SpoolFull, SpoolFailed: if that could not be noted: do not send.
        """
        if self._state.saved.handed_out.covers(begin, end):
            return
        with self._state.lock:
            self._state.ledger.handed_out.add(begin, end + HAND_OUT_AHEAD)
        self._state.save()

    def acknowledge(self, positions: IntervalSet, *, rejected: bool = False) -> None:
        """Settle positions: the receiver has them, or has refused them for good (`rejected`). In memory only."""
        with self._state.lock:
            if rejected:
                self._state.ledger.rejected += positions.count()
            self._state.ledger.settled.update(positions)

    def save_cursor(self) -> None:
        """Make the acknowledgements durable, and remove acknowledged segments whose time is over.

        Raises:
            SpoolFull, SpoolFailed: the cursor lags until a later call succeeds.
        """
        self._state.save()
        self._quota.retire()

    def retire(self) -> None:
        """Remove acknowledged segments whose time is over.

        Raises:
            SpoolFailed: if the disk refuses.
        """
        self._quota.retire()

    def resend(self, from_ms: int, to_ms: int) -> IntervalSet:
        """Unsettle kept records that were appended in `[from_ms, to_ms)` by the wall clock; durable on return.

        Returns:
            Their positions: from now on they are sent again, flagged as resent, also after a crash.

        Raises:
            SpoolFull, SpoolFailed: if the disk refuses.
        """
        chosen = IntervalSet()
        try:
            for base, times in self._reader.append_times():
                positions = [at for at, append_ms in times if from_ms <= append_ms < to_ms]
                chosen.update(self._unsettle(base, positions))
        except OSError as error:
            raise disk_error("read", error) from error
        self._state.save()
        return chosen

    def _unsettle(self, base: int, positions: list[int]) -> IntervalSet:
        """Those of the positions in one segment that were settled and exist: now they are not settled any more."""
        chosen = IntervalSet()
        chosen.add_positions(positions)
        with self._state.lock:
            ledger = self._state.ledger
            if all(segment.base != base for segment in self._state.catalog.segments):
                return IntervalSet()
            for begin, end in [run for run_ in chosen for run in ledger.settled.missing(*run_)]:
                chosen.remove(begin, end)
            for begin, end in chosen:
                ledger.settled.remove(begin, end)
            ledger.handed_out.update(chosen)
        return chosen

    def stats(self) -> SpoolStats:
        """How it stands now; any thread may ask."""
        return measure(self._state, self._clock.now_ms())

    def close(self) -> None:
        """Store the cursor and give the lock back. What was appended and not committed is forgotten."""
        try:
            self._writer.close()
            self._state.save()
        finally:
            self._state.close()
            self._lock_file.close()
