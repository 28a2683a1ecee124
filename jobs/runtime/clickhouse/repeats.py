"""Which frames are stored under another Kafka position: those that the edge sent more than once.

Only a frame with the envelope's `resent` flag can be the second of its event, with two exceptions: the first copy
may have been delayed and come after the flagged one, and rows that are read again without being stored are
asked for like flagged ones.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from jobs.runtime.clickhouse.offsets import Mask
from udfs.table_blocks import Block


class EventTable(Protocol):
    """What is asked of a table with one row per event. Both raise StoreAwayError."""

    def known_events(self, block: Block) -> set[bytes]:
        """Which of the block's events are stored."""
        ...

    def recent_resent_events(self, count: int) -> list[bytes]:
        """The last stored events that the edge had marked as sent before, oldest first."""
        ...


class RepeatedEvents:
    """Finds the rows of a block whose event is stored, or stands in the block before."""

    def __init__(self, table: EventTable, *, remembered: int = 100_000) -> None:
        """`remembered`: how many flagged events are kept in mind to recognise a delayed first copy."""
        self._table = table
        self._remembered = remembered
        self._resent: dict[bytes, None] | None = None

    def judge(self, block: Block, replayed: Mask) -> Mask:
        """Mask over the rows: True for those to leave out.

        Args:
            block: rows that are not stored under their own position.
            replayed: those of them that were read before.
        """
        if self._resent is None:
            self._resent = dict.fromkeys(self._table.recent_resent_events(self._remembered))
        events: list[bytes] = block.columns["event_id"].tolist()
        resent = block.columns["resent"]
        suspected = resent | replayed
        if self._resent:
            suspected |= np.fromiter((event in self._resent for event in events), np.bool_, len(events))
        if not suspected.any():
            return suspected
        known = self._table.known_events(block.take(np.flatnonzero(suspected)))
        repeated = np.zeros(len(block), dtype=np.bool_)
        for row, event in enumerate(events):
            repeated[row] = event in known
            known.add(event)
        self._remember([event for event, flagged in zip(events, resent, strict=True) if flagged])
        return repeated

    def _remember(self, events: list[bytes]) -> None:
        resent = self._resent or {}
        self._resent = resent | dict.fromkeys(events)
        while len(self._resent) > self._remembered:
            del self._resent[next(iter(self._resent))]
