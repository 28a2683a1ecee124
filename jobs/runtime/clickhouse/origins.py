"""Origins: records that a job copied from another topic are known by where they stood there.

The copying job is at-least-once: after a restart it writes records again, at other offsets. Their position in the
topic they were copied from stays the same, so they carry it in a header: `topic id/partition/offset`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import headers
from udfs.table_blocks import KafkaBatch

Rows = NDArray[np.intp]

_GREATEST_PARTITION = np.iinfo(np.int32).max
_GREATEST_OFFSET = np.iinfo(np.int64).max
_SURE_PARTITION_DIGITS, _SURE_OFFSET_DIGITS = 9, 18
"""Numbers of no more digits fit their type."""

_LONGEST_PART = 100
"""Python refuses to read a number of some thousand digits."""

_SLASH, _ZERO = ord("/"), ord("0")


class _Origin(NamedTuple):
    topic_id: bytes
    partition: int
    offset: int


def split_by_origin(batch: KafkaBatch) -> list[tuple[Rows, KafkaBatch]]:
    """One batch for each topic from which the records come, with the indices of its records.

    A record without a well-formed origin stays where it is.
    """
    origins = batch.headers.get(headers.ORIGIN)
    if not origins:
        return [(np.arange(len(batch)), batch)]
    return _moved_together(batch, origins) or _moved_one_by_one(batch, origins)


def _moved_together(batch: KafkaBatch, origins: Sequence[bytes | None]) -> list[tuple[Rows, KafkaBatch]] | None:
    """The usual case, by column: every record comes from one topic. None if this is not sure."""
    first = _parse(origins[0])
    if first is None or None in origins:
        return None
    positions = _positions([origin or b"" for origin in origins], first.topic_id + b"/")
    if positions is None:
        return None
    moved = replace(
        batch, topic_id=_text(first.topic_id), partitions=positions[0].astype(np.int32), offsets=positions[1]
    )
    return [(np.arange(len(batch)), moved)]


def _positions(origins: list[bytes], prefix: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Partitions and offsets of origins that all begin with `prefix`; None if one does not, or is not well-formed."""
    lengths = np.fromiter(map(len, origins), np.int64, len(origins))
    if int(lengths.max()) > len(prefix) + _SURE_PARTITION_DIGITS + 1 + _SURE_OFFSET_DIGITS:
        return None
    padded = np.array(origins, dtype=np.bytes_).view(np.uint8).reshape(len(origins), -1)
    if not (padded[:, : len(prefix)] == np.frombuffer(prefix, dtype=np.uint8)).all():
        return None
    lengths -= len(prefix)
    number, partitions, slash_at, slashes = (np.zeros_like(lengths) for _ in range(4))
    for place, column in enumerate(np.ascontiguousarray(padded[:, len(prefix) :].T)):
        digits = column.astype(np.int64) - _ZERO
        is_slash, is_digit = column == _SLASH, (digits >= 0) & (digits <= 9)
        if ((place < lengths) != (is_slash | is_digit)).any():
            return None
        partitions = np.where(is_slash, number, partitions)
        slash_at = np.where(is_slash, place, slash_at)
        slashes += is_slash
        number = np.where(is_digit, number * 10 + digits, np.where(is_slash, 0, number))
    offset_digits = lengths - slash_at - 1
    fit = (slashes == 1) & (slash_at > 0) & (slash_at <= _SURE_PARTITION_DIGITS)
    fit &= (offset_digits > 0) & (offset_digits <= _SURE_OFFSET_DIGITS)
    return (partitions, number) if fit.all() else None


def _moved_one_by_one(batch: KafkaBatch, origins: Sequence[bytes | None]) -> list[tuple[Rows, KafkaBatch]]:
    partitions, offsets = batch.partitions.copy(), batch.offsets.copy()
    rows_by_topic: dict[bytes, list[int]] = defaultdict(list)
    for row, value in enumerate(origins):
        origin = _parse(value)
        if origin is not None:
            partitions[row], offsets[row] = origin.partition, origin.offset
        rows_by_topic[origin.topic_id if origin else b""].append(row)
    placed = replace(batch, partitions=partitions, offsets=offsets)
    return [
        (np.array(rows, dtype=np.intp), replace(_take(placed, rows), topic_id=_text(topic_id) or batch.topic_id))
        for topic_id, rows in rows_by_topic.items()
    ]


def _parse(origin: bytes | None) -> _Origin | None:
    """None if it is not a topic id and two decimal numbers that Kafka could have given."""
    parts = (origin or b"").split(b"/")
    if len(parts) != len(_Origin._fields):
        return None
    topic_id, partition, offset = parts
    if not topic_id or not partition.isdigit() or not offset.isdigit() or max(map(len, parts)) > _LONGEST_PART:
        return None
    parsed = _Origin(topic_id, int(partition), int(offset))
    return parsed if parsed.partition <= _GREATEST_PARTITION and parsed.offset <= _GREATEST_OFFSET else None


def _text(topic_id: bytes) -> str:
    return topic_id.decode(errors="replace")


def _take(batch: KafkaBatch, rows: list[int]) -> KafkaBatch:
    if len(rows) == len(batch):
        return batch
    return KafkaBatch(
        batch.topic_id,
        batch.partitions[rows],
        batch.offsets[rows],
        batch.append_ms[rows],
        [batch.keys[row] for row in rows],
        [batch.values[row] for row in rows],
        {name: [values[row] for row in rows] for name, values in batch.headers.items()},
    )
