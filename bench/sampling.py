"""What a contender's processes use: memory and processor time, read from /proc while it works."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import psutil

INTERVAL_S = 0.2
_REFRESH_EVERY = 5
_EARLY_ROUNDS = 10

PYTHON_WORKER = "python worker"


@dataclass(frozen=True, slots=True)
class Root:
    """A process that belongs to a contender, with everything it starts.

    Attributes:
        role: what it is, as the report calls it.
        pid: of the process.
        counts_memory: whether it runs as long as the contender works; a command that only submits does not.
    """

    role: str
    pid: int
    counts_memory: bool = True


@dataclass(slots=True)
class RoleUse:
    """What the processes of one role used.

    Attributes:
        largest_bytes: the most resident memory that one process of the role had.
        cpu_s: processor seconds of all of them together.
    """

    largest_bytes: int = 0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Use:
    """What a contender used: per role, and the most memory that all its processes had at one moment."""

    roles: dict[str, RoleUse] = field(default_factory=lambda: defaultdict(RoleUse))
    total_bytes: int = 0

    def cpu_s(self, *, without: Sequence[str] = ()) -> float:
        """Processor seconds of all roles but some."""
        return sum(use.cpu_s for role, use in self.roles.items() if role not in without)


@dataclass(slots=True)
class _Watched:
    role: str
    process: psutil.Process
    counts_memory: bool
    first_cpu_s: float
    last_cpu_s: float = 0.0


class Sampler:
    """Samples process trees in a thread of its own, from `with` to the end of the block.

    Args:
        roots: called again and again, because a contender's processes come and go.
        interval_s: between samples.
    """

    def __init__(self, roots: Callable[[], Sequence[Root]], *, interval_s: float = INTERVAL_S) -> None:
        self._roots = roots
        self._interval_s = interval_s
        self._watched: dict[tuple[int, float], _Watched] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._started_s = time.time()
        self.use = Use()

    def __enter__(self) -> Self:
        self._find()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._find()
        self._sample()
        for watched in self._watched.values():
            self.use.roles[watched.role].cpu_s += max(0.0, watched.last_cpu_s - watched.first_cpu_s)

    def _run(self) -> None:
        rounds = 0
        while not self._stop.wait(self._interval_s):
            # Walking all processes of the machine costs more than reading the few that matter.
            if rounds < _EARLY_ROUNDS or rounds % _REFRESH_EVERY == 0:
                self._find()
            self._sample()
            rounds += 1

    def _find(self) -> None:
        for root in self._roots():
            for process in _tree(root.pid):
                with contextlib.suppress(psutil.Error):
                    self._watch(root, process)

    def _watch(self, root: Root, process: psutil.Process) -> None:
        born_s = process.create_time()
        identity = (process.pid, born_s)
        if identity not in self._watched:
            # What an older process did before the contender began is not the contender's.
            before_s = _cpu_s(process) if born_s < self._started_s else 0.0
            role = role_of(root.role, process.name())
            self._watched[identity] = _Watched(role, process, root.counts_memory, before_s, before_s)

    def _sample(self) -> None:
        total = 0
        for watched in self._watched.values():
            with contextlib.suppress(psutil.Error):
                with watched.process.oneshot():
                    watched.last_cpu_s = max(watched.last_cpu_s, _cpu_s(watched.process))
                    resident = watched.process.memory_info().rss
                role = self.use.roles[watched.role]
                role.largest_bytes = max(role.largest_bytes, resident)
                total += resident if watched.counts_memory else 0
        self.use.total_bytes = max(self.use.total_bytes, total)


def role_of(root_role: str, name: str) -> str:
    """A Python process that a Java one has started is a worker of Flink's; everything else is its root."""
    return PYTHON_WORKER if root_role == "taskmanager" and name.startswith("python") else root_role


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _tree(pid: int) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)
