"""`brain-stack`: the local Kafka, Flink and ClickHouse."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from clickhouse_driver.errors import Error as ClickHouseError
from confluent_kafka import KafkaException
from rich.console import Console
from typer.core import TyperGroup

from schemas.errors import BrainError
from stack import initialise, jars, lifecycle, processes, status
from stack.demo.command import CountOption, DomainChoice, DomainOption, SpeedOption, TimeoutOption, run_demo
from stack.endpoints import StackEndpoints
from stack.errors import StackConfigError, StackNotRunningError
from stack.settings import StackSettings
from stack.supervision import Supervisor


class Page(StrEnum):
    """The web pages of the stack."""

    FLINK = "flink"
    CLICKHOUSE = "clickhouse"


class _PlainErrors(TyperGroup):
    """Shows an error with a known cause as one message, without a stack trace; exit code 1."""

    def invoke(self, ctx: Any) -> Any:  # typer keeps its own copy of click's Context private
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BrainError, ClickHouseError, KafkaException) as error:
            lines = [f"brain-stack: {error}", *getattr(error, "__notes__", ())]
            typer.echo("\n".join(lines), err=True)
            raise typer.Exit(1) from error


app = typer.Typer(help=__doc__, cls=_PlainErrors, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(soft_wrap=True, highlight=False)

HomeOption = Annotated[Path | None, typer.Option("--home", help="State directory; default .brain (BRAIN_HOME).")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="YAML settings file (BRAIN_STACK_CONFIG).")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting.")]


@app.command("up")
def up_command(
    home: HomeOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Choose free ports, not the usual ones.")] = False,
) -> None:
    """Start Kafka, Flink, ClickHouse and the ticker, and wait until they answer."""
    settings = read_settings(home, config, assignments)
    if lifecycle.is_running(settings.stack_home()):
        console.print("the stack is running already")
        lifecycle.revive(settings, progress=_show_progress)
    else:
        if free_ports:
            settings = settings.with_free_ports(random.SystemRandom())
        lifecycle.up(settings, progress=_show_progress)
    endpoints = StackEndpoints.load(settings.home)
    console.print(f"Kafka       {endpoints.kafka_bootstrap}")
    console.print(f"Flink       {endpoints.flink_rest_url}")
    console.print(
        f"ClickHouse  {endpoints.clickhouse_host}:{endpoints.clickhouse_tcp_port}, {_clickhouse_url(endpoints)}"
    )
    console.print("next: brain-stack init; to stop: brain-stack down", style="dim")


def _show_progress(name: str, seconds: float) -> None:
    console.print(f"  {name:<12} {seconds:5.1f} s")


def _clickhouse_url(endpoints: StackEndpoints) -> str:
    return f"http://{endpoints.clickhouse_host}:{endpoints.clickhouse_http_port}"


@app.command("down")
def down_command(home: HomeOption = None) -> None:
    """Stop everything; data stays."""
    settings = read_settings(home)
    started_s = time.monotonic()
    if lifecycle.down(settings.stack_home(), timeout_s=settings.stop_timeout_s):
        console.print(f"stopped in {time.monotonic() - started_s:.1f} s; nothing is left running")
    else:
        console.print("nothing was running")


@app.command("status")
def status_command(home: HomeOption = None) -> None:
    """Show each process; exit code 1 when something is wrong."""
    settings = read_settings(home)
    states = Supervisor(settings.stack_home()).states()
    reports = status.inspect(StackEndpoints.load(settings.home), states)
    console.print(status.table(reports))
    wrong = status.problems(reports)
    for problem in wrong:
        console.print(problem, style="red")
    if wrong:
        raise typer.Exit(1)
    console.print("all is well")


@app.command("logs")
def logs_command(
    services: Annotated[list[str], typer.Argument(help="kafka, jobmanager, taskmanager, clickhouse, ticker")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 100,
    home: HomeOption = None,
) -> None:
    """Show the logs of processes: their own files and their consoles."""
    stack_home = read_settings(home).stack_home()
    paths = [path for service in services for path in processes.log_files(stack_home, service)]
    files = [str(path) for path in paths if path.is_file()]
    if not files:
        raise StackNotRunningError(f"{' and '.join(services)}: nothing logged in {stack_home.logs} yet")
    tail = shutil.which("tail") or "/usr/bin/tail"
    os.execv(tail, [tail, "-n", str(lines), *(["-F"] if follow else []), *files])  # noqa: S606  # files of ours


@app.command("open")
def open_command(
    page: Annotated[Page, typer.Argument(help="Which page.")],
    home: HomeOption = None,
) -> None:
    """Print the address of a web page of the stack and, on a desktop, open it."""
    endpoints = StackEndpoints.load(read_settings(home).home)
    url = endpoints.flink_rest_url if page is Page.FLINK else f"{_clickhouse_url(endpoints)}/play"
    console.print(url)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
        typer.launch(url)


@app.command("init")
def init_command(home: HomeOption = None, assignments: SetOption = None) -> None:
    """Create topics and tables; running it again changes nothing."""
    kafka_init_command(home, assignments)
    ch_init_command(home)


@app.command("kafka-init")
def kafka_init_command(home: HomeOption = None, assignments: SetOption = None) -> None:
    """Create the topics."""
    settings = read_settings(home, None, assignments)
    report = initialise.create_topics(StackEndpoints.load(settings.home), partitions=settings.partitions)
    console.print(f"topics: {len(report.created)} created, {len(report.existing)} as specified")
    for name in report.created:
        console.print(f"  created {name}")
    for change in report.altered:
        console.print(f"  altered {change}")


@app.command("ch-init")
def ch_init_command(home: HomeOption = None) -> None:
    """Create the tables: apply clickhouse/*.sql (CLICKHOUSE_SCHEMA_GLOB)."""
    report = initialise.migrate(StackEndpoints.load(read_settings(home).home), os.environ)
    console.print(f"migrations: {len(report.applied)} applied, {len(report.skipped)} had been applied")
    for name in report.applied:
        console.print(f"  applied {name}")


@app.command("jars")
def jars_command(
    home: HomeOption = None,
    relock: Annotated[bool, typer.Option(help="Resolve anew and rewrite the lock files.")] = False,
) -> None:
    """Download the pinned jars and check them against the lock files."""
    stack_home = read_settings(home).stack_home()
    for jar_set in jars.ALL:
        if relock:
            with tempfile.TemporaryDirectory() as workspace:
                console.print(f"wrote {jars.relock(jar_set, Path(workspace))}")
        directory = jars.ensure(jar_set, stack_home.jars)
        console.print(f"{jar_set.name}: {len(jar_set.locked())} jars in {directory}, checksums match")


@app.command("demo")
def demo_command(
    domain: DomainOption = DomainChoice.ALL,
    recordings: CountOption = 12,
    speed: SpeedOption = 30.0,
    timeout_s: TimeoutOption = 180.0,
    home: HomeOption = None,
    assignments: SetOption = None,
) -> None:
    """Replay recordings of people, rooms and machines through the whole line and show what comes out."""
    settings = read_settings(home, None, assignments)
    run_demo(settings, _show_progress, domain=domain, count=recordings, speed=speed, timeout_s=timeout_s)


def read_settings(
    home: Path | None = None, config: Path | None = None, assignments: list[str] | None = None
) -> StackSettings:
    """The settings with the flags of a command line.

    Raises:
        SettingsError: naming every wrong setting.
    """
    flags: dict[str, Any] = {}
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise StackConfigError([f"--set {assignment}: want NAME=VALUE"])
        flags[name] = value
    if home is not None:
        flags["home"] = home
    return StackSettings.load(flags, yaml_file=config)


if __name__ == "__main__":
    app()
