"""Exactly once: any log of records, any faults, any restarts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.jobs.clickhouse_model import BAD_EVENT, Fault, Frame, KilledError, ModelTable, block_of, writer_of


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
    table, done = ModelTable(), 0
    refused: set[int] = set()
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
