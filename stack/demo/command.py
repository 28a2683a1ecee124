"""The command `brain-stack demo`."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from edge.pace import SystemClock
from schemas.sensors import Domain
from stack import initialise, lifecycle
from stack.demo.run import Demo
from stack.endpoints import StackEndpoints
from stack.settings import StackSettings


class DomainChoice(StrEnum):
    """What the demo shows."""

    HEALTH = "health"
    POWER = "power"
    ENVIRONMENT = "environment"
    ALL = "all"

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domains that are meant."""
        return tuple(Domain) if self is DomainChoice.ALL else (Domain(self.value),)


def run_demo(
    settings: StackSettings,
    progress: Callable[[str, float], None],
    *,
    domain: DomainChoice,
    count: int,
    speed: float,
    timeout_s: float,
) -> None:
    """Starts what is not running, makes what is missing, and runs the demo on it."""
    if lifecycle.is_running(settings.stack_home()):
        lifecycle.revive(settings, progress=progress)
    else:
        lifecycle.up(settings, progress=progress)
    endpoints = StackEndpoints.load(settings.home)
    initialise.create_topics(endpoints, partitions=settings.partitions)
    initialise.migrate(endpoints, os.environ)
    Demo(
        endpoints,
        domains=domain.domains,
        count=count,
        speed=speed,
        timeout_s=timeout_s,
        clock=SystemClock(),
        console=Console(highlight=False),
    ).run()


DomainOption = Annotated[DomainChoice, typer.Option("--domain", help="What to show.")]
CountOption = Annotated[int, typer.Option("--recordings", min=1, max=225, help="How many people walk.")]
SpeedOption = Annotated[
    float, typer.Option(min=0.0, help="Of the walks: multiple of real time; 0 is as fast as possible.")
]
TimeoutOption = Annotated[float, typer.Option(min=1.0, help="Longest wait for the last result, in seconds.")]
