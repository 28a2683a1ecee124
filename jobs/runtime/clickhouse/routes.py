"""Routes: which records go into which table, and which of their headers that takes."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import headers
from schemas.rows import ROWS, Row
from udfs.frame_rows import rawframes_block
from udfs.table_blocks import Block, KafkaBatch, dead_letter_block, row_block


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one kind of record into its table.

    Attributes:
        table: in the settings' database.
        headers: names of the headers it takes, in the order in which the sink function gets them.
        one_row_per_event: whether a frame that the edge sent twice must be found by its event id.
    """

    table: str
    headers: tuple[str, ...] = ()
    one_row_per_event: bool = False

    def block(self, batch: KafkaBatch) -> Block:
        """The rows of a batch."""
        if self == RAWFRAMES:
            return rawframes_block(batch)
        if self == DEAD_LETTERS:
            return dead_letter_block(batch)
        return row_block(_ROW_BY_TABLE[self.table], batch)


RAWFRAMES = Route("rawframes", (headers.ORIGIN,), one_row_per_event=True)
DEAD_LETTERS = Route("dead_letters", (*headers.DEAD_LETTER, headers.ORIGIN))
_ROW_BY_TABLE = {row.table: row for row in ROWS if row.table}


def row_route(row: Row) -> Route:
    """The route of a derived row into its table."""
    return Route(_ROW_BY_TABLE[row.table].table)
