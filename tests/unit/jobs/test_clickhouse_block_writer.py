"""What the writer does when an INSERT fails, is refused, or was done before."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

from jobs.runtime.clickhouse.offsets import Source
from schemas.errors import InvalidMessage, Reason
from tests.unit.jobs.clickhouse_model import BAD_EVENT, TOPIC, Fault, Frame, ModelTable, block_of, writer_of
from udfs.table_blocks import Block


def plain_frames(count: int) -> list[Frame]:
    return [Frame(index % 2, index // 2, b"e%d" % index) for index in range(count)]


def test_replay_of_the_same_records_stores_nothing_twice() -> None:
    table, frames = ModelTable(), plain_frames(10)
    writer_of(table).store(block_of(frames))
    writer_of(table).store(block_of(frames))
    assert table.stored == frames
    assert table.inserts == 1


def test_records_of_a_topic_made_again_are_stored_though_their_offsets_are_known() -> None:
    table = ModelTable()
    writer_of(table).store(block_of([Frame(0, 0, b"old")]))
    writer_of(table).store(block_of([Frame(0, 0, b"new")], topic_id="topic-2"))
    assert [frame.event for frame in table.stored] == [b"old", b"new"]


def test_interrupted_insert_is_completed_with_the_missing_table_partitions_only() -> None:
    frames = [Frame(0, offset, b"e%d" % offset, month=offset % 3) for offset in range(9)]
    table = ModelTable(faults=[Fault(2)])
    assert writer_of(table).store(block_of(frames)) == [None] * 9
    assert sorted(table.stored, key=lambda frame: frame.offset) == frames


def test_insert_whose_answer_was_lost_is_not_sent_again() -> None:
    table = ModelTable(faults=[Fault(1)])
    writer_of(table).store(block_of(plain_frames(4)))
    assert (len(table.stored), table.inserts) == (4, 1)


def test_bad_row_goes_out_alone_with_the_servers_reason() -> None:
    frames = plain_frames(20)
    frames[7] = Frame(1, 3, BAD_EVENT)
    table = ModelTable()
    reasons = writer_of(table).store(block_of(frames))
    assert {row: reason for row, reason in enumerate(reasons) if reason} == {
        7: "not_storable: Code: 469. constraint violated"
    }
    assert set(table.stored) == set(frames) - {frames[7]}


def test_refused_row_is_refused_again_on_replay_though_later_rows_are_stored() -> None:
    """Its dead letter may be lost with the crash; a high-water mark would then swallow the row."""
    frames = [Frame(0, 0, b"a"), Frame(0, 1, BAD_EVENT), Frame(0, 2, b"c")]
    table = ModelTable()
    writer_of(table).store(block_of(frames))
    reasons = writer_of(table).store(block_of(frames))
    assert [reason is None for reason in reasons] == [True, False, True]
    assert len(table.stored) == 2


def test_row_rejected_before_it_was_a_row_keeps_its_reason() -> None:
    good = block_of([Frame(0, 5, b"a")])
    block = Block(TOPIC, good.columns, np.array([1]), 2, {0: InvalidMessage(Reason.EMPTY, "value has 0 bytes")})
    assert writer_of(ModelTable()).store(block) == ["empty: value has 0 bytes", None]


def test_block_too_large_for_the_servers_memory_is_stored_in_halves() -> None:
    table = ModelTable(largest=3)
    writer_of(table).store(block_of(plain_frames(10)))
    assert set(table.stored) == set(plain_frames(10))


def test_no_insert_is_longer_than_allowed() -> None:
    table = ModelTable(largest=4)
    pauses_s: list[float] = []
    writer_of(table, insert_rows=4, pauses_s=pauses_s).store(block_of(plain_frames(10)))
    assert (len(table.stored), table.inserts, pauses_s) == (10, 3, [])


def test_insert_of_a_killed_writer_is_waited_for_before_offsets_are_read() -> None:
    frames = plain_frames(4)

    class SlowTable(ModelTable):
        def is_inserting(self, sources: Collection[Source]) -> bool:
            running = super().is_inserting(sources)
            if not running and not self.stored:
                self.stored, self.topic_ids = list(frames), [TOPIC] * 4
            return running

    table = SlowTable(running=[True, True])
    writer_of(table).store(block_of(frames))
    assert table.stored == frames


def test_pauses_grow_while_the_server_is_away_and_stay_bounded() -> None:
    table = ModelTable(faults=[Fault(0)] * 12)
    pauses_s: list[float] = []
    writer_of(table, pauses_s=pauses_s).store(block_of(plain_frames(2)))
    assert len(table.stored) == 2
    assert len(pauses_s) == 12
    assert 0.05 <= pauses_s[0] <= 0.1
    assert all(2.5 <= pause_s <= 5.0 for pause_s in pauses_s[7:])


@pytest.mark.parametrize("together", [True, False], ids=["one block", "two blocks"])
@pytest.mark.parametrize("flagged_first", [True, False], ids=["resent copy first", "first copy first"])
def test_event_sent_twice_is_stored_once(together: bool, flagged_first: bool) -> None:
    frames = [Frame(0, 0, b"e", resent=flagged_first), Frame(0, 1, b"e", resent=not flagged_first)]
    table = ModelTable()
    writer = writer_of(table)
    for part in [frames] if together else [frames[:1], frames[1:]]:
        writer.store(block_of(part))
    assert table.stored == frames[:1]


def test_delayed_first_copy_is_recognised_after_a_restart() -> None:
    table = ModelTable()
    writer_of(table).store(block_of([Frame(0, 0, b"e", resent=True)]))
    writer_of(table).store(block_of([Frame(0, 1, b"e")]))
    assert len(table.stored) == 1


def test_second_copy_read_again_is_found_though_its_flagged_copy_is_long_forgotten() -> None:
    class ForgetfulTable(ModelTable):
        def recent_resent_events(self, count: int) -> list[bytes]:
            return []

    table, frames = ForgetfulTable(), [Frame(0, 0, b"e", resent=True), Frame(0, 1, b"e"), Frame(0, 2, b"f")]
    writer_of(table).store(block_of(frames))
    writer_of(table).store(block_of(frames[1:]))
    assert table.stored == [frames[0], frames[2]]
