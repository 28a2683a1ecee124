"""The reading side: committed records by position, and what became of those that cannot be read."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge.spool.catalog import Stretch
from edge.spool.directory import SpoolDirectory
from edge.spool.segment import HEADER_BYTES, SpooledRecord, append_ms_of, decode_payload, scan
from edge.spool.state import SpoolState

LOG = logging.getLogger(__name__)

_CACHED = 3
"""Segments in memory: one for live data, one for the backlog, one for a look elsewhere."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a read gave.

    Attributes:
        records: in order of their positions.
        end: every position from the start of the read up to here was looked at; the next read begins here.
    """

    records: list[SpooledRecord]
    end: int


@dataclass(slots=True)
class _Chunk:
    """As much of a segment as has been read: its good records by position."""

    read_bytes: int = HEADER_BYTES
    read_end: int = 0
    positions: list[int] = field(default_factory=list)
    payloads: list[memoryview] = field(default_factory=list)


class Reader:
    """Reads what is committed; one thread uses it.

    Args:
        state: shared with the writer.
    """

    def __init__(self, state: SpoolState) -> None:
        self._state = state
        self._directory: SpoolDirectory = state.directory
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()

    def read(self, start: int, limit: int, end: int, max_bytes: int) -> Batch:
        """At most `limit` records of positions `[start, end)`; fewer, or none, where there are no more.

        It stops after the record with which the payloads have `max_bytes`.
        """
        records: list[SpooledRecord] = []
        position, taken_bytes = start, 0
        while len(records) < limit and taken_bytes < max_bytes:
            with self._state.lock:
                stop = min(end, self._state.ledger.durable_end)
                stretch = self._state.catalog.stretch_at(position, self._state.ledger.durable_end)
            if stretch is None or position >= stop:
                position = max(position, min(stop, end))
                break
            chunk = self._chunk(stretch)
            first = bisect_left(chunk.positions, position)
            last = min(bisect_left(chunk.positions, stop), first + limit - len(records))
            position = max(position, min(stretch.end, stop))
            for index in range(first, last):
                if taken_bytes >= max_bytes:
                    break
                taken_bytes += len(chunk.payloads[index])
                records.append(decode_payload(chunk.positions[index], chunk.payloads[index]))
            if len(records) == limit or taken_bytes >= max_bytes:
                position = records[-1].position + 1
        return Batch(records, position)

    def append_times(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Of every segment its base, and (position, append ms) of every record that exists in it."""
        position = 0
        while True:
            with self._state.lock:
                durable_end = self._state.ledger.durable_end
                stretch = self._state.catalog.stretch_at(position, durable_end)
            if stretch is None or position >= durable_end:
                return
            chunk = self._chunk(stretch)
            times = map(append_ms_of, chunk.payloads)
            yield stretch.base, list(zip(chunk.positions, times, strict=True))
            position = stretch.end

    def _chunk(self, stretch: Stretch) -> _Chunk:
        chunk = self._chunks.pop(stretch.base, None) or _Chunk(read_end=stretch.base)
        self._chunks[stretch.base] = chunk
        while len(self._chunks) > _CACHED:
            self._chunks.popitem(last=False)
        if chunk.read_end < stretch.end:
            try:
                self._extend(chunk, stretch)
            except FileNotFoundError:
                self._vanished(chunk, stretch)
        return chunk

    def _vanished(self, chunk: _Chunk, stretch: Stretch) -> None:
        """The writer has just removed it to make room, and all in it is settled; or somebody else did."""
        with self._state.lock:
            ours = any(segment.base == stretch.base for segment in self._state.catalog.segments)
        if ours:
            self._give_up(stretch.base, [(chunk.read_end, stretch.end)], 0)
            chunk.read_end = stretch.end

    def _extend(self, chunk: _Chunk, stretch: Stretch) -> None:
        """Read on to the committed end of the segment, and settle what is damaged on the way."""
        data = self._directory.read_segment(stretch.base, chunk.read_bytes, stretch.durable_bytes)
        found = scan(data, chunk.read_end, stretch.end)
        chunk.positions += found.positions
        chunk.payloads += found.payloads
        saved = sum(
            self._directory.save_corrupt(stretch.base, chunk.read_bytes + begin, data[begin:end])
            for begin, end in found.bad
        )
        found_end = found.positions[-1] + 1 if found.positions else chunk.read_end
        self._give_up(stretch.base, [*found.gaps(chunk.read_end), (found_end, stretch.end)], saved)
        chunk.read_bytes, chunk.read_end = stretch.durable_bytes, stretch.end

    def _give_up(self, base: int, gaps: list[tuple[int, int]], saved_bytes: int) -> None:
        """Count as lost what a gap holds, unless it was settled before."""
        ledger = self._state.ledger
        with self._state.lock:
            ledger.corrupt_bytes += saved_bytes
            lost = [run for begin, end in gaps for run in ledger.give_up(ledger.lost, begin, end)]
        for begin, end in lost:
            LOG.error("segment %d: positions %d to %d are damaged or gone, and lost", base, begin, end - 1)
