"""A table of a ClickHouse server over the native protocol: insert, and ask what is stored."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from clickhouse_driver import Client
from numpy.typing import NDArray

from jobs.runtime.clickhouse.errors import RowsRefusedError, StoreAwayError, explain
from jobs.runtime.clickhouse.offsets import Source, by_source
from udfs.table_blocks import Block

_INSERT_SETTINGS = {
    "async_insert": 0,
    # A device that has lost its clock can spread its frames over many months.
    "max_partitions_per_insert_block": 0,
}

# Answered from the projection `highest_offset` where the table has it.
_HIGHEST_OFFSET = """
SELECT max(kafka_offset) FROM {database:Identifier}.{table:Identifier}
WHERE kafka_topic_id = {topic_id:String} AND kafka_partition = {partition:Int32}
GROUP BY kafka_partition
"""
# The index `kafka_offset_range` leaves few granules to read.
_STORED_OFFSETS = """
SELECT kafka_offset FROM {database:Identifier}.{table:Identifier}
WHERE kafka_topic_id = {topic_id:String} AND kafka_partition = {partition:Int32}
    AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
"""
_RUNNING_INSERTS = "SELECT query_id FROM system.processes WHERE startsWith(query_id, {prefix:String})"
# By the table's whole sorting key: a resent event is the same event, to the millisecond. The key only chooses what is
# read (indexHint): comparing the short ids alone takes less than half the time.
_EVENT_KEY = ("tenant_id", "device_id", "session_id", "sensor_type", "sensor_timestamp_ms")
_KNOWN_EVENTS = """
SELECT hex(event_id) FROM {database:Identifier}.{table:Identifier}
WHERE indexHint((tenant_id, device_id, session_id, sensor_type, sensor_timestamp_ms)
        IN (SELECT tenant_id, device_id, session_id, sensor_type, sensor_timestamp_ms FROM asked))
    AND event_id IN (SELECT toFixedString(unhex(event), 16) FROM asked)
"""
_ASKED = [
    *((name, "String") for name in _EVENT_KEY[:-1]),
    (_EVENT_KEY[-1], "DateTime64(3, 'UTC')"),
    ("event", "String"),
]
# Granules without a resent frame are left out by the index `resent_range`.
_RECENT_RESENT = """
SELECT hex(event_id) FROM {database:Identifier}.{table:Identifier}
WHERE resent AND append_timestamp_ms >=
    (SELECT max(append_timestamp_ms) FROM {database:Identifier}.{table:Identifier}) - INTERVAL 1 HOUR
ORDER BY append_timestamp_ms DESC LIMIT {count:UInt64}
"""


class ClickHouseTable:
    """`OffsetTable` and `EventTable` on a server. Not thread safe; connects when first used."""

    def __init__(self, connect: Callable[[bool], Client], database: str, table: str) -> None:
        """
        Args:
            connect: makes a client; its argument says whether it is for inserting numpy columns or for questions.
            database: of the table.
            table: its name.
        """
        self._inserting, self._asking = connect(True), connect(False)
        self._database, self._table = database, table
        self._query_prefix = f"brain/{database}.{table}/"
        self._life = uuid.uuid4().hex

    def insert(self, block: Block) -> None:
        """One synchronous INSERT. Its query id names the sources, for `is_inserting`."""
        sources = ",".join(f"{source.topic_id}:{source.partition}" for source, _ in by_source(block))
        try:
            self._inserting.execute(
                f"INSERT INTO {self._database}.{self._table} ({', '.join(block.columns)}) VALUES",
                list(block.columns.values()),
                columnar=True,
                types_check=False,
                query_id=f"{self._query_prefix}{sources}/{uuid.uuid4().hex}",
                settings=_INSERT_SETTINGS | {"insert_deduplication_token": f"{self._life}-{_digest(block)}"},
            )
        except Exception as error:
            raise explain(error) from error

    def highest_offset(self, source: Source) -> int:
        """The highest stored offset of a source, -1 for none."""
        rows = self._ask(_HIGHEST_OFFSET, **source._asdict())
        return int(rows[0][0]) if rows else -1

    def stored_offsets(self, source: Source, first: int, last: int) -> NDArray[np.int64]:
        """The stored offsets of a source from `first` to `last`, both included, in any order."""
        rows = self._ask(_STORED_OFFSETS, first=first, last=last, **source._asdict())
        return np.array([row[0] for row in rows], dtype=np.int64)

    def is_inserting(self, sources: Collection[Source]) -> bool:
        """Whether an INSERT of rows of one of the sources still runs, by the query ids that `insert` gives."""
        rows = self._ask(_RUNNING_INSERTS, prefix=self._query_prefix)
        asked = {f"{source.topic_id}:{source.partition}" for source in sources}
        return any(asked & set(row[0].removeprefix(self._query_prefix).split("/")[0].split(",")) for row in rows)

    def known_events(self, block: Block) -> set[bytes]:
        """Which of the block's events are stored."""
        columns = [block.columns[name].tolist() for name in _EVENT_KEY]
        columns.append([event.hex().upper() for event in block.columns["event_id"].tolist()])
        names = [name for name, _ in _ASKED]
        asked = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        tables = [{"name": "asked", "structure": _ASKED, "data": asked}]
        return {bytes.fromhex(row[0]) for row in self._ask(_KNOWN_EVENTS, tables)}

    def recent_resent_events(self, count: int) -> list[bytes]:
        """Events of the last hour of stored rows which the edge had marked as sent before, oldest first."""
        rows = self._ask(_RECENT_RESENT, count=count)
        return [bytes.fromhex(row[0]) for row in reversed(rows)]

    def _ask(
        self, query: str, external_tables: list[dict[str, Any]] | None = None, **values: object
    ) -> list[tuple[Any, ...]]:
        try:
            values |= {"database": self._database, "table": self._table}
            rows: list[tuple[Any, ...]] = self._asking.execute(query, values, external_tables=external_tables)
        except Exception as error:
            explained = explain(error)
            # A question holds no rows of ours that could be refused: whatever went wrong is the server's state.
            if isinstance(explained, RowsRefusedError):
                explained = StoreAwayError(str(explained))
            raise explained from error
        return rows


def _digest(block: Block) -> str:
    """The same for the same records: should two attempts at one INSERT cross, the table keeps one of them.

    Used within one life of a writer only: a table remembers tokens of rows that have since been deleted, and would
    drop their replay without a word.
    """
    digest = hashlib.sha256()
    for source, rows in by_source(block):
        digest.update(f"{source.topic_id}:{source.partition}:{len(rows)};".encode())
        digest.update(block.offsets[rows].tobytes())
    return digest.hexdigest()
