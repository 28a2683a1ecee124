"""The writing side: a group of records in memory becomes durable in the last segment, or stays in memory."""

from __future__ import annotations

import logging

from edge.pace import Clock
from edge.spool.catalog import Segment
from edge.spool.errors import disk_error
from edge.spool.files import File
from edge.spool.segment import HEADER_BYTES, Header
from edge.spool.settings import Fsync, SpoolSettings
from edge.spool.state import SpoolState

LOG = logging.getLogger(__name__)


class Writer:
    """Appends groups to segments; one thread uses it.

    Args:
        state: shared with the reader.
        settings: segment size and fsync policy.
        clock: dates the segments.
        file: the last segment of the catalog, open; None if a new one is to be begun.

    Attributes:
        pending: encoded records that are not committed, in order.
        pending_bytes: of them.
        stuck: the last commit failed; its group is written before anything else is taken.
        next_position: of the next record to be appended.
    """

    def __init__(self, state: SpoolState, settings: SpoolSettings, clock: Clock, file: File | None) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._file = file
        self._synced_at_s = clock.monotonic_s()
        self._pending_ms = 0
        self.pending: list[bytes] = []
        self.pending_bytes = 0
        self.stuck = False
        self.next_position = state.ledger.durable_end

    def add(self, encoded: list[bytes], append_ms: int) -> int:
        """Take encoded records into the group; returns the position of the first."""
        if not self.pending:
            self._pending_ms = append_ms
        first = self.next_position
        self.pending += encoded
        self.pending_bytes += sum(map(len, encoded))
        self.next_position += len(encoded)
        return first

    def commit(self) -> None:
        """Make the group durable, as far as the fsync policy says.

        An error of the write leaves the group in memory: the next commit writes the same bytes in the same place. After
        an error of the sync the kernel may have thrown the bytes away and called them clean, so nothing written since
        the last sync is trusted: the group goes into a new segment.

        Raises:
            SpoolFull, SpoolFailed: nothing of the group is durable, all of it is still in memory.
        """
        if not self.pending:
            self._sync_late()
            return
        self.stuck = True
        data = b"".join(self.pending)
        file, segment = self._writable()
        try:
            file.pwrite(data, segment.durable_bytes)
        except OSError as error:
            raise disk_error(f"segment {segment.base}: write", error) from error
        if self._sync_is_due():
            try:
                file.fdatasync()
            except OSError as error:
                LOG.error("segment %d: sync: %s; going on in a new segment", segment.base, error.strerror)
                self._seal()
                segment = self._write_again(data)
            self._synced_at_s = self._clock.monotonic_s()
        self._committed(segment, len(data))

    def rotate(self) -> None:
        """Begin a new segment.

        Raises:
            SpoolFull, SpoolFailed: if the disk refuses; the next commit tries again.
        """
        self._seal()
        self._begin_segment()

    def close(self) -> None:
        """Close the segment; what is pending is forgotten: its source was never told that it is safe."""
        self._seal()

    def _sync_late(self) -> None:
        """Under `interval`: force out what was written since the last sync, if its time is over."""
        if self._settings.fsync is not Fsync.INTERVAL or self._file is None or not self._sync_is_due():
            return
        try:
            self._file.fdatasync()
        except OSError as error:
            self._seal()
            raise disk_error("sync", error) from error
        self._synced_at_s = self._clock.monotonic_s()

    def _sync_is_due(self) -> bool:
        policy = self._settings.fsync
        waited_s = self._clock.monotonic_s() - self._synced_at_s
        return policy is Fsync.GROUP or (
            policy is Fsync.INTERVAL and waited_s * 1_000 >= self._settings.fsync_interval_ms
        )

    def _write_again(self, data: bytes) -> Segment:
        file, segment = self._writable()
        try:
            file.pwrite(data, segment.durable_bytes)
            file.fdatasync()
        except OSError as error:
            self._seal()
            raise disk_error(f"segment {segment.base}: sync", error) from error
        return segment

    def _committed(self, segment: Segment, size: int) -> None:
        with self._state.lock:
            segment.note_time(self._state.ledger.durable_end, self._pending_ms)
            segment.durable_bytes += size
            self._state.ledger.durable_end = self.next_position
        self.pending = []
        self.pending_bytes = 0
        self.stuck = False

    def _writable(self) -> tuple[File, Segment]:
        """The last segment, or a new one if it is full or sealed."""
        segments = self._state.catalog.segments
        if self._file is not None and segments[-1].durable_bytes >= self._settings.segment_bytes:
            self._seal()
        if self._file is None:
            self._begin_segment()
        assert self._file is not None  # noqa: S101 (just opened)
        return self._file, segments[-1]

    def _seal(self) -> None:
        """Write no more into this file. One that has no committed record is begun anew under the same name."""
        file, self._file = self._file, None
        if file is None:
            return
        if self._settings.fsync is Fsync.INTERVAL:
            try:
                file.fdatasync()
            except OSError as error:
                LOG.error("sync of a full segment: %s; fsync=interval may lose it at a power cut", error.strerror)
        file.close()

    def _begin_segment(self) -> None:
        """Make a new last segment whose header and name are durable; one of the same base held nothing committed."""
        state = self._state
        base = state.ledger.durable_end
        header = Header(state.ledger.stream_id, base, self._clock.now_ms())
        try:
            self._file = state.directory.create_segment(header)
        except OSError as error:
            raise disk_error(f"segment {base}: begin", error) from error
        with state.lock:
            if state.catalog.segments and state.catalog.segments[-1].base == base:
                state.catalog.segments.pop()
            state.catalog.segments.append(Segment(base, header.created_ms, HEADER_BYTES))
