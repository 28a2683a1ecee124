"""Figures: start-up cancels out, wrong contenders count for nothing, targets are judged on marginal rates."""

from __future__ import annotations

import dataclasses
import io

import orjson
import pytest
from rich.console import Console

from bench.measurement import Measurement
from bench.report import WIDTH, print_report, to_json
from bench.results import check_flatness, check_targets, pair_runs
from bench.run import Run
from bench.sampling import PYTHON_WORKER, RoleUse, Use

MIB = 1024 * 1024
START_UP_S = 10.0


def run_of(letter: str, workload: str, frames: int, rate: float, *, name: str = "x") -> Measurement:
    seconds = START_UP_S + frames / rate
    use = Use(total_bytes=900 * MIB)
    use.roles[PYTHON_WORKER] = RoleUse(300 * MIB, cpu_s=5.0 + frames * 4e-6)
    use.roles["taskmanager"] = RoleUse(800 * MIB, cpu_s=1.0)
    use.roles["kafka"] = RoleUse(500 * MIB, cpu_s=frames * 1e-6)
    return Measurement(letter, name, workload, frames, seconds, None, use)


def both_sizes(letter: str, workload: str, rate: float) -> list[Measurement]:
    return [run_of(letter, workload, frames, rate) for frames in (400_000, 2_000_000)]


def test_the_marginal_rate_is_free_of_the_time_of_starting() -> None:
    (result,) = pair_runs(both_sizes("a", "scalar", 200_000.0))
    assert result.marginal_rate == pytest.approx(200_000.0)
    assert result.large.whole_rate == pytest.approx(2_000_000 / 20.0)


def test_processor_time_is_marginal_and_the_brokers_is_apart() -> None:
    (result,) = pair_runs(both_sizes("a", "scalar", 200_000.0))
    assert result.cpu_s_per_million == pytest.approx(4.0)
    assert result.broker_cpu_s_per_million == pytest.approx(1.0)


def test_runs_too_short_to_tell_have_no_marginal_rate() -> None:
    small, large = both_sizes("a", "scalar", 200_000.0)
    (result,) = pair_runs([small, dataclasses.replace(large, seconds=small.seconds)])
    assert result.marginal_rate is None


def test_of_several_variants_the_one_that_was_taken_on_is_paired() -> None:
    slow = run_of("d", "scalar", 400_000, 10_000.0, name="1 process")
    quick = run_of("d", "scalar", 400_000, 30_000.0, name="2 processes")
    (result,) = pair_runs([slow, quick, run_of("d", "scalar", 2_000_000, 30_000.0, name="2 processes")])
    assert result.small is quick
    assert result.marginal_rate == pytest.approx(30_000.0)


def test_targets_are_judged_in_both_directions() -> None:
    runs = both_sizes("a", "scalar", 200_000.0) + both_sizes("d", "scalar", 100_000.0)
    reached = {target.text: target.reached for target in check_targets(pair_runs(runs))}
    assert reached == {
        "(a) scalar frames: at least 150,000/s": True,
        "(a) / (d) scalar frames: at least 4 x": False,
        "(a) Python worker: under 1,536 MiB": True,
    }


def test_a_contender_with_wrong_answers_reaches_nothing() -> None:
    small, large = both_sizes("a", "scalar", 200_000.0)
    results = pair_runs([small, dataclasses.replace(large, problem="3 rows, not 2"), *both_sizes("d", "scalar", 1.0)])
    rates = [target for target in check_targets(results) if "MiB" not in target.text]
    assert [target.reached for target in rates] == [None, None]


@pytest.mark.parametrize(("long_mib", "flat"), [(320, True), (3_000, False)])
def test_memory_is_flat_or_not(long_mib: int, flat: bool) -> None:
    small, large = run_of("a", "scalar", 2_000_000, 2e5), run_of("a", "scalar", 20_000_000, 2e5)
    large.use.roles[PYTHON_WORKER].largest_bytes = long_mib * MIB
    (result,) = pair_runs([small, large])
    worker, jvm = check_flatness(result)
    assert (worker.reached, jvm.reached) == (flat, True)
    assert "10 x longer" in worker.text


def test_the_report_fits_its_width_and_names_what_is_wrong() -> None:
    runs = both_sizes("a", "scalar", 200_000.0)
    runs += [
        dataclasses.replace(run, name="Bytewax, 2 threads", problem="3 rows, not 2")
        for run in both_sizes("d", "scalar", 100_000.0)
    ]
    results = pair_runs(runs)
    output = io.StringIO()
    print_report(Console(width=WIDTH, file=output), results, check_targets(results))
    lines = output.getvalue().splitlines()
    assert max(len(line) for line in lines) <= WIDTH
    assert "…" not in output.getvalue()
    assert "2,000,000" in output.getvalue()
    assert any("WRONG (d) scalar: 3 rows, not 2" in line for line in lines)


def test_the_json_holds_every_run() -> None:
    runs = both_sizes("a", "scalar", 200_000.0)
    results = pair_runs(runs)
    document = orjson.loads(to_json(Run(runs), results, check_targets(results), conditions={"seed": 1}))
    assert [run["frames"] for run in document["runs"]] == [400_000, 2_000_000]
    assert document["conditions"]["seed"] == 1
    assert document["runs"][0]["roles"][PYTHON_WORKER]["largest_process_mib"] == 300
