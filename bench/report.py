"""How a run is shown: tables of at most 100 columns, and JSON with everything that was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import psutil
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.extractors import ExtractorRate
from bench.measurement import Measurement
from bench.results import MIB, Result, Target
from bench.run import Run

WIDTH = 100
_MARKS = {True: "[green]reached[/green]", False: "[red]missed[/red]", None: "-"}


def print_report(console: Console, results: Sequence[Result], targets: Sequence[Target]) -> None:
    """A table for each workload, then the targets."""
    for workload in dict.fromkeys(result.large.workload for result in results):
        console.print(_table(workload, [result for result in results if result.large.workload == workload]))
    for result in results:
        if result.problem:
            console.print(f"[red]WRONG[/red] ({result.large.letter}) {result.large.workload}: {result.problem}")
    if targets:
        console.print(_target_table(targets))


def _table(workload: str, results: Sequence[Result]) -> Table:
    table = Table(title=f"{workload} frames", title_justify="left", width=WIDTH, box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("contender", no_wrap=True)
    for heading in (
        "frames",
        "frames/s",
        "with\nstart",
        "Python\nMiB",
        "JVM\nMiB",
        "total\nMiB",
        "CPU s\n/M",
        "broker\n/M",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        table.add_row(f"({result.large.letter}) {result.large.name}", *_cells(result))
    return table


def _cells(result: Result) -> list[str]:
    rate = result.marginal_rate
    return [
        f"{result.large.frames:,}",
        "[red]WRONG[/red]" if result.problem else _number(rate),
        _number(result.large.whole_rate),
        _number(result.python_mib),
        _number(result.role_mib("taskmanager")),
        _number(result.large.use.total_bytes / MIB),
        f"{result.cpu_s_per_million:.1f}",
        f"{result.broker_cpu_s_per_million:.1f}",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def print_targets(console: Console, targets: Sequence[Target]) -> None:
    """What was to be reached, and what was."""
    console.print(_target_table(targets))


def _target_table(targets: Sequence[Target]) -> Table:
    table = Table("target", "measured", "", title="targets", title_justify="left", width=WIDTH, box=SIMPLE_HEAD)
    for target in targets:
        table.add_row(target.text, target.measured, _MARKS[target.reached])
    return table


def print_extractors(console: Console, rates: Sequence[ExtractorRate]) -> None:
    """The speed of each domain's features on one core."""
    title = "features of sessions and windows of one minute, per second of processor time on one core"
    table = Table("features", title=title, title_justify="left", width=WIDTH, box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("per second", "to reach"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for rate in rates:
        reached = None if rate.target is None else rate.per_second >= rate.target
        table.add_row(rate.name, f"{rate.per_second:,.0f} {rate.unit}", _number(rate.target), _MARKS[reached])
    console.print(table)


def to_json(
    run: Run,
    results: Sequence[Result],
    targets: Sequence[Target],
    *,
    conditions: dict[str, Any],
    extractors: Sequence[ExtractorRate] = (),
) -> bytes:
    """Everything that was measured, and under which conditions."""
    document = {
        "conditions": conditions | machine(),
        "extractors": [asdict(rate) for rate in extractors],
        "results": [_result(result) for result in results],
        "targets": [{"target": t.text, "measured": t.measured, "reached": t.reached} for t in targets],
        "runs": [_measurement(measurement) for measurement in run.measurements],
        "fill": [
            {"workload": workload, "frames": frames, "frames_per_s": rate} for workload, frames, rate in run.fill_rates
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": psutil.virtual_memory().total // MIB,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": os.getloadavg(),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "contender": result.large.letter,
        "name": result.large.name,
        "workload": result.large.workload,
        "frames": [result.small.frames, result.large.frames],
        "frames_per_s": result.marginal_rate,
        "frames_per_s_with_start": result.large.whole_rate,
        "cpu_s_per_million": result.cpu_s_per_million,
        "broker_cpu_s_per_million": result.broker_cpu_s_per_million,
        "problem": result.problem,
    }


def _measurement(run: Measurement) -> dict[str, Any]:
    return {
        "contender": run.letter,
        "name": run.name,
        "workload": run.workload,
        "frames": run.frames,
        "seconds": run.seconds,
        "problem": run.problem,
        "total_mib": run.use.total_bytes / MIB,
        "roles": {
            role: {"largest_process_mib": use.largest_bytes / MIB, "cpu_s": use.cpu_s}
            for role, use in run.use.roles.items()
        },
    }


def write_json(path: Path, document: bytes) -> None:
    """Writes the file, making its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(document)
