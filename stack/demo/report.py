"""The end of the demo on the terminal: every recording's way, what the tables hold, and where to look next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from stack.demo.results import Scored
from stack.endpoints import StackEndpoints

MISSING = "-"


def show(console: Console, session_id: str, sessions: Sequence[Scored], tables: Sequence[tuple[str, int]]) -> None:
    """Prints one line a recording, the rows per table, and the time from last frame to stored score."""
    console.print(_session_table(sessions, session_id))
    console.print("rows: " + ", ".join(f"{name} {count:,}" for name, count in tables), highlight=False)
    times_s = sorted(session.to_score_s for session in sessions)
    console.print(
        f"last frame to stored score: median {statistics.median(times_s):.1f} s, longest {times_s[-1]:.1f} s "
        "(a session ends 5 s after its last frame arrived)",
        highlight=False,
    )
    console.print("A score is no diagnosis: docs/models.md says what it is worth.", style="yellow")


def _session_table(sessions: Sequence[Scored], session_id: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, title=f"session {session_id} of each recording")
    table.add_column("recording", no_wrap=True)
    for name in ("length\ns", "frames\n%", "cadence\n1/min", "stride\ns", "stride\nCV %", "double\nsup. %", "score\n"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("label", no_wrap=True)
    table.add_column("alert", no_wrap=True)
    for session in sessions:
        table.add_row(
            session.device_id,
            f"{session.duration_s:.0f}",
            f"{100 * session.completeness:.0f}",
            _number(session.cadence_steps_per_min, 1),
            _number(session.stride_time_mean_s, 3),
            _number(session.stride_time_cv_pct, 1),
            _number(session.double_support_mean_pct, 1),
            _number(session.score, 3),
            session.label if session.reason == "ok" else session.reason,
            "[red]ALERT[/red]" if session.alert_stored else "",
        )
    return table


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def show_next_steps(console: Console, endpoints: StackEndpoints) -> None:
    """Says where to look and how to stop."""
    clickhouse = f"http://{endpoints.clickhouse_host}:{endpoints.clickhouse_http_port}/play"
    console.print(f"Flink UI        {endpoints.flink_rest_url}", highlight=False)
    console.print(f"ClickHouse      {clickhouse}", highlight=False)
    console.print("                SELECT * FROM brain.inference_results FINAL", highlight=False)
    console.print("jobs            brain-jobs status")
    console.print("stop everything make stack-down")
