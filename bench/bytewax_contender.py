"""Bytewax as a contender: its virtual environment, and the ways of running it."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cluster import Cluster
from bench.contenders import Contender, ProcessContender, peer_arguments
from bench.errors import BenchError
from bench.fill import Truth
from stack import ports
from stack.endpoints import LOOPBACK
from stack.home import REPOSITORY

REQUIREMENTS = REPOSITORY / "requirements" / "bench-bytewax.txt"
ENVIRONMENT = REPOSITORY / ".brain" / "bench-venv"
_INSTALL_TIMEOUT_S = 600


def ensure_environment(directory: Path = ENVIRONMENT) -> Path:
    """The Python of Bytewax's own virtual environment; made anew when the requirements have changed.

    Raises:
        BenchError: with the output of what failed.
    """
    python = directory / "bin" / "python"
    stamp = directory / "requirements.sha256"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        _run(sys.executable, "-m", "venv", "--clear", str(directory))
        _run(str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS))
        stamp.write_text(digest)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(  # noqa: S603  # our own commands
        command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr)[-600:]}")


class Bytewax(ProcessContender):
    """Session windows in Bytewax.

    Args:
        processes: of a cluster on this machine.
        threads: workers of each process.
    """

    letter = "d"

    def __init__(self, *, processes: int = 1, threads: int = 1) -> None:
        super().__init__()
        self._processes = processes
        self._threads = threads
        self.name = f"Bytewax, {threads} threads" if threads > 1 else f"Bytewax, {processes} proc."

    def alternatives(self) -> list[Contender]:
        """Two cores can be used by two processes or by two threads, or one core be enough."""
        return [Bytewax(), Bytewax(threads=2), Bytewax(processes=2)]

    def prepare(self, cluster: Cluster, truth: Truth) -> None:
        """See Contender."""
        del cluster, truth
        ensure_environment()

    def commands(self, cluster: Cluster) -> list[tuple[Sequence[str], Mapping[str, str]]]:
        """See ProcessContender."""
        arguments = ", ".join(repr(argument) for argument in peer_arguments(cluster))
        flow = f"bench.peers.bytewax_flow:build_flow({arguments})"
        base = (str(ENVIRONMENT / "bin" / "python"), "-m", "bytewax.run", flow)
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        return [((*base, *options), environment) for options in self._options()]

    def _options(self) -> list[tuple[str, ...]]:
        if self._processes == 1:
            return [("-w", str(self._threads))]
        names = [f"process {number}" for number in range(self._processes)]
        chosen = ports.pick_free(names, rng=random.SystemRandom())
        addresses = ";".join(f"{LOOPBACK}:{chosen[name]}" for name in names)
        return [("-i", str(number), "-a", addresses) for number in range(self._processes)]
