"""Gathering within a batch: what the window would put together anyway is put together before it.

A row in a session window is dear on the JVM. Under load a batch holds several frames of a key, so their summaries
travel as one row. Why: docs/adr/0009-summaries-gather-within-the-batch.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray


def gather_summaries(
    keys: Sequence[bytes | None],
    bucket_ms: NDArray[np.int64],
    append_ms: NDArray[np.int64],
    summaries: Sequence[bytes | None],
    *,
    idle_ms: int,
) -> list[bytes | None]:
    """Joins the summaries of a batch that belong to one key and bucket and arrived within `idle_ms`.

    The session window over the rows that remain spans what it would have spanned over all of them: the first
    arrival of a run carries all its summaries, the last one an empty one, and between the two is at most the idle
    pause that the window bridges.

    Args:
        keys: of the records.
        bucket_ms: of each record.
        append_ms: when each arrived.
        summaries: one packed summary a frame, None for records that are none.
        idle_ms: the window's idle pause.

    Returns:
        For each record packed summaries, none (b""), or None where the window needs no row.
    """
    gathered: list[bytes | None] = [None] * len(summaries)
    is_frame = np.fromiter(map(bool, summaries), np.bool_, len(summaries))
    frames = np.flatnonzero(is_frame)
    if len(frames) == 0:
        return gathered
    groups = np.fromiter(map(_Numbers().__getitem__, compress(keys, is_frame)), np.intp, len(frames))
    order = np.lexsort((append_ms[frames], bucket_ms[frames], groups))
    frames, groups = frames[order], groups[order]
    arrivals = append_ms[frames]
    is_first = np.concatenate(([True], (np.diff(groups) != 0) | (np.diff(bucket_ms[frames]) != 0)))
    since_first = arrivals - arrivals[is_first][np.cumsum(is_first) - 1]
    is_first[1:] |= np.diff(since_first // idle_ms) != 0
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(frames))
    sorted_summaries = [summaries[row] or b"" for row in frames.tolist()]
    firsts, lasts = frames[starts].tolist(), frames[ends - 1].tolist()
    spans = (arrivals[ends - 1] > arrivals[starts]).tolist()
    for start, end, first, last, lasted in zip(starts.tolist(), ends.tolist(), firsts, lasts, spans, strict=True):
        gathered[first] = b"".join(sorted_summaries[start:end])
        if lasted:
            gathered[last] = b""
    return gathered


class _Numbers(dict[bytes | None, int]):
    """Numbers for keys, in the order in which they are first asked for."""

    def __missing__(self, key: bytes | None) -> int:
        number = self[key] = len(self)
        return number
