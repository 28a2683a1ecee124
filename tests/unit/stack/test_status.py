from __future__ import annotations

import os

import pytest

from stack.status import ProcessReport, duration, memory_mb, problems
from stack.supervision import ProcessState


def report(state: str, *, answers: bool | None = True, uptime_s: float = 100.0, said: str = "") -> ProcessReport:
    return ProcessReport(ProcessState("kafka", state, 1, uptime_s, said), "127.0.0.1:9092", answers, 1.0)


def test_running_services_that_answer_are_no_problem() -> None:
    assert problems([report("RUNNING"), report("RUNNING", answers=None)]) == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (report("FATAL", answers=False, said="Exited too quickly"), "does not run: fatal, Exited too quickly"),
        (report("BACKOFF", answers=False), "is being started again (it has just died)"),
        (report("RUNNING", answers=False), "runs but is not ready (127.0.0.1:9092)"),
        (report("RUNNING", answers=False, uptime_s=4.2), "was started 4 s ago and does not answer yet"),
    ],
)
def test_problem_is_said_in_words(bad: ProcessReport, words: str) -> None:
    (problem,) = problems([report("RUNNING"), bad])
    assert problem.startswith("kafka ")
    assert words in problem


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"), (12_000, "3 h 20 min")]
)
def test_duration_is_rounded_down(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_memory_of_this_process_is_more_than_nothing_and_of_no_process_nothing() -> None:
    assert memory_mb(os.getpid()) > 1.0
    assert memory_mb(0) == 0.0
