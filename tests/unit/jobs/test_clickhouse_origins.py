"""Copied records are known by where they stood in the topic they were copied from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.clickhouse.origins import split_by_origin
from schemas.headers import ORIGIN
from udfs.table_blocks import KafkaBatch


def batch_of(*origins: bytes | None) -> KafkaBatch:
    count = len(origins)
    return KafkaBatch(
        topic_id="copy",
        partitions=np.zeros(count, dtype=np.int32),
        offsets=1_000 + np.arange(count),
        append_ms=np.arange(count),
        keys=[b"key"] * count,
        values=[b"%d" % index for index in range(count)],
        headers={ORIGIN: origins},
    )


def test_records_take_id_and_position_of_the_original() -> None:
    ((rows, part),) = split_by_origin(batch_of(b"first/2/7", b"first/0/9"))
    assert rows.tolist() == [0, 1]
    assert (part.topic_id, part.partitions.tolist(), part.offsets.tolist()) == ("first", [2, 0], [7, 9])
    assert (part.partitions.dtype.name, part.offsets.dtype.name) == ("int32", "int64")


def test_records_of_several_topics_become_several_batches_with_their_own_values() -> None:
    parts = split_by_origin(batch_of(b"a/0/1", b"b/0/1", b"a/0/2"))
    assert {part.topic_id: (rows.tolist(), list(part.values)) for rows, part in parts} == {
        "a": ([0, 2], [b"0", b"2"]),
        "b": ([1], [b"1"]),
    }


@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"/0/1",
        b"a//1",
        b"a/0/",
        b"a/0",
        b"a/0/1/2",
        b"a/x/1",
        b"a/-1/1",
        b"a/0/1.5",
        b"a/0/1\0",
        b"a/99999999999/1",
        b"a/0/" + b"9" * 30,
        b"a/0/" + b"9" * 5_000,
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_record_without_a_well_formed_origin_stays_where_it_is(origin: bytes | None, first: bool) -> None:
    good = b"a/3/4"
    parts = split_by_origin(batch_of(origin, good) if first else batch_of(good, origin))
    by_topic = {part.topic_id: part for _, part in parts}
    assert by_topic["copy"].offsets.tolist() == [1_000 if first else 1_001]
    assert by_topic["a"].offsets.tolist() == [4]


def test_greatest_position_is_a_position() -> None:
    ((_, part),) = split_by_origin(batch_of(b"a/%d/%d" % (2**31 - 1, 2**63 - 1), b"a/0/0"))
    assert (part.partitions.tolist(), part.offsets.tolist()) == ([2**31 - 1, 0], [2**63 - 1, 0])


NUMBERS = st.one_of(st.integers(0, 2**64).map(str), st.text("0123456789/x", max_size=12))
ORIGINS = st.builds("{}/{}/{}".format, st.sampled_from(["a", "ab"]), NUMBERS, NUMBERS).map(str.encode)


@given(st.lists(ORIGINS, min_size=1, max_size=6))
def test_origins_are_read_together_as_they_are_one_by_one(many: list[bytes]) -> None:
    """A record without any origin makes its whole batch take the ordinary way."""
    together, one_by_one = (positions_of(batch_of(*many)), positions_of(batch_of(*many, None)))
    assert together == {row: position for row, position in one_by_one.items() if row < len(many)}


def positions_of(batch: KafkaBatch) -> dict[int, tuple[str, int, int]]:
    return {
        row: (part.topic_id, partition, offset)
        for rows, part in split_by_origin(batch)
        for row, partition, offset in zip(rows.tolist(), part.partitions.tolist(), part.offsets.tolist(), strict=True)
    }


def test_batch_without_origin_headers_is_left_alone() -> None:
    batch = KafkaBatch("own", np.zeros(1, np.int32), np.arange(1), np.arange(1), [None], [b"v"])
    assert [part for _, part in split_by_origin(batch)] == [batch]
