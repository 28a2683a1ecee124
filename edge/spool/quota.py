"""Room: acknowledged segments go when their time or their room is needed; unsent ones only if that is wished."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.pace import Clock
from edge.spool.catalog import Segment
from edge.spool.errors import SpoolFailed, SpoolFull, disk_error
from edge.spool.intervals import Run
from edge.spool.settings import SpoolSettings, WhenFull
from edge.spool.state import SpoolState

LOG = logging.getLogger(__name__)

_CLOCK_WAS_SET_MS = 1_577_836_800_000
"""2020-01-01: a board without a battery dates its readings in 1970 until it has asked for the time."""


class Quota:
    """Holds the spool within its bytes, its age and the free-space floor.

    Args:
        state: whose segments are removed.
        settings: the limits.
        clock: tells the age.
    """

    def __init__(self, state: SpoolState, settings: SpoolSettings, clock: Clock) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock

    def make_room(self, waiting_bytes: int, rotate: Callable[[], None]) -> None:
        """Return when `waiting_bytes` more may be written.

        Args:
            waiting_bytes: of the group, with the batch that is about to join it.
            rotate: begins a new segment, so that the one being written can go too.

        Raises:
            SpoolFull: if there is no room, or no more than by dropping under `block`.
            SpoolFailed: if the disk refuses to remove what may go.
        """
        if self._settings.max_age_s is not None:
            self._drop_old(self._settings.max_age_s)
        while shortage := self._shortage(waiting_bytes):
            if self.free_one():
                continue
            if not self._last_may_go():
                raise SpoolFull(shortage)
            rotate()

    def free_one(self) -> bool:
        """Remove the oldest segment that may go; False if there is none.

        Raises:
            SpoolFailed: if the disk refuses.
        """
        settled = self._settled()
        if settled:
            self._remove(settled[:1])
            return True
        return self._settings.when_full is WhenFull.DROP_OLDEST and self._drop_oldest()

    def retire(self) -> None:
        """Remove sealed segments that have been acknowledged for `keep_acknowledged_s`.

        Raises:
            SpoolFailed: if the disk refuses.
        """
        now_s = self._clock.monotonic_s()
        due: list[Segment] = []
        for segment in self._settled():
            if segment.settled_at_s is None:
                segment.settled_at_s = now_s
            if now_s - segment.settled_at_s >= self._settings.keep_acknowledged_s:
                due.append(segment)
        self._remove(due)

    def _last_may_go(self) -> bool:
        """Whether room could be made of the segment that is being written."""
        with self._state.lock:
            ledger, segments = self._state.ledger, self._state.catalog.segments
            if not segments or segments[-1].base == ledger.durable_end:
                return False
            settled = ledger.settled.covers(segments[-1].base, ledger.durable_end)
        return settled or self._settings.when_full is WhenFull.DROP_OLDEST

    def _shortage(self, waiting_bytes: int) -> str:
        """What there is too little of; empty if there is enough."""
        with self._state.lock:
            wanted = self._state.catalog.bytes + waiting_bytes
        if wanted > self._settings.max_bytes:
            return f"the spool would have {wanted} bytes, max_bytes is {self._settings.max_bytes}"
        directory = self._state.directory
        try:
            free = directory.files.free_bytes(directory.path) - waiting_bytes
        except OSError as error:
            raise disk_error("free space", error) from error
        if free < self._settings.min_free_bytes:
            return f"the disk would have {max(0, free)} bytes free, min_free_bytes is {self._settings.min_free_bytes}"
        return ""

    def _settled(self) -> list[Segment]:
        """Sealed segments with nothing left to send, as the cursor file on disk knows it too."""
        saved = self._state.saved.settled
        with self._state.lock:
            now = self._state.ledger.settled
            sealed = self._state.catalog.sealed(self._state.ledger.durable_end)
            return [
                segment for segment, end in sealed if saved.covers(segment.base, end) and now.covers(segment.base, end)
            ]

    def _drop_oldest(self) -> bool:
        """Give up the oldest sealed segment that has unsent records; False if there is none."""
        with self._state.lock:
            sealed = self._state.catalog.sealed(self._state.ledger.durable_end)
        if not sealed:
            return False
        self._drop(*sealed[0])
        return True

    def _drop_old(self, max_age_s: float) -> None:
        """Give up sealed segments whose newest record is too old: the next segment was made after it."""
        horizon_ms = self._clock.now_ms() - max_age_s * 1_000
        with self._state.lock:
            sealed = self._state.catalog.sealed(self._state.ledger.durable_end)
            followers = self._state.catalog.segments[1:]
        for (segment, end), follower in zip(sealed, followers, strict=True):
            if follower.created_ms >= horizon_ms or segment.created_ms < _CLOCK_WAS_SET_MS:
                return
            self._drop(segment, end)

    def _drop(self, segment: Segment, end: int) -> None:
        """Settle and count first, on disk too; a crash before the file is gone counts nothing twice."""
        ledger = self._state.ledger
        with self._state.lock:
            dropped = ledger.give_up(ledger.dropped, segment.base, end)
        _log_dropped(dropped)
        self._state.save()
        if not self._state.saved.settled.covers(segment.base, end):
            raise SpoolFailed(f"segment {segment.base}: too many runs of settled positions before it")
        self._remove([segment])

    def _remove(self, segments: list[Segment]) -> None:
        try:
            self._state.remove(segments)
        except OSError as error:
            raise disk_error("removing segments", error) from error


def _log_dropped(runs: list[Run]) -> None:
    for begin, end in runs:
        LOG.warning("no room or too old: positions %d to %d were not sent and are dropped", begin, end - 1)
