"""What the demo reads back from ClickHouse: one run's sessions, features, scores, alerts and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse_driver import Client

STAGES = ("rawframes", "session_features", "features_base", "features_health", "inference_results", "inference_alerts")


@dataclass(frozen=True, slots=True)
class Scored:
    """One recording's way through the line.

    Attributes:
        alert_stored: whether its alert is in the table.
        to_score_s: from the broker's append time of its last frame to the stored score.
    """

    device_id: str
    duration_s: float
    completeness: float
    cadence_steps_per_min: float | None
    stride_time_mean_s: float | None
    stride_time_cv_pct: float | None
    double_support_mean_pct: float | None
    score: float | None
    label: str
    reason: str
    alert_stored: bool
    to_score_s: float


_SCORED = """
SELECT device_id, s.duration_s, s.completeness, h.cadence_steps_per_min, h.stride_time_mean_s, h.stride_time_cv_pct,
       h.double_support_mean_pct, r.score, r.label, r.reason, a.alert_id != '',
       (toUnixTimestamp64Milli(r.inserted_at) - toUnixTimestamp64Milli(r.last_append_ms)) / 1000
FROM brain.session_features AS s FINAL
JOIN brain.features_health AS h FINAL USING (tenant_id, device_id, session_id, sensor_type, session_start_ms)
JOIN brain.inference_results AS r FINAL USING (tenant_id, device_id, session_id, sensor_type, session_start_ms)
LEFT JOIN brain.inference_alerts AS a FINAL USING (tenant_id, device_id, session_id, sensor_type, session_start_ms)
WHERE session_id = %(session)s
ORDER BY device_id
"""


def stage_counts(client: Client, session_id: str) -> dict[str, int]:
    """Rows of one run in each table of the line."""
    return {table: _count(client, table, session_id) for table in STAGES}


def _count(client: Client, table: str, session_id: str) -> int:
    query = f"SELECT count() FROM brain.{table} WHERE session_id = %(session)s"  # noqa: S608  # names from STAGES
    return int(client.execute(query, {"session": session_id})[0][0])


def table_counts(client: Client) -> list[tuple[str, int]]:
    """Rows of every table of the database."""
    tables: Sequence[tuple[str, str]] = client.execute(
        "SELECT name, engine FROM system.tables WHERE database = 'brain' ORDER BY name"
    )
    names = [name for name, engine in tables if "MergeTree" in engine]
    return [(name, int(client.execute(f"SELECT count() FROM brain.{name}")[0][0])) for name in names]  # noqa: S608


def scored_sessions(client: Client, session_id: str) -> list[Scored]:
    """The sessions of one run that have a result, by device."""
    return [Scored(*row) for row in client.execute(_SCORED, {"session": session_id})]
