"""The ledger on disk: what is stored comes back, within its bounds, from whichever slot is whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.spool.cursor import SLOT_BYTES, CursorFile, decode_slot, encode_slot
from edge.spool.directory import SpoolDirectory
from edge.spool.intervals import IntervalSet
from edge.spool.ledger import HANDED_OUT_RUNS, SETTLED_RUNS, Ledger, Tally
from tests.unit.edge.spool.builders import HOME
from tests.unit.edge.spool.crash_files import CrashFiles

STREAM = b"s" * 16
interval_sets = st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 1 << 62)), max_size=20).map(IntervalSet)
tallies = st.builds(Tally, st.integers(0, 1 << 62), interval_sets)
counts = st.integers(0, 1 << 62)
ledgers = st.builds(
    Ledger, st.binary(min_size=16, max_size=16), counts, interval_sets, interval_sets, tallies, tallies, counts, counts
)


@given(ledgers, st.integers(0, 1 << 62))
def test_a_slot_gives_back_what_it_was_given(ledger: Ledger, generation: int) -> None:
    assert decode_slot(encode_slot(generation, ledger) + bytes(100)) == (generation, ledger)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_slot(data: bytes) -> None:
    assert decode_slot(data) is None


def test_the_largest_ledger_fits_and_lags_where_it_is_bounded() -> None:
    ledger = Ledger(STREAM, durable_end=10_000)
    for position in range(0, 4_000, 2):
        ledger.settled.add(position, position + 1)
        ledger.handed_out.add(position + 1, position + 2)
        ledger.give_up(ledger.lost, position + 4_000, position + 4_001)
        ledger.give_up(ledger.dropped, position + 4_001, position + 4_002)
    bounded = ledger.bounded()
    slot = encode_slot(1, bounded)
    assert len(slot) <= SLOT_BYTES
    assert decode_slot(slot) == (1, bounded)
    assert (len(bounded.settled), len(bounded.handed_out)) == (SETTLED_RUNS, HANDED_OUT_RUNS)
    assert all(ledger.settled.covers(begin, end) for begin, end in bounded.settled)
    assert all(bounded.handed_out.covers(begin, end) for begin, end in ledger.handed_out)
    assert (bounded.lost.total, bounded.dropped.total) == (2_000, 2_000)


def test_a_torn_save_leaves_the_one_before() -> None:
    files = CrashFiles()
    cursor = CursorFile(SpoolDirectory(HOME, files))
    for end in (1, 2, 3):
        cursor.save(Ledger(STREAM, durable_end=end))
    content = bytes(files.names[HOME / "cursor"].content)
    assert len(content) == 2 * SLOT_BYTES
    for cut in range(SLOT_BYTES, SLOT_BYTES + 200):
        files.names[HOME / "cursor"].content = bytearray(content[:cut])
        loaded = CursorFile(SpoolDirectory(HOME, files)).loaded
        assert loaded is not None and loaded.durable_end == (
            3 if cut >= SLOT_BYTES + len(encode_slot(3, loaded)) else 2
        )
