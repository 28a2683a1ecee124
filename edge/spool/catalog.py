"""The segments that exist, in order of their positions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

_SAMPLE_EVERY_MS = 1_000


@dataclass(slots=True, eq=False)
class Segment:
    """One segment file.

    Attributes:
        base: position of its first record.
        created_ms: wall clock at which it was made.
        durable_bytes: as much of the file as is committed; a reader goes no further.
        times: (position, append ms) about once a second, for the age of what waits.
        settled_at_s: monotonic clock at which it was first seen with nothing left to send.
    """

    base: int
    created_ms: int
    durable_bytes: int
    times: list[tuple[int, int]] = field(default_factory=list)
    settled_at_s: float | None = None

    def note_time(self, position: int, append_ms: int) -> None:
        """Remember when this position was appended, unless a sample near it is there."""
        if not self.times or abs(append_ms - self.times[-1][1]) >= _SAMPLE_EVERY_MS:
            self.times.append((position, append_ms))

    def appended_ms(self, position: int) -> int:
        """About when the record at `position` was appended, at most a second too early."""
        index = bisect_right(self.times, position, key=lambda sample: sample[0]) - 1
        return self.times[index][1] if index >= 0 else self.created_ms


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a reader needs to know of a segment at one moment: its positions `[base, end)` and its committed bytes."""

    base: int
    end: int
    durable_bytes: int


class Catalog:
    """The segments; the last one is being written, all others are sealed."""

    def __init__(self, segments: list[Segment] | None = None) -> None:
        self.segments = segments or []

    @property
    def bytes(self) -> int:
        """Of all segments together."""
        return sum(segment.durable_bytes for segment in self.segments)

    def end_of(self, index: int, durable_end: int) -> int:
        """One past the last position of a segment: the base of the next, or the durable end."""
        return self.segments[index + 1].base if index + 1 < len(self.segments) else durable_end

    def index_of(self, position: int) -> int:
        """The segment in whose range a position is; -1 if it is before the first."""
        return bisect_right(self.segments, position, key=lambda segment: segment.base) - 1

    def stretch_at(self, position: int, durable_end: int) -> Stretch | None:
        """The segment that holds `position`, else the first behind it."""
        if not self.segments:
            return None
        index = max(0, self.index_of(position))
        segment = self.segments[index]
        return Stretch(segment.base, self.end_of(index, durable_end), segment.durable_bytes)

    def sealed(self, durable_end: int) -> list[tuple[Segment, int]]:
        """Every sealed segment with its end, oldest first."""
        return [(segment, self.end_of(index, durable_end)) for index, segment in enumerate(self.segments[:-1])]
