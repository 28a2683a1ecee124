"""The commands of the agent: run it, ask how it is, and send kept records once more."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from edge.agent.agent import Agent, Parts
from edge.agent.building import build_parts
from edge.agent.settings import AgentSettings
from edge.agent.snapshot import is_running, read_snapshot
from edge.agent.status_page import show_status
from edge.console import errors_in_red, log_to
from edge.identity import new_boot_id
from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.senders.file import FileSender
from edge.spool.spool import Spool
from schemas.errors import SettingsError

Config = Annotated[Path | None, typer.Option("--config", help="The agent's YAML file (BRAIN_AGENT_CONFIG).")]
_MS_PER_S = 1_000


def run_agent(config: Path | None) -> None:
    """Run the agent that a YAML file describes until it is interrupted, or all its sources have ended."""
    with _agent_errors() as interruption:
        settings = AgentSettings.load(yaml_file=config)
        Agent(settings, _parts(settings, interruption)).run(interruption)


def record(
    output: Annotated[Path, typer.Option("--output", help="The file of frames; what is there already stays.")],
    config: Config = None,
) -> None:
    """Keep what the sources of a YAML file give in a file, for `brain-edge replay`, until it is interrupted."""
    with _agent_errors() as interruption, TemporaryDirectory(prefix="brain-record-", dir=output.parent) as spool:
        settings = AgentSettings.load({"spool": {"directory": spool}}, yaml_file=config)
        sender = FileSender(output)
        Agent(settings, replace(_parts(settings, interruption), make_sender=lambda: sender)).run(interruption)
        sender.close()


@contextmanager
def _agent_errors() -> Iterator[Interruption]:
    """Tell what an agent does, and how it can be asked to stop."""
    errors = Console(stderr=True)
    log_to(errors)
    logging.getLogger("edge").setLevel(logging.INFO)
    interruption = Interruption()
    interruption.listen()
    with errors_in_red(errors):
        yield interruption


def _parts(settings: AgentSettings, interruption: Interruption) -> Parts:
    return build_parts(settings, SystemClock(), boot_id=new_boot_id(os.urandom), interruption=interruption)


def status(config: Config = None) -> None:
    """What is connected, what is waiting, and whether anything was lost; also of an agent that has ended."""
    errors = Console(stderr=True)
    with errors_in_red(errors):
        snapshot = read_snapshot(AgentSettings.load(yaml_file=config).spool.directory)
        age_s = time.time() - snapshot["clocks"]["wall_ms"] / _MS_PER_S
        show_status(Console(), snapshot, running=is_running(snapshot), age_s=max(0.0, age_s))


def resend(
    begin: Annotated[str, typer.Option("--from", help="Begin, ISO 8601 with time zone.")],
    end: Annotated[str, typer.Option("--to", help="End, ISO 8601 with time zone.")],
    config: Config = None,
) -> None:
    """Mark what was spooled in a stretch of time to be sent again, by the agent's next start; stop the agent first.

    Only segments that are still kept can be sent again: see `spool.keep_acknowledged_s`.
    """
    errors = Console(stderr=True)
    with errors_in_red(errors):
        from_ms, to_ms = _milliseconds("--from", begin), _milliseconds("--to", end)
        spool = Spool.open(AgentSettings.load(yaml_file=config).spool)
        try:
            count = spool.resend(from_ms, to_ms).count()
        finally:
            spool.close()
    Console().print(f"{count:,} records will be sent again when the agent is started, marked as such")


def _milliseconds(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {text!r} is not ISO 8601") from error
    if moment.tzinfo is None:
        raise SettingsError(f"{option}: {text!r} has no time zone")
    return round(moment.timestamp() * _MS_PER_S)
