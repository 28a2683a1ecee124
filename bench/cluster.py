"""The stack on which everything is measured: one for a run, on free ports, in a home that is removed afterwards."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.errors import BenchError
from jobs.runtime.flink_rest import FlinkRest
from stack import flink_home, initialise, lifecycle, supervision
from stack.endpoints import StackEndpoints
from stack.home import REPOSITORY
from stack.settings import StackSettings

PARTITIONS = 4
_RESTART_TIMEOUT_S = 90.0
_POLL_S = 0.25

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running stack.

    Attributes:
        settings: with which it was started.
        endpoints: where it listens.
    """

    settings: StackSettings
    endpoints: StackEndpoints

    def pid(self, process: str) -> int:
        """The process id of one of the stack's processes now."""
        return supervision.Supervisor(self.settings.stack_home()).states()[process].pid

    def environment(self) -> dict[str, str]:
        """In which Flink's command line and our jobs find this stack."""
        home = self.settings.stack_home()
        java = flink_home.java_home(self.settings)
        flink = flink_home.environment(os.environ, home, java=java)
        return flink | self.endpoints.to_env() | {"PYTHONPATH": supervision.python_path(os.environ)}

    def restart_taskmanager(self) -> None:
        """Gives the next job a fresh TaskManager, so that it has no earlier job's memory.

        Raises:
            BenchError: if it does not come back with all its slots.
        """
        with FlinkRest(self.endpoints.flink_rest_url) as rest:
            before = {manager["id"] for manager in rest.get("/taskmanagers")["taskmanagers"]}
            psutil.Process(self.pid("taskmanager")).terminate()
            deadline = time.monotonic() + _RESTART_TIMEOUT_S
            while not self._has_fresh_slots(rest, before):
                if time.monotonic() > deadline:
                    raise BenchError(f"no TaskManager came back within {_RESTART_TIMEOUT_S:.0f} s")
                time.sleep(_POLL_S)

    def _has_fresh_slots(self, rest: FlinkRest, before: set[str]) -> bool:
        return any(
            manager["id"] not in before and manager["freeSlots"] == self.endpoints.task_slots
            for manager in rest.get("/taskmanagers")["taskmanagers"]
        )


@contextmanager
def running_cluster(say: Say, *, overrides: Mapping[str, object]) -> Iterator[Cluster]:
    """A stack with tables and the line's topics; stopped and removed at the end.

    Args:
        say: told what is under way.
        overrides: settings of the stack. Jars are shared with the ordinary stack unless they say otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="brain-bench-") as directory:
        flags = {"jars_dir": REPOSITORY / ".brain" / "jars", "partitions": PARTITIONS} | dict(overrides)
        settings = StackSettings.load(flags | {"home": Path(directory)}).with_free_ports(random.SystemRandom())
        say("starting Kafka, Flink and ClickHouse")
        endpoints = lifecycle.up(settings, progress=lambda _name, _seconds: None)
        try:
            initialise.create_topics(endpoints, partitions=settings.partitions)
            initialise.migrate(endpoints, os.environ)
            yield Cluster(settings, endpoints)
        finally:
            lifecycle.down(settings.stack_home(), timeout_s=settings.stop_timeout_s)
