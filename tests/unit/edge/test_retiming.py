from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.instant import Instant
from edge.measurement import Samples
from edge.retiming import Retimer, RetimingLimits, Verdict
from edge.sources.source import Taken
from schemas.errors import Reason

TRUE_MS = 1_764_000_000_000
"""The true time at monotonic 0."""
BOOTED_MS = 5_000
"""What a board without a battery shows at monotonic 0."""


def _taken(monotonic_ms: int, wall_ms: int, *, synchronised: bool = False, by_device: bool = False) -> Taken:
    samples = Samples("TEMP", ("value",), "degC", 0.0, wall_ms * 1_000, np.array([[21.0]]))
    return Taken("d", samples, Instant(wall_ms, monotonic_ms, synchronised), by_device)


def _unset(monotonic_ms: int) -> Taken:
    return _taken(monotonic_ms, BOOTED_MS + monotonic_ms)


def _right(monotonic_ms: int, *, synchronised: bool = True) -> Taken:
    return _taken(monotonic_ms, TRUE_MS + monotonic_ms, synchronised=synchronised)


def _starts_ms(verdict: Verdict) -> list[int]:
    return [taken.measurement.start_us // 1_000 for taken in verdict.ready]


def test_with_a_clock_that_is_right_everything_passes_untouched() -> None:
    retimer = Retimer()
    for monotonic_ms in range(0, 10_000, 1_000):
        taken = _right(monotonic_ms)
        assert retimer.take(taken).ready == [taken]


@given(st.lists(st.integers(0, 3_600_000), min_size=1, max_size=20), st.integers(3_600_000, 7_200_000), st.booleans())
def test_frames_of_1970_get_their_true_time_once_the_clock_is_right(
    taken_at_ms: list[int], set_at_ms: int, synchronised: bool
) -> None:
    retimer = Retimer()
    for monotonic_ms in sorted(taken_at_ms):
        assert retimer.take(_unset(monotonic_ms)).ready == []
    verdict = retimer.take(_right(set_at_ms, synchronised=synchronised))
    assert _starts_ms(verdict) == [TRUE_MS + monotonic_ms for monotonic_ms in [*sorted(taken_at_ms), set_at_ms]]
    assert all(taken.retimed_ms == TRUE_MS - BOOTED_MS for taken in verdict.ready[:-1])
    assert retimer.held == 0


def test_a_heartbeat_is_enough_to_let_them_go() -> None:
    retimer = Retimer()
    retimer.take(_unset(1_000))
    verdict = retimer.tick(_right(2_000).taken)
    assert _starts_ms(verdict) == [TRUE_MS + 1_000]
    assert verdict.jump_ms == TRUE_MS - BOOTED_MS


def test_what_the_device_timed_never_waits() -> None:
    taken = _taken(1_000, BOOTED_MS, by_device=True)
    assert Retimer().take(taken).ready == [taken]


def test_beyond_the_bound_the_oldest_are_quarantined_with_a_reason() -> None:
    retimer = Retimer(RetimingLimits(held=3))
    quarantined = [one for monotonic_ms in range(5) for one in retimer.take(_unset(monotonic_ms)).quarantined]
    assert [one.taken.taken.monotonic_ms for one in quarantined] == [0, 1]
    assert {one.error.reason for one in quarantined} == {Reason.BAD_TIMESTAMP}
    assert "more than 3 frames" in quarantined[0].error.detail
    assert _starts_ms(retimer.tick(_right(10).taken)) == [TRUE_MS + 2, TRUE_MS + 3, TRUE_MS + 4]


def test_at_the_end_of_the_agent_what_is_held_is_quarantined() -> None:
    retimer = Retimer()
    retimer.take(_unset(1))
    (one,) = retimer.close().quarantined
    assert "stopped before the clock was set" in one.error.detail
    assert retimer.close().quarantined == []


@pytest.mark.parametrize("jump_ms", [-TRUE_MS, -86_400_000, 1_500, 70 * 365 * 86_400_000])
def test_a_clock_that_leaves_its_time_service_and_jumps_is_contradicted(jump_ms: int) -> None:
    retimer = Retimer()
    retimer.take(_right(0))
    verdict = retimer.take(_taken(60_000, TRUE_MS + 60_000 + jump_ms))
    assert _starts_ms(verdict) == [TRUE_MS + 60_000]
    assert verdict.ready[0].retimed_ms == -jump_ms
    assert verdict.jump_ms == jump_ms


def test_a_time_service_may_correct_the_clock() -> None:
    retimer = Retimer()
    retimer.take(_right(0, synchronised=False))
    corrected = _taken(1_000, TRUE_MS + 1_000 - 30_000, synchronised=True)
    verdict = retimer.take(corrected)
    assert verdict.ready == [corrected]
    assert verdict.jump_ms == -30_000


def test_nobody_judges_between_two_clocks_that_nobody_holds() -> None:
    # People set clocks to be right: the new time counts, and the jump is told.
    retimer = Retimer()
    retimer.take(_right(0, synchronised=False))
    later = _taken(1_000, TRUE_MS + 7_200_000)
    verdict = retimer.take(later)
    assert verdict.ready == [later]
    assert verdict.jump_ms == 7_199_000


def test_quartz_may_drift_without_being_called_a_jump() -> None:
    retimer = Retimer()
    retimer.take(_right(0))
    day_ms = 86_400_000
    drifted = _taken(day_ms, TRUE_MS + day_ms + 20_000)
    assert retimer.take(drifted).ready == [drifted]


def test_a_frame_from_a_slower_queue_does_not_turn_the_clock_back() -> None:
    retimer = Retimer()
    retimer.take(_right(10_000))
    verdict = retimer.take(_unset(4_000))
    assert _starts_ms(verdict) == [TRUE_MS + 4_000]
    assert verdict.jump_ms == 0
    assert retimer.take(_right(11_000)).jump_ms == 0
