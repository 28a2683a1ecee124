"""Origins: records that a job copied from another topic are known by where they stood there.

The copying job is at-least-once: after a restart it writes records again, at other offsets. Their position in the
topic they were copied from stays the same, so they carry it in three headers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import headers
from udfs.table_blocks import KafkaBatch

Rows = NDArray[np.intp]

_GREATEST_PARTITION = np.iinfo(np.int32).max
_GREATEST_OFFSET = np.iinfo(np.int64).max


class _Position(NamedTuple):
    partition: int
    offset: int


def split_by_origin(batch: KafkaBatch) -> list[tuple[Rows, KafkaBatch]]:
    """One batch for each topic from which the records come, with the indices of its records.

    A record without all three headers, or with a position that is none, stays where it is.
    """
    if not all(name in batch.headers for name in headers.ORIGIN):
        return [(np.arange(len(batch)), batch)]
    origins = zip(*(batch.headers[name] for name in headers.ORIGIN), strict=True)
    rows_by_topic: dict[bytes, list[int]] = defaultdict(list)
    positions: list[_Position] = []
    for row, (topic_id, partition, offset) in enumerate(origins):
        position = _position(partition, offset) if topic_id else None
        positions.append(position or _Position(int(batch.partitions[row]), int(batch.offsets[row])))
        rows_by_topic[topic_id if topic_id and position else b""].append(row)
    return [
        (np.array(rows, dtype=np.intp), _moved(_take(batch, rows), topic_id, [positions[row] for row in rows]))
        for topic_id, rows in rows_by_topic.items()
    ]


def _position(partition: bytes | None, offset: bytes | None) -> _Position | None:
    """None if the two are not decimal numbers that Kafka could have given."""
    if not partition or not offset or not partition.isdigit() or not offset.isdigit():
        return None
    position = _Position(int(partition), int(offset))
    return position if position.partition <= _GREATEST_PARTITION and position.offset <= _GREATEST_OFFSET else None


def _moved(part: KafkaBatch, topic_id: bytes, positions: list[_Position]) -> KafkaBatch:
    return replace(
        part,
        topic_id=topic_id.decode(errors="replace") or part.topic_id,
        partitions=np.array([position.partition for position in positions], dtype=np.int32),
        offsets=np.array([position.offset for position in positions], dtype=np.int64),
    )


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
