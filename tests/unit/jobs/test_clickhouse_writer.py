"""The writer against a model of a table whose INSERT can stop between its own partitions."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jobs.runtime.clickhouse.backoff import Backoff
from jobs.runtime.clickhouse.errors import RowsRefusedError, StoreAwayError
from jobs.runtime.clickhouse.offsets import Source
from jobs.runtime.clickhouse.repeats import RepeatedEvents
from jobs.runtime.clickhouse.writer import BlockWriter
from schemas.errors import InvalidMessage, Reason
from udfs.table_blocks import Block, object_array

TOPIC = "topic-1"
BAD_EVENT = b"bad"


@dataclass(frozen=True)
class Frame:
    """A Kafka record of the model: where it stands, which event it is, which table partition takes it."""

    partition: int
    offset: int
    event: bytes
    month: int = 0
    resent: bool = False


@dataclass(frozen=True)
class Fault:
    """An INSERT that ends after some of its table partitions are stored: the connection is lost, or the writer."""

    stored_parts: int
    kills: bool = False


class KilledError(Exception):
    """The writer's process ends here."""


@dataclass
class ModelTable:
    """A table in memory; `faults` says what happens to one INSERT after another (None: it succeeds)."""

    stored: list[Frame] = field(default_factory=list)
    topic_ids: list[str] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    running: list[bool] = field(default_factory=list)
    inserts: int = 0
    largest: int = 10**9

    def insert(self, block: Block) -> None:
        self.inserts += 1
        frames: list[Frame] = block.columns["frame"].tolist()
        if len(frames) > self.largest:
            raise StoreAwayError("memory limit", too_large=True)
        if any(frame.event.startswith(BAD_EVENT) for frame in frames):
            raise RowsRefusedError("Code: 469. constraint violated")
        fault = self.faults.pop(0) if self.faults else None
        months = sorted({frame.month for frame in frames})
        for month in months if fault is None else months[: fault.stored_parts]:
            part = [frame for frame in frames if frame.month == month]
            self.stored += part
            self.topic_ids += [block.topic_id] * len(part)
        if fault is not None:
            raise KilledError if fault.kills else StoreAwayError("connection reset")

    def _offsets(self, source: Source) -> list[int]:
        rows = zip(self.stored, self.topic_ids, strict=True)
        return [row.offset for row, topic in rows if (topic, row.partition) == (source.topic_id, source.partition)]

    def highest_offset(self, source: Source) -> int:
        return max(self._offsets(source), default=-1)

    def stored_offsets(self, source: Source, first: int, last: int) -> NDArray[np.int64]:
        return np.array([offset for offset in self._offsets(source) if first <= offset <= last], dtype=np.int64)

    def is_inserting(self, sources: Collection[Source]) -> bool:
        assert sources
        return self.running.pop(0) if self.running else False

    def known_events(self, block: Block) -> set[bytes]:
        return {frame.event for frame in self.stored} & set(block.columns["event_id"].tolist())

    def recent_resent_events(self, count: int) -> list[bytes]:
        return [frame.event for frame in self.stored if frame.resent][-count:]


def block_of(frames: list[Frame], topic_id: str = TOPIC) -> Block:
    columns = {
        "frame": object_array(frames),
        "event_id": object_array([frame.event for frame in frames]),
        "resent": np.array([frame.resent for frame in frames], dtype=np.bool_),
        "kafka_partition": np.array([frame.partition for frame in frames], dtype=np.int32),
        "kafka_offset": np.array([frame.offset for frame in frames], dtype=np.int64),
    }
    return Block(topic_id, columns, np.arange(len(frames)), len(frames), {})


def writer_of(table: ModelTable, *, insert_rows: int = 1_000, pauses_s: list[float] | None = None) -> BlockWriter:
    slept = [] if pauses_s is None else pauses_s
    backoff = Backoff(0.1, 5.0, sleep=slept.append, clock=lambda: 0.0, rng=random.Random(1))
    return BlockWriter(table, backoff=backoff, insert_rows=insert_rows, repeats=RepeatedEvents(table))


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
    table, pauses_s = ModelTable(faults=[Fault(0)] * 12), []
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


@dataclass(frozen=True)
class Life:
    """One life of the writer: what happens to its INSERTs, which record it begins at, how long its blocks are."""

    faults: list[Fault | None]
    begin: int
    block_rows: int
    insert_rows: int


@st.composite
def kafka_logs(draw: st.DrawFn) -> list[Frame]:
    """Records of two partitions; some are second copies, flagged; some events can't be stored."""
    count = draw(st.integers(1, 20))
    bad = draw(st.sets(st.integers(0, count - 1), max_size=2))
    frames: list[Frame] = []
    for index in range(count):
        copied = frames[draw(st.integers(0, index - 1))] if index and draw(st.integers(0, 3)) == 0 else None
        event = copied.event if copied else b"%s%d" % (BAD_EVENT, index) if index in bad else b"e%d" % index
        partition = copied.partition if copied else index % 2
        month = copied.month if copied else draw(st.integers(0, 2))
        offset = sum(frame.partition == partition for frame in frames)
        frames.append(Frame(partition, offset, event, month, resent=copied is not None))
    return frames


faults = st.one_of(st.none(), st.builds(Fault, st.integers(0, 3), st.booleans()))
lives = st.builds(Life, st.lists(faults, max_size=6), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


@settings(max_examples=500)
@given(kafka_logs(), st.lists(lives, min_size=1, max_size=4), st.booleans())
def test_every_event_is_stored_exactly_once_whatever_is_cut_off_and_replayed(
    frames: list[Frame], lives: list[Life], flag_first: bool
) -> None:
    """A life may end in the middle of an INSERT; the next one replays from a record at or before the last done.

    With `flag_first` the flagged copy of an event comes first and its delayed first copy later.
    """
    if flag_first:
        flagged = {frame.event for frame in frames if frame.resent}
        frames = [replace(frame, resent=not frame.resent and frame.event in flagged) for frame in frames]
    table, done, refused = ModelTable(), 0, set()
    for life in lives:
        done = _live(table, frames, life, done, refused)
    done = _live(table, frames, Life([], 20, 5, 3), done, refused)
    assert done == len(frames)
    events = {frame.event for frame in frames}
    bad = {event for event in events if event.startswith(BAD_EVENT)}
    assert sorted(frame.event for frame in table.stored) == sorted(events - bad)
    assert {frames[row].event for row in refused} == bad


def _live(table: ModelTable, frames: list[Frame], life: Life, done: int, refused: set[int]) -> int:
    """Runs one life and returns how many records are done, counting those of earlier lives."""
    table.faults = list(life.faults)
    writer = writer_of(table, insert_rows=life.insert_rows)
    position = min(life.begin, done)
    try:
        while position < len(frames):
            reasons = writer.store(block_of(frames[position : position + life.block_rows]))
            refused |= {position + row for row, reason in enumerate(reasons) if reason}
            position = min(position + life.block_rows, len(frames))
            done = max(done, position)
    except KilledError:
        pass
    return done
