"""The state of the running stack as a table, and in words what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
from rich.table import Table

from stack.endpoints import StackEndpoints
from stack.readiness import Probe, probes
from stack.supervision import ProcessState

_MIB = 1024 * 1024
_YOUNG_S = 30.0


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """One line of the table.

    Attributes:
        answers: whether the service answered a real request; None for a process that offers none.
        memory_mb: resident, with all children (Python workers belong to the TaskManager).
    """

    state: ProcessState
    endpoint: str
    answers: bool | None
    memory_mb: float


def inspect(endpoints: StackEndpoints, states: dict[str, ProcessState]) -> list[ProcessReport]:
    """Ask every process and every service."""
    by_process = {probe.process: probe for probe in probes(endpoints)}
    return [_report(state, by_process.get(name)) for name, state in sorted(states.items())]


def _report(state: ProcessState, probe: Probe | None) -> ProcessReport:
    answers = None if probe is None else probe.answers()
    return ProcessReport(state, probe.endpoint if probe else "", answers, memory_mb(state.pid))


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all its descendants in MiB; 0 when it is gone."""
    if pid == 0:
        return 0.0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(_resident_bytes(member) for member in family) / _MIB


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def problems(reports: list[ProcessReport]) -> list[str]:
    """In words, what is wrong and where to look; empty when all is well."""
    return [problem for report in reports if (problem := _problem(report)) is not None]


def _problem(report: ProcessReport) -> str | None:
    state = report.state
    look = f"see: brain-stack logs {state.name}"
    if state.state in ("STARTING", "BACKOFF"):
        return f"{state.name} is being started again ({state.description or 'it has just died'}); {look}"
    if state.state != "RUNNING":
        return f"{state.name} does not run: {state.state.lower()}, {state.description}; {look}"
    if report.answers is False and state.uptime_s < _YOUNG_S:
        return f"{state.name} was started {state.uptime_s:.0f} s ago and does not answer yet"
    if report.answers is False:
        return f"{state.name} runs but is not ready ({report.endpoint}); {look}"
    return None


def table(reports: list[ProcessReport]) -> Table:
    """The reports as a table."""
    drawn = Table("process", "state", "pid", "uptime", "endpoint", "memory", box=None, pad_edge=False)
    for report in reports:
        state = report.state
        shown = {True: "ready", False: "not ready", None: "running"}[report.answers]
        drawn.add_row(
            state.name,
            shown if state.state == "RUNNING" else state.state.lower(),
            str(state.pid or ""),
            duration(state.uptime_s),
            report.endpoint,
            f"{report.memory_mb:,.0f} MiB",
        )
    return drawn


def duration(seconds: float) -> str:
    """`42 s`, `5 min`, `3 h 20 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
