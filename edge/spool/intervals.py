"""Sets of positions as runs `[begin, end)`: a spool's millions of positions are a handful of runs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Run = tuple[int, int]
"""Positions from the first up to, but without, the second."""


class IntervalSet:
    """A set of integers; its size in memory is its number of runs.

    Args:
        runs: in any order; they may touch or overlap.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in runs:
            self.add(begin, end)

    def __iter__(self) -> Iterator[Run]:
        return iter(list(zip(self._begins, self._ends, strict=True)))

    def __len__(self) -> int:
        """The number of runs."""
        return len(self._begins)

    def __contains__(self, position: int) -> bool:
        index = bisect_right(self._begins, position) - 1
        return index >= 0 and position < self._ends[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IntervalSet({list(self)})"

    @property
    def first(self) -> Run:
        """The lowest run.

        Raises:
            IndexError: if the set is empty.
        """
        return self._begins[0], self._ends[0]

    @property
    def end(self) -> int:
        """One past the greatest position; 0 if the set is empty."""
        return self._ends[-1] if self._ends else 0

    @property
    def prefix_end(self) -> int:
        """Every position below is in the set."""
        return self._ends[0] if self._begins and self._begins[0] == 0 else 0

    def count(self) -> int:
        """The number of positions."""
        return sum(self._ends) - sum(self._begins)

    def copy(self) -> IntervalSet:
        """A set of its own with the same positions."""
        twin = IntervalSet()
        twin._begins, twin._ends = self._begins.copy(), self._ends.copy()
        return twin

    def add(self, begin: int, end: int) -> None:
        """Add `[begin, end)`; runs that touch become one."""
        if begin >= end:
            return
        low = bisect_left(self._ends, begin)
        high = bisect_right(self._begins, end)
        if low < high:
            begin, end = min(begin, self._begins[low]), max(end, self._ends[high - 1])
        self._begins[low:high] = [begin]
        self._ends[low:high] = [end]

    def add_positions(self, positions: Iterable[int]) -> None:
        """Add single positions, in any order."""
        begin = end = 0
        for position in sorted(positions):
            if position != end:
                self.add(begin, end)
                begin = position
            end = position + 1
        self.add(begin, end)

    def update(self, runs: Iterable[Run]) -> None:
        """Add several runs."""
        for begin, end in runs:
            self.add(begin, end)

    def remove(self, begin: int, end: int) -> None:
        """Take `[begin, end)` out."""
        low = bisect_right(self._ends, begin)
        high = bisect_left(self._begins, end)
        if low >= high or begin >= end:
            return
        first, last = self._begins[low], self._ends[high - 1]
        rests = [(b, e) for b, e in ((first, begin), (end, last)) if b < e]
        self._begins[low:high] = [b for b, _ in rests]
        self._ends[low:high] = [e for _, e in rests]

    def covers(self, begin: int, end: int) -> bool:
        """Whether all of `[begin, end)` is in the set."""
        index = bisect_right(self._begins, begin) - 1
        return begin >= end or (index >= 0 and end <= self._ends[index])

    def missing(self, begin: int, end: int) -> list[Run]:
        """The runs of `[begin, end)` that are not in the set."""
        gaps: list[Run] = []
        for index in range(bisect_right(self._ends, begin), len(self._begins)):
            if begin >= end or self._begins[index] >= end:
                break
            if begin < self._begins[index]:
                gaps.append((begin, self._begins[index]))
            begin = self._ends[index]
        if begin < end:
            gaps.append((begin, end))
        return gaps

    def lowest(self, runs: int) -> IntervalSet:
        """The first `runs` runs: a subset."""
        twin = IntervalSet()
        twin._begins, twin._ends = self._begins[:runs], self._ends[:runs]
        return twin

    def highest(self, runs: int) -> IntervalSet:
        """The last `runs` runs: a subset."""
        twin = IntervalSet()
        twin._begins, twin._ends = self._begins[-runs:], self._ends[-runs:]
        return twin

    def coarsened(self, runs: int) -> IntervalSet:
        """At most `runs` runs, made by filling the smallest gaps: a superset."""
        gaps = sorted(range(1, len(self._begins)), key=lambda index: self._begins[index] - self._ends[index - 1])
        filled = set(gaps[: max(0, len(self._begins) - runs)])
        twin = IntervalSet()
        for index, (begin, end) in enumerate(self):
            twin.add(twin.end if index in filled else begin, end)
        return twin
