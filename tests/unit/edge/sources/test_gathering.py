from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.instant import Instant
from edge.measurement import samples_us
from edge.sources.gathering import Arrival, Block, Gatherer, Gathering

START_US = 1_700_000_000_000_000
GATHERING = Gathering(sample_rate_hz=100.0, block_samples=100)


def _arrival(
    time_us: int, *values: float, by_device: bool = False, count: int | None = None, monotonic_ms: int | None = None
) -> Arrival:
    at_ms = time_us // 1_000 if monotonic_ms is None else monotonic_ms
    return Arrival(time_us, np.array(values)[:, None], Instant(time_us // 1_000, at_ms, True), by_device, count)


def _gather(gathering: Gathering, arrivals: Iterable[Arrival]) -> list[Block]:
    gatherer = Gatherer(gathering)
    return [block for arrival in arrivals for block in gatherer.add(arrival)] + gatherer.flush()


def _gaps_us(gathering: Gathering, blocks: list[Block]) -> list[int]:
    """From the end of each block to the start of the next."""
    ends = [block.start_us + samples_us(len(block.values), gathering.sample_rate_hz) for block in blocks]
    return [block.start_us - end for block, end in zip(blocks[1:], ends, strict=False)]


@given(
    st.lists(st.tuples(st.integers(-50_000, 3_000_000), st.integers(1, 250)), max_size=30),
    st.integers(1, 120),
    st.booleans(),
)
def test_no_sample_is_lost_or_moved_before_another(
    steps: list[tuple[int, int]], block_samples: int, by_device: bool
) -> None:
    arrivals, time_us, number = [], START_US, 0
    for step_us, count in steps:
        time_us += step_us
        arrivals.append(_arrival(time_us, *map(float, range(number, number + count)), by_device=by_device))
        number += count
    blocks = _gather(Gathering(100.0, block_samples), arrivals)
    assert [value for block in blocks for value in block.values[:, 0].tolist()] == [float(n) for n in range(number)]
    assert all(1 <= len(block.values) <= block_samples for block in blocks)


def test_even_samples_become_whole_blocks_without_gaps() -> None:
    blocks = _gather(GATHERING, (_arrival(START_US + n * 10_000, float(n)) for n in range(250)))
    assert [len(block.values) for block in blocks] == [100, 100, 50]
    assert [block.start_us for block in blocks] == [START_US, START_US + 1_000_000, START_US + 2_000_000]


def test_a_block_was_taken_when_its_last_sample_came() -> None:
    (first, *_) = _gather(GATHERING, (_arrival(START_US + n * 10_000, 0.0) for n in range(150)))
    assert first.taken.wall_ms == START_US // 1_000 + 990


def test_arrivals_in_bursts_are_on_one_grid() -> None:
    # A USB adapter delivers every 16 ms what came meanwhile.
    arrivals = (_arrival(START_US + -(-n * 10_000 // 16_000) * 16_000, float(n)) for n in range(1_000))
    blocks = _gather(GATHERING, arrivals)
    assert [len(block.values) for block in blocks] == [100] * 10
    assert max(map(abs, _gaps_us(GATHERING, blocks))) <= 1_000


@pytest.mark.parametrize("error_ppm", [-300, 300])
def test_a_device_that_runs_fast_or_slow_is_followed_without_a_break(error_ppm: int) -> None:
    rng = random.Random(1)
    period_us = 10_000 * (1.0 + error_ppm / 1e6)
    count = 120_000
    arrivals = (_arrival(START_US + round(n * period_us + rng.uniform(0, 8_000)), 0.0) for n in range(count))
    blocks = _gather(GATHERING, arrivals)
    assert {len(block.values) for block in blocks} == {100}
    assert max(map(abs, _gaps_us(GATHERING, blocks))) <= 1_000
    true_last_us = START_US + (count - 100) * period_us
    assert abs(blocks[-1].start_us - true_last_us) < 10_000


def test_a_pause_ends_the_block_and_the_next_one_begins_at_its_arrival() -> None:
    times_us = [START_US, START_US + 10_000, START_US + 500_000, START_US + 510_000]
    blocks = _gather(GATHERING, (_arrival(time_us, 0.0) for time_us in times_us))
    assert [(block.start_us, len(block.values)) for block in blocks] == [(START_US, 2), (START_US + 500_000, 2)]


def test_a_missed_sample_ends_the_block_by_the_devices_time() -> None:
    times_us = [START_US + n * 10_000 for n in (0, 1, 2, 4, 5)]
    blocks = _gather(GATHERING, (_arrival(time_us, 0.0, by_device=True) for time_us in times_us))
    assert [(block.start_us, len(block.values)) for block in blocks] == [(START_US, 3), (START_US + 40_000, 2)]


def test_a_missed_sample_ends_the_block_by_the_devices_count() -> None:
    # One sample is less than the arrivals waver: only the count can tell.
    gathering = Gathering(100.0, 100, modulus=256)
    arrivals = [_arrival(START_US + n * 10_000, float(n), count=(254 + n) % 256) for n in (0, 1, 2, 4, 5)]
    assert [block.values[:, 0].tolist() for block in _gather(gathering, arrivals)] == [[0.0, 1.0, 2.0], [4.0, 5.0]]


def test_a_clock_that_jumps_ends_the_block() -> None:
    arrivals = [_arrival(START_US + n * 10_000 + (3_600_000_000 if n >= 5 else 0), 0.0) for n in range(10)]
    assert [len(block.values) for block in _gather(GATHERING, arrivals)] == [5, 5]


def test_the_agents_and_the_devices_times_are_not_mixed() -> None:
    arrivals = [_arrival(START_US, 0.0, by_device=True), _arrival(START_US + 10_000, 0.0)]
    assert [block.timed_by_device for block in _gather(GATHERING, arrivals)] == [True, False]


def test_a_silent_device_does_not_hold_its_samples_back() -> None:
    gatherer = Gatherer(GATHERING)
    assert gatherer.overdue(10**9) == []
    gatherer.add(_arrival(START_US, 1.0, monotonic_ms=5_000))
    assert gatherer.overdue(6_050) == []
    (block,) = gatherer.overdue(6_051)
    assert block.values.tolist() == [[1.0]]
    assert gatherer.overdue(10**9) == []


def test_twenty_minutes_at_an_odd_rate_does_not_drift() -> None:
    gathering = Gathering(sample_rate_hz=33.3, block_samples=33)
    count = 33 * 1_200
    arrivals = (_arrival(START_US + samples_us(n, 33.3), 0.0, by_device=True) for n in range(count))
    blocks = _gather(gathering, arrivals)
    assert len(blocks) == 1_200
    assert abs(blocks[-1].start_us - (START_US + samples_us(count - 33, 33.3))) <= 2
