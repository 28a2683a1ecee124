"""What must hold of a spool whatever happens to its machine: one life after another, judged after each start.

The state machine of `test_crashes.py` and the long run of `tests/chaos/spool_schedules.py` drive it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress

from edge.spool.errors import SpoolFailed, SpoolFull
from edge.spool.intervals import IntervalSet
from edge.spool.spool import HAND_OUT_AHEAD, Spool
from schemas.envelope import Record
from tests.unit.edge.spool.builders import make_records, open_spool, read_all
from tests.unit.edge.spool.crash_files import CrashFiles, PowerCut

PLENTY_BYTES = 1 << 40


class CrashModel:
    """A spool on a disk that fails, and beside it the few facts that the promises are about.

    Attributes:
        committed: what a source was told is safe, by position.
        acknowledged: positions that the receiver has.
        handed_out: positions that a sender may have.
        candidates: every record ever appended at a position; those of a group that was never committed may come back.
    """

    def __init__(self, seed: int) -> None:
        self.files = CrashFiles(seed)
        self.files.before = self._before
        self.files.after = self._after
        self.committed: dict[int, Record] = {}
        self.acknowledged: set[int] = set()
        self.handed_out: set[int] = set()
        self.candidates: dict[int, list[Record]] = {}
        self._pending: dict[int, Record] = {}
        self._number = 0
        self._asked_end = 0
        self._sync_failures = 0
        self._cut_in = 0
        self.spool: Spool = open_spool(self.files)

    def append(self, count: int, size: int) -> None:
        records = make_records(self._number, count, size)
        self._number += count

        def act() -> None:
            first = self.spool.append(records)
            for position, record in enumerate(records, start=first):
                assert position not in self.committed and position not in self._pending
                self._pending[position] = record
                self.candidates.setdefault(position, []).append(record)

        self._guarded(act)

    def commit(self) -> None:
        def act() -> None:
            end = self.spool.commit()
            assert all(position < end for position in self._pending)
            self.committed |= self._pending
            self._pending = {}

        self._guarded(act)

    def hand_out(self, count: int) -> None:
        def act() -> None:
            for begin, end in list(self.spool.unsettled())[:2]:
                batch = self.spool.read(begin, count, end)
                if batch.records:
                    self._asked_end = max(self._asked_end, batch.end)
                    self.spool.hand_out(begin, batch.end)
                    self.handed_out.update(spooled.position for spooled in batch.records)

        self._guarded(act)

    def acknowledge(self, part: float) -> None:
        """The receiver has some of what was handed out, in any order."""
        waiting = sorted(self.handed_out - self.acknowledged)
        chosen = [position for position in waiting if self.files.random.random() < part]
        positions = IntervalSet()
        positions.add_positions(chosen)
        self.acknowledged.update(chosen)
        self._guarded(lambda: self.spool.acknowledge(positions))

    def save_cursor(self) -> None:
        self._guarded(self.spool.save_cursor)

    def resend(self) -> None:
        def act() -> None:
            for begin, end in self.spool.resend(0, 1 << 60):
                self.acknowledged.difference_update(range(begin, end))

        self._guarded(act)

    def read(self) -> None:
        self._guarded(lambda: self._judge_records(read_all(self.spool)))

    def write_back(self) -> None:
        self.files.write_back()

    def fail_syncs(self, count: int) -> None:
        """So many of the next syncs fail, others between them do not."""
        self._sync_failures = count

    def set_free_bytes(self, free: int | None) -> None:
        """Leave so much room on the disk; None for plenty."""
        self.files.capacity_bytes = PLENTY_BYTES if free is None else self.files.used_bytes() + free

    def cut_power_in(self, calls: int) -> None:
        """The power goes in the middle of what comes: at the n-th change of the disk from now."""
        self._cut_in = calls

    def stop_cleanly(self) -> None:
        self._guarded(self._close)

    def crash(self) -> None:
        """Cut the power now, start again and judge."""
        self.files.crash()
        self._start_again()

    def kill(self) -> None:
        """kill -9, start again and judge."""
        self.files.kill()
        self._start_again()

    def _close(self) -> None:
        self.spool.close()
        self._start_again()

    def _guarded(self, act: Callable[[], None]) -> None:
        with suppress(SpoolFull, SpoolFailed):
            try:
                act()
            except PowerCut:
                self.crash()

    def _before(self, call: str) -> None:
        if call == "fdatasync" and self._sync_failures and self.files.random.random() < 0.5:
            self._sync_failures -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._count_down()

    def _after(self, call: str) -> None:
        del call
        self._count_down()

    def _count_down(self) -> None:
        if self._cut_in:
            self._cut_in -= 1
            if not self._cut_in:
                raise PowerCut

    def _start_again(self) -> None:
        """A start may fail while the disk does, or be cut itself; it must succeed when the disk is well again."""
        self._pending = {}
        for _ in range(50):
            try:
                self.spool = open_spool(self.files)
                break
            except PowerCut:
                self.files.crash()
            except (SpoolFull, SpoolFailed):
                self.set_free_bytes(None)
                self.files.locked.clear()
        else:
            raise AssertionError("the spool does not start")
        self.judge()

    def judge(self) -> None:
        """The promises, after a start."""
        unsettled = self.spool.unsettled()
        lead = [at for at in self.committed if at not in self.acknowledged and at not in unsettled]
        assert not lead, f"the cursor leads: {lead[:5]}"
        records = read_all(self.spool)
        missing = [at for at in self.committed if at not in self.acknowledged and at not in records]
        assert not missing, f"committed and gone: {missing[:5]}"
        self._judge_records(records)
        assert self.spool.stats().lost == 0
        assert self.spool.durable_end >= max(self.committed, default=-1) + 1
        unflagged = [at for at in self.handed_out if at in unsettled and at not in self.spool.sent_before]
        assert not unflagged, f"sent before and not known: {unflagged[:5]}"
        assert self.spool.sent_before.end <= self._asked_end + HAND_OUT_AHEAD * bool(self._asked_end)
        # Records that were not committed and have survived count from now on.
        self.committed |= records

    def _judge_records(self, records: dict[int, Record]) -> None:
        for position, record in records.items():
            known = [self.committed[position]] if position in self.committed else self.candidates.get(position, [])
            assert record in known, f"position {position} is altered"
