"""`brain-jobs`: submit, watch and stop the jobs, and score recordings without any of the servers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from edge.settings import EdgeSettings
from jobs.runtime.flink_rest import FlinkRest, JobOverview
from jobs.runtime.model import chosen_cards
from jobs.runtime.offline import Format, offline_rows, write_rows
from jobs.runtime.registry import JOBS
from jobs.runtime.scan_store import open_scan_store
from jobs.runtime.settings import JobSettings
from models import load_onnx
from schemas.errors import BrainError, SettingsError
from udfs.line import LineSettings
from udfs.scorer import Scorer

ALL = "all"
SUBMIT_SCRIPT = Path(__file__).with_name("submit.py")

_STATE_MISMATCH = "Cannot map checkpoint/savepoint state"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
console = Console()
errors = Console(stderr=True)

JobNames = Annotated[list[str], typer.Argument(help=f"{ALL}, or any of: {', '.join(JOBS)}.", metavar="NAME...")]


def main() -> None:
    """Entry of the program: errors that we raise on purpose become one message, not a traceback."""
    try:
        app()
    except BrainError as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(1)


def _names(given: list[str]) -> list[str]:
    unknown = [name for name in given if name not in (*JOBS, ALL)]
    if unknown:
        raise SettingsError(f"no job named {', '.join(unknown)}; there are {', '.join(JOBS)} and {ALL}")
    return list(JOBS) if ALL in given else [name for name in JOBS if name in given]


def _flink() -> FlinkRest:
    return FlinkRest(JobSettings.load().flink_rest_url)


def _live(flink: FlinkRest, names: list[str]) -> list[JobOverview]:
    live = flink.live_jobs()
    absent = [name for name in names if name not in live]
    if absent:
        console.print(f"[dim]not running: {', '.join(absent)}[/dim]")
    return [live[name] for name in names if name in live]


@app.command()
def submit(
    names: JobNames,
    resume: Annotated[bool, typer.Option(help="Go on from each job's newest checkpoint, if it has one.")] = True,
    resume_from: Annotated[str, typer.Option("--from", help="Go on from this savepoint (one job only).")] = "",
) -> None:
    """Submit jobs, all in one client process; those that run already are left alone."""
    wanted = _names(names)
    with _flink() as flink:
        live = flink.live_jobs()
    for name in wanted:
        if name in live:
            console.print(f"{name} runs already ({live[name].job_id})")
    missing = [name for name in wanted if name not in live]
    if resume_from and len(missing) != 1:
        raise SettingsError(f"--from names the state of one job, but {len(missing)} are to be submitted")
    if missing:
        _run_client(missing, ["--from", resume_from] if resume_from else ["--resume"] if resume else [])


def _run_client(names: list[str], options: list[str]) -> None:
    flink = shutil.which("flink", path=f"{Path(sys.executable).parent}:{Path('/usr/bin')}") or shutil.which("flink")
    if flink is None:
        raise SettingsError("no `flink` command on PATH: install iot-brain[jobs,stack] or a Flink distribution")
    command = [flink, "run", "-d", "-py", str(SUBMIT_SCRIPT), *names, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:  # noqa: S603
        output = []
        for line in client.stdout or ():
            output.append(line)
            if line.startswith("submitted "):
                console.print(line.rstrip())
    if client.returncode != 0:
        # The JVM's frames say only that its Python child ended; what went wrong stands in Python's own lines.
        sys.stderr.writelines(line for line in output if not line.startswith(("\tat ", "\t...")))
        hint = "; the job has changed since: begin anew with --no-resume" if _STATE_MISMATCH in "".join(output) else ""
        raise BrainError(f"flink run ended with status {client.returncode}{hint}")


@app.command("list")
def list_jobs() -> None:
    """List the jobs of the suite and whether they run."""
    with _flink() as flink:
        live = flink.live_jobs()
    table = Table("job", "state", "tasks", "up", "id", box=box.SIMPLE_HEAD, padding=0)
    for name in JOBS:
        job = live.get(name)
        if job is None:
            table.add_row(name, "[dim]not running[/dim]", "", "", "")
        else:
            tasks = f"{job.running_tasks}/{job.total_tasks}"
            table.add_row(name, _coloured(job.state), tasks, f"{job.duration_ms / 1000:.0f} s", job.job_id)
    console.print(table)


def _coloured(state: str) -> str:
    return f"[green]{state}[/green]" if state == "RUNNING" else f"[yellow]{state}[/yellow]"


@app.command()
def status() -> None:
    """Show what each job has read and written, its checkpoints and its restarts."""
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    table.add_column("job", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in ("read", "written", "checkpoints", "state MB", "failed", "restarts"):
        table.add_column(name, justify="right", no_wrap=True)
    with _flink() as flink:
        live = flink.live_jobs()
        for name in (name for name in JOBS if name in live):
            progress = flink.progress(live[name].job_id)
            table.add_row(
                name,
                _coloured(live[name].state),
                f"{progress.read:,}",
                f"{progress.written:,}",
                str(progress.checkpoints),
                f"{progress.state_bytes / 1e6:.1f}",
                str(progress.failed_checkpoints),
                str(progress.restarts),
            )
    console.print(table)


@app.command()
def cancel(names: JobNames) -> None:
    """Cancel jobs; their retained checkpoints stay, so that `submit` goes on where they were."""
    with _flink() as flink:
        for job in _live(flink, _names(names)):
            flink.cancel(job.job_id)
            console.print(f"cancelled {job.name}")


@app.command()
def savepoint(
    names: JobNames,
    target: Annotated[str | None, typer.Option(help="Directory; the cluster's own by default.")] = None,
    stop: Annotated[bool, typer.Option(help="Stop the job with it.")] = False,
) -> None:
    """Take a savepoint of jobs and print where it lies."""
    with _flink() as flink:
        for job in _live(flink, _names(names)):
            console.print(f"{job.name} {flink.savepoint(job.job_id, target, stop=stop)}", soft_wrap=True)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="The job.")],
    lines: Annotated[int, typer.Option(help="Of each TaskManager's log.")] = 40,
) -> None:
    """Show a job's exceptions and the end of the logs of the TaskManagers that run it."""
    with _flink() as flink:
        for job in _live(flink, _names([name])):
            for entry in flink.get(f"/jobs/{job.job_id}/exceptions")["exceptionHistory"]["entries"]:
                console.print(entry["stacktrace"], markup=False)
        for manager in flink.get("/taskmanagers")["taskmanagers"]:
            console.rule(manager["id"])
            text = flink.text(f"/taskmanagers/{manager['id']}/log")
            console.print("\n".join(text.splitlines()[-lines:]), markup=False, highlight=False)


