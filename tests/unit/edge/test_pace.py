from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.pace import Pacer, SystemClock
from edge.testing import ManualClock


def _always() -> bool:
    return True


@given(speed=st.floats(0.1, 100.0), gaps_s=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=20))
def test_frames_pass_at_their_time_divided_by_the_speed(speed: float, gaps_s: list[float]) -> None:
    clock = ManualClock()
    pacer = Pacer(clock, speed)
    due_s = 0.0
    for gap_s in gaps_s:
        due_s += gap_s
        pacer.wait_until(due_s, keep_waiting=_always)
        assert clock.monotonic_s() == pytest.approx(due_s / speed, abs=1e-6)


def test_as_fast_as_possible_waits_for_nothing() -> None:
    clock = ManualClock()
    Pacer(clock, 0.0).wait_until(1e9, keep_waiting=_always)
    assert clock.sleeps_s == []


def test_a_delay_does_not_add_up() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, 1.0)
    clock.sleep(2.5)
    for due_s in (1.0, 2.0, 3.0):
        pacer.wait_until(due_s, keep_waiting=_always)
    assert clock.monotonic_s() == pytest.approx(3.0)


def test_a_long_wait_is_cut_into_slices_in_which_others_are_served() -> None:
    clock = ManualClock()
    served: list[float] = []

    def keep_waiting() -> bool:
        served.append(clock.monotonic_s())
        return True

    Pacer(clock, 1.0).wait_until(1.0, keep_waiting=keep_waiting)
    assert len(served) >= 10
    assert max(clock.sleeps_s) <= 0.1


def test_a_wait_ends_early_when_nobody_wants_it_any_more() -> None:
    clock = ManualClock()
    Pacer(clock, 1.0).wait_until(100.0, keep_waiting=lambda: clock.monotonic_s() < 0.25)
    assert clock.monotonic_s() == pytest.approx(0.3)


def test_system_clock_tells_the_machine_time() -> None:
    clock = SystemClock()
    before_s, before_ms = time.monotonic(), time.time() * 1_000
    clock.sleep(0.002)
    assert clock.monotonic_s() - before_s >= 0.002
    assert 0 <= clock.now_ms() - before_ms < 5_000
