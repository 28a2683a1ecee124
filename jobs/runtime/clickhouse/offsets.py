"""Which rows of a block are not stored yet: told by the offsets that the table holds, not by memory.

A row above the highest offset ever seen of its Kafka partition is new. Any other is a replay and is asked for:
the table holds exactly the offsets that were stored, whichever of its own partitions an interrupted INSERT
reached, and whichever rows were refused on the way. A high-water mark could not tell a stored row from a refused
one, and after a crash would swallow the dead letter of the latter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from udfs.table_blocks import Block

Mask = NDArray[np.bool_]


class Source(NamedTuple):
    """A Kafka partition of a topic that is told apart from earlier topics of the same name."""

    topic_id: str
    partition: int


class OffsetTable(Protocol):
    """What the writer needs of a table. Every method raises StoreAwayError when the server does not answer."""

    def insert(self, block: Block) -> None:
        """Stores all rows of the block, else raises RowsRefusedError."""
        ...

    def highest_offset(self, source: Source) -> int:
        """The highest stored offset of a source, -1 for none."""
        ...

    def stored_offsets(self, source: Source, first: int, last: int) -> NDArray[np.int64]:
        """The stored offsets of a source from `first` to `last`, both included, in any order."""
        ...

    def is_inserting(self, sources: Collection[Source]) -> bool:
        """Whether an INSERT of rows of one of the sources still runs on the server."""
        ...


class _Window(NamedTuple):
    """What was stored between two offsets when they were asked for."""

    first: int
    last: int
    stored: NDArray[np.int64]


class OffsetLedger:
    """Knows for each source up to where its offsets have been seen.

    Not thread safe. A source must have no other writer while this one lives.
    """

    def __init__(self, table: OffsetTable, *, window: int = 1_000_000) -> None:
        """`window` is how many offsets of a replay are asked for at once."""
        self._table = table
        self._window = window
        self._highest: dict[Source, int] = {}
        self._windows: dict[Source, _Window] = {}

    def unknown(self, sources: Collection[Source]) -> set[Source]:
        """Those of the sources that have not been opened."""
        return set(sources) - self._highest.keys()

    def open(self, source: Source) -> None:
        """Learns where the source stands. Only when no earlier writer's INSERT of it still runs."""
        self._highest[source] = self._table.highest_offset(source)

    def judge(self, block: Block) -> tuple[Mask, Mask]:
        """Two masks over the rows: stored (or a second copy within the block), and replayed but not stored."""
        stored = np.zeros(len(block), dtype=np.bool_)
        replayed = np.zeros(len(block), dtype=np.bool_)
        for source, rows in by_source(block):
            offsets = block.offsets[rows]
            replayed[rows] = offsets <= self._highest[source]
            stored[rows] = _repeated(offsets)
            old = rows[replayed[rows]]
            if len(old):
                stored[old] |= np.isin(block.offsets[old], self._stored(source, block.offsets[old]))
        return stored, replayed & ~stored

    def _stored(self, source: Source, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        first, last = int(offsets.min()), int(offsets.max())
        window = self._windows.get(source)
        if window is None or first < window.first or last > window.last:
            end = max(last, min(first + self._window, self._highest[source]))
            window = _Window(first, end, self._table.stored_offsets(source, first, end))
            self._windows[source] = window
        return window.stored

    def advance(self, block: Block) -> None:
        """Notes that the rows of the block have been dealt with: stored, or refused for good."""
        for source, rows in by_source(block):
            offsets = block.offsets[rows]
            highest = self._highest[source]
            if int(offsets.min()) <= highest:
                self._windows.pop(source, None)
            self._highest[source] = max(highest, int(offsets.max()))


def by_source(block: Block) -> Iterator[tuple[Source, NDArray[np.intp]]]:
    """The sources of a block, each with the indices of its rows in order."""
    for partition in np.unique(block.partitions).tolist():
        yield Source(block.topic_id, partition), np.flatnonzero(block.partitions == partition)


def _repeated(offsets: NDArray[np.int64]) -> Mask:
    """Which offsets stand in the array before."""
    if (np.diff(offsets) > 0).all():
        return np.zeros(len(offsets), dtype=np.bool_)
    repeated = np.ones(len(offsets), dtype=np.bool_)
    repeated[np.unique(offsets, return_index=True)[1]] = False
    return repeated
