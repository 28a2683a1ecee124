"""Copied records are known by where they stood in the topic they were copied from."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.runtime.clickhouse.origins import split_by_origin
from schemas.headers import ORIGIN
from udfs.table_blocks import KafkaBatch


def batch_of(*origins: tuple[bytes | None, bytes | None, bytes | None]) -> KafkaBatch:
    count = len(origins)
    columns = list(zip(*origins, strict=True))
    return KafkaBatch(
        topic_id="copy",
        partitions=np.zeros(count, dtype=np.int32),
        offsets=1_000 + np.arange(count),
        append_ms=np.arange(count),
        keys=[b"key"] * count,
        values=[b"%d" % index for index in range(count)],
        headers=dict(zip(ORIGIN, columns, strict=True)),
    )


def test_records_take_id_and_position_of_the_original() -> None:
    ((rows, part),) = split_by_origin(batch_of((b"first", b"2", b"7"), (b"first", b"0", b"9")))
    assert rows.tolist() == [0, 1]
    assert (part.topic_id, part.partitions.tolist(), part.offsets.tolist()) == ("first", [2, 0], [7, 9])


def test_records_of_several_topics_become_several_batches_with_their_own_values() -> None:
    parts = split_by_origin(batch_of((b"a", b"0", b"1"), (b"b", b"0", b"1"), (b"a", b"0", b"2")))
    assert {part.topic_id: (rows.tolist(), list(part.values)) for rows, part in parts} == {
        "a": ([0, 2], [b"0", b"2"]),
        "b": ([1], [b"1"]),
    }


@pytest.mark.parametrize(
    "origin",
    [
        (None, b"0", b"1"),
        (b"a", None, b"1"),
        (b"a", b"0", None),
        (b"a", b"x", b"1"),
        (b"a", b"-1", b"1"),
        (b"a", b"0", b"1.5"),
        (b"a", b"99999999999", b"1"),
        (b"a", b"0", b"9" * 30),
    ],
)
def test_record_without_a_whole_origin_stays_where_it_is(
    origin: tuple[bytes | None, bytes | None, bytes | None],
) -> None:
    parts = split_by_origin(batch_of(origin, (b"a", b"3", b"4")))
    by_topic = {part.topic_id: part for _, part in parts}
    assert by_topic["copy"].offsets.tolist() == [1_000]
    assert by_topic["a"].offsets.tolist() == [4]


def test_batch_without_origin_headers_is_left_alone() -> None:
    batch = KafkaBatch("own", np.zeros(1, np.int32), np.arange(1), np.arange(1), [None], [b"v"])
    assert [part for _, part in split_by_origin(batch)] == [batch]
