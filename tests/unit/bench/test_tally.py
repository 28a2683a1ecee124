"""A contender with wrong answers is found out, whatever is wrong with them."""

from __future__ import annotations

import json

import pytest

from bench.fill import Truth
from bench.tally import Tally

TRUTH = Truth(sessions=2, frames=120, mean_sum=30.0)


def row(session: str, frames: int, *means: float) -> bytes:
    return json.dumps({"session_id": session, "frames": frames, "channel_mean": means}).encode()


def tally_of(*rows: bytes) -> Tally:
    tally = Tally(TRUTH)
    for value in rows:
        tally.add(value)
    return tally


def test_right_rows_in_any_order_have_no_problem() -> None:
    tally = tally_of(row("s2", 60, 12.0, 8.0), row("s1", 60, 4.0, 6.0))
    assert tally.complete()
    assert tally.problem() is None


def test_a_session_that_was_not_emitted_yet_leaves_the_tally_open() -> None:
    assert not tally_of(row("s1", 60, 10.0)).complete()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param((row("s1", 60, 15.0), row("s2", 30, 7.5), row("s2", 30, 7.5)), "3 rows, not 2", id="session cut"),
        pytest.param((row("s1", 60, 15.0), row("s1", 60, 15.0)), "1 sessions, not 2", id="session twice"),
        pytest.param((row("s1", 60, 15.0), row("s2", 61, 15.0)), "121 frames, not 120", id="frame counted twice"),
        pytest.param((row("s1", 60, 15.0), row("s2", 60, 15.5)), "means add up to 30.5, not 30.0", id="wrong mean"),
    ],
)
def test_wrong_rows_are_named(rows: tuple[bytes, ...], says: str) -> None:
    problem = tally_of(*rows).problem()
    assert problem is not None
    assert says in problem
