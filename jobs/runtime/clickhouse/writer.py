"""The writer: stores blocks, each Kafka record once, and waits for as long as the server is away."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from itertools import count
from typing import TypeVar

import numpy as np

from jobs.runtime.clickhouse.backoff import Backoff
from jobs.runtime.clickhouse.errors import RowsRefusedError, StoreAwayError
from jobs.runtime.clickhouse.offsets import OffsetLedger, OffsetTable, Source, by_source
from jobs.runtime.clickhouse.repeats import RepeatedEvents
from schemas.errors import InvalidMessage, Reason
from udfs.table_blocks import Block

Answer = TypeVar("Answer")
Reasons = list[str | None]


class BlockWriter:
    """Writes blocks into one table. One writer at a time for each Kafka partition; not thread safe."""

    def __init__(
        self, table: OffsetTable, *, backoff: Backoff, insert_rows: int, repeats: RepeatedEvents | None = None
    ) -> None:
        """
        Args:
            table: where the rows go.
            backoff: how to wait while it is away.
            insert_rows: longest INSERT.
            repeats: for a table with one row per event.
        """
        self._table = table
        self._backoff = backoff
        self._insert_rows = insert_rows
        self._repeats = repeats
        self._ledger = OffsetLedger(table)

    def store(self, block: Block) -> Reasons:
        """Stores what is not stored yet; returns only when every row is stored or refused.

        Returns:
            For each record of the batch None, or `reason: detail` if it can't be stored.
        """
        reasons: Reasons = [None] * block.batch_size
        for row, error in block.rejected.items():
            reasons[row] = str(error)
        if len(block):
            self._open_sources([source for source, _ in by_source(block)])
            missing = self._missing(block)
            for begin in range(0, len(missing), self._insert_rows):
                end = min(begin + self._insert_rows, len(missing))
                self._insert(missing.take(np.arange(begin, end)), reasons)
            self._ledger.advance(block)
        return reasons

    def _open_sources(self, sources: Collection[Source]) -> None:
        unknown = self._ledger.unknown(sources)
        if unknown:
            # The INSERT of a writer that was killed may still run: what it stores must be counted.
            self._wait_for_inserts(unknown)
            for source in sorted(unknown):
                self._ask(partial(self._ledger.open, source))

    def _missing(self, block: Block) -> Block:
        stored, replayed = self._ask(partial(self._ledger.judge, block))
        chosen = np.flatnonzero(~stored)
        missing = block.take(chosen)
        if self._repeats is None or len(missing) == 0:
            return missing
        repeated = self._ask(partial(self._repeats.judge, missing, replayed[chosen]))
        return missing.take(np.flatnonzero(~repeated))

    def _insert(self, block: Block, reasons: Reasons) -> None:
        """Stores the block; one that is refused is halved until the bad row stands alone."""
        for attempt in count():
            if len(block) == 0:
                return
            failure = self._try_insert(block)
            if failure is None:
                return
            if isinstance(failure, StoreAwayError):
                self._backoff.pause(attempt, failure)
            block = self._not_stored(block)
            if len(block) > 1 and failure.divisible:
                for half in np.array_split(np.arange(len(block)), 2):
                    self._insert(block.take(half), reasons)
                return
            if len(block) == 1 and isinstance(failure, RowsRefusedError):
                reasons[int(block.rows[0])] = str(InvalidMessage(Reason.NOT_STORABLE, str(failure)))
                return

    def _try_insert(self, block: Block) -> RowsRefusedError | StoreAwayError | None:
        try:
            self._table.insert(block)
        except (RowsRefusedError, StoreAwayError) as error:
            return error
        return None

    def _not_stored(self, block: Block) -> Block:
        """After a failure: the server may have stored all, none, or the rows of some of its own partitions."""
        self._wait_for_inserts([source for source, _ in by_source(block)])
        left = np.ones(len(block), dtype=np.bool_)
        for source, rows in by_source(block):
            offsets = block.offsets[rows]
            first, last = int(offsets.min()), int(offsets.max())
            left[rows] = ~np.isin(offsets, self._ask(partial(self._table.stored_offsets, source, first, last)))
        return block.take(np.flatnonzero(left))

    def _wait_for_inserts(self, sources: Collection[Source]) -> None:
        def check() -> None:
            if self._table.is_inserting(sources):
                raise StoreAwayError("an earlier INSERT of the same Kafka partitions is still running")

        self._ask(check)

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        attempt = 0
        while True:
            try:
                return question()
            except StoreAwayError as error:
                self._backoff.pause(attempt, error)
                attempt += 1
