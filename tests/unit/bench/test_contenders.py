"""Who competes where, how peers are started, and what is said of one that failed."""

from __future__ import annotations

import sys
import time
import zipfile
from types import SimpleNamespace
from typing import cast

import pytest

from bench.bytewax_contender import REQUIREMENTS, Bytewax
from bench.cluster import Cluster
from bench.contenders import Command, last_error
from bench.entries import LETTERS, field, workloads_of
from bench.flink_contenders import READINGS_BATCH, KeyedProcess, Sessionizer
from bench.workloads import WORKLOADS, Workload

CLUSTER = cast(Cluster, SimpleNamespace(endpoints=SimpleNamespace(kafka_bootstrap="broker:1")))


def letters_on(chosen: str) -> dict[str, str]:
    return {
        workload.name: "".join(contender.letter for contender in field(chosen, workload))
        for workload in workloads_of(chosen)
    }


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("".join(LETTERS), {"scalar": "agcdef", "waveform": "bhdef"}),
        ("ad", {"scalar": "ad"}),
        ("bd", {"waveform": "bd"}),
        ("c", {"scalar": "c"}),
        ("de", {"scalar": "de", "waveform": "de"}),
    ],
)
def test_peers_do_the_workloads_of_the_chosen_contenders_of_ours(chosen: str, expected: dict[str, str]) -> None:
    assert letters_on(chosen) == expected


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_contender_is_measured_at_two_sizes_of_the_topic(workload: Workload) -> None:
    for sized in (workload, workload.quick(), workload.long()):
        for contender in (Sessionizer("a", READINGS_BATCH), KeyedProcess()):
            first, second = contender.stages(sized)
            assert sized.stages[first] < sized.stages[second]


def test_two_bytewax_processes_know_each_others_addresses() -> None:
    commands = [list(arguments) for arguments, _ in Bytewax(processes=2).commands(CLUSTER)]
    assert [command[command.index("-i") + 1] for command in commands] == ["0", "1"]
    first, second = (command[command.index("-a") + 1] for command in commands)
    assert first == second
    assert len(set(first.split(";"))) == 2


def test_bytewax_has_its_own_pins_each_with_a_checksum() -> None:
    text = REQUIREMENTS.read_text()
    pins = [line for line in text.splitlines() if "==" in line]
    assert any(pin.startswith("bytewax==") for pin in pins)
    assert text.count(" \\\n    --hash=sha256:") >= len(pins)
    assert "://" not in text


def test_the_per_record_job_takes_its_functions_along() -> None:
    contender = KeyedProcess()
    option, archive = contender.flink_options()
    assert option == "-pyfs"
    with zipfile.ZipFile(archive) as file:
        assert {"bench/__init__.py", "bench/peers/__init__.py", "bench/peers/per_record.py"} <= set(file.namelist())


def test_the_python_error_is_found_among_javas_words() -> None:
    output = (
        "Traceback (most recent call last):\n"
        '  File "job.py", line 3, in main\n'
        "    fail()\n"
        "ValueError: no such topic\n\n"
        "java.lang.RuntimeException: Python process exits with code: 1\n\tat Somewhere\n"
    )
    assert last_error(output) == "ValueError: no such topic"
    assert last_error("java.lang.OutOfMemoryError\n") == "java.lang.OutOfMemoryError"


def test_a_command_that_fails_says_why_and_one_that_ends_well_says_nothing() -> None:
    bad = Command([sys.executable, "-c", "raise SystemExit('out of luck')"], {})
    good = Command([sys.executable, "-c", ""], {})
    deadline = time.monotonic() + 20
    while bad.failure() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    failure = bad.failure()
    assert failure is not None
    assert "status 1" in failure
    assert "out of luck" in failure
    assert good.failure() is None
    bad.stop()
    good.stop()


def test_stopping_ends_a_command_that_would_run_on() -> None:
    command = Command([sys.executable, "-c", "import time; time.sleep(600)"], {})
    started_s = time.monotonic()
    command.stop()
    assert time.monotonic() - started_s < 15
