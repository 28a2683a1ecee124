"""Table blocks: a batch of Kafka records in, the columns of a ClickHouse table out.

One Python step per record (parsing), the rest by column. A record that can't become a row is rejected with
its reason and never disturbs its neighbours. `rawframes` has its own module, `udfs.frame_rows`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import headers
from schemas.columns import Column, Kind
from schemas.errors import InvalidMessage, Reason
from schemas.row_codec import decode_row
from schemas.rows import Row, RowValues
from udfs.records import YEAR_2200_MS

POSITION_COLUMNS = ("kafka_topic_id", "kafka_partition", "kafka_offset")

ColumnArray = NDArray[Any]
"""The values of one column; strings, bytes, lists and nullable values are Python objects in an object array."""

Headers = Mapping[str, Sequence[bytes | None]]


@dataclass(frozen=True, slots=True)
class KafkaBatch:
    """Records of one topic as they came from Kafka, by column; all columns have one length.

    For records that an at-least-once job copied from another topic, id and position are those of the original
    (`split_by_origin`): a copy made twice is one record.

    Attributes:
        topic_id: the id that Kafka gave the topic; a topic made again under the same name has another.
        partitions, offsets: the position of each record.
        append_ms: the record timestamp.
        keys, values: None where Kafka has null.
        headers: for each header asked for, its value in each record, None where the record lacks it.
    """

    topic_id: str
    partitions: NDArray[np.int32]
    offsets: NDArray[np.int64]
    append_ms: NDArray[np.int64]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Headers = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows for one table.

    Attributes:
        topic_id: of the batch.
        columns: table column -> values, all of one length.
        rows: for each row the index of its record in the batch, ascending.
        batch_size: records in the batch.
        rejected: index in the batch -> why that record is no row.
        skipped: records that are neither: they belong to another table.
    """

    topic_id: str
    columns: dict[str, ColumnArray]
    rows: NDArray[np.intp]
    batch_size: int
    rejected: dict[int, InvalidMessage]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def partitions(self) -> NDArray[np.int32]:
        """Kafka partition of each row."""
        return self.columns["kafka_partition"]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Kafka offset of each row."""
        return self.columns["kafka_offset"]

    def take(self, chosen: NDArray[np.intp]) -> Block:
        """The same block with only the chosen rows, given in ascending order; `rejected` and `skipped` stay."""
        if len(chosen) == len(self):
            return self
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows[chosen])


def object_array(values: Sequence[Any]) -> ColumnArray:
    """A one-dimensional object array, also where the values are sequences of one length."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def position_columns(batch: KafkaBatch, rows: NDArray[np.intp]) -> dict[str, ColumnArray]:
    """The columns that every table has: where each row stood in Kafka."""
    return {
        "kafka_topic_id": np.full(len(rows), batch.topic_id, dtype=object),
        "kafka_partition": batch.partitions[rows],
        "kafka_offset": batch.offsets[rows],
    }


def row_block(row: Row, batch: KafkaBatch) -> Block:
    """Rows of the declared kind from their JSON; a value that the column's type can't hold is rejected.

    A missing float (NaN in memory) becomes None: NaN is never stored, it would poison every aggregate.
    """
    decoded: list[RowValues] = []
    rows: list[int] = []
    rejected: dict[int, InvalidMessage] = {}
    for index, value in enumerate(batch.values):
        try:
            values = decode_row(row, value or b"")
            _check_limits(row, values)
        except InvalidMessage as error:
            rejected[index] = error
            continue
        decoded.append(values)
        rows.append(index)
    taken = np.array(rows, dtype=np.intp)
    columns = {
        column.name: _column_array(column, [values[column.name] for values in decoded]) for column in row.columns
    }
    return Block(batch.topic_id, columns | position_columns(batch, taken), taken, len(batch), rejected)


_LIMITS = {
    Kind.INT32: (-(2**31), 2**31),
    Kind.INT64: (-(2**63), 2**63),
    Kind.TIMESTAMP_MS: (0, YEAR_2200_MS),
}
"""Least value, and the first that is too great. ClickHouse would wrap a greater one round without a word."""


def _check_limits(row: Row, values: RowValues) -> None:
    for column in row.columns:
        limits = _LIMITS.get(column.kind)
        value = values[column.name]
        if limits is None or value is None:
            continue
        if not limits[0] <= value < limits[1]:
            reason = Reason.BAD_TIMESTAMP if column.kind is Kind.TIMESTAMP_MS else Reason.MALFORMED_ROW
            raise InvalidMessage(reason, f"{row.name}.{column.name}={value} is outside {limits[0]}..{limits[1] - 1}")


_DTYPES: dict[Kind, Any] = {
    Kind.INT32: np.int32,
    Kind.INT64: np.int64,
    Kind.FLOAT64: np.float64,
    Kind.BOOL: np.bool_,
    Kind.TIMESTAMP_MS: np.int64,
}


def _column_array(column: Column, values: list[Any]) -> ColumnArray:
    if column.kind is Kind.FLOATS:
        return object_array([[_null_for_nan(item) for item in items] for items in values])
    if column.nullable:
        return object_array([_null_for_nan(value) for value in values])
    dtype = _DTYPES.get(column.kind)
    return object_array(values) if dtype is None else np.array(values, dtype=dtype)


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


_DEAD_LETTER_NUMBERS: tuple[tuple[str, type[np.integer[Any]], int], ...] = (
    (headers.SOURCE_PARTITION, np.int32, -1),
    (headers.SOURCE_OFFSET, np.int64, -1),
    (headers.ATTEMPT, np.uint32, 1),
)


def dead_letter_block(batch: KafkaBatch) -> Block:
    """Rows of `dead_letters`: nothing is rejected here, for there is nowhere left to send it.

    A header that is missing or no number gives '' or -1; the position in the dead-letter topic is there anyway.
    """
    count = len(batch)
    rows = np.arange(count, dtype=np.intp)
    columns: dict[str, ColumnArray] = {
        name: _texts(batch.headers.get(name), count)
        for name in (headers.STAGE, headers.REASON, headers.DETAIL, headers.SOURCE_TOPIC)
    }
    for name, dtype, missing in _DEAD_LETTER_NUMBERS:
        columns[name] = _integers(batch.headers.get(name), count, dtype, missing)
    columns["seen_ms"] = batch.append_ms
    columns["key"] = object_array(batch.keys)
    columns["value"] = object_array([value or b"" for value in batch.values])
    return Block(batch.topic_id, columns | position_columns(batch, rows), rows, count, {})


def _texts(header: Sequence[bytes | None] | None, count: int) -> ColumnArray:
    return object_array([(value or b"").decode(errors="replace") for value in header or [None] * count])


def _integers(
    header: Sequence[bytes | None] | None, count: int, dtype: type[np.integer[Any]], missing: int
) -> ColumnArray:
    limits = np.iinfo(dtype)

    def parse(value: bytes | None) -> int:
        number = int(value) if value is not None and value.removeprefix(b"-").isdigit() else missing
        return number if limits.min <= number <= limits.max else missing

    return np.array([parse(value) for value in header or [None] * count], dtype=dtype)
