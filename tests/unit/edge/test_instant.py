from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import clock_state
from edge.instant import Instant, InstantClock, SteadyWall
from edge.testing import ManualClock

WALL_MS = 1_764_000_000_000


def test_an_instant_has_both_clocks_and_whether_the_wall_clock_is_held() -> None:
    clock = ManualClock(WALL_MS)
    clock.sleep(1.5)
    assert InstantClock(clock, lambda: True).now() == Instant(WALL_MS + 1_500, 1_500, True)


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1)), min_size=2, max_size=50))
def test_readings_that_waver_by_a_millisecond_give_even_times(steps: list[tuple[int, int]]) -> None:
    steady, monotonic_ms = SteadyWall(), 0
    instants = []
    for step_ms, waver_ms in steps:
        monotonic_ms += step_ms
        instants.append(Instant(WALL_MS + monotonic_ms + waver_ms, monotonic_ms, True))
    times_us = [steady.wall_us(instant) for instant in instants]
    for (earlier, later), (earlier_us, later_us) in zip(pairwise(instants), pairwise(times_us), strict=True):
        assert later_us - earlier_us == (later.monotonic_ms - earlier.monotonic_ms) * 1_000


def test_a_wall_clock_that_is_set_is_followed_at_once() -> None:
    steady = SteadyWall()
    steady.wall_us(Instant(5_000, 0, False))
    assert steady.wall_us(Instant(WALL_MS, 10, True)) == WALL_MS * 1_000


@pytest.mark.parametrize(("status", "want"), [(0, True), (clock_state.STA_UNSYNC, False), (None, False)])
def test_the_kernels_status_bit_decides(status: int | None, want: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_state, "_kernel_status", lambda: status)
    assert clock_state.kernel_clock_is_synchronised() is want


def test_the_kernel_can_be_asked() -> None:
    status = clock_state._kernel_status()
    assert status is not None
    assert 0 <= status < 1 << 16
