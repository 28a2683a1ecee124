"""The command `brain-stack demo`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from edge.pace import SystemClock
from stack import initialise, lifecycle
from stack.demo.run import Demo
from stack.endpoints import StackEndpoints
from stack.settings import StackSettings


def run_demo(
    settings: StackSettings, progress: Callable[[str, float], None], *, count: int, speed: float, timeout_s: float
) -> None:
    """Starts what is not running, makes what is missing, and runs the demo on it."""
    if lifecycle.is_running(settings.stack_home()):
        lifecycle.revive(settings, progress=progress)
    else:
        lifecycle.up(settings, progress=progress)
    endpoints = StackEndpoints.load(settings.home)
    initialise.create_topics(endpoints, partitions=settings.partitions)
    initialise.migrate(endpoints, os.environ)
    console = Console(highlight=False)
    Demo(endpoints, count=count, speed=speed, timeout_s=timeout_s, clock=SystemClock(), console=console).run()


CountOption = Annotated[int, typer.Option("--recordings", min=1, max=225, help="How many recordings.")]
SpeedOption = Annotated[float, typer.Option(min=0.0, help="Multiple of real time; 0 is as fast as possible.")]
TimeoutOption = Annotated[float, typer.Option(min=1.0, help="Longest wait for the last score, in seconds.")]
