"""What the demo reads back from ClickHouse: one run's sessions, features, scores, alerts and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse_driver import Client

from schemas.sensors import GAIT_SENSOR, Domain

HEALTH_STAGES = (
    "rawframes",
    "session_features",
    "features_base",
    "features_health",
    "inference_results",
    "inference_alerts",
)
WINDOW_TABLES = {Domain.POWER: "power_features", Domain.ENVIRONMENT: "env_features"}
WINDOW_SENSORS = {Domain.POWER: "POWER", Domain.ENVIRONMENT: "ENVIRONMENT"}
"""What stands as sensor type where all sensors of a device are joined."""


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


@dataclass(frozen=True, slots=True)
class BodyMeasures:
    """What a force plate, a pressure device or a scanner says in one session; None where it cannot."""

    device_id: str
    sensor_type: str
    sway_mm_per_s: float | None
    sway_area_cm2: float | None
    peak_pressure_kpa: float | None
    arch_index: float | None
    foot_length_mm: float | None
    ball_width_mm: float | None


@dataclass(frozen=True, slots=True)
class EnvironmentDevice:
    """What one device's windows say about the air; None where no window knows.

    Attributes:
        minutes, fives, days: how many windows there are of one minute, of five and of a day; the means and the greatest
            CO2 are those of the minutes, the AQI of the days.
    """

    device_id: str
    minutes: int
    fives: int
    days: int
    temp_mean_degc: float | None
    humid_mean_pct: float | None
    dew_point_mean_degc: float | None
    co2_max_ppm: float | None
    aqi_max: float | None


@dataclass(frozen=True, slots=True)
class PowerDevice:
    """What one device's windows say about its supply and load, of several phases the first.

    Counts as of `EnvironmentDevice`; everything else is of the windows of one minute. The power is the active power of
    all phases; where nothing but a meter's watts is known, their mean.
    """

    device_id: str
    minutes: int
    fives: int
    days: int
    volt_rms_volt: float | None
    amp_rms_ampere: float | None
    power_mean_watt: float | None
    power_factor: float | None
    volt_thd_pct: float | None
    amp_thd_pct: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says about windows of a device.

    Attributes:
        answer: the label, or the reason why there is none.
        windows: how many of them have this answer.
        score: its mean; None without one.
    """

    device_id: str
    model_name: str
    answer: str
    windows: int
    score: float | None


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

_NOTHING = "CAST(NULL, 'Nullable(Float64)')"
_BODY = f"""
SELECT device_id, sensor_type, 10 * cop_velocity_cm_per_s AS sway_mm_per_s, cop_ellipse_area_95_cm2 AS sway_area_cm2,
       {_NOTHING} AS pressure_kpa, {_NOTHING} AS arch, {_NOTHING} AS foot_mm, {_NOTHING} AS ball_mm
FROM brain.balance_features FINAL
WHERE session_id = %(session)s
UNION ALL
SELECT device_id, sensor_type, {_NOTHING}, {_NOTHING}, peak_pressure_mean_kpa, arch_index_mean, {_NOTHING}, {_NOTHING}
FROM brain.plantar_features FINAL
WHERE session_id = %(session)s
UNION ALL
SELECT device_id, sensor_type, {_NOTHING}, {_NOTHING}, {_NOTHING}, {_NOTHING}, foot_length_mean_mm, ball_width_mean_mm
FROM brain.scanner_features FINAL
WHERE session_id = %(session)s
"""  # noqa: S608  # names of ours

_ENVIRONMENT = """
SELECT device_id, countIf(window_s = 60), countIf(window_s = 300), countIf(window_s = 86400),
       avgIf(temp_mean_degc, window_s = 60), avgIf(humid_mean_pct, window_s = 60),
       avgIf(dew_point_mean_degc, window_s = 60), maxIf(co2_max_ppm, window_s = 60),
       max(greatest(ifNull(nowcast_aqi, pm25_24h_aqi), ifNull(pm25_24h_aqi, nowcast_aqi)))
FROM brain.env_features FINAL
WHERE session_id = %(session)s
GROUP BY device_id
ORDER BY device_id
"""

_POWER = """
SELECT device_id, countIf(window_s = 60), countIf(window_s = 300), countIf(window_s = 86400),
       avgIf(volt_rms_l1_volt, window_s = 60), avgIf(amp_rms_l1_ampere, window_s = 60),
       avgIf(ifNull(active_power_total_watt, watt_mean_watt), window_s = 60), avgIf(power_factor, window_s = 60),
       avgIf(volt_thd_l1_pct, window_s = 60), avgIf(amp_thd_l1_pct, window_s = 60)
FROM brain.power_features FINAL
WHERE session_id = %(session)s
GROUP BY device_id
ORDER BY device_id
"""

_ANSWERS = """
SELECT device_id, model_name, if(reason = 'ok', label, reason) AS answer, count() AS windows, avg(score)
FROM brain.inference_results FINAL
WHERE session_id = %(session)s AND sensor_type = %(sensor)s
GROUP BY device_id, model_name, answer
ORDER BY device_id, model_name, windows DESC, answer
"""


def health_counts(client: Client, session_id: str) -> dict[str, int]:
    """Rows of the walks of one run in each table of the line."""
    return {table: _count(client, table, session_id, GAIT_SENSOR) for table in HEALTH_STAGES}


def window_counts(client: Client, session_id: str, domain: Domain) -> tuple[int, int]:
    """Windows of a domain in one run, and results about them."""
    sensor_type = WINDOW_SENSORS[domain]
    tables = (WINDOW_TABLES[domain], "inference_results")
    windows, answers = (_count(client, table, session_id, sensor_type) for table in tables)
    return windows, answers


def _count(client: Client, table: str, session_id: str, sensor_type: str) -> int:
    query = f"SELECT count() FROM brain.{table} WHERE session_id = %(session)s AND sensor_type = %(sensor)s"  # noqa: S608  # names of ours
    return int(client.execute(query, {"session": session_id, "sensor": sensor_type})[0][0])


def body_measures(client: Client, session_id: str) -> list[BodyMeasures]:
    """The stances, pressures and feet of one run."""
    measured = [BodyMeasures(*row) for row in client.execute(_BODY, {"session": session_id})]
    return sorted(measured, key=lambda one: (one.sensor_type, one.device_id))


def environment_devices(client: Client, session_id: str) -> list[EnvironmentDevice]:
    """The air of one run, by device."""
    return [EnvironmentDevice(*row) for row in client.execute(_ENVIRONMENT, {"session": session_id})]


def power_devices(client: Client, session_id: str) -> list[PowerDevice]:
    """The power of one run, by device."""
    return [PowerDevice(*row) for row in client.execute(_POWER, {"session": session_id})]


def window_answers(client: Client, session_id: str, domain: Domain) -> list[Answer]:
    """What models say about the windows of one run, by device; the most frequent answer first."""
    parameters = {"session": session_id, "sensor": WINDOW_SENSORS[domain]}
    return [Answer(*row) for row in client.execute(_ANSWERS, parameters)]


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
