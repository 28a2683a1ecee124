"""The spool while nothing fails: what goes in comes out, in any order, once settled never again."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.spool.errors import RecordRefused, SpoolFormatError, SpoolInUse
from edge.spool.files import SystemFiles
from edge.spool.intervals import IntervalSet
from edge.spool.segment import MAX_VALUE_BYTES, Header
from edge.spool.spool import Spool
from edge.testing import ManualClock
from schemas.envelope import Record
from schemas.errors import InvalidMessage, Reason
from schemas.headers import SENSOR_MS
from tests.unit.edge.spool.builders import (
    HOME,
    fill,
    make_record,
    make_records,
    open_spool,
    read_all,
    segment_names,
    small_settings,
)
from tests.unit.edge.spool.crash_files import CrashFiles


def test_records_come_back_byte_for_byte_over_segments() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 200)
    assert len(segment_names(files)) > 3
    assert read_all(spool) == {n: make_record(n) for n in range(200)}


def test_a_record_that_is_not_committed_is_not_read() -> None:
    spool = open_spool(CrashFiles())
    assert spool.append(make_records(0, 3)) == 0
    assert spool.read(0, 10).records == []
    assert spool.commit() == 3
    assert len(spool.read(0, 10).records) == 3
    assert spool.append(make_records(3, 1)) == 3


def test_reads_are_limited_by_records_bytes_and_end() -> None:
    spool = open_spool(CrashFiles())
    fill(spool, 200)
    positions = [spooled.position for spooled in spool.read(95, 10).records]
    assert positions == list(range(95, 105))
    batch = spool.read(95, 1_000, 98)
    assert (len(batch.records), batch.end) == (3, 98)
    batch = spool.read(0, 1_000, max_bytes=1)
    assert (len(batch.records), batch.end) == (1, 1)
    assert spool.read(300, 5).records == []


def test_positions_go_on_after_a_restart_and_settled_ones_stay_settled() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 50)
    spool.acknowledge(IntervalSet([(0, 20), (30, 40)]))
    spool.close()
    spool = open_spool(files)
    assert list(spool.unsettled()) == [(20, 30), (40, 50)]
    assert spool.append(make_records(50, 1)) == 50


def test_acknowledged_segments_are_kept_for_their_time_and_then_removed() -> None:
    files, clock = CrashFiles(), ManualClock()
    spool = open_spool(files, clock, keep_acknowledged_s=60.0)
    fill(spool, 200)
    before = segment_names(files)
    spool.acknowledge(IntervalSet([(0, 200)]))
    spool.save_cursor()
    clock.sleep(59.0)
    spool.retire()
    assert segment_names(files) == before
    clock.sleep(1.0)
    spool.retire()
    assert segment_names(files) == before[-1:]


def test_a_segment_with_one_unsettled_record_stays() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 200)
    before = segment_names(files)
    spool.acknowledge(IntervalSet([(0, 5), (6, 200)]))
    spool.save_cursor()
    assert segment_names(files) == [before[0], before[-1]]
    assert read_all(spool).keys() >= set(range(30))


def test_resend_takes_the_kept_records_of_a_stretch_of_time_and_survives_a_restart() -> None:
    files, clock = CrashFiles(), ManualClock(now_ms=1_000_000)
    spool = open_spool(files, clock, keep_acknowledged_s=3_600.0)
    for _ in range(10):
        fill(spool, 10)
        clock.sleep(1.0)
    spool.acknowledge(IntervalSet([(0, 95)]))
    assert list(spool.resend(1_003_000, 1_006_000)) == [(30, 60)]
    # What still waits is not sent twice.
    assert list(spool.resend(1_009_000, 2_000_000)) == [(90, 95)]
    spool.close()
    spool = open_spool(files, clock, keep_acknowledged_s=3_600.0)
    assert list(spool.unsettled()) == [(30, 60), (90, 100)]
    assert spool.sent_before.covers(30, 60)


def test_what_was_never_handed_out_is_not_said_to_be_sent_before() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 30)
    spool.close()
    spool = open_spool(files, max_bytes=1 << 23)
    assert not len(spool.sent_before)
    spool.hand_out(0, 10)
    fill(spool, 30_000, group=1_000)
    spool.close()
    assert list(open_spool(files).sent_before) == [(0, 10_010)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(b"k", bytes(MAX_VALUE_BYTES + 1), {SENSOR_MS: b"1"}), Reason.OVERSIZED),
        (Record(bytes(5_000), b"v", {SENSOR_MS: b"1"}), Reason.OVERSIZED),
        (Record(b"k", b"v", {}), Reason.HEADER_MISMATCH),
        (Record(b"k", b"v", {SENSOR_MS: b"1", "other": b"2"}), Reason.HEADER_MISMATCH),
    ],
)
def test_a_record_that_can_never_be_spooled_is_refused_by_its_place(record: Record, reason: Reason) -> None:
    spool = open_spool(CrashFiles())
    with pytest.raises(RecordRefused, match="record 1 of the batch") as caught:
        spool.append([make_record(0), record])
    assert (caught.value.index, caught.value.reason) == (1, reason)
    assert spool.append([make_record(0)]) == 0


def test_a_batch_larger_than_the_spool_is_invalid_and_not_waited_for() -> None:
    spool = open_spool(CrashFiles(), max_bytes=16 * 1024)
    with pytest.raises(InvalidMessage, match="batch of"):
        spool.append(make_records(0, 10, size=2_000))


def test_the_largest_record_passes_through_a_segment_smaller_than_itself() -> None:
    spool = open_spool(CrashFiles(), max_bytes=1 << 22)
    record = Record(b"k", bytes(MAX_VALUE_BYTES), {SENSOR_MS: b"1"})
    spool.append([record])
    spool.commit()
    fill(spool, 3)
    assert read_all(spool)[0] == record


def test_a_group_is_due_by_records_or_by_time() -> None:
    clock = ManualClock()
    spool = open_spool(CrashFiles(), clock, group_records=3, group_ms=20)
    assert not spool.commit_is_due
    spool.append(make_records(0, 2))
    assert not spool.commit_is_due
    clock.sleep(0.020)
    assert spool.commit_is_due
    spool.commit()
    spool.append(make_records(2, 3))
    assert spool.commit_is_due


def test_age_and_depth_follow_what_waits() -> None:
    clock = ManualClock()
    spool = open_spool(CrashFiles(), clock)
    fill(spool, 10)
    clock.sleep(5.0)
    fill(spool, 10)
    clock.sleep(2.0)
    assert (spool.stats().oldest_age_ms, spool.stats().depth_records) == (7_000, 20)
    spool.acknowledge(IntervalSet([(0, 10)]))
    assert (spool.stats().oldest_age_ms, spool.stats().depth_records) == (2_000, 10)
    spool.acknowledge(IntervalSet([(10, 20)]))
    assert (spool.stats().oldest_age_ms, spool.stats().depth_records) == (0, 0)


def test_one_process_has_a_spool(tmp_path: Path) -> None:
    settings = small_settings(directory=tmp_path / "spool")
    spool = Spool.open(settings)
    with pytest.raises(SpoolInUse, match="another process"):
        Spool.open(settings)
    spool.close()
    Spool.open(settings).close()


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "spool"
    spool = Spool.open(small_settings(directory=directory))
    fill(spool, 10)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_on_a_real_disk_records_come_back_after_a_restart(tmp_path: Path) -> None:
    settings = small_settings(directory=tmp_path / "spool")
    spool = Spool.open(settings, files=SystemFiles())
    fill(spool, 200)
    spool.acknowledge(IntervalSet([(0, 100)]))
    spool.close()
    spool = Spool.open(settings)
    assert list(spool.unsettled()) == [(100, 200)]
    assert [spooled.record for spooled in spool.read(100, 100).records] == make_records(100, 100)
    spool.close()


def test_a_spool_of_a_newer_version_is_left_alone() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 5)
    spool.close()
    inode = files.names[HOME / segment_names(files)[0]]
    header = bytearray(Header(b"\1" * 16, 0, 0).to_bytes())
    header[8] = 2
    inode.content[: len(header)] = _with_crc(header)
    before = bytes(inode.content)
    with pytest.raises(SpoolFormatError, match="version 2"):
        open_spool(files)
    assert bytes(inode.content) == before


def _with_crc(header: bytearray) -> bytes:
    import zlib

    return bytes(header[:-4]) + zlib.crc32(header[:-4]).to_bytes(4, "little")
