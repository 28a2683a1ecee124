"""Gathering within a batch: what the window would put together anyway is put together before it.

A row in a session window is dear on the JVM. Under load a batch holds several frames of a key, so their summaries
travel as one row. Why: docs/adr/0009-summaries-gather-within-the-batch.md.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    frames = np.array([row for row, summary in enumerate(summaries) if summary is not None], dtype=np.intp)
    if len(frames) == 0:
        return gathered
    number_of: dict[bytes | None, int] = {}
    groups = np.array([number_of.setdefault(keys[row], len(number_of)) for row in frames.tolist()])
    order = np.lexsort((append_ms[frames], bucket_ms[frames], groups))
    frames, groups = frames[order], groups[order]
    arrivals = append_ms[frames]
    is_first = np.concatenate(([True], (np.diff(groups) != 0) | (np.diff(bucket_ms[frames]) != 0)))
    since_first = arrivals - arrivals[is_first][np.cumsum(is_first) - 1]
    is_first[1:] |= np.diff(since_first // idle_ms) != 0
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(frames))
    rows = frames.tolist()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        gathered[rows[start]] = b"".join([summaries[row] or b"" for row in rows[start:end]])
        if arrivals[end - 1] > arrivals[start]:
            gathered[rows[end - 1]] = b""
    return gathered
