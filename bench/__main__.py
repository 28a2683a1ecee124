"""`python -m bench`: measures our jobs and their peers on the same records, prints a table, writes JSON."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.cluster import PARTITIONS, running_cluster
from bench.edge import measure_edge
from bench.entries import LETTERS, field, workloads_of
from bench.errors import BenchError
from bench.extractors import measure_extractors, measure_libraries
from bench.flink_contenders import PARALLELISM
from bench.report import WIDTH, print_extractors, print_report, print_targets, to_json, write_json
from bench.results import check_flatness, check_targets, pair_runs
from bench.run import Bench, Run, run_workload
from schemas.errors import BrainError
from schemas.topics import Topic
from stack.errors import StackError
from stack.home import REPOSITORY

EVERYONE = ",".join(LETTERS)
_TERMINATED = 143
DEFAULT_OUT = REPOSITORY / ".brain" / "bench" / "latest.json"

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
console = Console(width=WIDTH, highlight=False)

Letters = Annotated[str, typer.Option("--only", help=f"Contenders, separated by commas; of {','.join(LETTERS)}.")]


# PLR0913: a command has as many arguments as it has options.
@app.command()
def main(  # noqa: PLR0913
    *,
    only: Letters = EVERYONE,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the records; figures mean little.")] = False,
    flat: Annotated[bool, typer.Option("--flat", help="Only (a), at one and ten times the length: memory.")] = False,
    extractors: Annotated[
        bool, typer.Option("--extractors", help="Only the features of each domain: no stack.")
    ] = False,
    edge: Annotated[bool, typer.Option("--edge", help="Only the agent, its spool and the ingestion service.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Where the JSON goes.")] = DEFAULT_OUT,
    seed: Annotated[int, typer.Option("--seed", help="Of the values.")] = 1,
    taskmanager_mb: Annotated[int | None, typer.Option("--taskmanager-mb", help="Memory of Flink's JVM.")] = None,
) -> None:
    """Run the bench."""
    rates = [*measure_extractors(), *measure_libraries()] if extractors or (only == EVERYONE and not flat) else []
    if extractors:
        print_extractors(console, rates)
        return
    if edge:
        _measure_edge()
        return
    chosen = _letters("a" if flat else only)
    overrides = {} if taskmanager_mb is None else {"taskmanager_memory_mb": taskmanager_mb}
    run = Run()
    started_s = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started_s:6.0f} s[/dim]  {text}")

    # A terminated bench must stop its stack too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    with running_cluster(say, overrides=overrides) as cluster:
        bench = Bench(cluster, seed, say)
        for workload in workloads_of(chosen):
            sized = workload.quick() if quick else workload
            run_workload(bench, sized.long() if flat else sized, field(chosen, workload), run)
        conditions = {
            "partitions": PARTITIONS,
            "parallelism": PARALLELISM,
            "taskmanager_memory_mb": cluster.settings.taskmanager_memory_mb,
            "quick": quick,
            "seed": seed,
        }
    results = pair_runs(run.measurements)
    targets = [target for result in results for target in check_flatness(result)] if flat else check_targets(results)
    print_report(console, results, targets)
    if rates:
        print_extractors(console, rates)
    write_json(out, to_json(run, results, targets, conditions=conditions, extractors=rates))
    console.print(f"JSON: {out}", soft_wrap=True)


def _measure_edge() -> None:
    """The agent's figures, on a stack of its own."""
    started_s = time.monotonic()
    with running_cluster(
        lambda text: console.print(f"[dim]{time.monotonic() - started_s:6.0f} s[/dim]  {text}"), overrides={}
    ) as cluster:
        result = measure_edge(cluster.endpoints.kafka_bootstrap, Topic.RAWFRAMES.value)
    print_targets(console, result.targets())


def _letters(text: str) -> frozenset[str]:
    letters = frozenset(text.split(","))
    unknown = sorted(letters - set(LETTERS))
    if unknown:
        raise typer.BadParameter(f"no contender {', '.join(unknown)}; there are {', '.join(LETTERS)}")
    return letters


if __name__ == "__main__":
    try:
        app()
    except (BenchError, BrainError, StackError) as error:
        Console(stderr=True).print(f"bench: {error}", markup=False)
        sys.exit(1)
