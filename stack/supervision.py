"""The process supervisor (`supervisor` from PyPI): its configuration, its start, and talking to it.

It is controlled over a Unix socket in the stack's home that only this user can open.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from stack.errors import StackNotRunningError, StackStartError
from stack.home import MARK, REPOSITORY, StackHome
from stack.processes import ProcessSpec, Tier

_RUN_TIMEOUT_S = 20
_ANSWER_TIMEOUT_S = 10.0
_POLL_S = 0.05

_HEAD = """\
[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
directory={run}
identifier=brain-stack

[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# startsecs: a process that lives this long counts as started, so that later deaths are restarted for ever.
_PROGRAM = """
[program:{name}]
command={command}
priority={priority}
autostart=true
autorestart=true
startsecs=3
startretries=5
stopsignal=TERM
stopwaitsecs=25
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.out
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the supervisor knows about one process.

    Attributes:
        state: RUNNING, STARTING, BACKOFF, FATAL, STOPPED, STOPPING or EXITED.
        pid: 0 when there is no process.
        uptime_s: of the present process.
        description: the supervisor's own words, for example why it gave up.
    """

    name: str
    state: str
    pid: int
    uptime_s: float
    description: str


def configuration(specs: Iterable[ProcessSpec], home: StackHome) -> str:
    """The supervisor's configuration file. Processes get the supervisor's environment."""
    places = {"logs": _escape(str(home.logs)), "run": _escape(str(home.run)), "socket": _escape(str(home.socket))}
    ordered = sorted(specs, key=lambda spec: spec.tier)
    text = _HEAD.format_map(places)
    for spec in ordered:
        command = _escape(shlex.join(spec.command))
        text += _PROGRAM.format(name=spec.name, command=command, priority=100 * spec.tier, logs=places["logs"])
    return text + "".join(_group(tier, ordered) for tier in Tier)


def _group(tier: Tier, specs: list[ProcessSpec]) -> str:
    # The supervisor stops group after group, the processes of one group all at once.
    names = ",".join(spec.name for spec in specs if spec.tier is tier)
    return f"\n[group:{tier.name.lower()}]\nprograms={names}\npriority={100 * tier}\n"


def _escape(value: str) -> str:
    # The file is read with printf-like expansion.
    return value.replace("%", "%%")


class Supervisor:
    """A running supervisor; every call raises StackNotRunningError when there is none."""

    def __init__(self, home: StackHome) -> None:
        self._home = home

    def is_running(self) -> bool:
        """Whether a supervisor answers on this home's socket."""
        try:
            self._call("getState")
        except StackNotRunningError:
            return False
        return True

    def pid(self) -> int:
        """The supervisor's own process id."""
        return cast(int, self._call("getPID"))

    def states(self) -> dict[str, ProcessState]:
        """Process name -> state."""
        answer = cast(list[dict[str, Any]], self._call("getAllProcessInfo"))
        return {info["name"]: _state(info) for info in answer}

    def start_stopped(self) -> None:
        """Start every process that is not running, without waiting for it."""
        self._call("startAllProcesses", False)

    def begin_shutdown(self) -> None:
        """Ask the supervisor to stop all processes, tier after tier, and then itself."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: bool | str) -> object:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._home.socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
            try:
                return getattr(server.supervisor, method)(*arguments)
            except (OSError, http.client.HTTPException) as error:
                raise StackNotRunningError(f"no stack runs in {self._home.root} (brain-stack up starts one)") from error


def _state(info: dict[str, Any]) -> ProcessState:
    uptime_s = float(info["now"] - info["start"]) if info["pid"] else 0.0
    return ProcessState(info["name"], info["statename"], info["pid"], uptime_s, info["spawnerr"] or info["description"])


def python_path(environment: Mapping[str, str]) -> str:
    """Makes our own modules importable in the processes, installed or not: they run in another directory."""
    inherited = environment.get("PYTHONPATH")
    return os.pathsep.join([str(REPOSITORY), inherited] if inherited else [str(REPOSITORY)])


def launch(home: StackHome, environment: Mapping[str, str]) -> Supervisor:
    """Start the supervisor in the background; it starts all processes at once.

    Raises:
        StackStartError: it did not come up; the message holds its output.
    """
    home.socket.unlink(missing_ok=True)
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(home.supervisor_conf)]
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        command,
        env={**environment, MARK: str(home.root), "PYTHONPATH": python_path(environment)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_RUN_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise StackStartError(f"the process supervisor did not start:\n{(done.stdout + done.stderr)[-800:]}")
    supervisor = Supervisor(home)
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(StackNotRunningError):
            supervisor.pid()
            return supervisor
        time.sleep(_POLL_S)
    raise StackStartError(f"the process supervisor does not answer; see {home.logs / 'supervisord.log'}")
