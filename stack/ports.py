"""Ports: which are taken and by whom, and which are free."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Mapping

import psutil

from stack.endpoints import LOOPBACK
from stack.errors import PortInUseError, StackError
from stack.home import MARK

# Below the range from which the kernel takes ports for outgoing connections: a port found free here
# is not taken by a passing client before its server starts.
_LOWEST_FREE_PORT = 18_000
_HIGHEST_FREE_PORT = 31_999
_ATTEMPTS = 2_000


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def owner_of(port: int) -> str:
    """The process that listens on a port as `name (pid N)`, or "another user's process" when it can't be seen."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid is not None:
            return _describe(connection.pid)
    return "a process that this user can't see"


def _describe(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        other_stack = process.environ().get(MARK)
        belongs = f", of the stack in {other_stack}" if other_stack else ""
        return f"{process.name()} (pid {pid}{belongs})"
    except psutil.Error:
        return f"pid {pid}"


def require_free(ports: Mapping[str, int]) -> None:
    """Check all ports before anything starts.

    Args:
        ports: setting name -> port.

    Raises:
        PortInUseError: naming every taken port, the process that holds it and the setting to change.
    """
    problems = [
        f"{port} is held by {owner_of(port)}; change it with BRAIN_STACK_{setting.upper()} or --set {setting}=PORT"
        for setting, port in ports.items()
        if not is_free(port)
    ]
    if problems:
        raise PortInUseError(problems)


def pick_free(names: Iterable[str], *, rng: random.Random) -> dict[str, int]:
    """A different free loopback port for each name."""
    chosen: dict[str, int] = {}
    for name in names:
        chosen[name] = _one_free(taken=set(chosen.values()), rng=rng)
    return chosen


def _one_free(*, taken: set[int], rng: random.Random) -> int:
    for _ in range(_ATTEMPTS):
        port = rng.randint(_LOWEST_FREE_PORT, _HIGHEST_FREE_PORT)
        if port not in taken and is_free(port):
            return port
    raise StackError(f"no free port between {_LOWEST_FREE_PORT} and {_HIGHEST_FREE_PORT}")
