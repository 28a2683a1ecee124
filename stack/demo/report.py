"""The end of the demo on the terminal: every recording's way, what the tables hold, and where to look next."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from stack.demo.results import Answer, BodyMeasures, EnvironmentDevice, PowerDevice, Scored
from stack.endpoints import StackEndpoints

MISSING = "-"
_DEVICE_WIDTH = 20
_MOST_ANSWERS = 12


def show_health(console: Console, session_id: str, sessions: Sequence[Scored]) -> None:
    """Prints one line a recording, and the time from last frame to stored score."""
    console.print(_session_table(sessions, session_id))
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


def show_body(console: Console, measured: Iterable[BodyMeasures]) -> None:
    """Prints what force plates, pressure devices and scanners say."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, title="stances, pressures and feet")
    table.add_column("device", max_width=_DEVICE_WIDTH, no_wrap=True)
    table.add_column("sensor", no_wrap=True)
    for name in ("sway\nmm/s", "95 % of it\ncm2", "peak\nkPa", "arch\nindex", "foot\nmm", "ball\nmm"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in measured:
        table.add_row(
            one.device_id,
            one.sensor_type,
            _number(one.sway_mm_per_s, 1),
            _number(one.sway_area_cm2, 2),
            _number(one.peak_pressure_kpa, 0),
            _number(one.arch_index, 3),
            _number(one.foot_length_mm, 1),
            _number(one.ball_width_mm, 1),
        )
    if table.row_count:
        console.print(table)


def show_environment(console: Console, devices: Iterable[EnvironmentDevice], answers: Sequence[Answer]) -> None:
    """Prints the air of each device, and what models say."""
    table = _window_table("environment", ("temp.\nC", "RH\n%", "dew pt.\nC", "CO2 max\nppm", "AQI\n"))
    for device in devices:
        table.add_row(
            *_window_cells(device),
            _number(device.temp_mean_degc, 1),
            _number(device.humid_mean_pct, 1),
            _number(device.dew_point_mean_degc, 1),
            _number(device.co2_max_ppm, 0),
            _number(device.aqi_max, 0),
        )
    console.print(table)
    _show_answers(console, answers)


def show_power(console: Console, devices: Iterable[PowerDevice], answers: Sequence[Answer]) -> None:
    """Prints the power of each device, and what models say."""
    columns = ("U rms\nV", "I rms\nA", "P\nW", "PF\n", "THD U\n%", "THD I\n%")
    table = _window_table("power (U, I and THD of phase L1)", columns)
    for device in devices:
        table.add_row(
            *_window_cells(device),
            _number(device.volt_rms_volt, 1),
            _number(device.amp_rms_ampere, 2),
            _number(device.power_mean_watt, 0),
            _number(device.power_factor, 2),
            _number(device.volt_thd_pct, 1),
            _number(device.amp_thd_pct, 1),
        )
    console.print(table)
    _show_answers(console, answers)


def _show_answers(console: Console, answers: Sequence[Answer]) -> None:
    """One line for each answer of a model about a device; the devices with most windows first."""
    ranked = sorted(answers, key=lambda answer: -answer.windows)
    for answer in ranked[:_MOST_ANSWERS]:
        score = "" if answer.score is None else f", mean score {answer.score:.2f}"
        console.print(f"{answer.model_name}: {answer.device_id} {answer.answer} in {answer.windows:,} windows{score}")
    if len(ranked) > _MOST_ANSWERS:
        console.print(f"... and {len(ranked) - _MOST_ANSWERS} more answers in brain.inference_results")


def show_tables(console: Console, tables: Iterable[tuple[str, int]]) -> None:
    """Prints the rows per table."""
    console.print("rows: " + ", ".join(f"{name} {count:,}" for name, count in tables), highlight=False)


def _window_table(title: str, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, title=title)
    table.add_column("device", max_width=_DEVICE_WIDTH, no_wrap=True)
    for name in ("windows\n1 min", "\n5 min", "\nday", *columns):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _window_cells(device: EnvironmentDevice | PowerDevice) -> tuple[str, str, str, str]:
    return device.device_id, f"{device.minutes:,}", f"{device.fives:,}", f"{device.days:,}"


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
