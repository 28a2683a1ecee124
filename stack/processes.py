"""The processes of the stack: what is started, in which order it is stopped, and where it logs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from stack import broker, clickhouse, flink_home
from stack.endpoints import LOOPBACK
from stack.errors import StackConfigError
from stack.home import StackHome
from stack.settings import StackSettings


class Tier(IntEnum):
    """Processes of a higher tier use those of a lower one and are stopped first."""

    STORE = 1
    LINE = 2


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One supervised process.

    Attributes:
        name: as `status` and `logs` call it.
        command: argument vector.
    """

    name: str
    command: tuple[str, ...]
    tier: Tier


_OWN_LOG_FILES = {
    "kafka": "kafka.log",
    "jobmanager": f"flink-{flink_home.IDENT}-standalonesession-0-localhost.log",
    "taskmanager": f"flink-{flink_home.IDENT}-taskexecutor-0-localhost.log",
    "clickhouse": "clickhouse-errors.log",
    "ticker": None,
}
"""Process -> the file it writes itself."""


def build(settings: StackSettings, home: StackHome) -> list[ProcessSpec]:
    """All processes of the stack. Java, jars and configuration are prepared by the caller."""
    java = flink_home.java_home(settings) / "bin" / "java"
    specs = [
        ProcessSpec("kafka", tuple(broker.command(settings, home, java=java)), Tier.STORE),
        ProcessSpec("jobmanager", tuple(flink_home.foreground_command(home, "jobmanager.sh")), Tier.LINE),
        ProcessSpec("taskmanager", tuple(flink_home.foreground_command(home, "taskmanager.sh")), Tier.LINE),
        ProcessSpec("ticker", _ticker(settings), Tier.LINE),
    ]
    server = clickhouse.command(settings, home)
    if server is not None:
        specs.append(ProcessSpec("clickhouse", tuple(server), Tier.STORE))
    return specs


def _ticker(settings: StackSettings) -> tuple[str, ...]:
    return (sys.executable, "-m", "services.cli", "ticker", "--bootstrap", f"{LOOPBACK}:{settings.kafka_port}")


def log_files(home: StackHome, process: str) -> list[Path]:
    """The file that a process writes itself, if it does, and the one with its console output.

    Raises:
        StackConfigError: there is no such process.
    """
    if process not in _OWN_LOG_FILES:
        raise StackConfigError([f"no process {process!r}; there are {', '.join(_OWN_LOG_FILES)}"])
    own = _OWN_LOG_FILES[process]
    return [home.logs / name for name in (own, f"{process}.out") if name is not None]
