"""Torn and flipped bytes: every record beside the damage comes back, none that is damaged does, the loss is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.spool.intervals import IntervalSet
from edge.spool.segment import HEADER_BYTES, MARK, Placing, encode_batch, scan
from edge.spool.spool import Spool
from edge.testing import ManualClock
from schemas.envelope import Record
from schemas.headers import SENSOR_MS
from tests.unit.edge.spool.builders import HOME, fill, make_record, open_spool, read_all, segment_names, small_settings
from tests.unit.edge.spool.crash_files import CrashFiles

COUNT = 5
SMALL = 8
SEALED_COUNT = 12
BIG = 500
"""Of which a segment of 4 KiB holds eight."""


def _closed(count: int, *, size: int = SMALL, group: int = 4) -> CrashFiles:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, count, size=size, group=group)
    spool.close()
    return files


def _path(files: CrashFiles, index: int) -> Path:
    return HOME / segment_names(files)[index]


def _damaged(files: CrashFiles, path: Path, content: bytes) -> Spool:
    files.names[path].content = bytearray(content)
    return open_spool(files)


def _record_ends(content: bytes) -> list[int]:
    found = scan(content[HEADER_BYTES:], 0, 1 << 60)
    ends = [HEADER_BYTES + offset for offset in found.offsets[1:]]
    return [*ends, HEADER_BYTES + found.good_end]


def test_the_last_segment_cut_at_every_byte() -> None:
    files = _closed(COUNT)
    path = _path(files, 0)
    content = bytes(files.names[path].content)
    ends = _record_ends(content)
    cursor = bytes(files.names[HOME / "cursor"].content)
    for size in range(len(content)):
        files.names[HOME / "cursor"].content = bytearray(cursor)
        spool = _damaged(files, path, content[:size])
        whole = sum(end <= size for end in ends)
        assert read_all(spool) == {n: make_record(n, SMALL) for n in range(whole)}, size
        # The cursor knew that all of them were durable.
        assert spool.stats().lost == COUNT - whole
        assert spool.append([make_record(99, SMALL)]) == COUNT
        assert spool.commit() == COUNT + 1
        assert read_all(spool)[COUNT] == make_record(99, SMALL)
        spool.close()
        for name in segment_names(files)[1:]:
            del files.names[HOME / name]


def test_a_sealed_segment_cut_at_every_byte() -> None:
    files = _closed(SEALED_COUNT, size=BIG)
    path = _path(files, 0)
    content = bytes(files.names[path].content)
    cursor = bytes(files.names[HOME / "cursor"].content)
    ends = _record_ends(content)
    for size in range(HEADER_BYTES, ends[2]):
        files.names[HOME / "cursor"].content = bytearray(cursor)
        spool = _damaged(files, path, content[:size])
        whole = sum(end <= size for end in ends)
        expected = [*range(whole), *range(len(ends), SEALED_COUNT)]
        assert read_all(spool) == {n: make_record(n, BIG) for n in expected}, size
        assert spool.stats().lost == len(ends) - whole
        spool.close()


@pytest.mark.parametrize(
    ("count", "size", "flipped_records"),
    [(COUNT, SMALL, COUNT), (SEALED_COUNT, BIG, 1)],
    ids=["last segment", "first record of a sealed segment"],
)
def test_every_single_bit_flipped(count: int, size: int, flipped_records: int) -> None:
    files = _closed(count, size=size)
    path = _path(files, 0)
    content = bytes(files.names[path].content)
    cursor = bytes(files.names[HOME / "cursor"].content)
    names = set(files.list_names(HOME))
    ends = _record_ends(content)
    # The middle of a long value is as good as its beginning.
    places = [at for at in range(ends[flipped_records - 1]) if at < 150 or at % 5 == 0]
    for bit in (8 * at + shift for at in places for shift in range(8)):
        files.names[HOME / "cursor"].content = bytearray(cursor)
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        hit = next(index for index, end in enumerate(ends) if bit // 8 < end) if bit // 8 >= HEADER_BYTES else None
        spool = _damaged(files, path, bytes(flipped))
        assert read_all(spool) == {n: make_record(n, size) for n in range(count) if n != hit}, bit
        assert spool.stats().lost == (hit is not None), bit
        files.kill()
        for name in set(files.list_names(HOME)) - names:
            del files.names[HOME / name]


def test_every_single_bit_of_the_cursor_flipped() -> None:
    files = _closed(COUNT)
    for _ in range(2):
        spool = open_spool(files)
        spool.hand_out(0, 4)
        spool.acknowledge(IntervalSet([(0, 4)]))
        spool.close()
    before = bytes(files.names[HOME / "cursor"].content)
    segment = bytes(files.names[_path(files, 0)].content)
    used = [at for at, byte in enumerate(before) if byte] + [*range(0, 200, 7), len(before) - 1]
    for at in sorted(set(used)):
        for bit in range(8):
            files.names[HOME / "cursor"].content = bytearray(before)
            files.names[HOME / "cursor"].content[at] ^= 1 << bit
            files.names[_path(files, 0)].content = bytearray(segment)
            spool = open_spool(files)
            assert list(spool.unsettled()) == [(4, COUNT)], (at, bit)
            assert (spool.stats().lost, len(read_all(spool))) == (0, COUNT)
            files.kill()


def test_without_any_cursor_everything_is_sent_again_and_flagged() -> None:
    files = _closed(COUNT)
    files.names[HOME / "cursor"].content = bytearray(b"\xff" * 40_000)
    spool = open_spool(files)
    assert list(spool.unsettled()) == [(0, COUNT)]
    assert list(spool.sent_before) == [(0, COUNT)]
    assert spool.stats().lost == 0
    assert spool.append([make_record(9)]) == COUNT


def test_bad_bytes_are_kept_for_an_examination_once() -> None:
    files = _closed(COUNT)
    path = _path(files, 0)
    content = bytearray(files.names[path].content)
    first_end, second_end = _record_ends(bytes(content))[:2]
    content[second_end - 1] ^= 0xFF
    bad = bytes(content[first_end:second_end])
    for _ in range(2):
        spool = _damaged(files, path, bytes(content))
        read_all(spool)
        assert (spool.stats().corrupt_bytes, spool.stats().lost) == (len(bad), 1)
        spool.close()
    kept = [name for name in files.list_names(HOME) if name.endswith(".corrupt")]
    assert [bytes(files.names[HOME / name].content) for name in kept] == [bad]


def test_a_segment_that_vanished_is_counted_and_the_next_one_read() -> None:
    files = _closed(160, size=16)
    first, second, third = segment_names(files)[:3]
    del files.names[HOME / second]
    begin, end = int(second[:20]), int(third[:20])
    spool = open_spool(files)
    assert read_all(spool) == {n: make_record(n, 16) for n in range(160) if not begin <= n < end}
    assert spool.stats().lost_runs == ((begin, end),)
    spool.close()
    spool = open_spool(files)
    del files.names[HOME / first]
    files.kill()
    spool = open_spool(files)
    assert spool.stats().lost_runs == ((0, end),)
    assert spool.stats().lost == end


def test_a_segment_of_another_spool_is_set_aside() -> None:
    files = _closed(160, size=16)
    other = CrashFiles()
    spool = Spool.open(small_settings(), files=other, clock=ManualClock(), entropy=lambda size: b"\x77" * size)
    fill(spool, 4, size=SMALL)
    stray = other.names[HOME / segment_names(other)[0]]
    name = segment_names(files)[1]
    files.names[HOME / name] = stray
    spool = open_spool(files)
    assert all(record == make_record(n, 16) for n, record in read_all(spool).items())
    assert name.replace(".seg", ".foreign") in files.list_names(HOME)


def test_a_mark_inside_a_value_is_not_taken_for_a_record() -> None:
    inner = encode_batch([make_record(1)], Placing(7, 0, 0))[0]
    record = Record(b"k", MARK * 5 + inner[:-1] + MARK, {SENSOR_MS: b"1"})
    stretch = bytearray(b"".join(encode_batch([record, make_record(2)], Placing(0, 0, 0))))
    assert scan(bytes(stretch), 0, 100).positions == [0, 1]
    stretch[5] ^= 1
    assert scan(bytes(stretch), 0, 100).positions == [1]


def test_a_length_beyond_the_limit_is_not_followed() -> None:
    stretch = bytearray(b"".join(encode_batch([make_record(0), make_record(1)], Placing(0, 0, 0))))
    stretch[8:12] = (2**32 - 1).to_bytes(4, "little")
    found = scan(bytes(stretch), 0, 100)
    assert (found.positions, found.gaps(0)) == ([1], [(0, 1)])


def test_a_segment_removed_by_somebody_else_is_counted_while_it_runs() -> None:
    files = CrashFiles()
    spool = open_spool(files)
    fill(spool, 160, size=16)
    first, second = (int(name[:20]) for name in segment_names(files)[:2])
    del files.names[_path(files, 0)]
    assert sorted(read_all(spool)) == list(range(second, 160))
    assert spool.stats().lost_runs == ((first, second),)
    assert list(spool.unsettled()) == [(second, 160)]
