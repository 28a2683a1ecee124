"""A sync that fails and a disk that is full: nothing is acknowledged that is not durable, and it goes on afterwards."""

from __future__ import annotations

import errno
import os

import pytest

from edge.spool.errors import SpoolFailed, SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.segment import HEADER_BYTES
from edge.testing import ManualClock
from tests.unit.edge.spool.builders import fill, make_record, make_records, open_spool, read_all, segment_names
from tests.unit.edge.spool.crash_files import CrashFiles, PowerCut


def _failing(files: CrashFiles, call: str, *which: int) -> None:
    """Fails the n-th call of a kind from now, for each n given."""
    seen = iter(range(1, 1_000))

    def before(name: str) -> None:
        if name == call and next(seen) in which:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    files.before = before


def _cut_power_at(files: CrashFiles, call: str, which: int) -> None:
    seen = iter(range(1, 1_000))

    def before(name: str) -> None:
        if name == call and next(seen) == which:
            raise PowerCut

    files.before = before


def test_after_a_failed_sync_the_group_goes_into_a_new_segment() -> None:
    files = CrashFiles()
    files.unlucky = True
    spool = open_spool(files)
    fill(spool, 10)
    _failing(files, "fdatasync", 1)
    spool.append(make_records(10, 5))
    assert spool.commit() == 15
    assert len(segment_names(files)) == 2
    files.crash()
    spool = open_spool(files)
    assert read_all(spool) == {n: make_record(n) for n in range(15)}
    assert spool.stats().lost == 0


def test_records_that_a_failed_sync_left_in_the_old_segment_come_once() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 10)
    _failing(files, "fdatasync", 1)
    spool.append(make_records(10, 5))
    spool.commit()
    files.kill()
    old = files.names[next(iter(sorted(files.names)))]
    assert len(old.content) > HEADER_BYTES
    assert read_all(open_spool(files)) == {n: make_record(n) for n in range(15)}


def test_where_no_sync_succeeds_nothing_is_committed_and_the_group_waits() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 10)
    _failing(files, "fdatasync", *range(1, 100))
    spool.append(make_records(10, 5))
    for _ in range(3):
        with pytest.raises(SpoolFailed, match="Input/output error"):
            spool.commit()
    assert spool.durable_end == 10
    assert spool.read(10, 5).records == []
    with pytest.raises(SpoolFull, match="5 records are not committed yet"):
        spool.append(make_records(15, 1))
    files.before = lambda call: None
    assert spool.commit() == 15
    assert read_all(spool) == {n: make_record(n) for n in range(15)}


def test_what_the_kernel_shows_after_a_failed_sync_is_not_believed_at_the_next_start() -> None:
    """Its pages are clean and not on the disk: a sync without writing them again would promise nothing."""
    files = CrashFiles()
    files.unlucky = True
    spool = open_spool(files)
    _failing(files, "fdatasync", 2, 4)
    spool.append(make_records(0, 5))
    with pytest.raises(SpoolFailed):
        spool.commit()
    files.kill()
    spool = open_spool(files)
    survivors = read_all(spool)
    assert len(survivors) == 5
    files.crash()
    assert read_all(open_spool(files)) == survivors


def test_a_cursor_whose_sync_failed_is_written_again_at_the_next_start() -> None:
    files = CrashFiles()
    files.unlucky = True
    spool = open_spool(files)
    fill(spool, 10)
    spool.hand_out(0, 10)
    spool.acknowledge(IntervalSet([(0, 10)]))
    _failing(files, "fdatasync", 1)
    with pytest.raises(SpoolFailed):
        spool.save_cursor()
    files.kill()
    _cut_power_at(files, "fdatasync", 2)
    with pytest.raises(PowerCut):
        open_spool(files)
    files.before = lambda call: None
    files.crash()
    # The first sync of the start made the slot durable that was read, before the other was written over.
    assert not len(open_spool(files).unsettled())


def test_on_a_full_disk_nothing_is_acknowledged_until_there_is_room() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 20)
    files.capacity_bytes = files.used_bytes() + 100
    spool.append(make_records(20, 10))
    for _ in range(3):
        with pytest.raises(SpoolFull, match="No space left on device"):
            spool.commit()
    assert spool.durable_end == 20
    spool.acknowledge(IntervalSet([(0, 20)]))
    spool.save_cursor()
    files.capacity_bytes = 1 << 30
    assert spool.commit() == 30
    files.crash()
    assert list(open_spool(files).unsettled()) == [(20, 30)]


def test_on_a_full_disk_kept_segments_make_room() -> None:
    files = CrashFiles()
    spool = open_spool(files, keep_acknowledged_s=3_600.0)
    fill(spool, 200)
    spool.acknowledge(IntervalSet([(0, 200)]))
    spool.save_cursor()
    files.capacity_bytes = files.used_bytes()
    oldest = segment_names(files)[0]
    fill(spool, 5)
    assert oldest not in segment_names(files)
    assert set(read_all(spool)) >= set(range(200, 205))


def test_the_spool_starts_on_a_full_disk_and_sends() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 20)
    files.capacity_bytes = files.used_bytes()
    files.crash()
    spool = open_spool(files)
    spool.hand_out(0, 20)
    spool.acknowledge(IntervalSet([(0, 20)]))
    spool.save_cursor()
    files.crash()
    assert not len(open_spool(files).unsettled())


def test_without_fsync_what_a_power_cut_takes_is_counted_where_it_was_known() -> None:
    files = CrashFiles()
    files.unlucky = True
    spool = open_spool(files, fsync="none")
    fill(spool, 20)
    spool.hand_out(0, 20)
    spool.acknowledge(IntervalSet([(0, 12)]))
    spool.save_cursor()
    files.crash()
    spool = open_spool(files, fsync="none")
    # The cursor is synced under every policy: it knows of 20, of which 12 had arrived.
    assert (spool.durable_end, spool.stats().lost, spool.stats().lost_runs) == (20, 8, ((12, 20),))
    assert spool.append(make_records(20, 1)) == 20


def test_an_interval_policy_syncs_when_its_time_is_over_also_without_new_records() -> None:
    files, clock = CrashFiles(), ManualClock()
    spool = open_spool(files, clock, fsync="interval", fsync_interval_ms=500)
    fill(spool, 10)
    before = files.calls.count("fdatasync")
    spool.commit()
    assert files.calls.count("fdatasync") == before
    clock.sleep(0.5)
    spool.commit()
    assert files.calls.count("fdatasync") == before + 1
    files.unlucky = True
    files.crash()
    assert len(read_all(open_spool(files, clock))) == 10
