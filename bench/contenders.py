"""A contender: a way of doing the work, as the bench starts, watches and stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cluster import Cluster
from bench.fill import Truth
from bench.sampling import Root
from bench.tally import SessionRows, Watch
from bench.topics import OUTPUTS, RESULTS_TOPIC
from bench.workloads import Workload
from schemas.topics import Topic
from stack.home import REPOSITORY

PEERS = Path(__file__).with_name("peers")
_STOP_TIMEOUT_S = 15.0
_LAST_CHARACTERS = 600
_PYTHON_ERROR = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n)+(.*)")


class Contender(ABC):
    """One row of the table.

    Attributes:
        letter: as in the documentation.
        name: as in the table.
        results: the topic of its session rows.
    """

    letter: str
    name: str
    results: str = RESULTS_TOPIC

    def needs_warm_up(self, cluster: Cluster) -> bool:
        """Whether an unmeasured run comes first, because its virtual machine compiles while it works."""
        del cluster
        return False

    def stages(self, workload: Workload) -> tuple[int, int]:
        """The two sizes of the topic at which it is measured: the two largest, unless it is too slow for them."""
        last = len(workload.stages) - 1
        return last - 1, last

    def alternatives(self) -> list[Contender]:
        """Ways of running it, of which the fastest at the smaller size is taken to the larger one."""
        return [self]

    def outputs(self) -> tuple[str, ...]:
        """The topics that must be empty before it starts."""
        return OUTPUTS

    def prepare(self, cluster: Cluster, truth: Truth) -> None:  # noqa: B027  # most need nothing
        """What is not measured: other processes that must be fresh, virtual environments."""

    @abstractmethod
    def start(self, cluster: Cluster) -> None:
        """Begins the work; the clock runs from here."""

    @abstractmethod
    def roots(self) -> list[Root]:
        """The processes that are the contender's."""

    @abstractmethod
    def failure(self) -> str | None:
        """Why it can no longer finish, None while it may."""

    @abstractmethod
    def stop(self, cluster: Cluster) -> None:
        """Ends whatever `start` began."""

    def watch(self, cluster: Cluster, truth: Truth) -> Watch:
        """How its results are looked at."""
        return SessionRows(cluster.endpoints.kafka_bootstrap, self.results, truth)

    def leftovers(self, cluster: Cluster, truth: Truth) -> str | None:
        """What is wrong beside the session rows, None if nothing is."""
        del cluster, truth
        return None


class Command:
    """A program of a contender, its output kept for the error message."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed in stop()
        self._process = subprocess.Popen(  # noqa: S603  # our own commands
            list(arguments),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def failure(self) -> str | None:
        """The end of its output if it has ended with an error."""
        status = self._process.poll()
        if status in (None, 0):
            return None
        self._output.seek(0)
        return f"ended with status {status}: {last_error(self._output.read().decode(errors='replace'))}"

    def stop(self) -> None:
        """Ends it and all that it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(_STOP_TIMEOUT_S)
        self._output.close()


def last_error(output: str) -> str:
    """The error of the last Python traceback in a text, whatever Java says after it; else the text's end."""
    errors = _PYTHON_ERROR.findall(output)
    return errors[-1].strip() if errors else output.strip()[-_LAST_CHARACTERS:]


class ProcessContender(Contender):
    """A contender that is nothing but processes of its own, which run until they have done the work."""

    def __init__(self) -> None:
        self._commands: list[Command] = []

    @abstractmethod
    def commands(self, cluster: Cluster) -> list[tuple[Sequence[str], Mapping[str, str]]]:
        """Argument vectors and environments."""

    def start(self, cluster: Cluster) -> None:
        """See Contender."""
        self._commands = [Command(arguments, environment) for arguments, environment in self.commands(cluster)]

    def roots(self) -> list[Root]:
        """See Contender."""
        return [Root("process", command.pid) for command in self._commands]

    def failure(self) -> str | None:
        """See Contender."""
        return next((failure for command in self._commands if (failure := command.failure())), None)

    def stop(self, cluster: Cluster) -> None:
        """See Contender."""
        del cluster
        for command in self._commands:
            command.stop()
        self._commands = []


class PlainLoop(ProcessContender):
    """A loop over a Kafka consumer: how fast one Python process is that survives nothing."""

    letter = "e"
    name = "plain Python loop"

    def commands(self, cluster: Cluster) -> list[tuple[Sequence[str], Mapping[str, str]]]:
        """See ProcessContender."""
        arguments = (sys.executable, "-m", "bench.peers.plain_loop", *peer_arguments(cluster))
        return [(arguments, os.environ | {"PYTHONPATH": str(REPOSITORY)})]


def peer_arguments(cluster: Cluster) -> tuple[str, ...]:
    """What every peer program is told: brokers, source topic, results topic."""
    return (cluster.endpoints.kafka_bootstrap, Topic.RAWFRAMES.value, RESULTS_TOPIC)
