"""Interval sets behave as sets of integers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.spool.intervals import IntervalSet

SPAN = 60
places = st.integers(0, SPAN)
runs = st.tuples(places, places)
changes = st.lists(st.tuples(st.booleans(), runs), max_size=30)


def _both(actions: list[tuple[bool, tuple[int, int]]]) -> tuple[IntervalSet, set[int]]:
    intervals, plain = IntervalSet(), set[int]()
    for adding, (begin, end) in actions:
        if adding:
            intervals.add(begin, end)
            plain |= set(range(begin, end))
        else:
            intervals.remove(begin, end)
            plain -= set(range(begin, end))
    return intervals, plain


def _positions(intervals: IntervalSet) -> set[int]:
    return {position for begin, end in intervals for position in range(begin, end)}


@given(changes)
def test_adding_and_removing_is_that_of_sets(actions: list[tuple[bool, tuple[int, int]]]) -> None:
    intervals, plain = _both(actions)
    assert _positions(intervals) == plain
    assert intervals.count() == len(plain)
    assert intervals.end == max(plain, default=-1) + 1
    assert all((position in intervals) == (position in plain) for position in range(SPAN + 1))
    flat = [place for run in intervals for place in run]
    assert flat == sorted(set(flat)), "runs are apart and in order"


@given(changes, runs)
def test_covers_and_missing_are_those_of_sets(
    actions: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]
) -> None:
    intervals, plain = _both(actions)
    wanted = set(range(*asked))
    assert intervals.covers(*asked) == (wanted <= plain)
    assert _positions(IntervalSet(intervals.missing(*asked))) == wanted - plain
    assert intervals.prefix_end == next(place for place in range(SPAN + 2) if place not in plain)


@given(changes, st.integers(1, 5))
def test_bounds_lag_or_exceed_but_never_the_other_way(actions: list[tuple[bool, tuple[int, int]]], bound: int) -> None:
    intervals, plain = _both(actions)
    lowest, highest, coarse = intervals.lowest(bound), intervals.highest(bound), intervals.coarsened(bound)
    assert max(len(lowest), len(highest), len(coarse)) <= bound
    assert _positions(lowest) <= plain
    assert _positions(highest) <= plain
    assert _positions(coarse) >= plain
    if len(intervals) <= bound:
        assert lowest == highest == coarse == intervals


@given(st.lists(places))
def test_positions_are_added_in_any_order(positions: list[int]) -> None:
    intervals = IntervalSet()
    intervals.add_positions(positions)
    assert _positions(intervals) == set(positions)
