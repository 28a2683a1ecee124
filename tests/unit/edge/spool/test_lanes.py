"""Live data goes first, the backlog drains beside it at three times the input, and neither starves the other."""

from __future__ import annotations

import pytest

from edge.spool.drain import Drain
from edge.spool.spool import Spool
from edge.testing import ManualClock
from schemas.envelope import unseal
from tests.builders import scalar_records
from tests.unit.edge.spool.builders import open_spool
from tests.unit.edge.spool.crash_files import CrashFiles
from tests.unit.edge.spool.receivers import Receiver
from tests.unit.edge.spool.test_drain import make_drain

TICK_S = 0.1
INPUT = 10
"""Records appended in each tick."""


class Line:
    """A device that measures, its spool and its drain, a tick at a time."""

    def __init__(self, per_poll: int, **changes: object) -> None:
        self.clock = ManualClock()
        self.receiver = Receiver(self.clock, poll_s=TICK_S)
        self.per_poll = per_poll
        self.spool: Spool = open_spool(CrashFiles(), self.clock, max_bytes=1 << 24)
        self.drain: Drain = make_drain(self.spool, self.receiver, **changes)
        self.appended_in: list[int] = []
        self.ticks = 0

    def run(self, ticks: int, *, cut: bool = False) -> None:
        self.receiver.per_poll = 0 if cut else self.per_poll
        for _ in range(ticks):
            self.spool.append(scalar_records(INPUT, boot_id=f"tick-{self.ticks}"))
            self.spool.commit()
            before_s = self.clock.monotonic_s()
            self.drain.step(TICK_S)
            self.clock.sleep(max(0.0, before_s + TICK_S - self.clock.monotonic_s()))
            self.ticks += 1

    def stored_ticks(self, since: int) -> list[int]:
        """In which tick each record was measured that arrived after the first `since`."""
        return [int(unseal(record.value).boot_id.split("-")[1]) for record in self.receiver.stored[since:]]


def test_after_an_outage_live_data_goes_first_and_the_backlog_drains_beside_it() -> None:
    line = Line(per_poll=4 * INPUT)
    line.run(20)
    line.run(600, cut=True)
    stored, depth = len(line.receiver.stored), line.spool.stats().depth_records
    assert depth >= 600 * INPUT
    line.run(30)
    # What was in the window when the line was cut comes first; then what is measured now, within a few ticks.
    arrived = line.stored_ticks(stored)
    assert set(arrived) >= set(range(624, 646))
    assert line.drain.stats().backlog > 500 * INPUT
    line.run(400)
    assert line.spool.stats().depth_records <= 2 * INPUT
    assert len(line.receiver.event_ids()) == len(set(line.receiver.event_ids()))
    assert line.drain.stats().resent == 0


def test_live_data_waits_no_longer_than_a_few_ticks_while_the_backlog_drains() -> None:
    line = Line(per_poll=4 * INPUT)
    line.run(600, cut=True)
    line.run(10)
    for _ in range(50):
        stored = len(line.receiver.stored)
        line.run(1)
        arrived = line.stored_ticks(stored)
        # The window of 100 holds 2.5 ticks of what the line takes.
        assert max(arrived) >= line.ticks - 4
    assert line.drain.stats().backlog > 0


def test_the_backlog_drains_at_three_times_the_input() -> None:
    line = Line(per_poll=4 * INPUT)
    line.run(600, cut=True)
    line.run(10)
    before, ticks = line.drain.stats().backlog, 100
    line.run(ticks)
    assert before - line.drain.stats().backlog >= 0.98 * 3 * INPUT * ticks


def test_while_the_line_takes_less_than_is_measured_both_lanes_move() -> None:
    line = Line(per_poll=INPUT // 2, live_age_s=1.0)
    line.run(200)
    stored = len(line.receiver.stored)
    line.run(400)
    arrived = line.stored_ticks(stored)
    recent = [tick for index, tick in enumerate(arrived) if tick >= 200 + index // (INPUT // 2) - 30]
    assert 0 < len(recent) < len(arrived)
    line.per_poll = 100 * INPUT
    line.run(60)
    assert len(set(line.receiver.event_ids())) >= 658 * INPUT


@pytest.mark.parametrize("window_records", [4, 7, 100])
def test_the_window_is_never_exceeded_and_live_data_has_its_part(window_records: int) -> None:
    line = Line(per_poll=3, window_records=window_records)
    line.run(100, cut=True)
    for _ in range(50):
        line.run(1)
        assert line.drain.stats().in_flight <= window_records


def test_the_window_is_bounded_in_bytes() -> None:
    line = Line(per_poll=0, window_bytes=4_096, window_records=100_000)
    line.run(100)
    size = len(line.spool.read(0, 1).records[0].record.value)
    assert line.drain.stats().in_flight * size <= 4_096 + 2 * size


def test_the_backlog_leaves_a_part_of_the_window_to_live_data() -> None:
    clock = ManualClock()
    spool = open_spool(CrashFiles(), clock)
    spool.append(scalar_records(200))
    spool.commit()
    receiver = Receiver(clock)
    receiver.per_poll = 0
    drain = make_drain(spool, receiver)
    drain.step()
    assert drain.stats().in_flight == 75
    spool.append(scalar_records(40, boot_id="live"))
    spool.commit()
    drain.step()
    assert drain.stats().in_flight == 100
    receiver.per_poll = None
    drain.step()
    assert sum(unseal(record.value).boot_id == "live" for record in receiver.stored) == 25
