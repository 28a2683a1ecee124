"""Summaries of a batch travel together; the session window over the fewer rows spans the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.gathering import gather_summaries

IDLE_MS = 5_000
Arrival = tuple[bytes, int, int, bool]
"""Key, bucket, append time, whether it is a frame."""

ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b"]), st.sampled_from([0, 1_800_000]), st.integers(0, 40_000), st.integers(0, 9)
    ).map(lambda drawn: (*drawn[:3], drawn[3] > 0)),
    max_size=60,
)


def gather(arrivals: list[Arrival]) -> list[bytes | None]:
    return gather_summaries(
        [key for key, *_ in arrivals],
        np.array([bucket for _, bucket, *_ in arrivals], dtype=np.int64),
        np.array([append for *_, append, _ in arrivals], dtype=np.int64),
        [bytes([row]) if is_frame else None for row, (*_, is_frame) in enumerate(arrivals)],
        idle_ms=IDLE_MS,
    )


def windows(rows: list[tuple[bytes, int, int, bytes]]) -> set[tuple[bytes, int, int, int, frozenset[int]]]:
    """What a session window makes: key, bucket, first arrival, last arrival, and which summaries are in it."""
    found: list[tuple[bytes, int, int, int, frozenset[int]]] = []
    for key, bucket, append, packed in sorted(rows, key=lambda row: row[:3]):
        if found and found[-1][:2] == (key, bucket) and append <= found[-1][3] + IDLE_MS:
            found[-1] = (*found[-1][:3], append, found[-1][4] | frozenset(packed))
        else:
            found.append((key, bucket, append, append, frozenset(packed)))
    return set(found)


@given(ARRIVALS)
def test_the_window_spans_and_holds_the_same(arrivals: list[Arrival]) -> None:
    single = [
        (key, bucket, append, bytes([row])) for row, (key, bucket, append, is_frame) in enumerate(arrivals) if is_frame
    ]
    together = [
        (*arrival[:3], packed) for arrival, packed in zip(arrivals, gather(arrivals), strict=True) if packed is not None
    ]
    assert windows(together) == windows(single)
    assert sorted(b"".join(packed for *_, packed in together)) == [packed[0] for *_, packed in single]


def test_frames_that_arrive_at_once_are_one_row() -> None:
    assert gather([(b"a", 0, 7, True)] * 5) == [bytes(range(5)), None, None, None, None]


def test_the_last_arrival_keeps_the_window_open() -> None:
    assert gather([(b"a", 0, at, True) for at in (0, 1_000, 2_000)]) == [bytes(range(3)), None, b""]


def test_keys_and_buckets_stay_apart_and_what_is_no_frame_stays_out() -> None:
    arrivals = [(b"a", 0, 0, True), (b"b", 0, 0, True), (b"a", 9, 0, True), (b"a", 0, 0, False), (b"a", 0, 0, True)]
    assert gather(arrivals) == [b"\x00\x04", b"\x01", b"\x02", None, None]


def test_an_empty_batch_has_no_rows() -> None:
    assert gather([]) == []
