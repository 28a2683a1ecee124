"""A full spool: it holds its source back, or drops the oldest and says exactly what."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.spool.errors import SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.spool import Spool
from edge.testing import ManualClock
from tests.unit.edge.spool.builders import (
    fill,
    make_record,
    make_records,
    open_spool,
    read_all,
    segment_names,
    small_settings,
)
from tests.unit.edge.spool.crash_files import CrashFiles

QUOTA_BYTES = 20_000


def _fill_up(spool: Spool) -> None:
    with pytest.raises(SpoolFull, match="max_bytes is 20000"):
        while True:
            fill(spool, 10)


def test_blocked_nothing_is_dropped_and_the_spool_does_not_grow() -> None:
    files = CrashFiles()
    spool = open_spool(files, max_bytes=QUOTA_BYTES)
    _fill_up(spool)
    count = spool.durable_end
    for _ in range(3):
        with pytest.raises(SpoolFull):
            spool.append(make_records(count, 10))
    stats = spool.stats()
    assert (stats.depth_records, stats.dropped, stats.lost) == (count, 0, 0)
    assert stats.depth_bytes <= QUOTA_BYTES
    assert read_all(spool) == {n: make_record(n) for n in range(count)}


def test_blocked_it_goes_on_when_records_are_acknowledged() -> None:
    files = CrashFiles()
    spool = open_spool(files, max_bytes=QUOTA_BYTES, keep_acknowledged_s=3_600.0)
    _fill_up(spool)
    count = spool.durable_end
    spool.acknowledge(IntervalSet([(0, count)]))
    with pytest.raises(SpoolFull):
        # The acknowledgements are not durable yet: their segments must not go.
        spool.append(make_records(count, 10))
    spool.save_cursor()
    assert spool.append(make_records(count, 10)) == count
    spool.commit()
    assert list(spool.unsettled()) == [(count, count + 10)]


def test_a_last_segment_that_is_acknowledged_gives_its_room() -> None:
    files = CrashFiles()
    spool = open_spool(files, max_bytes=16_384)
    fill(spool, 1, size=4_000)
    fill(spool, 1, size=11_000)
    spool.acknowledge(IntervalSet([(0, 2)]))
    spool.save_cursor()
    assert spool.append(make_records(2, 1, size=12_000)) == 2
    assert spool.commit() == 3


def test_drop_oldest_counts_exactly_what_was_not_sent() -> None:
    files = CrashFiles()
    spool = open_spool(files, max_bytes=QUOTA_BYTES, when_full="drop_oldest")
    fill(spool, 20)
    spool.acknowledge(IntervalSet([(5, 10)]))
    fill(spool, 1_000)
    stats = spool.stats()
    kept = read_all(spool)
    oldest = min(kept)
    assert stats.dropped_runs == ((0, 5), (10, oldest))
    assert stats.dropped == oldest - 5
    assert sorted(kept) == list(range(oldest, 1_020))
    assert list(spool.unsettled()) == [(oldest, 1_020)]
    assert stats.depth_bytes <= QUOTA_BYTES
    files.crash()
    again = open_spool(files, max_bytes=QUOTA_BYTES, when_full="drop_oldest").stats()
    assert (again.dropped, again.dropped_runs, again.lost) == (stats.dropped, stats.dropped_runs, 0)


def test_drop_oldest_takes_acknowledged_segments_first() -> None:
    files = CrashFiles()
    spool = open_spool(files, max_bytes=QUOTA_BYTES, when_full="drop_oldest", keep_acknowledged_s=3_600.0)
    fill(spool, 200)
    first, second, third = (int(name[:20]) for name in segment_names(files)[:3])
    spool.acknowledge(IntervalSet([(second, third)]))
    spool.save_cursor()
    while read_all(spool).keys() & set(range(second, third)):
        fill(spool, 10)
    assert spool.stats().dropped == 0
    assert first in read_all(spool)


def test_the_floor_of_free_space_makes_it_full() -> None:
    files = CrashFiles()
    spool = open_spool(files, min_free_bytes=10_000)
    fill(spool, 10)
    files.reported_free_bytes = 10_100
    with pytest.raises(SpoolFull, match="min_free_bytes is 10000"):
        spool.append(make_records(10, 10))
    files.reported_free_bytes = 20_000
    assert spool.append(make_records(10, 10)) == 10


def test_records_too_old_are_dropped_and_counted() -> None:
    files, clock = CrashFiles(), ManualClock()
    spool = open_spool(files, clock, when_full="drop_oldest", max_age_s=3_600.0)
    fill(spool, 100)
    clock.sleep(1_000.0)
    fill(spool, 100)
    clock.sleep(2_700.0)
    fill(spool, 10)
    dropped = spool.stats().dropped
    assert 0 < dropped <= 100
    assert min(read_all(spool)) == dropped


def test_a_clock_that_was_not_set_makes_nothing_old() -> None:
    files, clock = CrashFiles(), ManualClock(now_ms=1_000)
    spool = open_spool(files, clock, when_full="drop_oldest", max_age_s=3_600.0)
    fill(spool, 200)
    clock.sleep(56 * 365 * 86_400.0)
    fill(spool, 10)
    assert spool.stats().dropped == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_bytes": 16_384, "segment_bytes": 10_000}, "less than two segments"),
        ({"max_age_s": 60.0}, "needs when_full=drop_oldest"),
        ({"when_full": "drop"}, "when_full"),
        ({"fsnc": "group"}, "fsnc"),
    ],
)
def test_settings_that_make_no_sense_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        small_settings(**changes)
