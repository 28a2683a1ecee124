"""The end of the demo on the terminal: every recording's way, what the tables hold, and where to look next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from stack.demo.results import Scored
from stack.endpoints import StackEndpoints

MISSING = "-"


def show(console: Console, sessions: Sequence[Scored], tables: Sequence[tuple[str, int]]) -> None:
    """Prints one line a recording, the rows per table, and the time from last frame to stored score."""
    console.print(_session_table(sessions))
    console.print("rows: " + ", ".join(f"{name} {count:,}" for name, count in tables), highlight=False)
    times_s = sorted(session.to_score_s for session in sessions)
    console.print(
        f"last frame to stored score: median {statistics.median(times_s):.1f} s, longest {times_s[-1]:.1f} s "
        "(a session ends 5 s after its last frame arrived)",
        highlight=False,
    )
    console.print("A score is no diagnosis: docs/models.md says what it is worth.", style="yellow")


def _session_table(sessions: Sequence[Scored]) -> Table:
    table = Table("recording", title="recordings, sessions, scores")
    for name in ("s", "steps/min", "stride s", "CV %", "double %", "score"):
        table.add_column(name, justify="right")
    table.add_column("label")
    table.add_column("alert")
    for session in sessions:
        table.add_row(
            session.device_id,
            f"{session.duration_s:.0f}",
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
    console.print(f"ClickHouse      {clickhouse}  (SELECT * FROM brain.inference_results)", highlight=False)
    console.print("jobs            brain-jobs status")
    console.print("stop everything make stack-down")