@app.command()
def offline(
    recordings: Annotated[
        list[str], typer.Argument(help="Files as `brain-edge replay` takes them.", metavar="FILE...")
    ],
    output: Annotated[Format, typer.Option("--format", help="How rows are written.")] = Format.JSONL,
    device: Annotated[str | None, typer.Option(help="Device id; by default the recording's name.")] = None,
    session: Annotated[str | None, typer.Option(help="Session id; by default the recording's name.")] = None,
    start: Annotated[str | None, typer.Option(help="Time of the first sample, ISO 8601 with zone.")] = None,
    limit_s: Annotated[float | None, typer.Option("--limit-seconds", help="Only the first seconds of each.")] = None,
) -> None:
    """Score recordings without any server: the same code, one JSON object a session and a window on standard output."""
    settings = JobSettings.load()
    edge = EdgeSettings.load({"device_id": device, "session_id": session, "start": start, "limit_s": limit_s})
    line = LineSettings(
        [Scorer.load(load_onnx(card.name), card) for card in chosen_cards(settings)],
        settings.alert_threshold,
        append_ms=time.time_ns() // 1_000_000,
        supplies=settings.device_supplies(),
        places=settings.device_places(),
        fetch_scan=open_scan_store(settings.scan_store or edge.scan_store or ""),
    )
    devices, bad = offline_rows(recordings, edge, line)
    write_rows(devices, output, sys.stdout)
    for recording in bad:
        errors.print(f"[red]{recording}[/red]")
    if bad:
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
