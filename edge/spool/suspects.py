"""Records that were refused for good: each is tried once more by itself, then put aside.

A broker refuses a whole batch for one record in it; the others of the batch must not go with it.
"""

from __future__ import annotations

import logging
from collections import deque

from edge.spool.errors import SpoolFailed, SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.rejects import RejectedFile
from edge.spool.segment import SpooledRecord
from edge.spool.spool import Spool

LOG = logging.getLogger(__name__)


class Suspects:
    """The positions under suspicion.

    Args:
        spool: where the records are, and stay until they are put aside.
        rejected: where they are put.

    Attributes:
        rejected_total: put aside so far.
    """

    def __init__(self, spool: Spool, rejected: RejectedFile) -> None:
        self._spool = spool
        self._rejected = rejected
        self._waiting: deque[int] = deque()
        self._alone: int | None = None
        self.rejected_total = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def next_alone(self) -> list[SpooledRecord]:
        """The next one, to be sent while nothing else is in flight; empty if it is gone by now."""
        position = self._waiting[0]
        records = self._spool.read(position, 1, position + 1).records
        self._alone = self._waiting.popleft()
        return records

    def end_trial(self) -> None:
        """What was sent alone did not come to a verdict, or was stored."""
        self._alone = None

    def refused(self, position: int, reason: str) -> None:
        """Suspect a position, or put it aside if it was refused alone.

        Raises:
            SpoolFull, SpoolFailed: it could not be put aside: it stays under suspicion.
        """
        if position != self._alone:
            self._waiting.append(position)
            return
        self._alone = None
        try:
            for spooled in self._spool.read(position, 1, position + 1).records:
                self._rejected.write(spooled, reason)
        except (SpoolFull, SpoolFailed):
            LOG.error("position %d is refused for good and cannot be put aside: %s", position, reason)
            self._waiting.append(position)
            raise
        LOG.error("position %d is refused for good and put aside: %s", position, reason)
        self._spool.acknowledge(IntervalSet([(position, position + 1)]), rejected=True)
        self.rejected_total += 1
