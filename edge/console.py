"""What a person sees of the edge agent: a progress bar, the summary and errors that say what to do next."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from typer import Exit

from edge.errors import DeliveryError, GivenUpError
from edge.recordings.files import Format
from edge.replay import OnProgress, Progress, ReplaySummary
from schemas.errors import BrainError, SettingsError

FAILED = 1
WRONG_SETTINGS = 2
INTERRUPTED = 130

_NEXT_STEPS: tuple[tuple[type[BrainError], str], ...] = (
    (SettingsError, "Correct the values above; --help lists the options, docs/edge.md the settings."),
    (
        DeliveryError,
        "Check the topic, its max.message.bytes and the bootstrap servers; `brain-stack init` creates local topics.",
    ),
)


def log_to(console: Console) -> None:
    """Send warnings to the console without tearing the progress bar."""
    handler = RichHandler(console=console, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])


@contextmanager
def errors_in_red(console: Console) -> Iterator[None]:
    """Show an error of ours as text with the next step, and end with an exit code; faults keep their traceback."""
    try:
        yield
    except GivenUpError as error:
        console.print(f"[red]{escape(str(error))}[/red]; replay the recordings again.", soft_wrap=True)
        raise Exit(INTERRUPTED) from error
    except BrainError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        for kind, next_step in _NEXT_STEPS:
            if isinstance(error, kind):
                console.print(next_step, soft_wrap=True)
        raise Exit(WRONG_SETTINGS if isinstance(error, SettingsError) else FAILED) from error


@contextmanager
def progress_bar(console: Console) -> Iterator[OnProgress]:
    """A bar over the frames acknowledged."""
    columns = (TextColumn("frames acknowledged"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProgressBar(*columns, console=console) as bar:
        task = bar.add_task("frames", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, total=progress.frames, completed=progress.delivery.acknowledged)

        yield show


def show_summary(summary: ReplaySummary, *, output: Console, errors: Console) -> None:
    """Print what was sent and what was not.

    Raises:
        Exit: with a code other than 0 unless every recording was good and every frame is acknowledged.
    """
    output.print(_summary_table(summary))
    for bad in summary.bad:
        errors.print(f"[red]not sent:[/red] {escape(str(bad))}", soft_wrap=True)
    if summary.bad:
        errors.print("Correct or leave out the recordings above; the others were sent.")
    if summary.failure:
        errors.print(f"[red]refused:[/red] {escape(summary.failure)}", soft_wrap=True)
        errors.print(_NEXT_STEPS[1][1], soft_wrap=True)
    if summary.interrupted:
        errors.print("[yellow]Interrupted: the frames sent until then are acknowledged.[/yellow]")
        raise Exit(INTERRUPTED)
    if not summary.ok:
        raise Exit(FAILED)


def _summary_table(summary: ReplaySummary) -> Table:
    table = Table(show_header=True)
    delivery = summary.delivery
    cells = {
        "recordings": len(summary.recordings),
        "frames read": summary.frames_read,
        "sent": delivery.sent,
        "acknowledged": delivery.acknowledged,
        "failed": delivery.failed,
    }
    for name in (*cells, "seconds"):
        table.add_column(name, justify="right")
    table.add_row(*map(str, cells.values()), f"{summary.duration_s:.1f}")
    return table


def format_table(formats: Iterable[Format]) -> Table:
    """One line a kind of file; an address is never cut."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("format", "domain", "example address", "holds"):
        table.add_column(name, no_wrap=name != "holds", overflow="fold")
    for known in formats:
        table.add_row(known.name, known.domain.value if known.domain else "any", known.example, known.holds)
    return table
