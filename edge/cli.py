"""`brain-edge`: the device side on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from edge.agent.commands import Config, record, resend, run_agent, status
from edge.console import errors_in_red, format_table, log_to, progress_bar, show_summary
from edge.identity import Boot, new_boot_id
from edge.interruption import Interruption
from edge.pace import SystemClock
from edge.plan import ReplayPlan, plan_recordings, plan_replay
from edge.recordings.files import FORMATS
from edge.recordings.synthetic_gait import GaitModel, synthesize_gait
from edge.replay import replay as replay_plan
from edge.settings import EdgeSettings

app = typer.Typer(add_completion=False, no_args_is_help=True)


class LiveSource(StrEnum):
    """What `brain-edge run` can read."""

    SYNTHETIC_GAIT = "synthetic-gait"


Speed = Annotated[str | None, typer.Option("--speed", help="Multiple of real time; 0 or max: as fast as possible.")]
Device = Annotated[str | None, typer.Option("--device", help="Device id; by default the name of the recording.")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Tenant id.")]
Site = Annotated[str | None, typer.Option("--site", help="Site id.")]
Session = Annotated[str | None, typer.Option("--session", help="Session id; by default the name of the recording.")]
BootId = Annotated[
    str | None, typer.Option("--boot-id", help="With the same one and --start, the same events are sent.")
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start", help="Time of 0 s: ISO 8601 with time zone, or now; without it dated recordings stay dated."
    ),
]
Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="Kafka bootstrap servers, host:port,...")]
Topic = Annotated[str | None, typer.Option("--topic", help="Kafka topic.")]
Limit = Annotated[float | None, typer.Option("--limit-seconds", help="Only the first seconds of each measurement.")]
Paths = Annotated[
    list[str],
    typer.Argument(
        help=f"Recordings: FILE or FILE#PART, plain or gzipped, of {', '.join(known.name for known in FORMATS)}; "
        "see brain-edge formats.",
        metavar="FILE...",
    ),
]
Order = Annotated[bool | None, typer.Option("--one-after-another/--together", help="One by one, or all at once.")]


app.command()(status)
app.command()(resend)
app.command()(record)


@app.callback()
def main() -> None:
    """The device side: reads sensors and recordings and sends their frames to Kafka.

    What the options leave open comes from BRAIN_EDGE_* and from the YAML file that BRAIN_EDGE_CONFIG names.
    """


# The options below are named as the settings they overrule, and `_given` collects them from the context.
# PLR0913: a command has as many arguments as it has options.
@app.command()
def replay(  # noqa: PLR0913
    context: typer.Context,
    paths: Paths,
    *,
    speed: Speed = None,
    device_id: Device = None,
    tenant_id: Tenant = None,
    site_id: Site = None,
    session_id: Session = None,
    boot_id: BootId = None,
    start: Start = None,
    bootstrap_servers: Bootstrap = None,
    topic: Topic = None,
    limit_s: Limit = None,
    one_after_another: Order = None,
) -> None:
    """Send recordings to Kafka, as their devices would have."""
    _send(_given(context), lambda settings, boot: plan_replay(paths, settings, boot=boot))


@app.command("formats")
def formats_command() -> None:
    """List the kinds of files that replay reads, with an example address of each."""
    Console().print(format_table(FORMATS))


@app.command()
def run(  # noqa: PLR0913
    context: typer.Context,
    *,
    config: Config = None,
    source: Annotated[LiveSource | None, typer.Option(help="A single source without a spool, instead.")] = None,
    duration_s: Annotated[float, typer.Option(help="How long to walk, in seconds.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed walks the same way.")] = 1,
    asymmetry: Annotated[float, typer.Option(help="(left - right) / mean of stance and load.")] = 0.0,
    stride_cv: Annotated[float, typer.Option(help="Stride time variability, standard deviation / mean.")] = 0.02,
    speed: Speed = None,
    device_id: Device = None,
    tenant_id: Tenant = None,
    site_id: Site = None,
    session_id: Session = None,
    boot_id: BootId = None,
    start: Start = None,
    bootstrap_servers: Bootstrap = None,
    topic: Topic = None,
) -> None:
    """Read live sources and send their frames: those of a YAML file through a spool, or one synthetic walker.

    The options below are the walker's.
    """
    if source is None:
        run_agent(config)
        return

    def walk(settings: EdgeSettings, boot: Boot) -> ReplayPlan:
        model = GaitModel(asymmetry=asymmetry, stride_time_cv=stride_cv)
        gait = synthesize_gait(duration_s, seed=seed, model=model, name=f"walker-{seed}")
        return plan_recordings([(source.value, gait.recording)], settings, boot=boot)

    _send(_given(context), walk)


def _given(context: typer.Context) -> dict[str, Any]:
    """The settings that were given as options."""
    return {name: value for name, value in context.params.items() if name in EdgeSettings.model_fields}


def _send(flags: dict[str, Any], make_plan: Callable[[EdgeSettings, Boot], ReplayPlan]) -> None:
    """Read the settings, make the plan, send it and show what became of it."""
    output, errors = Console(), Console(stderr=True)
    log_to(errors)
    clock, interruption = SystemClock(), Interruption()
    interruption.listen()
    with errors_in_red(errors):
        settings = EdgeSettings.load(flags)
        plan = make_plan(settings, Boot(new_boot_id(os.urandom), clock.now_ms()))
        with progress_bar(errors) as show:
            summary = replay_plan(plan, settings, clock=clock, on_progress=show, interruption=interruption)
    show_summary(summary, output=output, errors=errors)
