"""Up and down: prepare, start everything at once, wait until it is really ready; stop it and leave nothing behind."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

from stack import broker, clickhouse, flink_home, jars, ports, processes, supervision
from stack.clickhouse_url import ClickHouseServer, parse_clickhouse_url
from stack.endpoints import LOOPBACK, StackEndpoints
from stack.errors import StackNotRunningError, StackStartError
from stack.home import MARK, StackHome
from stack.readiness import Probe, probes
from stack.settings import StackSettings
from stack.supervision import Supervisor

_POLL_S = 0.25
_LOG_TAIL_LINES = 15
_KILL_TIMEOUT_S = 5.0
_MOST_STARTS = 3

Progress = Callable[[str, float], None]
"""Called with the name of what became ready and the seconds since the start."""


def endpoints_of(settings: StackSettings) -> StackEndpoints:
    """Where a stack with these settings listens."""
    home = settings.stack_home()
    if settings.clickhouse_url is None:
        ports_here = (settings.clickhouse_tcp_port, settings.clickhouse_http_port)
        server = ClickHouseServer(LOOPBACK, *ports_here, user="default", password="")
    else:
        server = parse_clickhouse_url(settings.clickhouse_url.get_secret_value())
    return StackEndpoints(
        kafka_bootstrap=f"{LOOPBACK}:{settings.kafka_port}",
        flink_rest_url=f"http://{LOOPBACK}:{settings.flink_rest_port}",
        clickhouse_host=server.host,
        clickhouse_tcp_port=server.tcp_port,
        clickhouse_http_port=server.http_port,
        clickhouse_user=server.user,
        clickhouse_password=server.password,
        flink_conf_dir=str(home.flink_conf),
        flink_lib_dir=str(home.flink / "lib"),
        home=str(home.root),
        task_slots=settings.task_slots,
    )


def up(settings: StackSettings, *, progress: Progress) -> StackEndpoints:
    """Start the stack and return when every service answers.

    The caller has made sure that no stack runs in this home (`is_running`).

    Raises:
        PortInUseError: before anything was started.
        MissingComponentError, JarChecksumError: a part is missing or not the pinned one.
        StackStartError: a process did not become ready; whatever was started is stopped again.
    """
    home = settings.stack_home()
    supervisor = launch(settings)
    try:
        wait_until_ready(home, supervisor, progress=progress, timeout_s=settings.start_timeout_s)
    except BaseException:
        down(home, timeout_s=settings.stop_timeout_s)
        raise
    return StackEndpoints.load(home.root)


def launch(settings: StackSettings) -> Supervisor:
    """Start all processes at once without waiting for any; see `up` for what it raises."""
    ports.require_free(settings.ports())
    home = settings.stack_home()
    prepare(settings, home)
    endpoints_of(settings).save(home)
    java = flink_home.java_home(settings)
    return supervision.launch(home, flink_home.environment(os.environ, home, java=java))


def revive(settings: StackSettings, *, progress: Progress) -> None:
    """Start what does not run in a running stack and wait until all services answer.

    Raises:
        StackStartError: a process did not become ready; the others go on running.
    """
    home = settings.stack_home()
    supervisor = Supervisor(home)
    supervisor.start_stopped()
    wait_until_ready(home, supervisor, progress=progress, timeout_s=settings.start_timeout_s)


def is_running(home: StackHome) -> bool:
    """Whether a stack runs in this home."""
    return Supervisor(home).is_running()


def prepare(settings: StackSettings, home: StackHome) -> None:
    """Jars, configuration files and storage directories; starts nothing."""
    home.make_directories()
    for jar_set in jars.ALL:
        jars.ensure(jar_set, home.jars)
    java = flink_home.java_home(settings) / "bin" / "java"
    flink_home.prepare(settings, home)
    clickhouse.prepare(settings, home)
    broker.prepare(settings, home, java=java)
    home.supervisor_conf.write_text(supervision.configuration(processes.build(settings, home), home))


def wait_until_ready(home: StackHome, supervisor: Supervisor, *, progress: Progress, timeout_s: float) -> None:
    """Ask every service until all have answered.

    Raises:
        StackStartError: a process was given up by the supervisor, or the time is over.
    """
    started_s = time.monotonic()
    waiting = probes(StackEndpoints.load(home.root))
    starts: dict[str, set[int]] = defaultdict(set)
    while waiting:
        for probe in [probe for probe in waiting if probe.answers()]:
            waiting.remove(probe)
            progress(probe.process, time.monotonic() - started_s)
        _raise_if_given_up(supervisor, home, starts)
        if time.monotonic() - started_s > timeout_s:
            raise StackStartError(_explain_timeout(waiting, timeout_s, home))
        time.sleep(_POLL_S)


def _raise_if_given_up(supervisor: Supervisor, home: StackHome, starts: dict[str, set[int]]) -> None:
    for name, state in supervisor.states().items():
        starts[name] |= {state.pid} - {0}
        # The supervisor gives up only a process that dies at once; a JVM takes seconds to die of its settings.
        if state.state == "FATAL" or len(starts[name]) > _MOST_STARTS:
            raise StackStartError(f"{name} does not start: {state.description}\n{log_tail(home, name)}")


def _explain_timeout(waiting: list[Probe], timeout_s: float, home: StackHome) -> str:
    late = "\n".join(f"{probe.process} at {probe.endpoint}\n{log_tail(home, probe.process)}" for probe in waiting)
    return f"not ready after {timeout_s:.0f} s (BRAIN_STACK_START_TIMEOUT_S): {late}"


def log_tail(home: StackHome, process: str) -> str:
    """The last lines of a process's console output, indented."""
    path = home.logs / f"{process}.out"
    lines = path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:] if path.is_file() else []
    return "\n".join(f"    {line}" for line in lines)


def down(home: StackHome, *, timeout_s: float) -> bool:
    """Stop the stack in order and make sure that no process of it is left.

    Returns:
        Whether anything was running.
    """
    supervisor = Supervisor(home)
    found = processes_of(home)
    try:
        supervisor.begin_shutdown()
    except StackNotRunningError:
        # The supervisor was killed and left its processes behind, or nothing runs.
        _signal(found, signal.SIGTERM)
    _, alive = psutil.wait_procs(found, timeout=timeout_s)
    _signal([*alive, *processes_of(home)], signal.SIGKILL)
    psutil.wait_procs(processes_of(home), timeout=_KILL_TIMEOUT_S)
    home.socket.unlink(missing_ok=True)
    return bool(found)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # One that has ended by itself since it was listed is where it should be.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def processes_of(home: StackHome) -> list[psutil.Process]:
    """Every living process that was started by this home's supervisor, told by its environment."""
    return [process for process in psutil.process_iter() if _is_marked(process, str(home.root))]


def _is_marked(process: psutil.Process, root: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == root
    except psutil.Error:
        return False
